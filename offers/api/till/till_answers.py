"""Answer a till once, refuse it with a reason, and slow down who guesses.

Layer: edges. Takes: a till's request with its Idempotency-Key and the deed. Gives: the answer that
is kept in the transaction of the effect, and comes back to the byte, to the routes of the till.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from fastapi import Depends, Header, Request, Response, status
from pydantic import BaseModel

from offers.api.auth import BearerDep, CallerDep
from offers.api.idempotency import HEADER, LENGTH_MAX, LENGTH_MIN, parse_idempotency_key
from offers.api.problem import MEDIA_TYPE, Problem, ProblemCode, problem_body
from offers.api.services import Services, ServicesDep
from offers.handlers.answer_once import answer_once
from offers.handlers.people.issue_credential import caller_of, fingerprint_of
from offers.model.campaigns.settlement import SettlementRefusal
from offers.model.idempotency import IdempotentRequest, StoredAnswer
from offers.model.loyalty.goodwill import GoodwillRefusal
from offers.model.loyalty.reward import RewardRefusal
from offers.model.offering.refusal import CheckoutRefusal, TillRefusal
from offers.model.people.service_case import CaseRefusal
from offers.model.people.shopper import Credential
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

Refused = (
    CheckoutRefusal
    | TillRefusal
    | GoodwillRefusal
    | RewardRefusal
    | CaseRefusal
    | SettlementRefusal
)
ONCE: Final = (
    ProblemCode.IDEMPOTENCY_KEY_MISSING,
    ProblemCode.IDEMPOTENCY_KEY_INVALID,
    ProblemCode.IN_FLIGHT,
    ProblemCode.IDEMPOTENCY_KEY_REUSED,
    ProblemCode.REFUSED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a deed came to."""

    answer: BaseModel | Refused
    bad_codes: int = 0
    """how many codes were shown that are not good: each may be a guess"""


Deed = Callable[[UnitOfWork, UnixMs], Outcome]


async def idempotency_key(
    header: Annotated[
        str | None,
        Header(
            alias=HEADER,
            description=f"Mandatory, {LENGTH_MIN} to {LENGTH_MAX} characters: fresh for each "
            "wish, the same for each repeat.",
            examples=["3f0c9a52-6d0e-4a53-9d57-1f3f0a1c2b3d"],
        ),
    ] = None,
) -> str:
    """Return the key of the request."""
    return parse_idempotency_key(header)


@dataclass(frozen=True, slots=True, kw_only=True)
class TillRequest:
    """A request of a till that moves value."""

    key: str
    request: Request
    till: Credential
    fingerprint: str | None
    """of the key that the till has shown"""
    services: Services


async def till_request(
    key: Annotated[str, Depends(idempotency_key)],
    request: Request,
    till: CallerDep,
    services: ServicesDep,
    bearer: BearerDep,
) -> TillRequest:
    """Return all that `answer_till` needs to know of the request."""
    assert bearer is not None  # the role was enforced
    fingerprint = fingerprint_of(bearer.credentials, secrets=services.secrets)
    return TillRequest(
        key=key, request=request, till=till, fingerprint=fingerprint, services=services
    )


TillRequestDep = Annotated[TillRequest, Depends(till_request)]


async def answer_till(
    asked: TillRequest, deed: Deed, *, operation: str, success: int = status.HTTP_201_CREATED
) -> Response:
    """Do the deed once, however often the request comes, and give the same bytes each time.

    Parameters
    ----------
    asked
        Key, till, path and body; all four make the request what it is.
    deed
        Does the work; a refusal is kept as well as a success.
    operation
        Name of the operation.
    success
        Status of a success.
    """
    services, till = asked.services, asked.till
    path = asked.request.scope["path"]
    once = IdempotentRequest.of(
        caller=till.credential,
        key=asked.key,
        operation=f"{operation} {path}",
        body=await asked.request.body(),
    )
    bad_codes: list[int] = []

    def act(work: UnitOfWork) -> StoredAnswer:
        _refuse_revoked(asked, work)
        now_ms = services.now_ms()
        bad_codes.clear()  # the database may have given up an earlier attempt

        def do() -> StoredAnswer:
            outcome = deed(work, now_ms)
            bad_codes.append(outcome.bad_codes)
            return _stored(outcome.answer, success=success, instance=path)

        return answer_once(once, do, work=work, now_ms=now_ms)

    answer = await services.write(act)
    for count in bad_codes:  # none where the answer is a repeat
        count_bad_codes(count, till, services)
    is_problem = answer.status >= status.HTTP_400_BAD_REQUEST
    media_type = MEDIA_TYPE if is_problem else "application/json"
    return Response(answer.body, status_code=answer.status, media_type=media_type)


def _refuse_revoked(asked: TillRequest, work: UnitOfWork) -> None:
    if caller_of(asked.fingerprint, work=work, now_ms=asked.services.now_ms()) is None:
        if asked.fingerprint is not None:
            asked.services.callers.forget(asked.fingerprint)
        raise Problem(
            ProblemCode.CREDENTIAL_INVALID, "The key has just been revoked or has expired."
        )


def refused(refusal: Refused) -> Problem:
    """Return the problem of a refusal, as a till may know it."""
    match refusal:
        case CheckoutRefusal():
            reason = refusal.for_strangers
            detail = f"The coupon is not taken with this basket: {reason}."
            return Problem(ProblemCode.REFUSED, detail, reason=reason)
        case (
            TillRefusal()
            | GoodwillRefusal()
            | RewardRefusal()
            | CaseRefusal()
            | SettlementRefusal()
        ):
            return Problem(ProblemCode.REFUSED, f"Refused: {refusal}.", reason=refusal)


def check_failures(till: Credential, services: Services) -> None:
    """Let the till wait if it has shown too many codes that are not good.

    Raises
    ------
    Problem
        429, with the seconds to wait.
    """
    wait_s = services.coupon_failures.wait_s(till.credential, now_ms=services.now_ms())
    if wait_s:
        raise Problem(
            ProblemCode.TOO_MANY_FAILURES,
            f"Too many codes that are not good; the next attempt is taken in {wait_s} s.",
            retry_after_s=wait_s,
        )


def count_bad_codes(count: int, till: Credential, services: Services) -> None:
    """Count codes that are not good. What does not fit a basket is an honest question."""
    for _ in range(count):
        services.coupon_failures.count_failure(till.credential, now_ms=services.now_ms())


def _stored(answer: BaseModel | Refused, *, success: int, instance: str) -> StoredAnswer:
    if isinstance(answer, BaseModel):
        return StoredAnswer(status=success, body=answer.model_dump_json().encode())
    problem = refused(answer)
    content = msgspec.json.encode(problem_body(problem, instance=instance))
    return StoredAnswer(status=problem.status, body=content)
