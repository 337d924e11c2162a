"""What offers need from outside, as ports; one contract suite runs every implementation.

Layer: ports. Takes: nouns. Gives: the shape of storage, secrets and fan-out to the edges that
implement them and the doors that wire them. Each repository is a table or two; all repositories of
one `UnitOfWork` share one transaction, so a handler's effects happen together or not at all.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeVar

from offers.model.campaign import Budget, Campaign, CampaignRevision, CampaignState, FrequencyCap
from offers.model.consent import Consent, ConsentState
from offers.model.coupon import Coupon, CouponState
from offers.model.decision import Decision
from offers.model.idempotency import IdempotentRequest, StoredAnswer
from offers.model.ids import (
    CampaignId,
    CouponId,
    CredentialId,
    OfferId,
    PairingId,
    RedemptionId,
    ShopperId,
    VisitId,
)
from offers.model.offer import Offer, OfferCard, OfferState
from offers.model.open_visit import OpenVisit
from offers.model.outbox import OutboxEvent, OutboxKind
from offers.model.pairing import Pairing, PairingEnd
from offers.model.redemption import Redemption
from offers.model.shopper import Credential, Shopper
from rtls.model.units import SiteId, TagId, UnixMs, ZoneId

T = TypeVar("T")


class SecretSource(Protocol):
    """Random bytes, and the keyed fingerprint under which secrets are stored."""

    def random_bytes(self, count: int) -> bytes:
        """Return ``count`` bytes that nobody can guess."""
        ...

    def fingerprint(self, secret: str, *, purpose: str) -> str:
        """Return HMAC-SHA256 of ``secret`` as 64 hex digits; another ``purpose``, another value."""
        ...


class FanOut(Protocol):
    """Tell every API replica what concerns a shopper. May lose all: costs freshness only."""

    def publish(self, shopper: ShopperId, payload: bytes) -> None:
        """Hand over one message. Never blocks; loses it rather than waiting."""
        ...

    def subscribe(self, listener: Callable[[ShopperId, bytes], None]) -> Callable[[], None]:
        """Call ``listener`` for each message from now on; the returned function ends it."""
        ...


class Shoppers(Protocol):
    """Shoppers and their credentials."""

    def add(self, shopper: Shopper) -> None:
        """Write a new shopper."""
        ...

    def find(self, shopper: ShopperId) -> Shopper | None:
        """Return the shopper, or None."""
        ...

    def add_credential(self, credential: Credential, *, fingerprint: str) -> None:
        """Write a new credential under the fingerprint of its secret."""
        ...

    def find_credential(self, fingerprint: str) -> Credential | None:
        """Return the credential whose secret has this fingerprint, revoked or not, or None."""
        ...

    def revoke_credential(self, credential: CredentialId, *, at_ms: UnixMs) -> bool:
        """End a credential; False where it is unknown or ended."""
        ...


class Consents(Protocol):
    """The history of what shoppers agreed to. There is no way to change a record."""

    def append(self, consent: Consent) -> None:
        """Write one grant or withdrawal behind all earlier ones."""
        ...

    def state_of(self, shopper: ShopperId) -> ConsentState:
        """Return what counts now."""
        ...

    def history_of(self, shopper: ShopperId) -> tuple[Consent, ...]:
        """Return every record, oldest first."""
        ...


class Pairings(Protocol):
    """Which tag stands for which shopper. A tag has at most one pairing that has not ended."""

    def add(self, pairing: Pairing) -> bool:
        """Write a new pairing; False where the tag has one that has not ended."""
        ...

    def open_of_tag(self, tag: TagId) -> Pairing | None:
        """Return the pairing of the tag that has not been ended, or None. It may have expired."""
        ...

    def active_of_shopper(self, shopper: ShopperId, *, now_ms: UnixMs) -> tuple[Pairing, ...]:
        """Return the active pairings of the shopper, oldest first."""
        ...

    def end(self, pairing: PairingId, *, at_ms: UnixMs, end: PairingEnd) -> bool:
        """End a pairing; False where it is unknown or ended."""
        ...

    def overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[Pairing, ...]:
        """Return pairings that have expired but are not ended yet."""
        ...

    def admitted_tags(self, *, now_ms: UnixMs) -> frozenset[TagId]:
        """Return all tags with an active pairing: what locating may follow."""
        ...


class Campaigns(Protocol):
    """Campaigns, their revisions, and the counters that hold their budgets."""

    def add_revision(self, revision: CampaignRevision) -> None:
        """Write a revision, make it the current one, and the campaign active."""
        ...

    def find(self, campaign: CampaignId) -> Campaign | None:
        """Return the campaign with its current revision, or None."""
        ...

    def of_site(self, site: SiteId) -> tuple[Campaign, ...]:
        """Return all campaigns of a site, by id."""
        ...

    def active_in_zone(self, site: SiteId, zone: ZoneId) -> tuple[CampaignRevision, ...]:
        """Return the current revisions of active campaigns that a visit to the zone may wake."""
        ...

    def revision(self, campaign: CampaignId, revision: int) -> CampaignRevision:
        """Return one revision; it must exist."""
        ...

    def set_state(self, campaign: CampaignId, state: CampaignState) -> bool:
        """Pause or resume; False where the campaign is unknown."""
        ...

    def has_budget(self, campaign: CampaignId) -> bool:
        """Say whether one more redemption could be paid for."""
        ...

    def reserve(self, campaign: CampaignId) -> bool:
        """Set one redemption aside, if the budget allows it; one conditional statement."""
        ...

    def release(self, campaign: CampaignId) -> None:
        """Give back one redemption that was set aside."""
        ...

    def use(self, campaign: CampaignId, *, is_reserved: bool) -> bool:
        """Count one redemption, out of what is set aside or of what is free; False where spent."""
        ...

    def used(self, campaign: CampaignId) -> int:
        """Return how many redemptions have been counted."""
        ...

    def set_budget(self, campaign: CampaignId, budget: Budget | None) -> bool:
        """Change the limit; False where more is used and set aside already."""
        ...


class Visits(Protocol):
    """Which visits are open, and which events have been seen."""

    def note_event(self, event_id: str, *, at_ms: UnixMs) -> bool:
        """Write the id of an event; False where it has been written before."""
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

    def of_shopper(self, shopper: ShopperId, *, limit: int) -> tuple[Decision, ...]:
        """Return the newest decisions about the shopper, newest first."""
        ...


class Offers(Protocol):
    """Offers, their coupons, and the slots that hold the frequency cap."""

    def add(self, offer: Offer) -> bool:
        """Write an offer; False where the shopper had the campaign in this visit already."""
        ...

    def find(self, offer: OfferId) -> Offer | None:
        """Return the offer, or None."""
        ...

    def card(self, offer: OfferId) -> OfferCard | None:
        """Return the offer with revision, coupon and cursor, or None."""
        ...

    def cards_of(
        self, shopper: ShopperId, *, after: int, limit: int, states: Sequence[OfferState]
    ) -> tuple[OfferCard, ...]:
        """Return the shopper's offers in these states behind the cursor, oldest first."""
        ...

    def undelivered_of_visit(self, visit: VisitId) -> tuple[Offer, ...]:
        """Return the offers of a visit that are still issued only."""
        ...

    def undelivered_of_shopper(self, shopper: ShopperId) -> tuple[Offer, ...]:
        """Return the offers to a shopper that are still issued only, oldest first."""
        ...

    def overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[Offer, ...]:
        """Return issued and delivered offers whose time is over."""
        ...

    def was_offered(self, shopper: ShopperId, campaign: CampaignId, visit: VisitId) -> bool:
        """Say whether the campaign was offered in this visit, whatever became of it."""
        ...

    def move(self, before: Offer, after: Offer) -> bool:
        """Write the new state, if the stored one is still that of ``before``; else False."""
        ...

    def cap_taken_at(self, shopper: ShopperId, campaign: CampaignId) -> tuple[UnixMs, ...]:
        """Return when the slots of the frequency cap were last taken."""
        ...

    def take_cap_slot(self, offer: Offer, cap: FrequencyCap) -> bool:
        """Take a slot that has been free for the whole window; False where there is none."""
        ...

    def free_cap_slot(self, offer: OfferId) -> None:
        """Give the slot back: the offer never reached the shopper."""
        ...


