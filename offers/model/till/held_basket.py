"""Keep a basket with its coupons at one till until it is paid or given up.

Layer: nouns. Takes: a basket, a card or codes, and what the coupons are worth together.
Gives: `BasketRequest`, `PricedBasket`, `HeldBasket` to the handlers of the till and to storage. A
hold fixes the amounts: what the shopper was told is what is paid, whatever a campaign does
meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from offers.model.campaigns.benefit import Benefit
from offers.model.errors import InvalidBasket, InvalidOffer
from offers.model.ids import (
    BasketId,
    CampaignId,
    CouponId,
    ShopperId,
    TillId,
    check_name,
    check_random_id,
)
from offers.model.loyalty.ledger import LedgerUnit, check_amount, check_unit
from offers.model.money import Money
from offers.model.offering.coupon import Coupon
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.basket import Basket
from offers.model.till.redemption import Discount
from rtls.model.units import SiteId, UnixMs

HOLD_MS: Final = 600_000  # a queue's patience; a hold of days would strand the coupons
CODES_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendWish:
    """How much of a wallet the shopper wants to pay with."""

    unit: LedgerUnit
    amount_minor: int
    """at most; what is not needed stays in the wallet"""

    def __post_init__(self) -> None:
        check_unit(self.unit)
        check_amount("amount_minor", self.amount_minor, least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tender:
    """Points or cashback that pay a part of a basket."""

    unit: LedgerUnit
    amount_minor: int
    """in the unit"""
    worth: Money
    """what it pays"""

    def __post_init__(self) -> None:
        check_unit(self.unit)
        check_amount("amount_minor", self.amount_minor, least=1)
        if self.worth.amount_minor < 1:
            raise InvalidOffer(f"the tender is worth {self.worth}; expected more than nothing.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketRequest:
    """A basket at one till, with the shopper's card, coupons' codes, or both."""

    basket: Basket
    till: TillId
    site: SiteId
    """where the till stands, from its credential, never from the request's body"""
    codes: tuple[str, ...] = ()
    card: str | None = None
    """the code of the card, as scanned"""
    spend: SpendWish | None = None
    """what the shopper pays with out of a wallet; needs the card"""
    replaces: BasketId | None = None
    """a basket held at this site that this one takes the place of; its card counts as shown"""

    def __post_init__(self) -> None:
        check_name("till", self.till, error=InvalidOffer)
        if len(self.codes) > CODES_MAX:
            raise InvalidBasket(f"{len(self.codes)} codes; expected at most {CODES_MAX}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedCoupon:
    """A coupon that is taken, what it is for, and what it takes off."""

    coupon: Coupon
    benefit: Benefit
    discount: Discount


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCoupon:
    """A coupon that is not taken, named by the place of its code or by its campaign."""

    reason: CheckoutRefusal
    code: int | None = None
    """place of the code in the request, from 0; None where the card brought the coupon"""
    campaign: CampaignId | None = None
    """None where the till may not know it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardHint:
    """What the staff may know of the holder of a card: what can be spent, and the tier."""

    spendable: Mapping[LedgerUnit, int] = field(default_factory=dict)
    tier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedBasket:
    """What a basket costs with all coupons that are taken together. Nothing is used up by it."""

    basket: Basket
    shopper: ShopperId | None
    """whose card was shown"""
    applied: tuple[AppliedCoupon, ...] = ()
    refused: tuple[RefusedCoupon, ...] = ()
    tender: Tender | None = None
    """what points or cashback pay of it"""
    hint: CardHint | None = None
    """None where no card was shown"""

    @property
    def discount(self) -> Discount:
        """Return what all coupons take off together, line by line."""
        return sum_of_discounts(self.basket, [applied.discount for applied in self.applied])

    @property
    def to_pay(self) -> Money:
        """Return what is left to pay in money."""
        return _left_to_pay(self.basket, self.discount, self.tender)


class HoldState(StrEnum):
    """What has become of a held basket."""

    HELD = "held"
    COMMITTED = "committed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCoupon:
    """A coupon in a held basket, and what it takes off there."""

    coupon: CouponId
    discount: Discount


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBasket:
    """A basket whose coupons no other till can take until it ends."""

    held: BasketId
    site: SiteId
    till: TillId
    shopper: ShopperId | None
    """whose card was shown; None where there were codes only"""
    basket: Basket
    coupons: tuple[HeldCoupon, ...]
    state: HoldState
    held_at_ms: UnixMs
    until_ms: UnixMs
    tender: Tender | None = None

    def __post_init__(self) -> None:
        check_random_id("held", self.held, error=InvalidOffer)
        if self.until_ms <= self.held_at_ms:
            raise InvalidOffer(
                f"until_ms is {self.until_ms}, held_at_ms {self.held_at_ms}; expected a hold to "
                "end after it begins."
            )
        if self.tender is not None and (self.shopper is None or self.to_pay.amount_minor < 0):
            raise InvalidOffer(
                f"the tender is worth {self.tender.worth} of {self.basket.total}; expected no more "
                "than is to be paid, out of the wallet of a shopper who is known."
            )

    def is_held_at(self, site: SiteId, now_ms: UnixMs) -> bool:
        """Say whether it can still be paid at this site."""
        return self.site == site and self.state is HoldState.HELD and now_ms < self.until_ms

    @property
    def discount(self) -> Discount:
        """Return what all coupons take off together, line by line."""
        return sum_of_discounts(self.basket, [held.discount for held in self.coupons])

    @property
    def to_pay(self) -> Money:
        """Return what is left to pay in money."""
        return _left_to_pay(self.basket, self.discount, self.tender)


def sum_of_discounts(basket: Basket, discounts: list[Discount]) -> Discount:
    """Return the discounts together, line by line.

    Raises
    ------
    InvalidOffer
        If a line would cost less than nothing, or a discount is of another basket.
    """
    lines_minor = [0] * len(basket.lines)
    for discount in discounts:
        if discount.currency != basket.currency or len(discount.lines_minor) != len(lines_minor):
            raise InvalidOffer(
                f"a discount has {len(discount.lines_minor)} lines in {discount.currency}; "
                f"expected {len(lines_minor)} in {basket.currency}, as the basket has."
            )
        lines_minor = [a + b for a, b in zip(lines_minor, discount.lines_minor, strict=True)]
    for line, off_minor in zip(basket.lines, lines_minor, strict=True):
        if off_minor > line.total_minor:
            raise InvalidOffer(
                f"line {line.sku}: the discounts are {off_minor} of {line.total_minor}; expected "
                "no more than the line costs."
            )
    return Discount(currency=basket.currency, lines_minor=tuple(lines_minor))


def _left_to_pay(basket: Basket, discount: Discount, tender: Tender | None) -> Money:
    price = basket.total - discount.total
    return price if tender is None else price - tender.worth
