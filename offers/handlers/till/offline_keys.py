"""Say with which keys coupons are signed for tills without a line, and sign one.

Layer: flow. Takes: a shopper's coupon. Gives: its signed text to the app, public keys to the tills.
The seed is derived from the secret of the installation, so that there is no second secret to keep.
"""

from typing import Final

from offers.checkout.offline_coupon import (
    SEED_BYTES,
    key_id_of,
    public_key_of,
    render_offline_coupon,
)
from offers.handlers.offering.reveal_coupon import usable_coupon
from offers.model.ids import CouponId, ShopperId
from offers.model.till.offline_coupon import OfflineCoupon
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

SEED_PURPOSE: Final = "offline coupon"
# The newest signs. A key that leaves this list ends all coupons that it has signed.
KEY_NAMES: Final = ("1",)


def offline_keys(secrets: SecretSource) -> dict[str, bytes]:
    """Return the public keys by their id, the newest last."""
    keys = [public_key_of(_seed(name, secrets)) for name in KEY_NAMES]
    return {key_id_of(key): key for key in keys}


def sign_coupon(
    shopper: ShopperId,
    coupon: CouponId,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> tuple[str, UnixMs]:
    """Return the text of the coupon for a till without a line, and when it expires.

    Raises `NotFound`, `Expired` and `WrongState` as `usable_coupon` does, and `WrongState` if the
    coupon does not fit a QR code.
    """
    found = usable_coupon(shopper, coupon, work=work, now_ms=now_ms)
    revision = work.campaigns.revision(found.campaign, found.revision)
    offline = OfflineCoupon(
        coupon=found.coupon,
        campaign=found.campaign,
        site=found.site,
        benefit=revision.benefit,
        stacking=revision.stacking,
        issued_at_ms=found.issued_at_ms,
        expires_at_ms=found.expires_at_ms,
    )
    text = render_offline_coupon(offline, seed=_seed(KEY_NAMES[-1], secrets))
    return text, found.expires_at_ms


def _seed(name: str, secrets: SecretSource) -> bytes:
    seed = bytes.fromhex(secrets.fingerprint(name, purpose=SEED_PURPOSE))
    assert len(seed) == SEED_BYTES
    return seed
