"""Give a shopper a code for friends, and note whose code brought a new shopper.

Layer: flow. Takes: shoppers and a code. Gives: `Referral`, or why the code is not taken. Nothing is
paid here: that happens at the new shopper's first purchase (convert_referral).
"""

from offers.checkout.coupon_code import RANDOM_BYTES, parse_code, render_code
from offers.handlers.random_id import random_id
from offers.model.errors import Busy, InvalidOffer
from offers.model.ids import ReferralId, ShopperId
from offers.model.loyalty.referral import (
    REFERRALS_IN_WINDOW_MAX,
    WINDOW_MS,
    Referral,
    ReferralRefusal,
    ReferralState,
)
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs


def referral_code_of(shopper: ShopperId, *, work: UnitOfWork, secrets: SecretSource) -> str:
    """Return the shopper's code for friends; it is made at the first call and stays.

    Raises
    ------
    Busy
        If another request made it in the same moment; the retry finds it.
    """
    known = work.referrals.code_of(shopper)
    if known is not None:
        return known
    code = render_code(secrets.random_bytes(RANDOM_BYTES))
    if not work.referrals.set_code(shopper, code):
        raise Busy("the code for friends has just been made by another request. Try again.")
    return code


def claim_referral(
    shopper: ShopperId, code: str, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> Referral | ReferralRefusal:
    """Note that the shopper was brought by the owner of ``code``.

    Parameters
    ----------
    shopper
        Who is new.
    code
        As typed or scanned.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    """
    try:
        referrer = work.referrals.owner_of(parse_code(code))
    except InvalidOffer:
        referrer = None
    if referrer is None:
        return ReferralRefusal.CODE_UNKNOWN
    if referrer == shopper:
        return ReferralRefusal.OWN_CODE
    if work.purchases.has_any(shopper):
        return ReferralRefusal.ALREADY_BOUGHT
    brought = work.referrals.count_since(referrer, UnixMs(now_ms - WINDOW_MS))
    if brought >= REFERRALS_IN_WINDOW_MAX:
        return ReferralRefusal.TOO_MANY
    referral = Referral(
        referral=ReferralId(random_id(secrets)),
        referrer=referrer,
        referred=shopper,
        state=ReferralState.PENDING,
        at_ms=now_ms,
    )
    return referral if work.referrals.add(referral) else ReferralRefusal.ALREADY_REFERRED
