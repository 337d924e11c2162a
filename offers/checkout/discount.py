"""Compute the money off for a basket, line by line, to the minor unit.

Layer: rules. Takes: a benefit with money in it and a `Basket`. Gives: a `Discount`, or the reason
why there is none, to quote and redeem.

Rounding: a percentage is taken of what the lines in scope cost *together* and rounded half up to
the minor unit, once; then it is split over the lines by largest remainder, so that the shares sum
to the whole. Rounding each line would make 10 % of a hundred lines of 4 cents nothing.
"""

from collections.abc import Sequence
from typing import assert_never

from offers.model.campaigns.benefit import BasketBenefit, MoneyOff, PercentOff, PriceBenefit
from offers.model.money import Money
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.basket import Basket
from offers.model.till.redemption import Discount


def discount_of(benefit: MoneyOff | PercentOff, basket: Basket) -> Discount | CheckoutRefusal:
    """Return the money off, never more than the lines in scope cost."""
    lines = lines_in_scope(benefit, basket)
    refusal = refusal_of_basket(benefit, basket, lines)
    if refusal is not None:
        return refusal
    shares_minor = [0] * len(basket.lines)
    prices_minor = [basket.lines[line].total_minor for line in lines]
    for line, share_minor in zip(lines, shares_of(benefit, prices_minor), strict=True):
        shares_minor[line] = share_minor
    return Discount(currency=basket.currency, lines_minor=tuple(shares_minor))


def lines_in_scope(benefit: PriceBenefit | BasketBenefit, basket: Basket) -> tuple[int, ...]:
    """Return the places of the lines that the benefit applies to."""
    covers = benefit.applies_to.covers
    return tuple(
        place
        for place, line in enumerate(basket.lines)
        if covers(sku=line.sku, category=line.category)
    )


def shares_of(benefit: MoneyOff | PercentOff, left_minor: Sequence[int]) -> tuple[int, ...]:
    """Return what the benefit takes off each line, where ``left_minor`` is still to pay for them.

    Parameters
    ----------
    benefit
        What is granted; its conditions have been met.
    left_minor : (n,)
        What the lines in scope still cost, each 0 or more.
    """
    eligible_minor = sum(left_minor)
    if eligible_minor == 0:
        return (0,) * len(left_minor)
    total_minor = min(_wish_minor(benefit, eligible_minor), eligible_minor)
    return split_by_largest_remainder(total_minor, left_minor)


def split_by_largest_remainder(total_minor: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split an amount in proportion to ``weights``, to the minor unit (Hamilton's method).

    No share exceeds its weight while ``total_minor`` does not exceed their sum. Of equal remainders
    the earlier one is served first.

    Parameters
    ----------
    total_minor
        What to split; 0 to the sum of the weights.
    weights : (n,)
        Not negative, with a sum above 0.

    Examples
    --------
    >>> split_by_largest_remainder(100, [333, 333, 334])
    (33, 33, 34)
    """
    whole = sum(weights)
    assert 0 <= total_minor <= whole
    assert whole > 0
    products = [total_minor * weight for weight in weights]
    shares = [product // whole for product in products]
    left_over = total_minor - sum(shares)
    if left_over:
        remainders = [product % whole for product in products]
        # Sorting is stable, in reverse as well: of equal remainders the earlier line stays first.
        served = sorted(range(len(weights)), key=remainders.__getitem__, reverse=True)
        for line in served[:left_over]:
            shares[line] += 1
    return tuple(shares)


def refusal_of_basket(
    benefit: MoneyOff | PercentOff, basket: Basket, lines: Sequence[int]
) -> CheckoutRefusal | None:
    """Return why the benefit is not for this basket, or None.

    Its conditions are judged by the prices before any discount, whatever else is taken.

    Parameters
    ----------
    benefit, basket
        What is granted for what.
    lines
        The places that `lines_in_scope` gives.
    """
    if any(money.currency != basket.currency for money in _amounts(benefit)):
        return CheckoutRefusal.BASKET_CURRENCY
    eligible_minor = sum(basket.lines[line].total_minor for line in lines)
    if eligible_minor == 0:
        return CheckoutRefusal.BASKET_WITHOUT_MATCH
    least = benefit.basket_min
    if least is not None and eligible_minor < least.amount_minor:
        return CheckoutRefusal.BASKET_TOO_SMALL
    return None


def _amounts(benefit: MoneyOff | PercentOff) -> list[Money]:
    match benefit:
        case MoneyOff():
            named = [benefit.amount, benefit.basket_min]
        case PercentOff():
            named = [benefit.discount_max, benefit.basket_min]
        case _:
            assert_never(benefit)
    return [money for money in named if money is not None]


def _wish_minor(benefit: MoneyOff | PercentOff, eligible_minor: int) -> int:
    match benefit:
        case MoneyOff():
            return benefit.amount.amount_minor
        case PercentOff():
            # Half up in whole numbers: (x + 50) // 100, where x is hundredths of a minor unit.
            wish_minor = (eligible_minor * benefit.percent + 50) // 100
            most = benefit.discount_max
            return wish_minor if most is None else min(wish_minor, most.amount_minor)
        case _:
            assert_never(benefit)
