"""Keep which cards are suspended, why, and what their holders say to that.

Layer: ports. Takes: nouns. Gives: `Suspensions` to storage.
"""

from typing import Protocol

from offers.model.ids import ShopperId, SuspensionId
from offers.model.people.suspension import Suspension
from rtls.model.units import SiteId, UnixMs


class Suspensions(Protocol):
    """Suspensions of cards; a card has at most one that has not been lifted."""

    def add(self, suspension: Suspension) -> bool:
        """Write a suspension; False where the card is suspended."""
        ...

    def find(self, suspension: SuspensionId) -> Suspension | None:
        """Return the suspension, lifted or not, or None."""
        ...

    def open_of(self, shopper: ShopperId) -> Suspension | None:
        """Return the suspension that counts now, or None."""
        ...

    def open_of_site(self, site: SiteId, *, limit: int) -> tuple[Suspension, ...]:
        """Return those that have not been lifted, the ones with an appeal first."""
        ...

    def appeal(self, suspension: SuspensionId, text: str, *, at_ms: UnixMs) -> bool:
        """Write what the shopper says; False where there is an appeal already, or it is lifted."""
        ...

    def lift(self, suspension: SuspensionId, *, at_ms: UnixMs) -> bool:
        """End the suspension; False where it is unknown or lifted."""
        ...
