"""Record that one coupon was used with one basket, once.

Layer: nouns. Takes: a coupon and a basket. Gives: `Discount`, `Redemption`, `Reversal` to the till
and to storage. A redemption is never edited: what undoes it is a `Reversal`, a record of its own.
"""

from dataclasses import dataclass

from offers.model.errors import InvalidOffer
from offers.model.ids import (
    CampaignId,
    CouponId,
    OfferId,
    PurchaseId,
    RedemptionId,
    ReturnId,
    ReversalId,
    ShopperId,
    TillId,
    check_name,
    check_random_id,
)
from offers.model.money import Money
from offers.model.till.basket import Basket
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
class Redemption:
    """One coupon used with one basket."""

    redemption: RedemptionId
    purchase: PurchaseId | None
    """None only for a redemption of before purchases were kept"""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """A redemption undone: all that its discount lay on has been brought back."""

    reversal: ReversalId
    redemption: RedemptionId
    coupon: CouponId
    returned_with: ReturnId
    at_ms: UnixMs
    is_given_back: bool
    """whether the coupon can be used again"""

    def __post_init__(self) -> None:
        check_random_id("reversal", self.reversal, error=InvalidOffer)
