"""Say how much money a benefit can take off at most.

Layer: nouns. Takes: a `Benefit`. Gives: the bound to campaigns, whose budgets of money can be set
aside only where there is one, and to checkout.
"""

from typing import assert_never

from offers.model.campaigns.benefit import (
    Benefit,
    Cashback,
    EarlyAccess,
    Event,
    FreeDelivery,
    FreeItem,
    Gift,
    Information,
    MoneyOff,
    PercentOff,
    Points,
    PointsMultiplier,
    Service,
)
from offers.model.money import Money


def money_max(benefit: Benefit) -> Money | None:
    """Return the most money that the benefit can take off any basket, None where nobody knows."""
    match benefit:
        case MoneyOff():
            return benefit.amount
        case PercentOff():
            return benefit.discount_max
        case FreeItem() | Gift() | PointsMultiplier() | Cashback() | FreeDelivery() | Service():
            return None
        case Event() | Points() | EarlyAccess() | Information():
            return None
        case _:
            assert_never(benefit)
