"""Book what a till did while it had no line.

Layer: flow. Takes: an `OfflineItem`. Gives: an `OfflineOutcome`. A coupon is booked once: the first
that comes wins, and any other is a conflict that names both. Since the goods are gone, nothing is
refused in silence: what cannot be booked is written down with its reason, and a budget that does
not suffice is overdrawn and shown as such.
"""

from offers.checkout.offline_coupon import parse_offline_coupon, refusal_of_offline
from offers.checkout.till_benefit import effect_on
from offers.handlers.random_id import random_id
from offers.handlers.till.offline_keys import offline_keys
from offers.handlers.till.settle_basket import settle_basket
from offers.model.campaigns.benefit import EarlyAccess, Information, Points
from offers.model.errors import InvalidCode
from offers.model.ids import BasketId, TillId
from offers.model.offering.coupon import Coupon, CouponState
from offers.model.offering.refusal import TillRefusal
from offers.model.till.held_basket import HeldBasket, HeldCoupon, HoldState
from offers.model.till.offline_coupon import (
    OfflineCoupon,
    OfflineItem,
    OfflineOutcome,
    OfflineReason,
)
from offers.model.till.redemption import Discount
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

# A sweep may have expired what was used in time; the hour of the redemption decides.
USABLE = frozenset({CouponState.ISSUED, CouponState.EXPIRED})


def book_offline(
    item: OfflineItem,
    *,
    site: SiteId,
    till: TillId,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> OfflineOutcome:
    """Book the item, or write down why not; the same reference again gets the same outcome."""
    known = work.offline_items.find(site, till, item.reference)
    if known is not None:
        return known
    outcome = _outcome(item, site=site, till=till, work=work, now_ms=now_ms, secrets=secrets)
    work.offline_items.add(item, outcome, site=site, till=till, now_ms=now_ms)
    return outcome


def _outcome(
    item: OfflineItem,
    *,
    site: SiteId,
    till: TillId,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> OfflineOutcome:
    try:
        signed = parse_offline_coupon(item.signed, keys=offline_keys(secrets))
    except InvalidCode:
        return OfflineOutcome(
            reference=item.reference,
            coupon=None,
            redemption=None,
            reasons=(OfflineReason.SIGNATURE_INVALID,),
        )
    reason = refusal_of_offline(
        signed, site=site, redeemed_at_ms=item.redeemed_at_ms, now_ms=now_ms
    )
    coupon = work.coupons.find(signed.coupon)
    if reason is None:
        reason = _refusal_of(coupon)
    if reason is not None or coupon is None:
        assert reason is not None
        return OfflineOutcome(
            reference=item.reference,
            coupon=signed.coupon,
            redemption=None,
            reasons=(reason,),
            first=work.offline_items.first_use(signed.coupon),
        )
    return _book(item, signed, coupon, till=till, work=work, now_ms=now_ms, secrets=secrets)


def _refusal_of(coupon: Coupon | None) -> OfflineReason | None:
    if coupon is None:
        return OfflineReason.COUPON_UNKNOWN
    if coupon.state in USABLE:
        return None
    if coupon.state is CouponState.HELD:
        return OfflineReason.COUPON_HELD
    if coupon.state is CouponState.REVOKED:
        return OfflineReason.COUPON_REVOKED
    return OfflineReason.COUPON_USED


def _book(
    item: OfflineItem,
    signed: OfflineCoupon,
    coupon: Coupon,
    *,
    till: TillId,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> OfflineOutcome:
    held = HeldBasket(
        held=BasketId(random_id(secrets)),
        site=coupon.site,
        till=till,
        shopper=None,
        basket=item.basket,
        coupons=(HeldCoupon(coupon=coupon.coupon, discount=item.discount),),
        state=HoldState.COMMITTED,
        held_at_ms=item.redeemed_at_ms,
        until_ms=UnixMs(item.redeemed_at_ms + 1),
    )
    settled = settle_basket(
        held,
        [coupon],
        till=till,
        before=coupon.state,
        may_overdraw=True,
        work=work,
        now_ms=now_ms,
        secrets=secrets,
    )
    assert not isinstance(settled, TillRefusal)  # no wallet pays
    reasons = [OfflineReason.BUDGET_OVERDRAWN] if settled.overdrawn else []
    if item.discount.total.amount_minor > _granted_minor(signed, item):
        reasons.append(OfflineReason.DISCOUNT_TOO_HIGH)
    return OfflineOutcome(
        reference=item.reference,
        coupon=coupon.coupon,
        redemption=settled.redemptions[0].redemption,
        reasons=tuple(reasons),
    )


def _granted_minor(signed: OfflineCoupon, item: OfflineItem) -> int:
    """Return what the coupon takes off this basket, alone: beside others it takes no more."""
    if isinstance(signed.benefit, Points | EarlyAccess | Information):
        return 0
    effect = effect_on(signed.benefit, item.basket)
    return effect.total.amount_minor if isinstance(effect, Discount) else 0
