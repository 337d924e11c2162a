"""Say what a coupon's benefit does to a basket: money off, or a deed of the till without any.

Layer: rules. Takes: a `TillBenefit` and a `Basket`. Gives: a `Discount` (of nothing, where no money
is taken off), or why the basket is not good for it, to redeem and stack.
"""

from typing import assert_never

from offers.checkout.discount import discount_of
from offers.checkout.free_item import free_items
from offers.model.campaigns.benefit import (
    BasketBenefit,
    Cashback,
    Event,
    FreeDelivery,
    FreeItem,
    Gift,
    MoneyOff,
    PercentOff,
    PointsMultiplier,
    Service,
    TillBenefit,
)
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.basket import Basket
from offers.model.till.redemption import Discount


def effect_on(benefit: TillBenefit, basket: Basket) -> Discount | CheckoutRefusal:
    """Return the money off, none for a benefit that has another effect, or a refusal."""
    match benefit:
        case MoneyOff() | PercentOff():
            return discount_of(benefit, basket)
        case FreeItem():
            return refusal_of_limits(benefit, basket) or free_items(benefit, basket)
        case Gift() | PointsMultiplier() | Cashback() | FreeDelivery() | Service():
            return refusal_of_limits(benefit, basket) or _nothing_off(basket)
        case Event():
            return _nothing_off(basket)  # a ticket needs no purchase
        case _:
            assert_never(benefit)


def refusal_of_limits(benefit: BasketBenefit | FreeItem, basket: Basket) -> CheckoutRefusal | None:
    """Return why the lines in scope are too few or cost too little, or None."""
    limits = [benefit.basket_min]
    if isinstance(benefit, Cashback):
        limits.append(benefit.cashback_max)
    if any(limit is not None and limit.currency != basket.currency for limit in limits):
        return CheckoutRefusal.BASKET_CURRENCY
    in_scope_minor = [
        line.total_minor
        for line in basket.lines
        if benefit.applies_to.covers(sku=line.sku, category=line.category)
    ]
    if not in_scope_minor:
        return CheckoutRefusal.BASKET_WITHOUT_MATCH
    least = benefit.basket_min
    is_too_small = least is not None and sum(in_scope_minor) < least.amount_minor
    return CheckoutRefusal.BASKET_TOO_SMALL if is_too_small else None


def _nothing_off(basket: Basket) -> Discount:
    return Discount(currency=basket.currency, lines_minor=(0,) * len(basket.lines))
