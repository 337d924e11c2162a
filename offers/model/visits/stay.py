"""Remember whose a stay in a zone was, for the simulation of campaigns.

Layer: nouns. Takes: visits and pairings, joined by storage. Gives: `Stay` to simulate_campaign.
"""

from dataclasses import dataclass

from offers.model.ids import ShopperId, VisitId
from rtls.model.units import Second, UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One stay of one shopper in one zone."""

    visit: VisitId
    shopper: ShopperId
    entered_at_ms: UnixMs
    left_at_ms: UnixMs | None

    @property
    def lasted_s(self) -> Second | None:
        """Return how long it was; None while it lasts."""
        if self.left_at_ms is None:
            return None
        return Second((self.left_at_ms - self.entered_at_ms) / 1_000)