class Coupons(Protocol):
    """Coupons and their redemptions. A code is stored as its fingerprint only."""

    def add(self, coupon: Coupon) -> None:
        """Write a coupon, without a code yet."""
        ...

    def find(self, coupon: CouponId) -> Coupon | None:
        """Return the coupon, or None."""
        ...

    def find_by_code(self, fingerprint: str) -> Coupon | None:
        """Return the coupon whose code has this fingerprint, or None."""
        ...

    def of_offer(self, offer: OfferId) -> Coupon | None:
        """Return the coupon that the offer brought, or None."""
        ...

    def set_code(self, coupon: CouponId, *, fingerprint: str) -> None:
        """Give it a new code. The one before stays good, any earlier one does not."""
        ...

    def move(self, coupon: CouponId, *, before: CouponState, after: CouponState) -> bool:
        """Write the new state, if the stored one is still ``before``; else False."""
        ...

    def overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[Coupon, ...]:
        """Return issued coupons whose time is over."""
        ...

    def add_redemption(self, redemption: Redemption) -> bool:
        """Write a redemption; False where the coupon has one already."""
        ...

    def find_redemption(self, redemption: RedemptionId) -> Redemption | None:
        """Return the redemption, or None."""
        ...


class Answers(Protocol):
    """What was answered to requests that carried an idempotency key."""

    def find(self, request: IdempotentRequest) -> tuple[str, StoredAnswer] | None:
        """Return the fingerprint and answer kept under caller and key, or None."""
        ...

    def keep(self, request: IdempotentRequest, answer: StoredAnswer, *, at_ms: UnixMs) -> None:
        """Write the answer in the transaction of its effect."""
        ...

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete answers older than ``before_ms``; return how many."""
        ...


class Outbox(Protocol):
    """What is still to be told to others."""

    def add(self, kind: OutboxKind, *, shopper: ShopperId, subject: str, at_ms: UnixMs) -> None:
        """Write one thing to tell."""
        ...

    def waiting(self, *, limit: int) -> tuple[OutboxEvent, ...]:
        """Return what has not been told, oldest first."""
        ...

    def done(self, sequences: Sequence[int]) -> None:
        """Delete what has been told."""
        ...


class UnitOfWork(Protocol):
    """All repositories, in one transaction that the caller of the handler begins and ends."""

    @property
    def shoppers(self) -> Shoppers: ...  # noqa: D102 - the type says it; so below
    @property
    def consents(self) -> Consents: ...  # noqa: D102
    @property
    def pairings(self) -> Pairings: ...  # noqa: D102
    @property
    def campaigns(self) -> Campaigns: ...  # noqa: D102
    @property
    def visits(self) -> Visits: ...  # noqa: D102
    @property
    def decisions(self) -> Decisions: ...  # noqa: D102
    @property
    def offers(self) -> Offers: ...  # noqa: D102
    @property
    def coupons(self) -> Coupons: ...  # noqa: D102
    @property
    def answers(self) -> Answers: ...  # noqa: D102
    @property
    def outbox(self) -> Outbox: ...  # noqa: D102


class Writer(Protocol):
    """The one way to change what is stored: each call is a transaction, in the order of calls."""

    def submit(self, work: Callable[[UnitOfWork], T]) -> Future[T]:
        """Run ``work`` soon; the future is done when its effect is durable, or did not happen."""
        ...

    def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run ``work`` and wait."""
        ...


class Reader(Protocol):
    """Look at what is stored, beside the writer and without waiting for it."""

    def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run ``work``, which must not change anything, on one consistent state."""
        ...
