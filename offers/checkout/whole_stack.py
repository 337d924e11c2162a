"""Add to the best stack of discounts what coupons do beside money off: gifts, points, free items.

Layer: rules. Takes: `StackItem`s of every kind and a `Basket`. Gives: the `Stack` to the handler
price_basket.

The discounts are chosen first (`checkout.stack`), since only they compete. Then each other coupon
joins, the soonest to expire first, unless something stands against it: an exclusive one joins
nothing and lets nothing join; a free item joins only lines that can bear it. A card brings what is
good at any checkout: discounts, free items, points, cashback. A gift, a delivery, a service or a
ticket is asked for: it is used only when its own code is shown, and not by the next paint pot.
"""

from collections.abc import Collection, Sequence
from typing import assert_never

from offers.checkout.stack import best_stack
from offers.checkout.till_benefit import effect_on
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
from offers.model.campaigns.stacking import StackingClass
from offers.model.ids import CouponId
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.basket import Basket
from offers.model.till.redemption import Discount
from offers.model.till.stack import LeftCoupon, Stack, StackedCoupon, StackItem


def whole_stack(
    items: Sequence[StackItem], basket: Basket, *, by_code: Collection[CouponId], has_card: bool
) -> Stack:
    """Return all that is taken with the basket, with a reason for each coupon that is not.

    Parameters
    ----------
    items
        All coupons that are good here and now.
    basket
        What is at the checkout.
    by_code
        Those whose own code was shown.
    has_card
        Whether it is known who buys: points and cashback need a wallet.
    """
    discounts = [one for one in items if isinstance(one.benefit, MoneyOff | PercentOff)]
    others = [one for one in items if one not in discounts]
    stack = best_stack(discounts, basket)
    for item in sorted(others, key=lambda item: (item.expires_at_ms, item.coupon)):
        reason = _wish(item.benefit, is_by_code=item.coupon in by_code, has_card=has_card)
        stack = _joined(stack, item) if reason is None else _left(stack, item, reason)
    return stack


def _wish(benefit: Benefit, *, is_by_code: bool, has_card: bool) -> CheckoutRefusal | None:
    """Return why the coupon is not meant to be used now, or None."""
    match benefit:
        case MoneyOff() | PercentOff() | FreeItem():
            return None
        case PointsMultiplier() | Cashback():
            return None if has_card else CheckoutRefusal.CARD_NEEDED
        case Gift() | FreeDelivery() | Service() | Event():
            return None if is_by_code else CheckoutRefusal.CODE_NEEDED
        case Points() | EarlyAccess() | Information():
            return CheckoutRefusal.BASKET_WITHOUT_MATCH  # got in the app
        case _:
            assert_never(benefit)


def _joined(stack: Stack, item: StackItem) -> Stack:
    assert not isinstance(item.benefit, Points | EarlyAccess | Information)
    effect = effect_on(item.benefit, stack.basket)
    if isinstance(effect, CheckoutRefusal):
        return _left(stack, item, effect)
    if not _may_join(stack, item, effect):
        return _left(stack, item, CheckoutRefusal.OUTSTACKED)
    taken = StackedCoupon(item=item, discount=effect)
    return Stack(basket=stack.basket, applied=(*stack.applied, taken), left=stack.left)


def _may_join(stack: Stack, item: StackItem, effect: Discount) -> bool:
    classes = {one.item.stacking for one in stack.applied}
    is_alone = item.stacking is StackingClass.EXCLUSIVE
    if StackingClass.EXCLUSIVE in classes or (is_alone and classes):
        return False
    lines = zip(stack.basket.lines, stack.discount.lines_minor, effect.lines_minor, strict=True)
    if any(before + more > line.total_minor for line, before, more in lines):
        return False
    if item.stacking is not StackingClass.ONE_A_LINE:
        return True
    return not any(
        one.item.stacking is StackingClass.ONE_A_LINE and before and more
        for one in stack.applied
        for before, more in zip(one.discount.lines_minor, effect.lines_minor, strict=True)
    )


def _left(stack: Stack, item: StackItem, reason: CheckoutRefusal) -> Stack:
    left = (*stack.left, LeftCoupon(item=item, reason=reason))
    return Stack(
        basket=stack.basket,
        applied=stack.applied,
        left=tuple(sorted(left, key=lambda one: one.item.coupon)),
    )
