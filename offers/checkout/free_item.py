"""Compute what a free item takes off a basket.

Layer: rules. Takes: a `FreeItem` and a `Basket`. Gives: a `Discount`, or why there is none, to
checkout.till_benefit.

The pieces in scope are ordered by price; the cheapest are free, once a basket, and the others must
be as many as the benefit asks to be bought with them.
"""

from offers.model.campaigns.benefit import FreeItem
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.basket import Basket
from offers.model.till.redemption import Discount


def free_items(benefit: FreeItem, basket: Basket) -> Discount | CheckoutRefusal:
    """Return the price of the cheapest pieces in scope, line by line."""
    in_scope = [
        place
        for place, line in enumerate(basket.lines)
        if benefit.applies_to.covers(sku=line.sku, category=line.category)
    ]
    pieces = sum(basket.lines[place].quantity for place in in_scope)
    if pieces < benefit.quantity + benefit.with_bought:
        return CheckoutRefusal.BASKET_WITHOUT_MATCH
    shares_minor = [0] * len(basket.lines)
    left = benefit.quantity
    # Of equal prices the earlier line is free, so that the same basket gives the same receipt.
    for place in sorted(in_scope, key=lambda place: basket.lines[place].unit_price_minor):
        line = basket.lines[place]
        free = min(left, line.quantity)
        shares_minor[place] = free * line.unit_price_minor
        left -= free
    return Discount(currency=basket.currency, lines_minor=tuple(shares_minor))
