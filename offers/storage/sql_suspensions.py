"""Keep suspensions in SQL. A partial UNIQUE index lets a card have one that is not lifted.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Suspensions`.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from offers.model.ids import CredentialId, ShopperId, SuspensionId
from offers.model.people.suspension import Suspension, SuspensionReason
from offers.storage.insert_once import insert_once
from offers.storage.tables import SUSPENSIONS
from rtls.model.units import SiteId, UnixMs

_S = SUSPENSIONS.c
_IS_OPEN = _S.lifted_at_ms.is_(None)
_FIND = sa.select(SUSPENSIONS).where(_S.suspension_id == sa.bindparam("suspension"))
_OPEN_OF = sa.select(SUSPENSIONS).where(_S.shopper_id == sa.bindparam("shopper"), _IS_OPEN)
_OPEN_OF_SITE = (
    sa.select(SUSPENSIONS)
    .where(_S.site == sa.bindparam("of_site"), _IS_OPEN)
    .order_by(_S.appealed_at_ms.is_(None), _S.at_ms, _S.suspension_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_APPEAL = (
    sa.update(SUSPENSIONS)
    .where(_S.suspension_id == sa.bindparam("suspension"), _IS_OPEN, _S.appeal.is_(None))
    .values(appeal=sa.bindparam("words"), appealed_at_ms=sa.bindparam("now_ms"))
)
_LIFT = (
    sa.update(SUSPENSIONS)
    .where(_S.suspension_id == sa.bindparam("suspension"), _IS_OPEN)
    .values(lifted_at_ms=sa.bindparam("now_ms"))
)


class SqlSuspensions:
    """Which cards are suspended."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(SUSPENSIONS, connection.dialect.name)

    def add(self, suspension: Suspension) -> bool:
        """Write a suspension; False where the card is suspended."""
        row = {
            "suspension_id": suspension.suspension,
            "shopper_id": suspension.shopper,
            "site": suspension.site,
            "reason": suspension.reason.value,
            "by_credential": suspension.by,
            "at_ms": suspension.at_ms,
            "appeal": suspension.appeal,
            "appealed_at_ms": suspension.appealed_at_ms,
            "lifted_at_ms": suspension.lifted_at_ms,
        }
        return self._connection.execute(self._insert, row).rowcount == 1

    def find(self, suspension: SuspensionId) -> Suspension | None:
        """Return the suspension, lifted or not, or None."""
        return self._first(_FIND, {"suspension": suspension})

    def open_of(self, shopper: ShopperId) -> Suspension | None:
        """Return the suspension that counts now, or None."""
        return self._first(_OPEN_OF, {"shopper": shopper})

    def open_of_site(self, site: SiteId, *, limit: int) -> tuple[Suspension, ...]:
        """Return those that have not been lifted, the ones with an appeal first."""
        rows = self._connection.execute(_OPEN_OF_SITE, {"of_site": site, "most": limit})
        return tuple(_suspension(row) for row in rows)

    def appeal(self, suspension: SuspensionId, text: str, *, at_ms: UnixMs) -> bool:
        """Write what the shopper says; False where there is an appeal already, or it is lifted."""
        given = {"suspension": suspension, "words": text, "now_ms": at_ms}
        return self._connection.execute(_APPEAL, given).rowcount == 1

    def lift(self, suspension: SuspensionId, *, at_ms: UnixMs) -> bool:
        """End the suspension; False where it is unknown or lifted."""
        given = {"suspension": suspension, "now_ms": at_ms}
        return self._connection.execute(_LIFT, given).rowcount == 1

    def _first(
        self, query: sa.Select[*tuple[object, ...]], given: Mapping[str, object]
    ) -> Suspension | None:
        row = self._connection.execute(query, given).one_or_none()
        return None if row is None else _suspension(row)


def _suspension(row: sa.Row[*tuple[object, ...]]) -> Suspension:
    return Suspension(
        suspension=SuspensionId(row.suspension_id),
        shopper=ShopperId(row.shopper_id),
        site=SiteId(row.site),
        reason=SuspensionReason(row.reason),
        by=CredentialId(row.by_credential),
        at_ms=UnixMs(row.at_ms),
        appeal=row.appeal,
        appealed_at_ms=row.appealed_at_ms,
        lifted_at_ms=row.lifted_at_ms,
    )
