"""Serve shoppers who are not content: they write, staff read, answer and close.

Layer: edges. Takes: requests of app and staff. Gives: what open_case and answer_case answer. Staff
see cases of their own site, never whose they are; merchandisers see figures only.
"""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response, status

from offers.api.auth import CallerDep, ShopperDep, SiteDep
from offers.api.people.case_schema import (
    CaseBody,
    CaseFiguresBody,
    CaseFileBody,
    CasesBody,
    ComplaintBody,
    GivenAnswerBody,
    OwnCaseBody,
    OwnCasesBody,
    ReplyBody,
)
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import PAGE_MAX, ServicesDep
from offers.api.till.till_answers import ONCE, Outcome, TillRequestDep, answer_till, refused
from offers.checkout.budget_charges import day_of
from offers.handlers.messages.push_answer import note_answer_reached
from offers.handlers.profile.answer_case import answer_case, close_case, read_case
from offers.handlers.profile.open_case import complain
from offers.model.conditions.fact import DAY_MS
from offers.model.ids import CaseId, ShopperId
from offers.model.messages.contact import DeliveryChannel
from offers.model.people.service_case import CaseAnswer, CaseRefusal, CaseState
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

ANSWER: Final = "answerCase"
DAYS_MAX: Final = 396
"""cases are kept no longer"""

case_routes = APIRouter(tags=["cases"])

CasePath = Annotated[CaseId, Path(max_length=128)]


@case_routes.post(
    "/me/cases",
    operation_id="complain",
    status_code=status.HTTP_201_CREATED,
    responses=problems(ProblemCode.REFUSED),
)
async def write(body: ComplaintBody, shopper: ShopperDep, services: ServicesDep) -> OwnCaseBody:
    """Say what was not right; staff of the site answer in the app, by push and by mail.

    Raises
    ------
    refused
        The problem of one message too many on one day.
    """
    now_ms, site_map = services.now_ms(), services.site_map
    case = await services.write(
        lambda work: complain(
            shopper,
            body.text,
            site=site_map.site,
            day=day_of(now_ms, time_zone=site_map.time_zone),
            work=work,
            now_ms=now_ms,
            secrets=services.secrets,
        )
    )
    if isinstance(case, CaseRefusal):
        raise refused(case)
    return OwnCaseBody.of(case)


@case_routes.get("/me/cases", operation_id="getOwnCases", responses=problems())
async def get_own(shopper: ShopperDep, services: ServicesDep) -> OwnCasesBody:
    """Return the shopper's cases with the answers, which then count as read."""
    waiting = await services.read(lambda work: work.cases.unreached_of(shopper))
    if waiting:
        await services.write(partial(_note_read, waiting, services.now_ms()))
    return await services.read(partial(_own, shopper))


@case_routes.get("/cases", operation_id="getCases", responses=problems())
async def get_cases(
    site: SiteDep, services: ServicesDep, state: CaseState = CaseState.OPEN
) -> CasesBody:
    """Return the site's cases in a state: the longest waiting first, closed ones newest first."""
    found = await services.read(lambda work: work.cases.of_site(site, state, limit=PAGE_MAX))
    return CasesBody(cases=tuple(CaseBody.of(case) for case in found))


@case_routes.get("/cases/{case}", operation_id="getCase", responses=problems(ProblemCode.NOT_FOUND))
async def get_case(case: CasePath, site: SiteDep, services: ServicesDep) -> CaseFileBody:
    """Return a case with the survey that opened it and, where he lets it be known, the places."""
    return CaseFileBody.of(await services.read(lambda work: read_case(case, site, work=work)))


@case_routes.post(
    "/cases/{case}/answers",
    operation_id=ANSWER,
    status_code=status.HTTP_201_CREATED,
    response_model=GivenAnswerBody,
    responses=problems(*ONCE, ProblemCode.NOT_FOUND, ProblemCode.STATE_CONFLICT),
)
async def answer(case: CasePath, body: ReplyBody, asked: TillRequestDep) -> Response:
    """Answer the shopper, with points where something is to be made good."""
    staff, services = asked.till, asked.services
    assert staff.site is not None
    reply = body.noun(staff.site)

    def deed(work: UnitOfWork, now_ms: UnixMs) -> Outcome:
        answered = answer_case(
            case,
            reply,
            by=staff,
            day=day_of(now_ms, time_zone=services.site_map.time_zone),
            work=work,
            now_ms=now_ms,
            secrets=services.secrets,
        )
        if isinstance(answered, CaseAnswer):
            return Outcome(answer=GivenAnswerBody.of(answered))
        return Outcome(answer=answered)

    return await answer_till(asked, deed, operation=ANSWER)


@case_routes.post(
    "/cases/{case}/close", operation_id="closeCase", responses=problems(ProblemCode.NOT_FOUND)
)
async def close(case: CasePath, staff: CallerDep, services: ServicesDep) -> CaseBody:
    """End a case; twice is as good as once."""
    closed = await services.write(
        lambda work: close_case(
            case, by=staff, work=work, now_ms=services.now_ms(), secrets=services.secrets
        )
    )
    return CaseBody.of(closed)


@case_routes.get("/case-figures", operation_id="getCaseFigures", responses=problems())
async def get_figures(
    site: SiteDep,
    services: ServicesDep,
    days: Annotated[int, Query(ge=1, le=DAYS_MAX)] = 30,
) -> CaseFiguresBody:
    """Return how many wrote, how many were answered, and after what time."""
    since_ms = UnixMs(services.now_ms() - days * DAY_MS)
    figures = await services.read(lambda work: work.cases.figures(site, since_ms=since_ms))
    return CaseFiguresBody.of(figures, days=days)


def _note_read(waiting: tuple[CaseAnswer, ...], now_ms: UnixMs, work: UnitOfWork) -> None:
    for one in waiting:
        note_answer_reached(one.answer, DeliveryChannel.APP, work=work, now_ms=now_ms)


def _own(shopper: ShopperId, work: UnitOfWork) -> OwnCasesBody:
    return OwnCasesBody(
        cases=tuple(
            OwnCaseBody.of(case, work.cases.answers_of(case.case))
            for case in work.cases.of_shopper(shopper, limit=PAGE_MAX)
        )
    )
