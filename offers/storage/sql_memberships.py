"""Keep who is in which segment in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Memberships`. That a
shopper has one open place a site is a unique index.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from offers.model.ids import ShopperId
from offers.model.loyalty.segment import Membership, Segment
from offers.storage.insert_once import insert_once
from offers.storage.tables import MEMBERSHIPS
from rtls.model.units import SiteId, UnixMs

_M = MEMBERSHIPS.c
_IS_MINE = _M.shopper_id == sa.bindparam("shopper")
_IS_OPEN = _M.left_at_ms.is_(None)
_CURRENT = sa.select(MEMBERSHIPS).where(_IS_MINE, _M.site == sa.bindparam("place"), _IS_OPEN)
_LEAVE = (
    sa.update(MEMBERSHIPS)
    .where(
        _IS_MINE,
        _M.site == sa.bindparam("place"),
        _M.segment == sa.bindparam("group"),
        _IS_OPEN,
    )
    .values(left_at_ms=sa.bindparam("at_ms"))
)
_HISTORY = sa.select(MEMBERSHIPS).where(_IS_MINE).order_by(_M.sequence)
_SIZES = (
    sa.select(_M.segment, sa.func.count().label("size"))
    .where(_M.site == sa.bindparam("place"), _IS_OPEN)
    .group_by(_M.segment)
)
_ERASE = sa.delete(MEMBERSHIPS).where(_IS_MINE)


class SqlMemberships:
    """Who is in which segment of a site."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(MEMBERSHIPS, connection.dialect.name)

    def current(self, shopper: ShopperId, site: SiteId) -> Membership | None:
        """Return the open membership, or None."""
        asked = {"shopper": shopper, "place": site}
        row = self._connection.execute(_CURRENT, asked).one_or_none()
        return None if row is None else _membership(row)

    def enter(self, membership: Membership) -> bool:
        """Write a new one; False where another is open."""
        row = {
            "shopper_id": membership.shopper,
            "site": membership.site,
            "segment": membership.segment.value,
            "entered_at_ms": membership.entered_at_ms,
            "left_at_ms": membership.left_at_ms,
        }
        return self._connection.execute(self._insert, row).rowcount == 1

    def leave(self, membership: Membership, *, at_ms: UnixMs) -> bool:
        """End an open one; False where there is none like it."""
        asked = {
            "shopper": membership.shopper,
            "place": membership.site,
            "group": membership.segment.value,
            "at_ms": at_ms,
        }
        return self._connection.execute(_LEAVE, asked).rowcount == 1

    def history_of(self, shopper: ShopperId) -> tuple[Membership, ...]:
        """Return every membership of a shopper, oldest first."""
        return tuple(map(_membership, self._connection.execute(_HISTORY, {"shopper": shopper})))

    def sizes(self, site: SiteId) -> Mapping[Segment, int]:
        """Count the members of each segment of a site that has any."""
        asked = {"place": site}
        return {Segment(row.segment): row.size for row in self._connection.execute(_SIZES, asked)}

    def erase(self, shopper: ShopperId) -> None:
        """Delete all memberships of a shopper, open and ended."""
        self._connection.execute(_ERASE, {"shopper": shopper})


def _membership(row: sa.Row[*tuple[object, ...]]) -> Membership:
    return Membership(
        shopper=ShopperId(row.shopper_id),
        site=SiteId(row.site),
        segment=Segment(row.segment),
        entered_at_ms=UnixMs(row.entered_at_ms),
        left_at_ms=row.left_at_ms,
    )
