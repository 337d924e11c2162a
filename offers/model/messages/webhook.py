"""Say whom we tell of what happens, and what we tell.

Layer: nouns. Takes: wishes of operators, effects of handlers. Gives: `Webhook`, `WebhookEvent` and
`WebhookCall` to storage and the sender. An event names ids only: who may know more asks the API.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from offers.model.errors import InvalidTarget
from offers.model.ids import ShopperId, WebhookId, check_random_id
from offers.model.messages.target import Target
from rtls.model.units import SiteId, UnixMs

WEBHOOKS_A_SITE_MAX: Final = 10
DETAILS_MAX: Final = 8
_ID_DIGITS: Final = 32


class WebhookEventKind(StrEnum):
    """What can be told."""

    OFFER_ISSUED = "offer.issued"
    OFFER_DELIVERED = "offer.delivered"
    COUPON_REDEEMED = "coupon.redeemed"
    REDEMPTION_REVERSED = "redemption.reversed"
    CONSENT_CHANGED = "consent.changed"
    CONTACT_CHANGED = "contact.changed"
    TIER_CHANGED = "tier.changed"
    SEGMENT_CHANGED = "segment.changed"
    POINTS_CHANGED = "points.changed"
    SHOPPER_ENROLLED = "shopper.enrolled"
    SHOPPER_ERASED = "shopper.erased"
    """the receiver has to forget the shopper, too"""


class WebhookState(StrEnum):
    """Whether new events go to a webhook."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    """it took nothing for a day; a replay brings it back"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One receiver of a site's events. Its secret follows from id and version, stored nowhere."""

    webhook: WebhookId
    site: SiteId
    url: str
    kinds: frozenset[WebhookEventKind]
    secret_version: int
    state: WebhookState
    created_at_ms: UnixMs
    succeeded_at_ms: UnixMs
    """when it last took an event; when it was made or resumed, before that"""

    def __post_init__(self) -> None:
        check_random_id("webhook", self.webhook, error=InvalidTarget)
        Target.parse(self.url)
        if not self.kinds:
            raise InvalidTarget("events is empty; expected at least one kind of event.")
        if self.secret_version < 1:
            raise InvalidTarget(f"secret_version is {self.secret_version}; expected 1 or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """One thing that happened."""

    kind: WebhookEventKind
    site: SiteId | None
    """where; None for what concerns a shopper at every site"""
    shopper: ShopperId | None
    subject: str
    """id of the offer, coupon, … that it is about"""
    at_ms: UnixMs
    detail: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.detail) > DETAILS_MAX:
            raise InvalidTarget(f"detail has {len(self.detail)} members; expected {DETAILS_MAX}.")
        object.__setattr__(self, "detail", MappingProxyType(dict(self.detail)))

    @property
    def event_id(self) -> str:
        """A hash of what it says: the same thing told twice is one event, also for the receiver."""
        said = (self.kind.value, self.subject, str(self.at_ms), str(sorted(self.detail.items())))
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:_ID_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCall:
    """One event that one webhook is still to be told."""

    webhook: WebhookId
    sequence: int
    """of the event: its cursor"""
    event: WebhookEvent
    attempts: int
    queued_at_ms: UnixMs
    due_at_ms: UnixMs
