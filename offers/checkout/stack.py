"""Choose, of all coupons that a shopper holds, the legal stack that saves most with a basket.

Layer: rules. Takes: `StackItem`s and a `Basket`. Gives: the `Stack` to the handlers of the till.

**Legal** is a stack in which an `EXCLUSIVE` benefit stands alone, a line has at most one benefit of
the class `ONE_A_LINE`, and every coupon saves something. **Order of effect**, whatever order the
coupons come in: percentages before amounts; the greater percentage first; the amount whose lines
cost less first; then one-a-line before combinable, higher priority, sooner expiry, id. Each takes
its share of what those before it have left to pay, and is rounded as `discount` says; conditions
such as a least amount are judged by the prices before any discount. A one-a-line benefit takes
effect on those lines of its scope that no other of the stack has, and keeps them.

**Best** is what saves most; then the fewest coupons; then those that expire soonest; then by id. So
the answer is one, and a coupon that would save nothing is not used up.
"""

from collections.abc import Sequence
from typing import Final, assert_never

from offers.checkout.discount import lines_in_scope, refusal_of_basket, shares_of
from offers.checkout.stack_search import Candidate, Taken, best_choice
from offers.model.basket import Basket
from offers.model.benefit import (
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
from offers.model.errors import InvalidOffer
from offers.model.ids import CouponId
from offers.model.redemption import Discount
from offers.model.refusal import CheckoutRefusal
from offers.model.stack import LeftCoupon, Stack, StackedCoupon, StackItem
from offers.model.stacking import StackingClass

# At most so many are taken together: of more, those that save most alone. The search is exact for
# them; 2**12 stacks can be looked through while a till waits.
TAKEN_MAX: Final = 12
HELD_MAX: Final = 200


def best_stack(items: Sequence[StackItem], basket: Basket) -> Stack:
    """Return the best legal stack, with a reason for each coupon that is not in it.

    Raises `InvalidOffer` if a coupon is named twice, or more than `HELD_MAX` are.
    """
    _check_items(items)
    reasons: dict[CouponId, CheckoutRefusal] = {}
    candidates: list[Candidate] = []
    for item in items:
        found = _candidate(item, basket)
        if isinstance(found, CheckoutRefusal):
            reasons[item.coupon] = found
        else:
            candidates.append(found)
    candidates.sort(key=lambda candidate: candidate.rank)
    alone, together, crowded = _grouped(candidates)
    reasons |= dict.fromkeys(crowded, CheckoutRefusal.STACK_FULL)
    prices_minor = [line.total_minor for line in basket.lines]
    choices = [best_choice(group, prices_minor) for group in (together, *([one] for one in alone))]
    chosen = min(choices, key=lambda choice: choice.rank)
    used = {taken.candidate.item.coupon for taken in chosen.taken}
    return Stack(
        basket=basket,
        applied=tuple(_stacked(taken, basket) for taken in chosen.taken),
        left=tuple(
            LeftCoupon(item=item, reason=reasons.get(item.coupon, CheckoutRefusal.OUTSTACKED))
            for item in sorted(items, key=lambda item: item.coupon)
            if item.coupon not in used
        ),
    )


def _check_items(items: Sequence[StackItem]) -> None:
    if len(items) > HELD_MAX:
        raise InvalidOffer(
            f"{len(items)} coupons are held; expected at most {HELD_MAX}. Show those that are to "
            "be used."
        )
    if len({item.coupon for item in items}) < len(items):
        raise InvalidOffer("a coupon is named twice; expected each once.")


def _grouped(
    candidates: Sequence[Candidate],
) -> tuple[list[Candidate], list[Candidate], list[CouponId]]:
    """Return what stands alone, what may be taken together, and what there is no room for."""
    alone = [c for c in candidates if c.item.stacking is StackingClass.EXCLUSIVE]
    others = [c for c in candidates if c.item.stacking is not StackingClass.EXCLUSIVE]
    by_worth = sorted(others, key=lambda c: (-c.alone_minor, c.rank))
    crowded = [candidate.item.coupon for candidate in by_worth[TAKEN_MAX:]]
    return alone, [c for c in others if c.item.coupon not in crowded], crowded


def _candidate(item: StackItem, basket: Basket) -> Candidate | CheckoutRefusal:
    benefit = _money_benefit(item.benefit)
    if benefit is None:
        return CheckoutRefusal.BASKET_WITHOUT_MATCH
    lines = lines_in_scope(benefit, basket)
    refusal = refusal_of_basket(benefit, basket, lines)
    if refusal is not None:
        return refusal
    prices_minor = [basket.lines[line].total_minor for line in lines]
    return Candidate(
        item=item,
        benefit=benefit,
        lines=lines,
        alone_minor=sum(shares_of(benefit, prices_minor)),
        rank=_rank(item, benefit, eligible_minor=sum(prices_minor)),
    )


def _money_benefit(benefit: Benefit) -> MoneyOff | PercentOff | None:
    """Return the benefit if it takes money off a basket."""
    match benefit:
        case MoneyOff() | PercentOff():
            return benefit
        case (
            FreeItem()
            | Gift()
            | PointsMultiplier()
            | Cashback()
            | FreeDelivery()
            | Service()
            | Event()
            | Points()
            | EarlyAccess()
            | Information()
        ):
            return None
        case _:
            assert_never(benefit)


def _rank(
    item: StackItem, benefit: MoneyOff | PercentOff, *, eligible_minor: int
) -> tuple[int, int, bool, int, int, str]:
    match benefit:
        case PercentOff():
            kind, size = 0, -benefit.percent
        case MoneyOff():
            kind, size = 1, eligible_minor
        case _:
            assert_never(benefit)
    is_late = item.stacking is StackingClass.COMBINABLE
    return kind, size, is_late, -item.priority, item.expires_at_ms, item.coupon


def _stacked(taken: Taken, basket: Basket) -> StackedCoupon:
    lines_minor = [0] * len(basket.lines)
    for line, share_minor in zip(taken.lines, taken.shares_minor, strict=True):
        lines_minor[line] = share_minor
    return StackedCoupon(
        item=taken.candidate.item,
        discount=Discount(currency=basket.currency, lines_minor=tuple(lines_minor)),
    )
