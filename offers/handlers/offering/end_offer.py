"""End an offer before it is redeemed, and give back all that it held.

Layer: flow. Takes: an `Offer` and how it ends. Gives: the ended offer to the handlers that revoke,
expire and dismiss. Its coupon ends with it, the campaign's budget gets its reservation back, a
reward gives its points back, and an offer that never reached the shopper does not count in the
frequency cap.
"""

from types import MappingProxyType
from typing import Final

from offers.handlers.loyalty.return_reward import return_reward
from offers.handlers.till.coupon_budgets import release_all
from offers.model.errors import Busy, WrongState
from offers.model.offering.coupon import CouponState
from offers.model.offering.offer import Offer, OfferState
from offers.model.outbox import OutboxKind
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

COUPON_ENDS: Final = MappingProxyType(
    {
        OfferState.REVOKED: CouponState.REVOKED,
        OfferState.DISMISSED: CouponState.REVOKED,
        OfferState.EXPIRED: CouponState.EXPIRED,
    }
)


def end_offer(offer: Offer, state: OfferState, *, work: UnitOfWork, now_ms: UnixMs) -> Offer:
    """Bring the offer to `REVOKED`, `DISMISSED` or `EXPIRED`.

    Raises
    ------
    WrongState
        If its coupon is held at a till: what the shopper was told there is what is paid.
    Busy
        If another writer moved the offer meanwhile; nothing is done, and the retry sees its state.
    """
    coupon = work.coupons.of_offer(offer.offer)
    if coupon is not None and coupon.state is CouponState.HELD:
        raise WrongState(
            f"offer {offer.offer}: its coupon is in a basket at a till; expected the basket to be "
            "paid or given up first. Try again in a moment."
        )
    ended = offer.in_state(state, at_ms=now_ms)
    if not work.offers.move(offer, ended):
        raise Busy(f"offer {offer.offer} has just changed; expected {offer.state}. Try again.")
    if offer.state is OfferState.ISSUED:
        work.offers.free_cap_slot(offer.offer)
    else:
        work.outbox.add(
            OutboxKind.OFFER_ENDED, shopper=offer.shopper, subject=offer.offer, at_ms=now_ms
        )
    if coupon is not None and coupon.state is CouponState.ISSUED:
        after = COUPON_ENDS[state]
        if work.coupons.move(coupon.coupon, before=coupon.state, after=after):
            release_all(coupon, work=work)
            return_reward(offer, work=work, now_ms=now_ms)
    return ended
