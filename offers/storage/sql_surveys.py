"""Keep surveys and their answers in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Surveys`. A survey is
one document, since nobody asks for half of one; what is counted has rows of its own.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
import sqlalchemy as sa

from offers.model.ids import ShopperId, SurveyId
from offers.model.people.survey import Answer, QuestionKind, Survey
from offers.storage.insert_once import insert_once
from offers.storage.tables import SURVEY_ANSWERS, SURVEY_CHOICES, SURVEYS
from rtls.model.units import SiteId, UnixMs

_ADD_SURVEY_CHOICES = sa.insert(SURVEY_CHOICES)
_S = SURVEYS.c
_FIND = sa.select(_S.document).where(_S.survey_id == sa.bindparam("survey"))
_OF_SITE = sa.select(_S.document).where(_S.site == sa.bindparam("of_site")).order_by(_S.survey_id)
_ANSWERED_BY = sa.select(SURVEY_ANSWERS.c.survey_id).where(
    SURVEY_ANSWERS.c.shopper_id == sa.bindparam("shopper")
)
_UNANSWERED = (
    sa.select(_S.document)
    .where(
        _S.from_ms <= sa.bindparam("now_ms"),
        _S.until_ms > sa.bindparam("now_ms"),
        _S.survey_id.not_in(_ANSWERED_BY),
    )
    .order_by(_S.until_ms, _S.survey_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_ANSWERS_OF = sa.select(SURVEY_ANSWERS.c.answers).where(
    SURVEY_ANSWERS.c.survey_id == sa.bindparam("survey"),
    SURVEY_ANSWERS.c.shopper_id == sa.bindparam("shopper"),
)
_CHOICES = SURVEY_CHOICES.c
_COUNTS = (
    sa.select(_CHOICES.question, _CHOICES.choice, sa.func.count())
    .where(_CHOICES.survey_id == sa.bindparam("survey"))
    .group_by(_CHOICES.question, _CHOICES.choice)
)
_ANSWERED = (
    sa.select(sa.func.count())
    .select_from(SURVEY_ANSWERS)
    .where(SURVEY_ANSWERS.c.survey_id == sa.bindparam("survey"))
)


class SqlSurveys:
    """Surveys and what was answered."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(SURVEYS, connection.dialect.name)
        self._insert_answers = insert_once(SURVEY_ANSWERS, connection.dialect.name)

    def add(self, survey: Survey) -> bool:
        """Write a survey; False where there is one of that name."""
        row = {
            "survey_id": survey.survey,
            "site": survey.site,
            "from_ms": survey.from_ms,
            "until_ms": survey.until_ms,
            "document": msgspec.json.encode(survey).decode(),
        }
        return self._connection.execute(self._insert, row).rowcount == 1

    def find(self, survey: SurveyId) -> Survey | None:
        """Return the survey, or None."""
        found = self._connection.execute(_FIND, {"survey": survey}).scalar_one_or_none()
        return None if found is None else _survey(found)

    def of_site(self, site: SiteId) -> tuple[Survey, ...]:
        """Return all surveys of a site, by name."""
        found = self._connection.execute(_OF_SITE, {"of_site": site}).scalars()
        return tuple(_survey(document) for document in found)

    def unanswered(self, shopper: ShopperId, *, now_ms: UnixMs, limit: int) -> tuple[Survey, ...]:
        """Return the open surveys that the shopper has not answered, soonest to end first."""
        given = {"shopper": shopper, "now_ms": now_ms, "most": limit}
        found = self._connection.execute(_UNANSWERED, given).scalars()
        return tuple(_survey(document) for document in found)

    def answer(
        self,
        survey: SurveyId,
        shopper: ShopperId,
        answers: Mapping[str, Answer],
        *,
        at_ms: UnixMs,
    ) -> bool:
        """Write a shopper's answers; False where the shopper has answered before."""
        row = {
            "survey_id": survey,
            "shopper_id": shopper,
            "at_ms": at_ms,
            "answers": msgspec.json.encode(answers).decode(),
        }
        if self._connection.execute(self._insert_answers, row).rowcount != 1:
            return False
        found = self.find(survey)
        assert found is not None
        who = {"survey_id": survey, "shopper_id": shopper}
        chosen = [
            who | {"question": question.question, "choice": choice}
            for question in found.questions
            if question.kind is not QuestionKind.TEXT and question.question in answers
            for choice in _choices(answers[question.question])
        ]
        if chosen:
            self._connection.execute(_ADD_SURVEY_CHOICES, chosen)
        return True

    def answers_of(self, survey: SurveyId, shopper: ShopperId) -> Mapping[str, Answer] | None:
        """Return what one shopper has answered, or None."""
        given = {"survey": survey, "shopper": shopper}
        found = self._connection.execute(_ANSWERS_OF, given).scalar_one_or_none()
        if found is None:
            return None
        answers = msgspec.json.decode(str(found), type=dict[str, str | int | list[str]])
        return {
            name: tuple(answer) if isinstance(answer, list) else answer
            for name, answer in answers.items()
        }

    def counts(self, survey: SurveyId) -> Mapping[tuple[str, str], int]:
        """Return how many gave each answer of a question that offers a choice or a scale."""
        rows = self._connection.execute(_COUNTS, {"survey": survey})
        return MappingProxyType({(question, choice): count for question, choice, count in rows})

    def answered(self, survey: SurveyId) -> int:
        """Return how many shoppers have answered."""
        return int(self._connection.execute(_ANSWERED, {"survey": survey}).scalar_one())


def _survey(document: object) -> Survey:
    return msgspec.json.decode(str(document), type=Survey)


def _choices(answer: Answer) -> tuple[str, ...]:
    return answer if isinstance(answer, tuple) else (str(answer),)
