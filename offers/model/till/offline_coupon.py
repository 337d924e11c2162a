"""Hold a coupon that a till can take without asking us, and what became of it.

Layer: nouns. Takes: a coupon and its campaign's benefit; what a till did while it had no line.
Gives: `OfflineCoupon` to checkout, `OfflineItem` and `OfflineOutcome` to the handlers of the till
and to storage.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.campaigns.benefit import Benefit
from offers.model.campaigns.stacking import StackingClass
from offers.model.errors import InvalidBasket, InvalidOffer
from offers.model.ids import CampaignId, CouponId, RedemptionId, TillId, check_text
from offers.model.till.basket import Basket
from offers.model.till.redemption import Discount
from rtls.model.units import SiteId, UnixMs

REFERENCE_CHARACTERS_MAX: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineCoupon:
    """All that a till must know of a coupon."""

    coupon: CouponId
    campaign: CampaignId
    site: SiteId
    benefit: Benefit
    stacking: StackingClass
    issued_at_ms: UnixMs
    expires_at_ms: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineItem:
    """A coupon that a till has taken without asking us. The goods are gone."""

    reference: str
    """the till's own name of the receipt; one redemption has one"""
    signed: str
    redeemed_at_ms: UnixMs
    """by the till's clock"""
    basket: Basket
    discount: Discount

    def __post_init__(self) -> None:
        check_text("reference", self.reference, error=InvalidOffer)
        if len(self.reference) > REFERENCE_CHARACTERS_MAX:
            raise InvalidOffer(
                f"reference has {len(self.reference)} characters; expected at most "
                f"{REFERENCE_CHARACTERS_MAX}."
            )
        prices_minor = [line.total_minor for line in self.basket.lines]
        off_minor = self.discount.lines_minor
        if len(off_minor) != len(prices_minor) or any(
            off > price for off, price in zip(off_minor, prices_minor, strict=True)
        ):
            raise InvalidBasket(
                f"item {self.reference}: discount_lines_minor is {list(off_minor)[:20]} of "
                f"{prices_minor[:20]}; expected one entry a line, none above what it costs."
            )


class OfflineReason(StrEnum):
    """Why an item needs somebody's attention."""

    SIGNATURE_INVALID = "signature_invalid"
    COUPON_FOREIGN = "coupon_foreign"
    """of another site"""
    COUPON_UNKNOWN = "coupon_unknown"
    """its shopper has left, and took everything along"""
    OUTSIDE_VALIDITY = "outside_validity"
    """taken before it was issued or after it had expired, by the till's clock"""
    CLOCK_AHEAD = "clock_ahead"
    """taken in our future: the till's clock is wrong"""
    COUPON_USED = "coupon_used"
    COUPON_HELD = "coupon_held"
    """another till holds it, and was told that it is good"""
    COUPON_REVOKED = "coupon_revoked"
    BUDGET_OVERDRAWN = "budget_overdrawn"
    """booked, beyond what the campaign or the site wanted to give"""
    DISCOUNT_TOO_HIGH = "discount_too_high"
    """booked, although the coupon grants less"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstUse:
    """The redemption that came first."""

    redemption: RedemptionId
    till: TillId
    at_ms: UnixMs
    reference: str | None
    """the till's own name of it, where it was without a line, too"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineOutcome:
    """What became of an item: booked, perhaps with a remark; or a conflict, and nothing booked."""

    reference: str
    coupon: CouponId | None
    redemption: RedemptionId | None
    """None where nothing was booked"""
    reasons: tuple[OfflineReason, ...] = ()
    first: FirstUse | None = None
    """of a coupon that had been used"""
