"""Keep who brought whom, what shoppers answered, who waits for advice, and what staff granted.

Layer: ports. Takes: nouns. Gives: `Referrals`, `Surveys`, `StaffRequests`, `GoodwillDays` to
storage.
"""

from collections.abc import Mapping
from typing import Protocol

from offers.model.ids import CredentialId, ReferralId, ShopperId, StaffRequestId, SurveyId
from offers.model.loyalty.referral import Referral, ReferralState
from offers.model.people.staff_request import StaffRequest, StaffRequestState
from offers.model.people.survey import Answer, Survey
from rtls.model.units import SiteId, UnixMs


class Referrals(Protocol):
    """Who brought whom, and the codes to do it with."""

    def code_of(self, shopper: ShopperId) -> str | None:
        """Return the shopper's code, or None."""
        ...

    def set_code(self, shopper: ShopperId, code: str) -> bool:
        """Give the shopper a code; False where the shopper has one, or it is another's."""
        ...

    def owner_of(self, code: str) -> ShopperId | None:
        """Return whose code it is, or None."""
        ...

    def add(self, referral: Referral) -> bool:
        """Write a referral; False where the shopper has been referred already."""
        ...

    def of_referred(self, shopper: ShopperId) -> Referral | None:
        """Return how the shopper came, or None."""
        ...

    def of_referrer(self, shopper: ShopperId, *, limit: int) -> tuple[Referral, ...]:
        """Return whom the shopper brought, newest first."""
        ...

    def count_since(self, referrer: ShopperId, since_ms: UnixMs) -> int:
        """Return how many the shopper has brought since an instant."""
        ...

    def end(self, referral: ReferralId, state: ReferralState, *, at_ms: UnixMs) -> bool:
        """Write how it ended; False where it is no longer pending."""
        ...

    def overdue(self, *, before_ms: UnixMs, limit: int) -> tuple[Referral, ...]:
        """Return pending referrals that were made before an instant."""
        ...

    def share_a_tag(self, one: ShopperId, other: ShopperId) -> bool:
        """Say whether both have been paired with a tag that no third shopper was paired with."""
        ...


class Surveys(Protocol):
    """Surveys and what was answered. There is no way to change either."""

    def add(self, survey: Survey) -> bool:
        """Write a survey; False where there is one of that name."""
        ...

    def find(self, survey: SurveyId) -> Survey | None:
        """Return the survey, or None."""
        ...

    def of_site(self, site: SiteId) -> tuple[Survey, ...]:
        """Return all surveys of a site, by name."""
        ...

    def unanswered(self, shopper: ShopperId, *, now_ms: UnixMs, limit: int) -> tuple[Survey, ...]:
        """Return the open surveys that the shopper has not answered, soonest to end first."""
        ...

    def answer(
        self,
        survey: SurveyId,
        shopper: ShopperId,
        answers: Mapping[str, Answer],
        *,
        at_ms: UnixMs,
    ) -> bool:
        """Write a shopper's answers; False where the shopper has answered before."""
        ...

    def answers_of(self, survey: SurveyId, shopper: ShopperId) -> Mapping[str, Answer] | None:
        """Return what one shopper has answered, or None."""
        ...

    def counts(self, survey: SurveyId) -> Mapping[tuple[str, str], int]:
        """Return how many gave each answer of a question that offers a choice or a scale."""
        ...

    def answered(self, survey: SurveyId) -> int:
        """Return how many shoppers have answered."""
        ...


class StaffRequests(Protocol):
    """Who waits for advice. A shopper has at most one request that has not ended."""

    def add(self, request: StaffRequest) -> bool:
        """Write a request; False where the shopper has one that has not ended."""
        ...

    def find(self, request: StaffRequestId) -> StaffRequest | None:
        """Return the request, or None."""
        ...

    def open_of_site(self, site: SiteId, *, limit: int) -> tuple[StaffRequest, ...]:
        """Return the requests that have not ended, longest waiting first."""
        ...

    def open_of_shopper(self, shopper: ShopperId) -> StaffRequest | None:
        """Return the shopper's request that has not ended, or None."""
        ...

    def move(
        self,
        request: StaffRequestId,
        *,
        before: StaffRequestState,
        after: StaffRequestState,
        at_ms: UnixMs,
    ) -> bool:
        """Write the new state, if the stored one is still ``before``; else False."""
        ...

    def overdue(self, *, before_ms: UnixMs, limit: int) -> tuple[StaffRequest, ...]:
        """Return requests that have not ended and were made before an instant."""
        ...


class GoodwillDays(Protocol):
    """What each key of the staff has granted on each day."""

    def take(self, by: CredentialId, *, day: str, points: int, points_max: int) -> bool:
        """Count points of the day; False where they would exceed ``points_max``."""
        ...

    def forget_before(self, day: str, *, limit: int) -> int:
        """Delete days before ``day``; return how many rows."""
        ...
