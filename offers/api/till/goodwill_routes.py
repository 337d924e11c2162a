"""Serve staff who make something good: points for the card that was scanned.

Layer: edges. Takes: requests of tills and store admins. Gives: what grant_goodwill answers, once
for each Idempotency-Key.
"""

from fastapi import APIRouter, Response, status
from pydantic import Field, StrictInt, StrictStr

from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body, Id
from offers.api.till.till_answers import ONCE, Outcome, TillRequestDep, answer_till, check_failures
from offers.api.till.till_route import TillRoute
from offers.checkout.budget_charges import day_of
from offers.handlers.till.grant_goodwill import grant_goodwill
from offers.model.loyalty.goodwill import POINTS_MAX, Goodwill, GoodwillReason, GoodwillRefusal
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

GRANT = "grantGoodwill"

goodwill_routes = APIRouter(tags=["staff"], route_class=TillRoute)


class GoodwillBody(Body):
    """Points for whoever shows this card."""

    card: StrictStr = Field(min_length=1, max_length=64, description="what was scanned")
    points: StrictInt = Field(ge=1, le=POINTS_MAX, examples=[100])
    reason: GoodwillReason = Field(examples=["long_wait"])


class GrantedBody(Body):
    """Points that can be spent at once."""

    transaction: Id
    points: int


@goodwill_routes.post(
    "/goodwill",
    operation_id=GRANT,
    status_code=status.HTTP_201_CREATED,
    response_model=GrantedBody,
    responses=problems(*ONCE, ProblemCode.TOO_MANY_FAILURES),
)
async def grant(body: GoodwillBody, asked: TillRequestDep) -> Response:
    """Grant points on the spot, within what the key may grant a day."""
    check_failures(asked.till, asked.services)
    site = asked.till.site
    assert site is not None
    goodwill = Goodwill(card=body.card, points=body.points, reason=body.reason, site=site)
    services = asked.services

    def deed(work: UnitOfWork, now_ms: UnixMs) -> Outcome:
        granted = grant_goodwill(
            goodwill,
            by=asked.till,
            day=day_of(now_ms, time_zone=services.site_map.time_zone),
            work=work,
            now_ms=now_ms,
            secrets=services.secrets,
        )
        if isinstance(granted, GoodwillRefusal):
            is_guess = granted is GoodwillRefusal.CARD_NOT_VALID
            return Outcome(answer=granted, bad_codes=int(is_guess))
        body = GrantedBody(transaction=granted.transaction, points=granted.amount_minor)
        return Outcome(answer=body)

    return await answer_till(asked, deed, operation=GRANT)
