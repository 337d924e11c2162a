"""Say how much of a basket points or cashback pay.

Layer: rules. Takes: what the shopper wants to pay with, what that is worth, what can be spent.
Gives: a `Tender`, or why there is none, to the handler price_basket; shares of it to settle_basket.
"""

from collections.abc import Sequence
from typing import Final

from offers.checkout.discount import split_by_largest_remainder
from offers.model.money import Money
from offers.model.offering.refusal import TillRefusal
from offers.model.till.held_basket import SpendWish, Tender

WORTH_OF_MONEY: Final = 100
"""what a hundred units of cashback pay in their own currency"""


def tender_of(
    wish: SpendWish, *, to_pay: Money, worth_per_100: int, available_minor: int
) -> Tender | TillRefusal | None:
    """Return what is spent and what it pays, None where nothing is left to pay.

    No more is spent than is needed, and no unit for nothing: 250 points of a cent for three are 249
    points for 83 cents.

    Parameters
    ----------
    wish
        What the shopper wants to spend at most.
    to_pay
        What the basket costs after all discounts.
    worth_per_100
        Minor units of money that a hundred of the unit pay; 0 where it pays nothing.
    available_minor
        What can be spent now.
    """
    if worth_per_100 == 0:
        return TillRefusal.UNIT_NOT_TAKEN
    if wish.amount_minor > available_minor:
        return TillRefusal.BALANCE_TOO_LOW
    worth_minor = min(wish.amount_minor * worth_per_100 // 100, to_pay.amount_minor)
    if worth_minor == 0:
        return None
    return Tender(
        unit=wish.unit,
        amount_minor=-(-worth_minor * 100 // worth_per_100),  # rounded up: just enough units
        worth=Money(amount_minor=worth_minor, currency=to_pay.currency),
    )


def tender_shares(tender: Tender | None, paid_minor: Sequence[int]) -> tuple[int, ...]:
    """Return what the tender pays of each line, none more than the line costs.

    Parameters
    ----------
    tender
        What pays; None: nothing.
    paid_minor : (n_lines,)
        What each line costs after all discounts.
    """
    if tender is None:
        return (0,) * len(paid_minor)
    return split_by_largest_remainder(tender.worth.amount_minor, paid_minor)
