"""Remember one shopper's stay in a site, from the first visit until half an hour without any.

Layer: nouns. Takes: what visits tell. Gives: `Trip` to note_trip, to the caps of pushes and to
storage. Caps count by trips, since that is what a shopper feels: one shopping, one message.
"""

from dataclasses import dataclass, replace
from typing import Final

from offers.model.errors import InvalidShopper
from offers.model.ids import ShopperId, TripId, check_random_id
from rtls.model.units import SiteId, UnixMs

TRIP_GAP_MS: Final = 30 * 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One stay in a site. It is over when nothing has been seen for long."""

    trip: TripId
    shopper: ShopperId
    site: SiteId
    number: int
    """counts the shopper's trips to the site from 1"""
    began_at_ms: UnixMs
    seen_at_ms: UnixMs

    def __post_init__(self) -> None:
        check_random_id("trip", self.trip, error=InvalidShopper)
        if self.number < 1 or self.seen_at_ms < self.began_at_ms:
            raise InvalidShopper(
                f"trip {self.number} was seen at {self.seen_at_ms} and began at "
                f"{self.began_at_ms}; expected a number from 1 and a beginning before its end."
            )

    def holds(self, at_ms: UnixMs) -> bool:
        """Say whether something seen at ``at_ms`` belongs to it; late news does, too."""
        return at_ms <= self.seen_at_ms + TRIP_GAP_MS

    def seen(self, at_ms: UnixMs) -> "Trip":
        """Return the trip after something was seen."""
        return replace(self, seen_at_ms=max(self.seen_at_ms, at_ms))
