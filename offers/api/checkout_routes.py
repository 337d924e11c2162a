"""Serve the till: what a basket would cost with a coupon, and the redemption itself.

Layer: edges. Takes: requests of a till. Gives: quotes, redemptions and refusals. A redemption needs
an Idempotency-Key; its answer is kept in the transaction of the redemption and comes back to the
byte. Who shows too many bad codes waits.
"""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response, status

from offers.api.auth import CallerDep
from offers.api.checkout_schema import CheckoutBody, QuoteBody, RedemptionBody
from offers.api.idempotency import HEADER, LENGTH_MAX, LENGTH_MIN, parse_idempotency_key
from offers.api.problem import MEDIA_TYPE, Problem, ProblemCode, problem_body
from offers.api.problem_docs import problems
from offers.api.services import Services, ServicesDep
from offers.handlers.answer_once import answer_once
from offers.handlers.quote_basket import quote_basket
from offers.handlers.redeem_coupon import redeem_coupon
from offers.model.idempotency import IdempotentRequest, StoredAnswer
from offers.model.redemption import CheckoutRequest, Quote
from offers.model.refusal import CheckoutRefusal
from offers.model.shopper import Credential
from offers.ports import UnitOfWork

OPERATION: Final = "redeemCoupon"

checkout_routes = APIRouter(tags=["till"])


def idempotency_key(
    header: Annotated[
        str | None,
        Header(
            alias=HEADER,
            description=f"Mandatory, {LENGTH_MIN} to {LENGTH_MAX} characters: fresh for each "
            "basket, the same for each repeat.",
            examples=["3f0c9a52-6d0e-4a53-9d57-1f3f0a1c2b3d"],
        ),
    ] = None,
) -> str:
    """Return the key of the request."""
    return parse_idempotency_key(header)


@checkout_routes.post(
    "/baskets/quote",
    operation_id="quoteBasket",
    responses=problems(ProblemCode.REFUSED, ProblemCode.TOO_MANY_FAILURES),
)
async def quote(body: CheckoutBody, till: CallerDep, services: ServicesDep) -> QuoteBody:
    """Say what the basket would cost. Nothing is used up, and nothing is kept."""
    _check_failures(till, services)
    request = _checkout_request(body, till)
    now_ms = services.now_ms()
    answer = await services.read(
        lambda work: quote_basket(request, work=work, now_ms=now_ms, secrets=services.secrets)
    )
    return QuoteBody.of(_quoted(answer, till, services))


def _quoted(answer: Quote | CheckoutRefusal, till: Credential, services: Services) -> Quote:
    if isinstance(answer, CheckoutRefusal):
        _count_failure(answer, till, services)
        raise _refused(answer)
    return answer


@checkout_routes.post(
    "/redemptions",
    operation_id=OPERATION,
    status_code=status.HTTP_201_CREATED,
    response_model=RedemptionBody,
    responses=problems(
        ProblemCode.IDEMPOTENCY_KEY_MISSING,
        ProblemCode.IDEMPOTENCY_KEY_INVALID,
        ProblemCode.IN_FLIGHT,
        ProblemCode.IDEMPOTENCY_KEY_REUSED,
        ProblemCode.REFUSED,
        ProblemCode.TOO_MANY_FAILURES,
    ),
)
async def redeem(
    key: Annotated[str, Depends(idempotency_key)],
    body: CheckoutBody,
    request: Request,
    till: CallerDep,
    services: ServicesDep,
) -> Response:
    """Redeem the coupon with the basket, once, however often the request comes."""
    _check_failures(till, services)
    asked = IdempotentRequest.of(
        caller=till.credential, key=key, operation=OPERATION, body=await request.body()
    )
    wanted = _checkout_request(body, till)
    refusals: list[CheckoutRefusal] = []

    def act(work: UnitOfWork) -> StoredAnswer:
        now_ms = services.now_ms()
        refusals.clear()  # the database may have given up an earlier attempt

        def redeem_now() -> StoredAnswer:
            answer = redeem_coupon(wanted, work=work, now_ms=now_ms, secrets=services.secrets)
            if isinstance(answer, CheckoutRefusal):
                refusals.append(answer)
                return _refusal_answer(answer, instance=request.url.path)
            content = RedemptionBody.of(answer).model_dump_json().encode()
            return StoredAnswer(status=status.HTTP_201_CREATED, body=content)

        return answer_once(asked, redeem_now, work=work, now_ms=now_ms)

    answer = await services.write(act)
    for refusal in refusals:  # none where the answer is a repeat
        _count_failure(refusal, till, services)
    is_problem = answer.status >= status.HTTP_400_BAD_REQUEST
    media_type = MEDIA_TYPE if is_problem else "application/json"
    return Response(answer.body, status_code=answer.status, media_type=media_type)


def _checkout_request(body: CheckoutBody, till: Credential) -> CheckoutRequest:
    assert till.till is not None
    assert till.site is not None
    return CheckoutRequest(
        code=body.code, basket=body.basket.basket(), till=till.till, site=till.site
    )


def _refused(refusal: CheckoutRefusal) -> Problem:
    reason = refusal.for_strangers
    return Problem(
        ProblemCode.REFUSED, f"The coupon is not taken with this basket: {reason}.", reason=reason
    )


def _refusal_answer(refusal: CheckoutRefusal, *, instance: str) -> StoredAnswer:
    problem = _refused(refusal)
    content = msgspec.json.encode(problem_body(problem, instance=instance))
    return StoredAnswer(status=problem.status, body=content)


def _check_failures(till: Credential, services: Services) -> None:
    wait_s = services.coupon_failures.wait_s(till.credential, now_ms=services.now_ms())
    if wait_s:
        raise Problem(
            ProblemCode.TOO_MANY_FAILURES,
            f"Too many codes that are not good; the next attempt is taken in {wait_s} s.",
            retry_after_s=wait_s,
        )


def _count_failure(refusal: CheckoutRefusal, till: Credential, services: Services) -> None:
    # A basket that does not fit is an honest question; a code that is not good may be a guess.
    if refusal.for_strangers is CheckoutRefusal.COUPON_NOT_VALID:
        services.coupon_failures.count_failure(till.credential, now_ms=services.now_ms())
