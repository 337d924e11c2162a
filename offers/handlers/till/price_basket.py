"""Tell a till what a basket costs with card and codes, without using anything up.

Layer: flow. Takes: a `BasketRequest`. Gives: a `PricedBasket`, or a `TillRefusal`, to the quote of
the till, to hold_basket and to redeem_coupon, which use up what is applied here.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from offers.checkout.coupon_code import parse_code
from offers.checkout.gs1 import parse_gs1_coupon
from offers.checkout.gs1_issue import identity_of, is_element_string
from offers.checkout.redeem import refusal_of_coupon
from offers.checkout.whole_stack import whole_stack
from offers.handlers.offering.reveal_coupon import CODE_PURPOSE, GS1_PURPOSE
from offers.handlers.till.coupon_budgets import overdrawing
from offers.handlers.till.purchase_points import hint_of, tender_for
from offers.handlers.till.reveal_card import scanned_card
from offers.model.errors import InvalidCode, InvalidOffer
from offers.model.ids import CouponId, ShopperId
from offers.model.offering.coupon import Coupon, CouponState
from offers.model.offering.refusal import CheckoutRefusal, TillRefusal
from offers.model.till.held_basket import (
    AppliedCoupon,
    BasketRequest,
    PricedBasket,
    RefusedCoupon,
)
from offers.model.till.stack import StackItem
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

COUPONS_OF_A_CARD_MAX: Final = 50


@dataclass(slots=True)
class _Shown:
    """What was shown at the till, as far as it has been looked through."""

    good: dict[CouponId, Coupon] = field(default_factory=dict)
    places: dict[CouponId, int] = field(default_factory=dict)
    """of the codes, where it was a code that brought the coupon"""
    refused: list[RefusedCoupon] = field(default_factory=list)


def price_basket(
    request: BasketRequest, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> PricedBasket | TillRefusal:
    """Return what is left to pay, with the best legal stack of all coupons that were shown.

    Codes bring their coupons; a card brings all that the shopper can use at this site. A coupon
    that is not taken is named with its reason, and nothing else of the answer depends on it.

    Raises
    ------
    InvalidCode
        If a code is meant for GS1 and malformed; what it cannot know is no secret, so it is told
        which code, where, what was expected and what to do.
    """
    shopper = _shopper_of(request, work=work, now_ms=now_ms, secrets=secrets)
    if isinstance(shopper, TillRefusal):
        return shopper
    shown = _Shown()
    for place, code in enumerate(request.codes):
        try:
            coupon = coupon_of_code(code, work=work, now_ms=now_ms, secrets=secrets)
        except InvalidCode as error:
            raise InvalidCode(f"coupon code {place + 1} of the request, {error}") from error
        reason = _refusal_of(coupon, request, work=work, now_ms=now_ms)
        if coupon is None or reason is not None:
            assert reason is not None
            shown.refused.append(RefusedCoupon(reason=reason, code=place))
        else:
            shown.good[coupon.coupon] = coupon
            shown.places[coupon.coupon] = place
    if shopper is not None:
        _add_coupons_of(shopper, shown, request, work=work, now_ms=now_ms)
    priced = _stacked(request, shopper, shown, work=work, now_ms=now_ms)
    if shopper is not None:
        hint = hint_of(shopper, request.site, work=work, now_ms=now_ms)
        priced = replace(priced, hint=hint)
    if request.spend is None:
        return priced
    tender = tender_for(
        request.spend,
        shopper,
        to_pay=priced.to_pay,
        site=request.site,
        work=work,
        now_ms=now_ms,
    )
    return tender if isinstance(tender, TillRefusal) else replace(priced, tender=tender)


def coupon_of_code(
    code: str, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> Coupon | None:
    """Return the coupon with this code, or None; what cannot be a code is nobody's.

    Parameters
    ----------
    code
        Ours, as typed or scanned, or an element string of GS1.
    work, now_ms, secrets
        The transaction, the time, the source of fingerprints.

    Raises `InvalidCode` as `parse_gs1_coupon` does.
    """
    if is_element_string(code):
        today = datetime.fromtimestamp(now_ms // 1_000, tz=UTC).date()
        identity = identity_of(parse_gs1_coupon(code, today=today))
        return work.coupons.find_by_code(secrets.fingerprint(identity, purpose=GS1_PURPOSE))
    try:
        canonical = parse_code(code)
    except InvalidOffer:
        return None
    return work.coupons.find_by_code(secrets.fingerprint(canonical, purpose=CODE_PURPOSE))


def _shopper_of(
    request: BasketRequest, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> ShopperId | TillRefusal | None:
    replaced = None
    if request.replaces is not None:
        replaced = work.held_baskets.find(request.replaces)
        if replaced is None or not replaced.is_held_at(request.site, now_ms):
            return TillRefusal.HOLD_EXPIRED
    if request.card is not None:
        scanned = scanned_card(request.card, work=work, now_ms=now_ms, secrets=secrets)
        return TillRefusal.CARD_NOT_VALID if scanned is None else scanned.shopper
    return None if replaced is None else replaced.shopper


def _refusal_of(
    coupon: Coupon | None, request: BasketRequest, *, work: UnitOfWork, now_ms: UnixMs
) -> CheckoutRefusal | None:
    if coupon is None:
        return CheckoutRefusal.COUPON_UNKNOWN
    if work.suspensions.open_of(coupon.shopper) is not None:
        return CheckoutRefusal.CARD_SUSPENDED
    is_held = coupon.state is CouponState.HELD
    is_hold_over = is_held and _is_hold_over(coupon, request, work=work, now_ms=now_ms)
    return refusal_of_coupon(coupon, site=request.site, now_ms=now_ms, is_hold_over=is_hold_over)


def _is_hold_over(
    coupon: Coupon, request: BasketRequest, *, work: UnitOfWork, now_ms: UnixMs
) -> bool:
    holding = work.held_baskets.holding(coupon.coupon)
    if holding is None:  # ended since the coupon was read: the next question is told so
        return False
    return holding.held == request.replaces or now_ms >= holding.until_ms


def _add_coupons_of(
    shopper: ShopperId,
    shown: _Shown,
    request: BasketRequest,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> None:
    in_hand = work.coupons.in_hand(
        shopper, site=request.site, now_ms=now_ms, limit=COUPONS_OF_A_CARD_MAX
    )
    for coupon in in_hand:
        if coupon.coupon in shown.good:  # its code was shown too
            continue
        reason = _refusal_of(coupon, request, work=work, now_ms=now_ms)
        if reason is None:
            shown.good[coupon.coupon] = coupon
        else:
            shown.refused.append(RefusedCoupon(reason=reason, campaign=coupon.campaign))


def _stacked(
    request: BasketRequest,
    shopper: ShopperId | None,
    shown: _Shown,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> PricedBasket:
    items = {
        coupon.coupon: StackItem.of(
            coupon, work.campaigns.revision(coupon.campaign, coupon.revision)
        )
        for coupon in shown.good.values()
    }
    while True:  # each round leaves at least one coupon out
        stack = whole_stack(
            tuple(items.values()),
            request.basket,
            by_code=shown.places.keys(),
            has_card=shopper is not None,
        )
        taken = [(shown.good[one.item.coupon], one.discount) for one in stack.applied]
        spent = overdrawing(taken, work=work, now_ms=now_ms)
        if not spent:
            break
        for coupon in spent:
            item = items.pop(coupon.coupon)
            shown.refused.append(_refused(item, CheckoutRefusal.BUDGET_SPENT, shown))
    return PricedBasket(
        basket=request.basket,
        shopper=shopper,
        applied=tuple(
            AppliedCoupon(
                coupon=shown.good[one.item.coupon],
                benefit=one.item.benefit,
                discount=one.discount,
            )
            for one in stack.applied
        ),
        refused=(*shown.refused, *(_refused(one.item, one.reason, shown) for one in stack.left)),
    )


def _refused(item: StackItem, reason: CheckoutRefusal, shown: _Shown) -> RefusedCoupon:
    return RefusedCoupon(reason=reason, code=shown.places.get(item.coupon), campaign=item.campaign)
