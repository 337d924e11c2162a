"""Serve the settlements with partners who pay for campaigns.

Layer: edges. Takes: requests of merchandisers and operators. Gives: documents of the key's own
site, as JSON and CSV; what makes one needs an Idempotency-Key.
"""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response, status
from pydantic import BaseModel

from offers.api.auth import SiteDep
from offers.api.campaigns.partner_schema import (
    CorrectionBody,
    PeriodBody,
    SettlementBody,
    SettlementsBody,
    render_csv,
)
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import PAGE_MAX, ServicesDep
from offers.api.till.till_answers import ONCE, Outcome, TillRequest, TillRequestDep, answer_till
from offers.handlers.campaigns.settle_partner import (
    check_partner,
    correct_settlement,
    settle_partner,
)
from offers.model.audit import Actor
from offers.model.campaigns.funding import PartnerId
from offers.model.campaigns.settlement import Settlement, SettlementRefusal
from offers.model.errors import NotFound
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs

SETTLE: Final = "settlePartner"
CORRECT: Final = "correctSettlement"
NUMBER_MAX: Final = 2**53
NUMBER_DIGITS_MAX: Final = 15

partner_routes = APIRouter(prefix="/partners/{partner}/settlements", tags=["staff"])

PartnerPath = Annotated[PartnerId, Path(max_length=63)]
# A text, so that what is no number is as unknown as a number of somebody else.
SettlementPath = Annotated[str, Path(max_length=128, description="its number")]


@partner_routes.post(
    "",
    operation_id=SETTLE,
    status_code=status.HTTP_201_CREATED,
    response_model=SettlementBody,
    responses=problems(*ONCE, ProblemCode.NOT_FOUND),
)
async def settle(partner: PartnerPath, body: PeriodBody, asked: TillRequestDep) -> Response:
    """Write down what a period cost the partner. Asked again, only what was posted late."""
    period = body.period()
    make = partial(settle_partner, partner, period, site=_site(asked), by=Actor.of(asked.till))

    def deed(work: UnitOfWork, now_ms: UnixMs) -> Outcome:
        return Outcome(answer=_answer(make(work=work, now_ms=now_ms)))

    return await answer_till(asked, deed, operation=SETTLE)


@partner_routes.post(
    "/{settlement}/corrections",
    operation_id=CORRECT,
    status_code=status.HTTP_201_CREATED,
    response_model=SettlementBody,
    responses=problems(*ONCE, ProblemCode.NOT_FOUND),
)
async def correct(
    partner: PartnerPath, settlement: SettlementPath, body: CorrectionBody, asked: TillRequestDep
) -> Response:
    """Move money that both agreed on, by a new document; the wrong one stays as it is."""
    make = partial(
        correct_settlement,
        partner,
        number_of(settlement),
        [line.line() for line in body.lines],
        site=_site(asked),
        by=Actor.of(asked.till),
        secrets=asked.services.secrets,
    )

    def deed(work: UnitOfWork, now_ms: UnixMs) -> Outcome:
        return Outcome(answer=SettlementBody.of(make(work=work, now_ms=now_ms)))

    return await answer_till(asked, deed, operation=CORRECT)


@partner_routes.get("", operation_id="getSettlements", responses=problems(ProblemCode.NOT_FOUND))
async def get_settlements(
    partner: PartnerPath,
    site: SiteDep,
    services: ServicesDep,
    after: Annotated[int, Query(ge=0, le=NUMBER_MAX, description="cursor of the last page")] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
) -> SettlementsBody:
    """Return the documents of the partner, the oldest first."""

    def read(work: UnitOfWork) -> tuple[Settlement, ...]:
        check_partner(partner, site=site, work=work)
        return work.partners.settlements(site, partner, after=after, limit=limit + 1)

    found = await services.read(read)
    page = found[:limit]
    return SettlementsBody(
        settlements=tuple(SettlementBody.of(one) for one in page),
        cursor=page[-1].number if page else after,
        has_more=len(found) > limit,
    )


@partner_routes.get(
    "/{settlement}",
    operation_id="getSettlement",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def get_settlement(
    partner: PartnerPath, settlement: SettlementPath, site: SiteDep, services: ServicesDep
) -> SettlementBody:
    """Return one document."""
    found = await services.read(partial(_find, site, partner, settlement))
    return SettlementBody.of(found)


@partner_routes.get(
    "/{settlement}/csv",
    operation_id="getSettlementCsv",
    response_class=Response,
    responses={
        status.HTTP_200_OK: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **problems(ProblemCode.NOT_FOUND),
    },
)
async def get_settlement_csv(
    partner: PartnerPath, settlement: SettlementPath, site: SiteDep, services: ServicesDep
) -> Response:
    """Return the lines of one document as CSV."""
    found = await services.read(partial(_find, site, partner, settlement))
    name = f"settlement-{found.partner}-{found.number}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(render_csv(found), media_type="text/csv; charset=utf-8", headers=headers)


def number_of(given: str) -> int:
    """Return the number of a document; 0, which none has, for what is no number."""
    is_number = given.isascii() and given.isdigit() and len(given) <= NUMBER_DIGITS_MAX
    return int(given) if is_number else 0


def _find(site: SiteId, partner: PartnerId, settlement: str, work: UnitOfWork) -> Settlement:
    found = work.partners.settlement(site, partner, number_of(settlement))
    if found is None:
        raise NotFound("no such settlement; expected one of the partner at the key's own site.")
    return found


def _site(asked: TillRequest) -> SiteId:
    site = asked.till.site
    assert site is not None
    return site


def _answer(made: Settlement | SettlementRefusal) -> BaseModel | SettlementRefusal:
    return SettlementBody.of(made) if isinstance(made, Settlement) else made
