"""Say how cases and their answers look on the wire, to the shopper and to staff.

Layer: edges. Takes: JSON of app and staff; cases. Gives: checked bodies to the case routes and the
frame of an answer. What staff read names a case and never a shopper; what the shopper reads names
no member of staff.
"""

from pydantic import Field, StrictInt, StrictStr

from offers.api.schema import Body, Id, Instant, render_instant
from offers.handlers.profile.answer_case import CaseFile, Reply
from offers.model.loyalty.goodwill import POINTS_MAX, GoodwillReason, Grant
from offers.model.people.service_case import (
    ANSWERS_A_DAY_MAX,
    COMPLAINTS_A_DAY_MAX,
    WORDS_CHARACTERS_MAX,
    CaseAnswer,
    CaseFigures,
    CaseOrigin,
    CaseState,
    ServiceCase,
)
from offers.model.people.shopper import Locale
from offers.model.people.survey import QuestionKind
from rtls.model.units import SiteId, UnixMs


class ComplaintBody(Body):
    """What a shopper has to say."""

    text: StrictStr = Field(
        min_length=1,
        max_length=WORDS_CHARACTERS_MAX,
        description=f"at most {COMPLAINTS_A_DAY_MAX} a day",
        examples=["Nobody was at the saw for half an hour."],
    )


class OwnAnswerBody(Body):
    """What staff answered."""

    answer: Id
    text: str
    points: int | None = Field(description="granted with it")
    at: Instant

    @classmethod
    def of(cls, answer: CaseAnswer) -> "OwnAnswerBody":
        """Render an answer without saying who of the staff gave it."""
        return cls(
            answer=answer.answer,
            text=answer.words,
            points=answer.points,
            at=render_instant(answer.at_ms),
        )


class GivenAnswerBody(Body):
    """That the answer is on its way.

    Without its words: what is kept for repeats belongs to who asked, and an erasure of the shopper
    does not reach it.
    """

    answer: Id
    points: int | None
    at: Instant

    @classmethod
    def of(cls, answer: CaseAnswer) -> "GivenAnswerBody":
        """Render what staff have just given."""
        return cls(answer=answer.answer, points=answer.points, at=render_instant(answer.at_ms))


class OwnCaseBody(Body):
    """A case as the shopper sees it."""

    case: Id
    origin: CaseOrigin
    state: CaseState
    text: str | None = Field(description="what he wrote; null where a survey opened it")
    survey: str | None
    at: Instant
    answers: tuple[OwnAnswerBody, ...]

    @classmethod
    def of(cls, case: ServiceCase, answers: tuple[CaseAnswer, ...] = ()) -> "OwnCaseBody":
        """Render a case with its answers."""
        return cls(
            case=case.case,
            origin=case.origin,
            state=case.state,
            text=case.words,
            survey=case.survey,
            at=render_instant(case.at_ms),
            answers=tuple(OwnAnswerBody.of(answer) for answer in answers),
        )


class OwnCasesBody(Body):
    """The shopper's cases, newest first."""

    cases: tuple[OwnCaseBody, ...]


class CaseBody(Body):
    """A case in the list of staff."""

    case: Id
    origin: CaseOrigin
    state: CaseState
    text: str | None
    survey: str | None
    at: Instant
    answered_at: Instant | None = Field(description="the first answer")
    closed_at: Instant | None

    @classmethod
    def of(cls, case: ServiceCase) -> "CaseBody":
        """Render a case without saying whose it is."""
        return cls(
            case=case.case,
            origin=case.origin,
            state=case.state,
            text=case.words,
            survey=case.survey,
            at=render_instant(case.at_ms),
            answered_at=_instant(case.answered_at_ms),
            closed_at=_instant(case.closed_at_ms),
        )


class CasesBody(Body):
    """Cases of a site in one state."""

    cases: tuple[CaseBody, ...]


class AnsweredQuestionBody(Body):
    """A question of the survey that opened the case, and what was answered."""

    question: str
    kind: QuestionKind
    texts: dict[Locale, str] = Field(description="as it was asked")
    answer: str | int | tuple[str, ...]
    scale_max: int | None = Field(description="of a scale; 1 is its worst end")


class CasePlaceBody(Body):
    """Where the shopper had been on the day before."""

    zone: str
    at: Instant


class CaseFileBody(Body):
    """All that staff may know of a case."""

    case: CaseBody
    answered_questions: tuple[AnsweredQuestionBody, ...]
    places: tuple[CasePlaceBody, ...] = Field(
        description="empty unless the shopper lets offers be personal"
    )
    answers: tuple[OwnAnswerBody, ...]

    @classmethod
    def of(cls, file: CaseFile) -> "CaseFileBody":
        """Render a case with survey, places and answers."""
        questions = () if file.survey is None else file.survey.questions
        return cls(
            case=CaseBody.of(file.case),
            answered_questions=tuple(
                AnsweredQuestionBody(
                    question=question.question,
                    kind=question.kind,
                    texts=dict(question.texts),
                    answer=file.survey_answers[question.question],
                    scale_max=question.scale_max if question.kind is QuestionKind.SCALE else None,
                )
                for question in questions
                if question.question in file.survey_answers
            ),
            places=tuple(
                CasePlaceBody(zone=place.zone, at=render_instant(place.at_ms))
                for place in file.places
            ),
            answers=tuple(OwnAnswerBody.of(answer) for answer in file.answers),
        )


class GrantBody(Body):
    """Points that go with the answer, within what the key may grant a day."""

    points: StrictInt = Field(ge=1, le=POINTS_MAX, examples=[100])
    reason: GoodwillReason = Field(examples=["long_wait"])


class ReplyBody(Body):
    """What staff answer."""

    text: StrictStr = Field(
        min_length=1,
        max_length=WORDS_CHARACTERS_MAX,
        description=f"at most {ANSWERS_A_DAY_MAX} answers a day go to one shopper",
        examples=["We are sorry. From Monday two of us are at the saw."],
    )
    goodwill: GrantBody | None = None

    def noun(self, site: SiteId) -> Reply:
        """Return the reply of a site."""
        grant = self.goodwill
        if grant is None:
            return Reply(words=self.text)
        return Reply(
            words=self.text, grant=Grant(points=grant.points, reason=grant.reason, site=site)
        )


class CaseFiguresBody(Body):
    """How fast and how often shoppers who are not content are answered."""

    days: int
    opened: int = Field(description="cases that were opened in these days")
    answered: int = Field(description="of them, those with an answer")
    closed: int
    answer_s_median: float | None = Field(description="from the case to its first answer")
    waiting_since: Instant | None = Field(description="of the oldest case without an answer")

    @classmethod
    def of(cls, figures: CaseFigures, *, days: int) -> "CaseFiguresBody":
        """Render figures."""
        median = figures.answer_ms_median
        return cls(
            days=days,
            opened=figures.opened,
            answered=figures.answered,
            closed=figures.closed,
            answer_s_median=None if median is None else median / 1_000,
            waiting_since=_instant(figures.waiting_since_ms),
        )


def _instant(at_ms: UnixMs | None) -> str | None:
    return None if at_ms is None else render_instant(at_ms)
