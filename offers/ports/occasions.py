"""Find the shoppers whose day it is: birthdays, anniversaries, points that expire, trips that end.

Layer: ports. Takes: dates and instants. Gives: `Occasions` to storage. Each question leaves out
whom the site has decided about already, so that asking again goes on where the last call stopped.
"""

from collections.abc import Sequence
from typing import Protocol

from offers.model.ids import ShopperId, TripId
from offers.model.visits.stay import Stay
from rtls.model.units import SiteId, UnixMs, ZoneId


class Occasions(Protocol):
    """Who has an occasion now, and has not had a decision about it."""

    def birthdays(
        self, site: SiteId, days: Sequence[str], *, occasion: str, limit: int
    ) -> tuple[ShopperId, ...]:
        """Return shoppers whose attribute ``birthday`` is one of the days, as in "12-24"."""
        ...

    def first_purchases(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, occasion: str, limit: int
    ) -> tuple[ShopperId, ...]:
        """Return shoppers whose first purchase at the site lies between the instants."""
        ...

    def expiring_lots(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, days_ahead: int, limit: int
    ) -> tuple[tuple[ShopperId, str], ...]:
        """Return lots of points with something left that expire between the instants."""
        ...

    def ended_trips(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[tuple[ShopperId, TripId], ...]:
        """Return trips in which something was seen last between the instants."""
        ...

    def purchase_count(self, shopper: ShopperId) -> int:
        """Return how many purchases the shopper has made in all."""
        ...

    def stays(
        self, site: SiteId, zone: ZoneId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[Stay, ...]:
        """Return stays of shoppers in the zone that began between the instants, oldest first."""
        ...

    def enrolments(
        self, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[tuple[ShopperId, UnixMs], ...]:
        """Return who became a shopper between the instants, and when, oldest first."""
        ...
