"""Keep shoppers who are not content, and what staff answer them.

Layer: ports. Takes: nouns. Gives: `Cases` to storage.
"""

from typing import Protocol

from offers.model.ids import CaseAnswerId, CaseId, ShopperId
from offers.model.people.service_case import CaseAnswer, CaseFigures, CaseState, ServiceCase
from rtls.model.units import SiteId, UnixMs


class Cases(Protocol):
    """Cases and their answers. What was said is never changed."""

    def add_complaint(self, case: ServiceCase, *, day: str, slots: int) -> bool:
        """Write a complaint into a free slot of the shopper's day; False where there is none."""
        ...

    def add_of_survey(self, case: ServiceCase) -> bool:
        """Write the case of a survey; False where the shopper has one of this survey."""
        ...

    def find(self, case: CaseId) -> ServiceCase | None:
        """Return the case, or None."""
        ...

    def of_site(self, site: SiteId, state: CaseState, *, limit: int) -> tuple[ServiceCase, ...]:
        """Return the cases of a site in a state: the longest waiting first, closed newest first."""
        ...

    def of_shopper(self, shopper: ShopperId, *, limit: int) -> tuple[ServiceCase, ...]:
        """Return the shopper's cases, newest first."""
        ...

    def has_answer_slot(self, shopper: ShopperId, *, day: str, slots: int) -> bool:
        """Say whether one more answer may go to the shopper on this day."""
        ...

    def add_answer(self, answer: CaseAnswer, *, day: str, slots: int) -> bool:
        """Write an answer into a free slot of the shopper's day; False where there is none."""
        ...

    def note_answered(self, case: CaseId, *, at_ms: UnixMs) -> bool:
        """Write when the case was first answered; False where it is closed."""
        ...

    def close(self, case: CaseId, *, at_ms: UnixMs) -> bool:
        """End the case; False where it is unknown or closed."""
        ...

    def find_answer(self, answer: CaseAnswerId) -> CaseAnswer | None:
        """Return the answer, or None."""
        ...

    def answers_of(self, case: CaseId) -> tuple[CaseAnswer, ...]:
        """Return the answers to a case, oldest first."""
        ...

    def unreached_of(self, shopper: ShopperId) -> tuple[CaseAnswer, ...]:
        """Return the answers that no app and no browser has taken yet, oldest first."""
        ...

    def note_reached(self, answer: CaseAnswerId, *, at_ms: UnixMs) -> bool:
        """Write that an app or a browser has taken it; False where one had, or it is gone."""
        ...

    def figures(self, site: SiteId, *, since_ms: UnixMs) -> CaseFigures:
        """Return how the cases fared that were opened since an instant."""
        ...
