"""End a held basket that was not paid, and give back all that it held.

Layer: flow. Takes: a `HeldBasket`. Gives: nothing to cancel_basket, hold_basket and the sweep but
coupons that can be used again, and budgets as they were before.
"""

from offers.handlers.till.coupon_budgets import release_at_till
from offers.model.errors import Busy
from offers.model.ids import ShopperId
from offers.model.offering.coupon import Coupon, CouponState
from offers.model.till.held_basket import HeldBasket, HoldState
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def end_hold(held: HeldBasket, state: HoldState, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    """Bring the basket to `CANCELLED` or `EXPIRED`, and its coupons back to their shoppers.

    Raises
    ------
    Busy
        If another writer ended it meanwhile; nothing is done, and the retry sees its state.
    """
    assert state in {HoldState.CANCELLED, HoldState.EXPIRED}
    if not work.held_baskets.end(held.held, state, at_ms=now_ms):
        raise Busy(f"basket {held.held} has just been paid or given up. Try again.")
    for coupon in coupons_of(held, work=work):
        move_or_busy(coupon, CouponState.HELD, CouponState.ISSUED, work=work)
        release_at_till(coupon, work=work)


def end_holds_of(shopper: ShopperId, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    """Give up all baskets that are held for the shopper's card.

    Raises `Busy` as `end_hold` does.
    """
    for held in work.held_baskets.held_for(shopper):
        end_hold(held, HoldState.CANCELLED, work=work, now_ms=now_ms)


def coupons_of(held: HeldBasket, *, work: UnitOfWork) -> list[Coupon]:
    """Return the coupons of the basket, in its order."""
    coupons: list[Coupon] = []
    for named in held.coupons:
        coupon = work.coupons.find(named.coupon)
        assert coupon is not None  # a foreign key
        coupons.append(coupon)
    return coupons


def move_or_busy(
    coupon: Coupon, before: CouponState, after: CouponState, *, work: UnitOfWork
) -> None:
    """Bring the coupon from one state to another.

    Raises
    ------
    Busy
        If another writer moved it meanwhile; nothing is done, and the retry sees its state.
    """
    if not work.coupons.move(coupon.coupon, before=before, after=after):
        raise Busy(f"coupon {coupon.coupon} has just changed; expected {before}. Try again.")
