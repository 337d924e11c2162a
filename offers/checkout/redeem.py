"""Say whether a coupon is taken with a basket, and what it is worth.

Layer: rules. Takes: a `Coupon`, its campaign revision, a `CheckoutRequest` and the time. Gives: a
`Quote`, or the reason for none, to the handlers quote_basket and redeem_coupon.
"""

from typing import assert_never

from offers.checkout.till_benefit import effect_on
from offers.model.benefit import AppBenefit
from offers.model.campaign import CampaignRevision
from offers.model.coupon import Coupon, CouponState
from offers.model.redemption import CheckoutRequest, Discount, Quote
from offers.model.refusal import CheckoutRefusal
from rtls.model.units import UnixMs


def quote(
    coupon: Coupon | None,
    revision: CampaignRevision | None,
    *,
    request: CheckoutRequest,
    now_ms: UnixMs,
) -> Quote | CheckoutRefusal:
    """Return what the basket would cost, without using the coupon up.

    The coupon is judged before the basket: whoever shows a code that is not good learns nothing
    about what it would have been good for.
    """
    if coupon is None:
        return CheckoutRefusal.COUPON_UNKNOWN
    refusal = refusal_of_coupon(coupon, request=request, now_ms=now_ms)
    if refusal is not None:
        return refusal
    assert revision is not None
    benefit = revision.benefit
    assert not isinstance(benefit, AppBenefit)  # CampaignRevision.has_coupon
    discount = effect_on(benefit, request.basket)
    if not isinstance(discount, Discount):
        return discount
    return Quote(
        coupon=coupon.coupon,
        campaign=coupon.campaign,
        basket_total=request.basket.total,
        discount=discount,
    )


def refusal_of_coupon(
    coupon: Coupon, *, request: CheckoutRequest, now_ms: UnixMs
) -> CheckoutRefusal | None:
    """Return why the coupon is not good here and now, or None."""
    if coupon.site != request.site:
        return CheckoutRefusal.COUPON_FOREIGN
    match coupon.state:
        case CouponState.REDEEMED:
            return CheckoutRefusal.COUPON_USED
        case CouponState.REVOKED:
            return CheckoutRefusal.COUPON_REVOKED
        case CouponState.EXPIRED:
            return CheckoutRefusal.COUPON_EXPIRED
        case CouponState.ISSUED:
            # The sweep that expires coupons may come later than the clock; the clock decides.
            is_over = now_ms >= coupon.expires_at_ms
            return CheckoutRefusal.COUPON_EXPIRED if is_over else None
        case _:
            assert_never(coupon.state)
