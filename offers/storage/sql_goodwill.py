"""Keep in SQL how much each key has granted on a day.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.GoodwillDays`.
"""

import sqlalchemy as sa

from offers.model.ids import CredentialId
from offers.storage.insert_once import insert_once
from offers.storage.tables import GOODWILL_DAYS

_D = GOODWILL_DAYS.c
_IS_DAY = sa.and_(_D.credential_id == sa.bindparam("by"), _D.day == sa.bindparam("on_day"))
_POINTS: sa.BindParameter[int] = sa.bindparam("points", type_=sa.BigInteger)
_TAKE = (
    sa.update(GOODWILL_DAYS)
    .where(_IS_DAY, _D.granted + _POINTS <= sa.bindparam("points_max", type_=sa.BigInteger))
    .values(granted=_D.granted + _POINTS)
)
_OLD = (
    sa.select(_D.credential_id, _D.day)
    .where(_D.day < sa.bindparam("before_day"))
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_FORGET = sa.delete(GOODWILL_DAYS).where(sa.tuple_(_D.credential_id, _D.day).in_(_OLD))


class SqlGoodwillDays:
    """What each key has granted on each day."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(GOODWILL_DAYS, connection.dialect.name)

    def take(self, by: CredentialId, *, day: str, points: int, points_max: int) -> bool:
        """Count points of the day; False where they would exceed ``points_max``."""
        row = {"credential_id": by, "day": day, "granted": 0}
        self._connection.execute(self._insert, row)
        given = {"by": by, "on_day": day, "points": points, "points_max": points_max}
        return self._connection.execute(_TAKE, given).rowcount == 1

    def forget_before(self, day: str, *, limit: int) -> int:
        """Delete days before ``day``; return how many rows."""
        given = {"before_day": day, "most": limit}
        return self._connection.execute(_FORGET, given).rowcount
