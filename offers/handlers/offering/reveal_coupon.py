"""Show a shopper the code of a coupon.

Layer: flow. Takes: a shopper and one of the shopper's own coupons. Gives: a fresh `CouponCode`.
Since no code is stored, each call makes a new one. The code shown before stays good, so that a
screen that reloads in the queue does not spoil the scan of a moment ago; any earlier one does not.
"""

from offers.checkout.coupon_code import RANDOM_BYTES, render_code
from offers.handlers.offering.open_offer import open_offer
from offers.model.errors import Expired, NotFound, WrongState
from offers.model.ids import CouponId, ShopperId
from offers.model.offering.coupon import Coupon, CouponCode, CouponState
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

CODE_PURPOSE = "coupon"


def reveal_coupon(
    shopper: ShopperId,
    coupon: CouponId,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> CouponCode:
    """Return a code for the coupon; its offer counts as opened.

    Parameters
    ----------
    shopper
        Who asks, from the credential.
    coupon
        One of the shopper's own.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.

    Raises `NotFound`, `Expired` and `WrongState` as `usable_coupon` does.
    """
    found = usable_coupon(shopper, coupon, work=work, now_ms=now_ms)
    code = render_code(secrets.random_bytes(RANDOM_BYTES))
    fingerprint = secrets.fingerprint(code, purpose=CODE_PURPOSE)
    work.coupons.set_code(coupon, fingerprint=fingerprint)
    return CouponCode(coupon=coupon, code=code, expires_at_ms=found.expires_at_ms)


def usable_coupon(
    shopper: ShopperId, coupon: CouponId, *, work: UnitOfWork, now_ms: UnixMs
) -> Coupon:
    """Return a coupon that its shopper can use now; its offer counts as opened.

    Raises
    ------
    NotFound
        If the coupon is unknown, another's, or its offer has not been delivered.
    Expired
        If the coupon's time is over.
    WrongState
        If the coupon is used or revoked.
    """
    found = work.coupons.find(coupon)
    if found is None or found.shopper != shopper:
        raise NotFound("no such coupon; expected one of the shopper's own offers.")
    open_offer(shopper, found.offer, work=work, now_ms=now_ms)
    if found.state is not CouponState.ISSUED or now_ms >= found.expires_at_ms:
        if found.state in {CouponState.ISSUED, CouponState.EXPIRED}:
            raise Expired(f"coupon {coupon} has expired; expected one that can still be used.")
        raise WrongState(f"coupon {coupon} is {found.state}; expected one not used or revoked.")
    return found
