"""Serve the till: quote a basket, hold it, commit or cancel it, redeem a single coupon.

Layer: edges. Takes: requests of a till. Gives: quotes, held baskets, purchases and refusals. What
moves value needs an Idempotency-Key; its answer is kept in the transaction of the effect and comes
back to the byte. Who shows too many bad codes waits. The clock is ours: a till's own may be hours
off.
"""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response, status

from offers.api.auth import CallerDep
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import ServicesDep
from offers.api.till.purchase_schema import PurchaseBody
from offers.api.till.till_answers import (
    ONCE,
    Outcome,
    TillRequestDep,
    answer_till,
    check_failures,
    count_bad_codes,
    refused,
)
from offers.api.till.till_route import TillRoute
from offers.api.till.till_schema import (
    BasketRequestBody,
    CheckoutBody,
    EndedBasketBody,
    HeldBasketBody,
    QuoteBody,
    RedemptionBody,
)
from offers.handlers.till.commit_basket import cancel_basket, commit_basket
from offers.handlers.till.hold_basket import Held, hold_basket
from offers.handlers.till.price_basket import price_basket
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.ids import BasketId, TillId
from offers.model.offering.refusal import CheckoutRefusal, TillRefusal
from offers.model.people.shopper import Credential
from offers.model.till.held_basket import BasketRequest, HeldBasket, PricedBasket
from offers.model.till.redemption import CheckoutRequest, Redemption
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs

HOLD: Final = "holdBasket"
COMMIT: Final = "commitBasket"
CANCEL: Final = "cancelBasket"
REDEEM: Final = "redeemCoupon"

# In the order in which they are looked through: those with a queue behind them first.
till_routes = APIRouter(prefix="/till", tags=["till"], route_class=TillRoute)

BasketPath = Annotated[BasketId, Path(max_length=128)]


def place_of(till: Credential) -> tuple[TillId, SiteId]:
    """Return which till it is and where it stands; never taken from the request."""
    assert till.till is not None
    assert till.site is not None
    return till.till, till.site


@till_routes.post(
    "/redemptions",
    operation_id=REDEEM,
    status_code=status.HTTP_201_CREATED,
    response_model=RedemptionBody,
    responses=problems(*ONCE, ProblemCode.TOO_MANY_FAILURES),
)
async def redeem(body: CheckoutBody, asked: TillRequestDep) -> Response:
    """Redeem one coupon with the basket at once, however often the request comes."""
    check_failures(asked.till, asked.services)
    till, site = place_of(asked.till)
    request = CheckoutRequest(code=body.code, basket=body.basket.basket(), till=till, site=site)
    secrets = asked.services.secrets

    def deed(work: UnitOfWork, now_ms: UnixMs) -> Outcome:
        redeemed = redeem_coupon(request, work=work, now_ms=now_ms, secrets=secrets)
        if isinstance(redeemed, Redemption):
            return Outcome(answer=RedemptionBody.of(redeemed))
        return Outcome(answer=redeemed, bad_codes=_bad_codes(redeemed))

    return await answer_till(asked, deed, operation=REDEEM)


@till_routes.post(
    "/baskets",
    operation_id=HOLD,
    status_code=status.HTTP_201_CREATED,
    response_model=HeldBasketBody,
    responses=problems(*ONCE, ProblemCode.TOO_MANY_FAILURES),
)
async def hold(body: BasketRequestBody, asked: TillRequestDep) -> Response:
    """Set the best of all coupons aside for ten minutes: what is told is what is paid."""
    check_failures(asked.till, asked.services)
    request = _basket_request(body, asked.till)
    secrets = asked.services.secrets

    def deed(work: UnitOfWork, now_ms: UnixMs) -> Outcome:
        held = hold_basket(request, work=work, now_ms=now_ms, secrets=secrets)
        if isinstance(held, Held):
            body = HeldBasketBody.of(held)
            return Outcome(answer=body, bad_codes=_bad_codes(held.priced))
        return Outcome(answer=held, bad_codes=_bad_codes(held, of=request))

    return await answer_till(asked, deed, operation=HOLD)


@till_routes.post(
    "/baskets/{basket}/commit",
    operation_id=COMMIT,
    status_code=status.HTTP_201_CREATED,
    response_model=PurchaseBody,
    responses=problems(*ONCE, ProblemCode.NOT_FOUND),
)
async def commit(basket: BasketPath, asked: TillRequestDep) -> Response:
    """Note that the held basket has been paid, at the price it was held at."""
    till, site = place_of(asked.till)
    pay = partial(commit_basket, basket, till=till, site=site, secrets=asked.services.secrets)

    def deed(work: UnitOfWork, now_ms: UnixMs) -> Outcome:
        settled = pay(work=work, now_ms=now_ms)
        if isinstance(settled, TillRefusal):
            return Outcome(answer=settled)
        return Outcome(answer=PurchaseBody.of(settled.purchase))

    return await answer_till(asked, deed, operation=COMMIT)


@till_routes.post(
    "/baskets/{basket}/cancel",
    operation_id=CANCEL,
    response_model=EndedBasketBody,
    responses=problems(*ONCE, ProblemCode.NOT_FOUND),
)
async def cancel(basket: BasketPath, asked: TillRequestDep) -> Response:
    """Give the held basket up; its coupons can be used again at once."""
    _, site = place_of(asked.till)

    def deed(work: UnitOfWork, now_ms: UnixMs) -> Outcome:
        ended = cancel_basket(basket, site=site, work=work, now_ms=now_ms)
        if isinstance(ended, HeldBasket):
            return Outcome(answer=EndedBasketBody.of(ended))
        return Outcome(answer=ended)

    return await answer_till(asked, deed, operation=CANCEL, success=status.HTTP_200_OK)


@till_routes.post(
    "/baskets/quote",
    operation_id="quoteBasket",
    responses=problems(ProblemCode.REFUSED, ProblemCode.TOO_MANY_FAILURES),
)
async def quote(body: BasketRequestBody, till: CallerDep, services: ServicesDep) -> QuoteBody:
    """Say what the basket costs with the best of all coupons. Nothing is used up or kept.

    Raises
    ------
    refused
        The problem of a basket that cannot be priced.
    """
    check_failures(till, services)
    request = _basket_request(body, till)
    now_ms = services.now_ms()
    priced = await services.read(
        lambda work: price_basket(request, work=work, now_ms=now_ms, secrets=services.secrets)
    )
    count_bad_codes(_bad_codes(priced), till, services)
    if isinstance(priced, TillRefusal):
        raise refused(priced)
    return QuoteBody.of(priced)


def _basket_request(body: BasketRequestBody, till: Credential) -> BasketRequest:
    name, site = place_of(till)
    return body.request(till=name, site=site)


def _bad_codes(
    answer: PricedBasket | CheckoutRefusal | TillRefusal, *, of: BasketRequest | None = None
) -> int:
    """Return how many of the codes that were shown are not good."""
    match answer:
        case PricedBasket():
            return sum(
                one.code is not None and one.reason.for_strangers is _NOT_VALID
                for one in answer.refused
            )
        case CheckoutRefusal():
            is_bad = answer.for_strangers is _NOT_VALID
            return is_bad * (1 if of is None else len(of.codes))
        case TillRefusal():
            return int(answer is TillRefusal.CARD_NOT_VALID)


_NOT_VALID: Final = CheckoutRefusal.COUPON_NOT_VALID
