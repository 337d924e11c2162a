"""Record that one coupon was used with one basket, once.

Layer: nouns. Takes: a coupon and a basket. Gives: `Discount`, `Quote`, `Redemption` to the till and
to storage. A redemption is never edited: what undoes it will be a record of its own.
"""

from dataclasses import dataclass

from offers.model.basket import Basket
from offers.model.errors import InvalidOffer
from offers.model.ids import (
    CampaignId,
    CouponId,
    OfferId,
    RedemptionId,
    ShopperId,
    TillId,
    check_name,
    check_random_id,
)
from offers.model.money import Money
from rtls.model.units import SiteId, UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """Money off computed for a basket, line by line: the lines sum to the whole."""

    currency: str
    lines_minor: tuple[int, ...]
    """one entry for each line of the basket, in its order; none below zero"""

    def __post_init__(self) -> None:
        if any(share < 0 for share in self.lines_minor):
            raise InvalidOffer(f"lines_minor is {self.lines_minor}; expected none below zero.")

    @property
    def total(self) -> Money:
        """Return the discount of the whole basket."""
        return Money(amount_minor=sum(self.lines_minor), currency=self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutRequest:
    """A coupon's code and a basket, shown at one till."""

    code: str
    basket: Basket
    till: TillId
    site: SiteId
    """where the till stands, from its credential, never from the request's body"""

    def __post_init__(self) -> None:
        check_name("till", self.till, error=InvalidOffer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What the basket would cost with the coupon. Nothing is used up by asking."""

    coupon: CouponId
    campaign: CampaignId
    basket_total: Money
    discount: Discount

    @property
    def to_pay(self) -> Money:
        """Return what is left to pay."""
        return self.basket_total - self.discount.total


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """One coupon used with one basket."""

    redemption: RedemptionId
    coupon: CouponId
    offer: OfferId
    shopper: ShopperId
    campaign: CampaignId
    revision: int
    till: TillId
    site: SiteId
    at_ms: UnixMs
    basket_total: Money
    discount: Discount

    def __post_init__(self) -> None:
        check_random_id("redemption", self.redemption, error=InvalidOffer)
        if self.basket_total < self.discount.total:
            raise InvalidOffer(
                f"the discount is {self.discount.total} of {self.basket_total}; expected no more "
                "than the basket costs."
            )

    @property
    def to_pay(self) -> Money:
        """Return what is left to pay."""
        return self.basket_total - self.discount.total
