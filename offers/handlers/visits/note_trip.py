"""Note that a shopper was seen in a site: the trip goes on, or a new one begins.

Layer: flow. Takes: a shopper, a site and an instant from on_visit. Gives: the `Trip`, by which
pushes are counted.
"""

from offers.handlers.random_id import random_id
from offers.model.errors import Busy
from offers.model.ids import ShopperId, TripId
from offers.model.visits.trip import Trip
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


def note_trip(
    shopper: ShopperId, site: SiteId, *, at_ms: UnixMs, work: UnitOfWork, secrets: SecretSource
) -> Trip:
    """Return the trip that what was seen belongs to.

    Parameters
    ----------
    shopper, site, at_ms
        Who was seen where, and when; late news belongs to the trip that is.
    work, secrets
        The transaction, and the source of randomness.

    Raises
    ------
    Busy
        If another writer began the same trip at this moment.
    """
    newest = work.trips.newest(shopper, site)
    if newest is not None and newest.holds(at_ms):
        work.trips.extend(newest.trip, seen_at_ms=at_ms)
        return newest.seen(at_ms)
    trip = Trip(
        trip=TripId(random_id(secrets)),
        shopper=shopper,
        site=site,
        number=1 if newest is None else newest.number + 1,
        began_at_ms=at_ms,
        seen_at_ms=at_ms,
    )
    if not work.trips.add(trip):
        raise Busy(f"trip {trip.number} has just begun elsewhere. Try again.")
    return trip
