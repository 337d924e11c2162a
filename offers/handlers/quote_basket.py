"""Tell a till what a basket would cost with a coupon, without using anything up.

Layer: flow. Takes: a `CheckoutRequest`. Gives: a `Quote`, or a `CheckoutRefusal`; the API tells a
till `refusal.for_strangers`.
"""

from offers.checkout.coupon_code import parse_code
from offers.checkout.redeem import quote
from offers.handlers.reveal_coupon import CODE_PURPOSE
from offers.model.coupon import Coupon
from offers.model.errors import InvalidOffer
from offers.model.redemption import CheckoutRequest, Quote
from offers.model.refusal import CheckoutRefusal
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs


def quote_basket(
    request: CheckoutRequest, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> Quote | CheckoutRefusal:
    """Return what is left to pay, or why the coupon is not taken."""
    coupon = coupon_of_code(request.code, work=work, secrets=secrets)
    return quote_coupon(coupon, request, work=work, now_ms=now_ms)


def coupon_of_code(code: str, *, work: UnitOfWork, secrets: SecretSource) -> Coupon | None:
    """Return the coupon with this code, or None; what cannot be a code is nobody's."""
    try:
        canonical = parse_code(code)
    except InvalidOffer:
        return None
    return work.coupons.find_by_code(secrets.fingerprint(canonical, purpose=CODE_PURPOSE))


def quote_coupon(
    coupon: Coupon | None, request: CheckoutRequest, *, work: UnitOfWork, now_ms: UnixMs
) -> Quote | CheckoutRefusal:
    """Return the quote for a coupon that has been looked up."""
    revision = None if coupon is None else work.campaigns.revision(coupon.campaign, coupon.revision)
    answer = quote(coupon, revision, request=request, now_ms=now_ms)
    if isinstance(answer, CheckoutRefusal):
        return answer
    assert coupon is not None
    if not coupon.is_reserved and not work.campaigns.has_budget(coupon.campaign):
        return CheckoutRefusal.BUDGET_SPENT
    return answer
