"""Pay for a basket that is held, or give it up.

Layer: flow. Takes: the id of a `HeldBasket` of the till's own site. Gives: `Settled`, the
purchase, or a `TillRefusal`. Nothing is computed again: the hold fixed the amounts.
"""

from dataclasses import replace
from typing import assert_never

from offers.handlers.till.end_hold import coupons_of, end_hold
from offers.handlers.till.settle_basket import Settled, settle_basket
from offers.model.errors import Busy, NotFound
from offers.model.ids import BasketId, TillId
from offers.model.offering.coupon import CouponState
from offers.model.offering.refusal import TillRefusal
from offers.model.till.held_basket import HeldBasket, HoldState
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


def commit_basket(
    basket: BasketId,
    *,
    till: TillId,
    site: SiteId,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Settled | TillRefusal:
    """Make the purchase: coupons, budgets, redemptions and points in one transaction.

    Raises `NotFound` as `basket_of_site` does.

    Raises
    ------
    Busy
        If another writer ended the basket meanwhile; the retry is told how.
    """
    held = basket_of_site(basket, site, work=work)
    refusal = _refusal_of(held.state)
    if refusal is not None:
        return refusal
    if now_ms >= held.until_ms:
        end_hold(held, HoldState.EXPIRED, work=work, now_ms=now_ms)
        return TillRefusal.HOLD_EXPIRED
    if _is_suspended(held, work=work):
        return TillRefusal.CARD_SUSPENDED
    settled = settle_basket(
        held,
        coupons_of(held, work=work),
        till=till,
        before=CouponState.HELD,
        work=work,
        now_ms=now_ms,
        secrets=secrets,
    )
    # Not before: where the wallet has become too small meanwhile, the basket is still held.
    is_paid = isinstance(settled, Settled)
    if is_paid and not work.held_baskets.end(basket, HoldState.COMMITTED, at_ms=now_ms):
        raise Busy(f"basket {basket} has just been paid or given up. Try again.")
    return settled


def cancel_basket(
    basket: BasketId, *, site: SiteId, work: UnitOfWork, now_ms: UnixMs
) -> HeldBasket | TillRefusal:
    """Give the basket up and its coupons back; twice is as good as once.

    Raises `NotFound` as `basket_of_site` does.
    """
    held = basket_of_site(basket, site, work=work)
    if held.state is HoldState.COMMITTED:
        return TillRefusal.HOLD_COMMITTED
    if held.state is HoldState.HELD:
        end_hold(held, HoldState.CANCELLED, work=work, now_ms=now_ms)
        return replace(held, state=HoldState.CANCELLED)
    return held


def basket_of_site(basket: BasketId, site: SiteId, *, work: UnitOfWork) -> HeldBasket:
    """Return the basket of this id at this site.

    Raises
    ------
    NotFound
        If it is unknown or of another site: the two are told apart nowhere.
    """
    held = work.held_baskets.find(basket)
    if held is None or held.site != site:
        raise NotFound("no such basket; expected one that was held at this site.")
    return held


def _is_suspended(held: HeldBasket, *, work: UnitOfWork) -> bool:
    """Say whether the basket would spend what a suspended card may not.

    The basket stays held: once the suspension is lifted it can be paid, else its time runs out and
    gives all back. A basket that only collects points is paid as ever.
    """
    holders = {coupon.shopper for coupon in coupons_of(held, work=work)}
    if held.tender is not None and held.shopper is not None:
        holders.add(held.shopper)
    return any(work.suspensions.open_of(holder) is not None for holder in holders)


def _refusal_of(state: HoldState) -> TillRefusal | None:
    match state:
        case HoldState.HELD:
            return None
        case HoldState.COMMITTED:
            return TillRefusal.HOLD_COMMITTED
        case HoldState.CANCELLED:
            return TillRefusal.HOLD_CANCELLED
        case HoldState.EXPIRED:
            return TillRefusal.HOLD_EXPIRED
        case _:
            assert_never(state)
