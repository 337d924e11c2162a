"""Keep which visits are open, which events were seen, and what was decided.

Layer: ports. Takes: nouns. Gives: `Visits`, `Decisions` to storage.
"""

from typing import Protocol

from offers.model.experiments.ranked_decision import RankedDecision
from offers.model.ids import DecisionId, PairingId, ShopperId, VisitId
from offers.model.offering.decision import Decision
from offers.model.visits.open_visit import OpenVisit
from rtls.model.units import SiteId, UnixMs


class Visits(Protocol):
    """Which visits are open, and which events have been seen."""

    def note_event(self, event_id: str, *, at_ms: UnixMs) -> bool:
        """Write the id of an event; False where it has been written before."""
        ...

    def is_noted(self, event_id: str) -> bool:
        """Say whether the id of an event has been written."""
        ...

    def add(self, visit: OpenVisit) -> None:
        """Write a visit; one that is known already stays as it is."""
        ...

    def find(self, visit: VisitId) -> OpenVisit | None:
        """Return the visit, or None."""
        ...

    def close(self, visit: VisitId, *, at_ms: UnixMs) -> None:
        """Write when it ended; an unknown or ended one stays as it is."""
        ...

    def reopen(self, visit: VisitId) -> None:
        """Write that it has not ended after all; an unknown or open one stays as it is."""
        ...

    def close_of_pairing(self, pairing: PairingId, *, at_ms: UnixMs) -> None:
        """End all open visits of a pairing that ends."""
        ...

    def hand_over(self, before: PairingId, after: PairingId) -> None:
        """Give the open visits of a pairing that is renewed to the one that follows it."""
        ...

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete ended visits and event ids older than ``before_ms``; return how many."""
        ...


class Decisions(Protocol):
    """The log of decisions. There is no way to change a record."""

    def append(self, decision: Decision) -> None:
        """Write one decision."""
        ...

    def find(self, decision: DecisionId) -> Decision | None:
        """Return the decision, or None."""
        ...

    def is_decided(self, event_id: str) -> bool:
        """Say whether there is a decision about the event."""
        ...

    def of_shopper(self, shopper: ShopperId, *, limit: int) -> tuple[Decision, ...]:
        """Return the newest decisions about the shopper, newest first."""
        ...

    def newest(self, *, before: int | None, limit: int) -> tuple[tuple[int, Decision], ...]:
        """Return the newest decisions with their places in the log, from a place backwards."""
        ...

    def ranked(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[RankedDecision, ...]:
        """Return decisions of a time that a ranking took and what came of them, newest first."""
        ...
