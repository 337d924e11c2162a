"""Compute the money off for a basket, line by line, to the minor unit.

Layer: rules. Takes: a benefit with money in it and a `Basket`. Gives: a `Discount`, or the reason
why there is none, to quote and redeem.

Rounding: a percentage is taken of what the lines in scope cost *together* and rounded half up to
the minor unit, once; then it is split over the lines by largest remainder, so that the shares sum
to the whole. Rounding each line would make 10 % of a hundred lines of 4 cents nothing.
"""

from collections.abc import Sequence
from typing import assert_never

from offers.model.basket import Basket
from offers.model.benefit import MoneyOff, PercentOff
from offers.model.money import Money
from offers.model.redemption import Discount
from offers.model.refusal import CheckoutRefusal


def discount_of(benefit: MoneyOff | PercentOff, basket: Basket) -> Discount | CheckoutRefusal:
    """Return the money off, never more than the lines in scope cost."""
    in_scope_minor = [
        line.total_minor if benefit.applies_to.covers(sku=line.sku, category=line.category) else 0
        for line in basket.lines
    ]
    eligible_minor = sum(in_scope_minor)
    refusal = _refusal(benefit, basket, eligible_minor=eligible_minor)
    if refusal is not None:
        return refusal
    total_minor = min(_wish_minor(benefit, eligible_minor), eligible_minor)
    shares = split_by_largest_remainder(total_minor, in_scope_minor)
    return Discount(currency=basket.currency, lines_minor=shares)


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
    shares = [total_minor * weight // whole for weight in weights]
    remainders = [total_minor * weight % whole for weight in weights]
    left_over = total_minor - sum(shares)
    served = sorted(range(len(weights)), key=lambda line: (-remainders[line], line))
    for line in served[:left_over]:
        shares[line] += 1
    return tuple(shares)


def _refusal(
    benefit: MoneyOff | PercentOff, basket: Basket, *, eligible_minor: int
) -> CheckoutRefusal | None:
    if any(money.currency != basket.currency for money in _amounts(benefit)):
        return CheckoutRefusal.BASKET_CURRENCY
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
