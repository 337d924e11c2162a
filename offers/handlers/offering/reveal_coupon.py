"""Show a shopper the code of a coupon.

Layer: flow. Takes: a shopper and one of the shopper's own coupons. Gives: a fresh `CouponCode`.
Since no code is stored, each call makes a new one. The code shown before stays good, so that a
screen that reloads in the queue does not spoil the scan of a moment ago; any earlier one does not.
Where the campaign has a reference of GS1, the code comes as an element string, too.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from offers.checkout.budget_charges import day_of
from offers.checkout.coupon_code import RANDOM_BYTES, render_code
from offers.checkout.gs1 import render_gs1_coupon
from offers.checkout.gs1_issue import identity_of, issued_as, serial_digits
from offers.handlers.offering.open_offer import open_offer
from offers.model.errors import Busy, Expired, NotFound, WrongState
from offers.model.ids import RANDOM_ID_BYTES, CouponId, ShopperId
from offers.model.offering.coupon import Coupon, CouponCode, CouponState
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

CODE_PURPOSE: Final = "coupon"
GS1_PURPOSE: Final = "gs1-coupon"
SERIALS_TRIED_MAX: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _ElementString:
    """What GS1 calls one coupon, and the part of it that names the piece."""

    text: str
    identity: str


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

    Raises
    ------
    Busy
        If each serial number drawn is another coupon's: with a million of a campaign that is once
        in 10^48 times.
    """
    found = usable_coupon(shopper, coupon, work=work, now_ms=now_ms)
    for _ in range(SERIALS_TRIED_MAX):
        code = render_code(secrets.random_bytes(RANDOM_BYTES))
        fingerprints = [secrets.fingerprint(code, purpose=CODE_PURPOSE)]
        element = _element_string(found, work=work, secrets=secrets)
        if element is not None:
            fingerprints.append(secrets.fingerprint(element.identity, purpose=GS1_PURPOSE))
        if work.coupons.set_codes(coupon, fingerprints=fingerprints):
            return CouponCode(
                coupon=coupon,
                code=code,
                expires_at_ms=found.expires_at_ms,
                gs1=None if element is None else element.text,
            )
    raise Busy("no serial number was free for the coupon. Try again.")


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


def _element_string(
    coupon: Coupon, *, work: UnitOfWork, secrets: SecretSource
) -> _ElementString | None:
    revision = work.campaigns.revision(coupon.campaign, coupon.revision)
    reference = revision.gs1
    programme = None if reference is None else work.programmes.current(coupon.site)
    prefix = None if programme is None else programme.gs1_company_prefix
    # A coupon outlives the programme under which its campaign began.
    if reference is None or prefix is None or reference.misfit(prefix) is not None:
        return None
    digits = serial_digits(reference)
    drawn = int.from_bytes(secrets.random_bytes(RANDOM_ID_BYTES), "big") % 10**digits
    zone = work.sites.budgets(coupon.site).time_zone
    issued = issued_as(
        reference,
        prefix=prefix,
        serial=f"{drawn:0{digits}d}",
        benefit=revision.benefit,
        last_day=date.fromisoformat(day_of(UnixMs(coupon.expires_at_ms - 1), time_zone=zone)),
    )
    return _ElementString(text=render_gs1_coupon(issued), identity=identity_of(issued))
