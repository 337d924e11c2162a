"""Keep offers, their coupons and redemptions.

Layer: ports. Takes: nouns. Gives: `Offers`, `Coupons` to storage.
"""

from collections.abc import Sequence
from typing import Protocol

from offers.model.campaigns.campaign import FrequencyCap
from offers.model.ids import CouponId, OfferId, RedemptionId, ShopperId, VisitId
from offers.model.offering.coupon import Coupon, CouponState
from offers.model.offering.decision import OfferPast
from offers.model.offering.offer import Offer, OfferCard, OfferState
from offers.model.till.redemption import Redemption, Reversal
from rtls.model.units import SiteId, UnixMs


class Offers(Protocol):
    """Offers, their coupons, and the slots that hold the frequency cap."""

    def add(self, offer: Offer) -> bool:
        """Write an offer; False where the shopper had the campaign on this occasion already."""
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

    def revoked_of_visit(self, visit: VisitId) -> tuple[Offer, ...]:
        """Return the offers of a visit that were revoked before they arrived, oldest first."""
        ...

    def undelivered_of_shopper(self, shopper: ShopperId) -> tuple[Offer, ...]:
        """Return the offers to a shopper that are still issued only, oldest first."""
        ...

    def overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[Offer, ...]:
        """Return issued and delivered offers whose time is over."""
        ...

    def past_of(self, shopper: ShopperId, *, occasion: str, since_ms: UnixMs) -> OfferPast:
        """Return what the shopper's earlier offers say about others, in a fixed count of reads.

        Dismissals before ``since_ms`` are left out.
        """
        ...

    def count_since(self, shopper: ShopperId, site: SiteId, *, since_ms: UnixMs) -> int:
        """Return how many offers of places were made to the shopper at the site since then.

        One that was revoked before it arrived was none.
        """
        ...

    def move(self, before: Offer, after: Offer) -> bool:
        """Write the new state, if the stored one is still that of ``before``; else False."""
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

    def set_codes(self, coupon: CouponId, *, fingerprints: Sequence[str]) -> bool:
        """Give it new codes, one of each kind. Those before stay good, any earlier ones do not.

        False where one of them is another coupon's; then draw again.
        """
        ...

    def move(self, coupon: CouponId, *, before: CouponState, after: CouponState) -> bool:
        """Write the new state, if the stored one is still ``before``; else False."""
        ...

    def overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[Coupon, ...]:
        """Return issued coupons whose time is over."""
        ...

    def add_redemption(self, redemption: Redemption) -> bool:
        """Write a redemption; False where the coupon has one that is not reversed."""
        ...

    def in_hand(
        self, shopper: ShopperId, *, site: SiteId, now_ms: UnixMs, limit: int
    ) -> tuple[Coupon, ...]:
        """Return what the shopper can use at the site, the soonest to expire first.

        Issued or held coupons whose offer has reached the shopper and has not ended otherwise.
        """
        ...

    def add_reversal(self, reversal: Reversal) -> bool:
        """Write a reversal; False where the redemption has one already."""
        ...

    def find_redemption(self, redemption: RedemptionId) -> Redemption | None:
        """Return the redemption, or None."""
        ...
