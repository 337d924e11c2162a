"""Keep in SQL the claims of cards that were handed out and belong to nobody's app yet.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.CardClaims`. A claim is
taken by deleting its row: of two who enter one code at once, one finds it.
"""

import sqlalchemy as sa

from offers.model.ids import ShopperId
from offers.storage.tables import CARD_CLAIMS
from rtls.model.units import UnixMs

_ADD_CARD_CLAIMS = sa.insert(CARD_CLAIMS)
_C = CARD_CLAIMS.c
_TAKE = (
    sa.delete(CARD_CLAIMS)
    .where(_C.fingerprint == sa.bindparam("claim"), _C.until_ms > sa.bindparam("now_ms"))
    .returning(_C.shopper_id)
)
_OLD = (
    sa.select(_C.fingerprint)
    .where(_C.until_ms <= sa.bindparam("now_ms"))
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_FORGET = sa.delete(CARD_CLAIMS).where(_C.fingerprint.in_(_OLD))


class SqlCardClaims:
    """Claims of cards that were handed out."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, fingerprint: str, shopper: ShopperId, *, until_ms: UnixMs) -> None:
        """Write a claim under the fingerprint of its code."""
        row = {"fingerprint": fingerprint, "shopper_id": shopper, "until_ms": until_ms}
        self._connection.execute(_ADD_CARD_CLAIMS, row)

    def take(self, fingerprint: str, *, now_ms: UnixMs) -> ShopperId | None:
        """Use the claim up and return whose card it is; None where there is none, or it is over."""
        given = {"claim": fingerprint, "now_ms": now_ms}
        found = self._connection.execute(_TAKE, given).scalar_one_or_none()
        return None if found is None else ShopperId(found)

    def forget_overdue(self, *, now_ms: UnixMs, limit: int) -> int:
        """Delete claims whose time is over; return how many."""
        return self._connection.execute(_FORGET, {"now_ms": now_ms, "most": limit}).rowcount
