"""Serve surveys: staff publish and count them, shoppers answer them once.

Layer: edges. Takes: requests of app and staff. Gives: what answer_survey answers. A report holds
counts only, and none of fewer than ten shoppers.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, status

from offers.api.auth import ShopperDep, SiteDep
from offers.api.people.survey_schema import (
    AnswersBody,
    AskedSurveyBody,
    AskedSurveysBody,
    SurveyBody,
    SurveyCountsBody,
)
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import ServicesDep
from offers.handlers.profile.answer_survey import answer_survey, count_answers, publish_survey
from offers.handlers.profile.open_case import is_heard
from offers.model.ids import ShopperId, SurveyId
from offers.model.people.shopper import Locale
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

ASKED_MAX = 20

survey_routes = APIRouter(tags=["surveys"])

SurveyPath = Annotated[SurveyId, Path(max_length=63)]


@survey_routes.get("/me/surveys", operation_id="getSurveys", responses=problems())
async def get_surveys(shopper: ShopperDep, services: ServicesDep) -> AskedSurveysBody:
    """Return the open surveys that the shopper has not answered, soonest to end first."""
    return await services.read(partial(_asked, shopper, services.now_ms()))


@survey_routes.post(
    "/me/surveys/{survey}/answers",
    operation_id="answerSurvey",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.STATE_CONFLICT),
)
async def answer(
    survey: SurveyPath, body: AnswersBody, shopper: ShopperDep, services: ServicesDep
) -> None:
    """Answer a survey, once; the programme may pay points for it, whatever the answers are."""
    answers = body.noun()
    await services.write(
        lambda work: answer_survey(
            shopper,
            survey,
            answers,
            work=work,
            now_ms=services.now_ms(),
            secrets=services.secrets,
        )
    )


@survey_routes.put(
    "/surveys/{survey}",
    operation_id="publishSurvey",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(),
)
async def publish(
    survey: SurveyPath, body: SurveyBody, site: SiteDep, services: ServicesDep
) -> None:
    """Publish a survey under a new name. A published survey does not change."""
    noun = body.noun(survey, site)
    await services.write(lambda work: publish_survey(noun, work=work))


@survey_routes.get(
    "/surveys/{survey}/counts",
    operation_id="getSurveyCounts",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def get_counts(survey: SurveyPath, site: SiteDep, services: ServicesDep) -> SurveyCountsBody:
    """Return how often each answer was given."""
    return SurveyCountsBody.of(
        await services.read(lambda work: count_answers(survey, site=site, work=work))
    )


def _asked(shopper: ShopperId, now_ms: UnixMs, work: UnitOfWork) -> AskedSurveysBody:
    found = work.shoppers.find(shopper)
    locale = Locale.DE if found is None else found.locale
    surveys = work.surveys.unanswered(shopper, now_ms=now_ms, limit=ASKED_MAX)
    return AskedSurveysBody(
        surveys=tuple(
            AskedSurveyBody.of(survey, locale=locale, is_heard=is_heard(survey, work=work))
            for survey in surveys
        )
    )
