"""Say how surveys and answers look on the wire.

Layer: edges. Takes: JSON of app and staff; surveys. Gives: checked bodies to the survey routes, and
their schemas to the OpenAPI document.
"""

from datetime import datetime

from pydantic import AwareDatetime, Field, StrictInt, StrictStr

from offers.api.schema import Body, Instant, render_instant
from offers.handlers.profile.answer_survey import SHOPPERS_MIN, SurveyCounts
from offers.model.ids import SurveyId
from offers.model.people.shopper import Locale
from offers.model.people.survey import (
    OPTIONS_MAX,
    QUESTIONS_MAX,
    SCALE_MAX,
    TEXT_ANSWER_CHARACTERS_MAX,
    Answer,
    Question,
    QuestionKind,
    Survey,
)
from rtls.model.units import SiteId, UnixMs


class QuestionBody(Body):
    """One question, in every language."""

    question: StrictStr = Field(max_length=63, examples=["advice"])
    kind: QuestionKind
    texts: dict[Locale, StrictStr] = Field(examples=[{"de": "Zufrieden?", "en": "Content?"}])
    options: list[StrictStr] = Field(default_factory=list, max_length=OPTIONS_MAX)
    option_texts: dict[Locale, list[StrictStr]] = Field(default_factory=dict)
    scale_max: StrictInt = Field(default=5, ge=2, le=SCALE_MAX)
    is_required: bool = True

    def noun(self) -> Question:
        """Return the question."""
        return Question(
            question=self.question,
            kind=self.kind,
            texts=self.texts,
            options=tuple(self.options),
            option_texts={locale: tuple(texts) for locale, texts in self.option_texts.items()},
            scale_max=self.scale_max,
            is_required=self.is_required,
        )


class SurveyBody(Body):
    """A few questions to the shoppers of the site."""

    titles: dict[Locale, StrictStr] = Field(examples=[{"de": "Ihr Besuch", "en": "Your visit"}])
    questions: list[QuestionBody] = Field(min_length=1, max_length=QUESTIONS_MAX)
    opens: AwareDatetime = Field(examples=["2026-12-01T00:00:00+01:00"])
    closes: AwareDatetime = Field(examples=["2026-12-31T00:00:00+01:00"])

    def noun(self, survey: SurveyId, site: SiteId) -> Survey:
        """Return the survey of a site under the name that the path gives it."""
        return Survey(
            survey=survey,
            site=site,
            titles=self.titles,
            questions=tuple(question.noun() for question in self.questions),
            from_ms=_unix_ms(self.opens),
            until_ms=_unix_ms(self.closes),
        )


class AskedQuestionBody(Body):
    """A question as one shopper reads it."""

    question: str
    kind: QuestionKind
    text: str
    options: tuple[str, ...]
    option_texts: tuple[str, ...]
    scale_max: int
    is_required: bool


class AskedSurveyBody(Body):
    """A survey as one shopper reads it."""

    survey: str
    title: str
    closes_at: Instant
    is_heard: bool = Field(
        description="staff read the answers where one is poor, without a name, and may answer"
    )
    questions: tuple[AskedQuestionBody, ...]

    @classmethod
    def of(cls, survey: Survey, *, locale: Locale, is_heard: bool) -> "AskedSurveyBody":
        """Render a survey in the shopper's language."""
        return cls(
            survey=survey.survey,
            title=survey.titles[locale],
            closes_at=render_instant(survey.until_ms),
            is_heard=is_heard,
            questions=tuple(
                AskedQuestionBody(
                    question=question.question,
                    kind=question.kind,
                    text=question.texts[locale],
                    options=question.options,
                    option_texts=tuple(question.option_texts.get(locale, ())),
                    scale_max=question.scale_max,
                    is_required=question.is_required,
                )
                for question in survey.questions
            ),
        )


class AskedSurveysBody(Body):
    """The open surveys that the shopper has not answered."""

    surveys: tuple[AskedSurveyBody, ...]


class AnswersBody(Body):
    """One shopper's answers, by the names of the questions."""

    answers: dict[StrictStr, StrictStr | StrictInt | list[StrictStr]] = Field(
        max_length=QUESTIONS_MAX,
        examples=[{"advice": 4, "interests": ["garden", "tools"], "comment": "More light."}],
        description=f"free text has at most {TEXT_ANSWER_CHARACTERS_MAX} characters",
    )

    def noun(self) -> dict[str, Answer]:
        """Return the answers."""
        return {
            name: tuple(answer) if isinstance(answer, list) else answer
            for name, answer in self.answers.items()
        }


class SurveyCountsBody(Body):
    """How often each answer was given."""

    survey: str
    answered: int | None = Field(description=f"null: fewer than {SHOPPERS_MIN} shoppers")
    counts: dict[str, dict[str, int | None]] = Field(
        description="question → answer → shoppers; null: fewer than "
        f"{SHOPPERS_MIN}. Free text is not shown: it may name its writer."
    )

    @classmethod
    def of(cls, counted: SurveyCounts) -> "SurveyCountsBody":
        """Render counts."""
        return cls(
            survey=counted.survey.survey,
            answered=counted.answered,
            counts={question: dict(answers) for question, answers in counted.counts.items()},
        )


def _unix_ms(instant: datetime) -> UnixMs:
    return UnixMs(round(instant.timestamp() * 1_000))
