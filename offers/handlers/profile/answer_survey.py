"""Publish a survey, and take a shopper's answers once.

Layer: flow. Takes: a `Survey`, answers. Gives: the survey answered; counts for a report. Whatever
is earned for answering does not depend on what is said: praise that is paid for tells nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from offers.handlers.loyalty.earn_points import earn_for_activity
from offers.handlers.offering.on_occasion import on_occasion
from offers.handlers.profile.note_fact import note_answers, note_facts
from offers.handlers.profile.open_case import open_case_of_survey
from offers.model.conditions.attribute import Attribute
from offers.model.conditions.fact import Fact, FactKind
from offers.model.errors import InvalidSurvey, NotFound, WrongState
from offers.model.ids import ShopperId, SurveyId
from offers.model.loyalty.ledger import PostingReason
from offers.model.offering.occasion import SurveyAnswered
from offers.model.people.survey import Answer, QuestionKind, Survey
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

SHOPPERS_MIN: Final = 10
"""below so many answers a report could point at one of them"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyCounts:
    """How often each answer was given; None where too few answered to say."""

    survey: Survey
    answered: int | None
    counts: Mapping[str, Mapping[str, int | None]]
    """question → answer → shoppers; questions with free text are left out"""


def publish_survey(survey: Survey, *, work: UnitOfWork) -> Survey:
    """Write a survey; the same one again changes nothing.

    Raises
    ------
    InvalidSurvey
        If another survey has this name: answers to two wordings must not be counted together.
    """
    if work.surveys.add(survey) or work.surveys.find(survey.survey) == survey:
        return survey
    raise InvalidSurvey(
        f"survey {survey.survey} exists with another wording; expected a new name. What was "
        "answered belongs to the questions as they were asked."
    )


def answer_survey(
    shopper: ShopperId,
    survey: SurveyId,
    answers: Mapping[str, Answer],
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Survey:
    """Keep the shopper's answers, and let them earn; `InvalidAnswer` names one that does not fit.

    Raises
    ------
    NotFound
        If there is no such survey, or it is not asked now.
    WrongState
        If the shopper has answered before.
    """
    found = work.surveys.find(survey)
    if found is None or not found.is_open(now_ms):
        raise NotFound(f"survey {survey} is not asked now; expected one of the open surveys.")
    if not work.surveys.answer(survey, shopper, found.check(answers), at_ms=now_ms):
        raise WrongState(f"survey {survey} has been answered; each shopper is asked once.")
    earn_for_activity(
        shopper,
        PostingReason.SURVEY,
        subject=survey,
        site=found.site,
        work=work,
        now_ms=now_ms,
        secrets=secrets,
    )
    fact = Fact(kind=FactKind.SURVEY, reference=survey, at_ms=now_ms, site=found.site)
    note_facts(shopper, (fact,), work=work, now_ms=now_ms)
    note_answers(shopper, _attributes(found, answers), work=work, now_ms=now_ms)
    open_case_of_survey(shopper, found, answers, work=work, now_ms=now_ms, secrets=secrets)
    on_occasion(
        SurveyAnswered(survey=survey),
        shopper=shopper,
        site=found.site,
        work=work,
        now_ms=now_ms,
        secrets=secrets,
    )
    return found


def _attributes(survey: Survey, answers: Mapping[str, Answer]) -> list[Attribute]:
    """Return what conditions can ask about: whatever was chosen, under the question's name."""
    chosen = {
        question.question: answers[question.question]
        for question in survey.questions
        if question.kind is not QuestionKind.TEXT and question.question in answers
    }
    return [
        Attribute(
            name=name,
            values=frozenset(answer if isinstance(answer, tuple) else (str(answer),)),
        )
        for name, answer in chosen.items()
    ]


def count_answers(survey: SurveyId, *, site: SiteId, work: UnitOfWork) -> SurveyCounts:
    """Return what was answered, without anything that fewer than `SHOPPERS_MIN` said.

    Raises
    ------
    NotFound
        If the site has no such survey.
    """
    found = work.surveys.find(survey)
    if found is None or found.site != site:
        raise NotFound("no such survey; expected one of this site.")
    counted = work.surveys.counts(survey)
    shown = {
        question.question: {
            choice: _if_enough(counted.get((question.question, choice), 0))
            for choice in (
                question.options
                if question.kind is not QuestionKind.SCALE
                else [str(step) for step in range(1, question.scale_max + 1)]
            )
        }
        for question in found.questions
        if question.kind is not QuestionKind.TEXT
    }
    return SurveyCounts(
        survey=found, answered=_if_enough(work.surveys.answered(survey)), counts=shown
    )


def _if_enough(count: int) -> int | None:
    return count if count >= SHOPPERS_MIN else None
