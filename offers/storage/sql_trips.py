"""Keep trips and the slots of their pushes in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Trips`.
"""

import sqlalchemy as sa

from offers.model.ids import OfferId, ShopperId, TripId
from offers.model.visits.trip import Trip
from offers.storage.insert_once import insert_once
from offers.storage.tables import PUSH_SLOTS, TRIPS
from rtls.model.units import SiteId, UnixMs

_T = TRIPS.c
_S = PUSH_SLOTS.c
_NEWEST = (
    sa.select(TRIPS)
    .where(_T.shopper_id == sa.bindparam("shopper"), _T.site == sa.bindparam("at_site"))
    .order_by(_T.number.desc())
    .limit(1)
)
_EXTEND = (
    sa.update(TRIPS)
    .where(_T.trip_id == sa.bindparam("trip"), _T.seen_at_ms < sa.bindparam("seen"))
    .values(seen_at_ms=sa.bindparam("seen"))
)
_SLOTS = sa.select(_S.slot, _S.offer_id).where(_S.trip_id == sa.bindparam("trip"))
_FREE = sa.delete(PUSH_SLOTS).where(_S.offer_id == sa.bindparam("offer"))
_OLD = (
    sa.select(_T.trip_id)
    .where(_T.seen_at_ms < sa.bindparam("before_ms"))
    .order_by(_T.seen_at_ms)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_FORGET_SLOTS = sa.delete(PUSH_SLOTS).where(_S.trip_id.in_(sa.bindparam("trips", expanding=True)))
_FORGET = sa.delete(TRIPS).where(_T.trip_id.in_(sa.bindparam("trips", expanding=True)))


class SqlTrips:
    """Stays of shoppers in sites, and which of them had its push."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(TRIPS, connection.dialect.name)
        self._insert_slot = insert_once(PUSH_SLOTS, connection.dialect.name)

    def newest(self, shopper: ShopperId, site: SiteId) -> Trip | None:
        """Return the shopper's newest trip to the site, or None."""
        given = {"shopper": shopper, "at_site": site}
        row = self._connection.execute(_NEWEST, given).one_or_none()
        if row is None:
            return None
        return Trip(
            trip=TripId(row.trip_id),
            shopper=ShopperId(row.shopper_id),
            site=SiteId(row.site),
            number=row.number,
            began_at_ms=UnixMs(row.began_at_ms),
            seen_at_ms=UnixMs(row.seen_at_ms),
        )

    def add(self, trip: Trip) -> bool:
        """Write a new trip; False where another writer began one of the same number."""
        row = {
            "trip_id": trip.trip,
            "shopper_id": trip.shopper,
            "site": trip.site,
            "number": trip.number,
            "began_at_ms": trip.began_at_ms,
            "seen_at_ms": trip.seen_at_ms,
        }
        return self._connection.execute(self._insert, row).rowcount == 1

    def extend(self, trip: TripId, *, seen_at_ms: UnixMs) -> None:
        """Write that something was seen; never earlier than before."""
        self._connection.execute(_EXTEND, {"trip": trip, "seen": seen_at_ms})

    def has_push_slot(self, trip: TripId, offer: OfferId, *, slots: int) -> bool:
        """Say whether the offer has a slot of the trip, or could still take one."""
        taken = {row.slot: row.offer_id for row in self._connection.execute(_SLOTS, {"trip": trip})}
        return offer in taken.values() or any(slot not in taken for slot in range(slots))

    def take_push_slot(self, trip: TripId, offer: OfferId, *, slots: int, at_ms: UnixMs) -> bool:
        """Take the first free of ``slots`` for the offer; True also where it has one already."""
        for slot in range(slots):
            row = {"trip_id": trip, "slot": slot, "offer_id": offer, "taken_at_ms": at_ms}
            if self._connection.execute(self._insert_slot, row).rowcount == 1:
                return True
        return any(
            row.offer_id == offer for row in self._connection.execute(_SLOTS, {"trip": trip})
        )

    def free_push_slot(self, offer: OfferId) -> None:
        """Give the slot back: nobody took the push."""
        self._connection.execute(_FREE, {"offer": offer})

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete trips last seen before ``before_ms`` with their slots; return how many."""
        old = self._connection.execute(_OLD, {"before_ms": before_ms, "most": limit})
        trips = list(old.scalars())
        if trips:
            self._connection.execute(_FORGET_SLOTS, {"trips": trips})
            self._connection.execute(_FORGET, {"trips": trips})
        return len(trips)
