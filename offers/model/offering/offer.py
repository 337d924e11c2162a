"""Make one campaign to one shopper once: issued → delivered → opened → redeemed, or it ends early.

Layer: nouns. Takes: a decision. Gives: `Offer` and its state machine to handlers, `OfferCard` to
the app. An offer names the consents that allowed it, so that the proof is in the same row.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from offers.model.campaigns.campaign import CampaignRevision
from offers.model.errors import InvalidOffer, WrongState
from offers.model.ids import (
    CampaignId,
    ConsentId,
    DecisionId,
    OfferId,
    ShopperId,
    VisitId,
    check_random_id,
)
from offers.model.offering.coupon import Coupon
from rtls.model.units import SiteId, UnixMs, ZoneId


class OfferState(StrEnum):
    """How far an offer has come."""

    ISSUED = "issued"
    DELIVERED = "delivered"
    OPENED = "opened"
    REDEEMED = "redeemed"
    DISMISSED = "dismissed"
    EXPIRED = "expired"
    REVOKED = "revoked"


NEXT_STATES: Final = MappingProxyType(
    {
        OfferState.ISSUED: {OfferState.DELIVERED, OfferState.EXPIRED, OfferState.REVOKED},
        OfferState.DELIVERED: {
            OfferState.OPENED,
            OfferState.REDEEMED,
            OfferState.DISMISSED,
            OfferState.EXPIRED,
            OfferState.REVOKED,
        },
        OfferState.OPENED: {
            OfferState.REDEEMED,
            OfferState.DISMISSED,
            OfferState.EXPIRED,
            OfferState.REVOKED,
        },
        OfferState.REDEEMED: set[OfferState](),
        OfferState.DISMISSED: set[OfferState](),
        OfferState.EXPIRED: set[OfferState](),
        OfferState.REVOKED: set[OfferState](),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One campaign made to one shopper once, on one occasion."""

    offer: OfferId
    shopper: ShopperId
    campaign: CampaignId
    revision: int
    decision: DecisionId
    site: SiteId
    occasion: str
    """what woke the campaign, e.g. a visit: there is one offer of a campaign on it"""
    zone: ZoneId | None
    visit: VisitId | None
    """the stay with which it ends, where there is one"""
    locate_consent: ConsentId | None
    personalise_consent: ConsentId
    may_notify: bool
    state: OfferState
    issued_at_ms: UnixMs
    expires_at_ms: UnixMs
    """until when it may be delivered and opened"""
    delivered_at_ms: UnixMs | None = None
    opened_at_ms: UnixMs | None = None
    ended_at_ms: UnixMs | None = None

    def __post_init__(self) -> None:
        check_random_id("offer", self.offer, error=InvalidOffer)
        if self.expires_at_ms <= self.issued_at_ms:
            raise InvalidOffer(
                f"expires_at_ms is {self.expires_at_ms}, issued_at_ms {self.issued_at_ms}; "
                "expected an offer to expire after it is issued."
            )

    @property
    def is_over(self) -> bool:
        """Say whether nothing more can happen to it."""
        return not NEXT_STATES[self.state]

    def in_state(self, state: OfferState, *, at_ms: UnixMs) -> "Offer":
        """Return the offer one step on.

        Raises
        ------
        WrongState
            If that step is not allowed, e.g. opening what has expired.
        """
        if state not in NEXT_STATES[self.state]:
            allowed = sorted(NEXT_STATES[self.state])
            raise WrongState(
                f"offer {self.offer} is {self.state} and cannot become {state}; expected one of "
                f"{allowed}. Fetch the offers again."
            )
        if state is OfferState.DELIVERED:
            return replace(self, state=state, delivered_at_ms=at_ms)
        if state is OfferState.OPENED:
            return replace(self, state=state, opened_at_ms=at_ms)
        return replace(self, state=state, ended_at_ms=at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCard:
    """An offer with all that an app needs to show it."""

    sequence: int
    """grows with every offer: the cursor of `?after=`"""
    offer: Offer
    revision: CampaignRevision
    coupon: Coupon | None
    time_zone: str = "UTC"
    """of the site, for the dates of the terms"""
