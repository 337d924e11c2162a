"""Choose, of all coupons that a shopper holds, the legal stack that saves most with a basket.

Layer: rules. Takes: `StackItem`s and a `Basket`. Gives: the `Stack` to the handlers of the till.

**Legal** is a stack in which an `EXCLUSIVE` benefit stands alone, a line has at most one benefit of
the class `ONE_A_LINE`, and every discount takes something off.

**Order of effect**, whatever order the coupons come in: percentages, free pieces, amounts, then
what takes no money off; the greater percentage first, the dearer pieces, the amount whose lines
cost less; then one-a-line before combinable, higher priority, sooner expiry, id. Each takes its
share of what those before it have left to pay, and is rounded as `discount` says; conditions such
as a least amount are judged by the prices before any discount. A one-a-line benefit takes effect on
those lines of its scope that no other of the stack has, and keeps them; free pieces are chosen by
the prices before any discount, and are free all or none.

**Best** is what saves most; then what brings most besides money (gifts, points, delivery); then the
fewest coupons; then those that expire soonest; then by id. So the answer is one, and a discount
that would take nothing off is not used up.
"""

from collections.abc import Sequence
from typing import Final, assert_never

from offers.checkout.discount import lines_in_scope, refusal_of_basket, shares_of
from offers.checkout.stack_search import Candidate, Taken, best_choice
from offers.checkout.till_benefit import effect_on
from offers.model.campaigns.benefit import (
    BasketBenefit,
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
from offers.model.campaigns.stacking import StackingClass
from offers.model.errors import InvalidOffer
from offers.model.ids import CouponId
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.basket import Basket
from offers.model.till.redemption import Discount
from offers.model.till.stack import LeftCoupon, Stack, StackedCoupon, StackItem

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
    chosen = choices[0] if len(choices) == 1 else min(choices, key=lambda choice: choice.rank)
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
    match item.benefit:
        case MoneyOff() | PercentOff():
            return _with_discount(item, item.benefit, basket)
        case (
            FreeItem()
            | Gift()
            | PointsMultiplier()
            | Cashback()
            | FreeDelivery()
            | Service()
            | Event()
        ):
            return _with_effect(item, item.benefit, basket)
        case Points() | EarlyAccess() | Information():
            return CheckoutRefusal.BASKET_WITHOUT_MATCH  # got in the app: no coupon says so
        case _:
            assert_never(item.benefit)


def _with_discount(
    item: StackItem, benefit: MoneyOff | PercentOff, basket: Basket
) -> Candidate | CheckoutRefusal:
    lines = lines_in_scope(benefit, basket)
    refusal = refusal_of_basket(benefit, basket, lines)
    if refusal is not None:
        return refusal
    prices_minor = [basket.lines[line].total_minor for line in lines]
    if isinstance(benefit, PercentOff):
        kind, size = 0, -benefit.percent
    else:
        kind, size = 2, sum(prices_minor)
    return Candidate(
        item=item,
        benefit=benefit,
        lines=lines,
        alone_minor=sum(shares_of(benefit, prices_minor)),
        rank=_rank(item, kind, size),
    )


def _with_effect(
    item: StackItem, benefit: FreeItem | BasketBenefit | Event, basket: Basket
) -> Candidate | CheckoutRefusal:
    effect = effect_on(benefit, basket)
    if isinstance(effect, CheckoutRefusal):
        return effect
    if isinstance(benefit, FreeItem):
        lines = tuple(place for place, off in enumerate(effect.lines_minor) if off)
        if not lines:
            return CheckoutRefusal.BASKET_WITHOUT_MATCH  # the cheapest pieces cost nothing
        kind = 1
    else:
        lines = () if isinstance(benefit, Event) else lines_in_scope(benefit, basket)
        kind = 3
    return Candidate(
        item=item,
        benefit=benefit,
        lines=lines,
        alone_minor=effect.total.amount_minor,
        free=tuple((effect.lines_minor[p], basket.lines[p].total_minor) for p in lines),
        rank=_rank(item, kind, -effect.total.amount_minor),
    )


def _rank(item: StackItem, kind: int, size: int) -> tuple[int, int, bool, int, int, str]:
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
