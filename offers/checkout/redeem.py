"""Say whether a coupon is good here and now, whatever the basket.

Layer: rules. Takes: a `Coupon`, the site of the till and the time. Gives: the reason why it is not
taken, or None, to the handler price_basket. The coupon is judged before the basket: whoever shows a
code that is not good learns nothing about what it would have been good for.
"""

from typing import assert_never

from offers.model.offering.coupon import Coupon, CouponState
from offers.model.offering.refusal import CheckoutRefusal
from rtls.model.units import SiteId, UnixMs


def refusal_of_coupon(
    coupon: Coupon, *, site: SiteId, now_ms: UnixMs, is_hold_over: bool
) -> CheckoutRefusal | None:
    """Return why the coupon is not good here and now, or None.

    Parameters
    ----------
    coupon
        As it is stored.
    site
        Where the till stands.
    now_ms
        The time. The sweep that expires coupons may come later than the clock; the clock decides.
    is_hold_over
        For a held coupon: the basket that holds it has run out of time or is being replaced.
    """
    if coupon.site != site:
        return CheckoutRefusal.COUPON_FOREIGN
    reason = _refusal_of_state(coupon.state, is_hold_over=is_hold_over)
    is_over = now_ms >= coupon.expires_at_ms
    return CheckoutRefusal.COUPON_EXPIRED if reason is None and is_over else reason


def _refusal_of_state(state: CouponState, *, is_hold_over: bool) -> CheckoutRefusal | None:
    match state:
        case CouponState.REDEEMED | CouponState.REVERSED:
            return CheckoutRefusal.COUPON_USED
        case CouponState.REVOKED:
            return CheckoutRefusal.COUPON_REVOKED
        case CouponState.EXPIRED:
            return CheckoutRefusal.COUPON_EXPIRED
        case CouponState.HELD:
            return None if is_hold_over else CheckoutRefusal.COUPON_HELD
        case CouponState.ISSUED:
            return None
        case _:
            assert_never(state)
