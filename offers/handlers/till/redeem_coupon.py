"""Use one coupon with a basket at once, for tills that know no held baskets.

Layer: flow. Takes: a `CheckoutRequest`. Gives: a `Redemption`, or a `CheckoutRefusal`; the API
tells a till `refusal.for_strangers`. Call it through `answer_once`, so that a till which lost our
answer gets the same one again. It is a hold and its commit in one transaction, without the rows of
a hold that nobody could see: pricing and settling are those of every basket.
"""

from offers.handlers.random_id import random_id
from offers.handlers.till.hold_basket import free_overdue, held_coupons
from offers.handlers.till.price_basket import price_basket
from offers.handlers.till.settle_basket import settle_basket
from offers.model.ids import BasketId
from offers.model.offering.coupon import CouponState
from offers.model.offering.refusal import CheckoutRefusal, TillRefusal
from offers.model.till.held_basket import HOLD_MS, BasketRequest, HeldBasket, HoldState
from offers.model.till.redemption import CheckoutRequest, Redemption
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs


def redeem_coupon(
    request: CheckoutRequest, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> Redemption | CheckoutRefusal:
    """Redeem the coupon: coupon, budget, redemption, purchase, offer, outbox in one transaction.

    Raises `Busy` as `settle_basket` does: nothing is done, and the retry is told why.
    """
    asked = BasketRequest(
        basket=request.basket, till=request.till, site=request.site, codes=(request.code,)
    )
    priced = price_basket(asked, work=work, now_ms=now_ms, secrets=secrets)
    assert not isinstance(priced, TillRefusal)  # no card, no basket that is replaced
    if not priced.applied:
        return priced.refused[0].reason
    free_overdue(priced, work=work, now_ms=now_ms)
    held = HeldBasket(
        held=BasketId(random_id(secrets)),
        site=request.site,
        till=request.till,
        shopper=None,
        basket=request.basket,
        coupons=held_coupons(priced),
        state=HoldState.COMMITTED,
        held_at_ms=now_ms,
        until_ms=UnixMs(now_ms + HOLD_MS),
    )
    settled = settle_basket(
        held,
        [one.coupon for one in priced.applied],
        till=request.till,
        before=CouponState.ISSUED,
        work=work,
        now_ms=now_ms,
        secrets=secrets,
    )
    assert not isinstance(settled, TillRefusal)  # no wallet pays
    return settled.redemptions[0]
