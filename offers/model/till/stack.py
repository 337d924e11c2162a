"""Say which coupons are taken together with one basket, what each takes off, and why others wait.

Layer: nouns. Takes: coupons and the benefits of their campaigns. Gives: `StackItem` to the choice
in checkout.stack, `Stack` to the till.
"""

from dataclasses import dataclass

from offers.model.campaigns.benefit import Benefit
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.stacking import StackingClass
from offers.model.errors import InvalidOffer
from offers.model.ids import CampaignId, CouponId
from offers.model.money import Money
from offers.model.offering.coupon import Coupon
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.basket import Basket
from offers.model.till.redemption import Discount
from rtls.model.units import UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class StackItem:
    """A coupon that may be taken, with all of it that the choice depends on."""

    coupon: CouponId
    campaign: CampaignId
    benefit: Benefit
    stacking: StackingClass
    priority: int
    expires_at_ms: UnixMs

    @classmethod
    def of(cls, coupon: Coupon, revision: CampaignRevision) -> "StackItem":
        """Return the item of a coupon under the revision that it was issued under."""
        assert (coupon.campaign, coupon.revision) == (revision.campaign, revision.revision)
        return cls(
            coupon=coupon.coupon,
            campaign=coupon.campaign,
            benefit=revision.benefit,
            stacking=revision.stacking,
            priority=revision.priority,
            expires_at_ms=coupon.expires_at_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedCoupon:
    """A coupon of the stack, and what it takes off each line."""

    item: StackItem
    discount: Discount


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftCoupon:
    """A coupon that is not taken with this basket, and why. It stays good."""

    item: StackItem
    reason: CheckoutRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The coupons taken with a basket, in the order of their effect, and those left aside."""

    basket: Basket
    applied: tuple[StackedCoupon, ...]
    left: tuple[LeftCoupon, ...]
    """by coupon id"""

    def __post_init__(self) -> None:
        for line, off_minor in zip(self.basket.lines, self.discount.lines_minor, strict=True):
            if off_minor > line.total_minor:
                raise InvalidOffer(
                    f"line {line.sku}: {off_minor} off {line.total_minor}; expected no more than "
                    "the line costs."
                )

    @property
    def discount(self) -> Discount:
        """Return what all coupons together take off, line by line."""
        columns = zip(*(taken.discount.lines_minor for taken in self.applied), strict=True)
        nothing = (0,) * len(self.basket.lines)
        return Discount(
            currency=self.basket.currency,
            lines_minor=tuple(map(sum, columns)) if self.applied else nothing,
        )

    @property
    def to_pay(self) -> Money:
        """Return what is left to pay; never below zero."""
        return self.basket.total - self.discount.total
