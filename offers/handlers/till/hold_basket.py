"""Hold a basket with its coupons for a till, so that what was told is what is paid.

Layer: flow. Takes: a `BasketRequest`. Gives: a `HeldBasket` with what it was priced as, or a
`TillRefusal`. Call it through `answer_once`, so that a till which lost our answer gets the same
basket again, and not a second one.
"""

from dataclasses import dataclass

from offers.handlers.offering.deliver_offer import deliver_decided
from offers.handlers.offering.on_occasion import on_occasion
from offers.handlers.random_id import random_id
from offers.handlers.till.coupon_budgets import reserve_at_till
from offers.handlers.till.end_hold import end_hold, move_or_busy
from offers.handlers.till.price_basket import price_basket
from offers.handlers.till.reveal_card import scanned_card
from offers.model.errors import Busy
from offers.model.ids import BasketId
from offers.model.offering.coupon import CouponState
from offers.model.offering.occasion import BasketShown
from offers.model.offering.offer import OfferState
from offers.model.offering.refusal import CheckoutRefusal, TillRefusal
from offers.model.till.held_basket import (
    HOLD_MS,
    AppliedCoupon,
    BasketRequest,
    HeldBasket,
    HeldCoupon,
    HoldState,
    PricedBasket,
)
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A basket that is held, and the price that it is held at."""

    held: HeldBasket
    priced: PricedBasket


def hold_basket(
    request: BasketRequest, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> Held | CheckoutRefusal | TillRefusal:
    """Set the coupons of the best stack aside for ten minutes, with their parts of the budgets.

    Where nothing is held, the reason is that of the first coupon. Raises `Busy` if another writer
    took a coupon or the rest of a budget meanwhile; nothing is done, and the retry prices afresh.
    """
    _wake_campaigns(request, work=work, now_ms=now_ms, secrets=secrets)
    priced = price_basket(request, work=work, now_ms=now_ms, secrets=secrets)
    if isinstance(priced, TillRefusal):
        return priced
    if priced.shopper is None and not priced.applied:
        return priced.refused[0].reason if priced.refused else TillRefusal.NOTHING_TO_HOLD
    if request.card is not None and not _take_card(
        request.card, work=work, now_ms=now_ms, secrets=secrets
    ):
        return TillRefusal.CARD_NOT_VALID
    _free(priced, request, work=work, now_ms=now_ms)
    # In the order of their ids, so that two tills never wait for each other's coupons.
    for one in sorted(priced.applied, key=lambda one: one.coupon.coupon):
        _take(one, work=work, now_ms=now_ms)
    held = HeldBasket(
        held=BasketId(random_id(secrets)),
        site=request.site,
        till=request.till,
        shopper=priced.shopper,
        basket=request.basket,
        coupons=held_coupons(priced),
        state=HoldState.HELD,
        held_at_ms=now_ms,
        until_ms=UnixMs(now_ms + HOLD_MS),
        tender=priced.tender,
    )
    work.held_baskets.add(held)
    return Held(held=held, priced=priced)


def held_coupons(priced: PricedBasket) -> tuple[HeldCoupon, ...]:
    """Return what is applied, as a held basket keeps it."""
    return tuple(
        HeldCoupon(coupon=one.coupon.coupon, discount=one.discount) for one in priced.applied
    )


def free_overdue(priced: PricedBasket, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    """End the baskets that still hold what is applied, although their time is over."""
    for one in priced.applied:
        if one.coupon.state is not CouponState.HELD:
            continue
        holding = work.held_baskets.holding(one.coupon.coupon)
        if holding is not None:  # one basket may have held several of them
            end_hold(holding, HoldState.EXPIRED, work=work, now_ms=now_ms)


def _wake_campaigns(
    request: BasketRequest, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> None:
    """Let campaigns that wait for a basket make their offer now, so that this basket has it."""
    if request.card is None:
        return
    scanned = scanned_card(request.card, work=work, now_ms=now_ms, secrets=secrets)
    if scanned is None:
        return
    decision = on_occasion(
        BasketShown(basket=request.basket, reference=f"card:{scanned.step}"),
        shopper=scanned.shopper,
        site=request.site,
        work=work,
        now_ms=now_ms,
        secrets=secrets,
    )
    if decision is not None and decision.chosen is not None:
        deliver_decided(decision, work=work, now_ms=now_ms)


def _take_card(code: str, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource) -> bool:
    scanned = scanned_card(code, work=work, now_ms=now_ms, secrets=secrets)
    return scanned is not None and work.cards.take(scanned.shopper, scanned.step)


def _free(
    priced: PricedBasket, request: BasketRequest, *, work: UnitOfWork, now_ms: UnixMs
) -> None:
    if request.replaces is not None:
        replaced = work.held_baskets.find(request.replaces)
        assert replaced is not None
        end_hold(replaced, HoldState.CANCELLED, work=work, now_ms=now_ms)
    free_overdue(priced, work=work, now_ms=now_ms)


def _take(one: AppliedCoupon, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    coupon = one.coupon
    move_or_busy(coupon, CouponState.ISSUED, CouponState.HELD, work=work)
    if not reserve_at_till(coupon, one.discount, work=work, now_ms=now_ms):
        raise Busy(f"campaign {coupon.campaign}: its budget has just been spent. Try again.")
    offer = work.offers.find(coupon.offer)
    assert offer is not None
    if offer.state is OfferState.DELIVERED:
        # Used is seen: opened, it lasts as long as its coupon, and does not expire in the hold.
        opened = offer.in_state(OfferState.OPENED, at_ms=now_ms)
        if not work.offers.move(offer, opened):
            raise Busy(f"offer {offer.offer} has just changed. Try again.")
