"""Open a case where a shopper is not content: he says so, or a survey tells it.

Layer: flow. Takes: a complaint, or the answers to a survey. Gives: a `ServiceCase` for staff. No
consent is needed to write to us, and none is taken for one: what a case shows besides the shopper's
own words is what he lets be known.
"""

from collections.abc import Mapping

from offers.handlers.random_id import random_id
from offers.model.ids import CaseId, ShopperId
from offers.model.people.service_case import COMPLAINTS_A_DAY_MAX, CaseRefusal, ServiceCase
from offers.model.people.survey import Answer, Survey
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


def complain(
    shopper: ShopperId,
    words: str,
    *,
    site: SiteId,
    day: str,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> ServiceCase | CaseRefusal:
    """Take what a shopper writes; `InvalidShopper` where it is no message.

    Parameters
    ----------
    shopper
        Who writes, from the credential.
    words
        What is said.
    site, day
        Who is to answer, and the calendar day there, YYYY-MM-DD.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    """
    case = ServiceCase(
        case=CaseId(random_id(secrets)), shopper=shopper, site=site, at_ms=now_ms, words=words
    )
    is_taken = work.cases.add_complaint(case, day=day, slots=COMPLAINTS_A_DAY_MAX)
    return case if is_taken else CaseRefusal.DAY_LIMIT_REACHED


def is_heard(survey: Survey, *, work: UnitOfWork) -> bool:
    """Say whether some answer to the survey opens a case: whoever answers is told so before."""
    programme = work.programmes.current(survey.site)
    rules = () if programme is None else programme.poor_answers
    return any(rule.could_be_met(question) for rule in rules for question in survey.questions)


def open_case_of_survey(
    shopper: ShopperId,
    survey: Survey,
    answers: Mapping[str, Answer],
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> ServiceCase | None:
    """Open a case if the site's programme calls one of the answers poor; once for each survey."""
    programme = work.programmes.current(survey.site)
    rules = () if programme is None else programme.poor_answers
    is_poor = any(
        rule.is_met(question, answers[question.question])
        for rule in rules
        for question in survey.questions
        if question.question in answers
    )
    if not is_poor:
        return None
    case = ServiceCase(
        case=CaseId(random_id(secrets)),
        shopper=shopper,
        site=survey.site,
        at_ms=now_ms,
        survey=survey.survey,
    )
    return case if work.cases.add_of_survey(case) else None
