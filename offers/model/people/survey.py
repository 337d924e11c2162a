"""Ask shoppers a few questions, once each, and check what they answer.

Layer: nouns. Takes: what a merchandiser writes. Gives: `Survey`, `SurveyAnswers`
to handlers, storage and reports. A survey never changes: answers to another wording are answers to
another survey.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, assert_never

from offers.model.errors import InvalidAnswer, InvalidSurvey
from offers.model.ids import SurveyId, check_name, check_text
from offers.model.people.shopper import Locale
from rtls.model.units import SiteId, UnixMs

QUESTIONS_MAX: Final = 20
OPTIONS_MAX: Final = 20
SCALE_MAX: Final = 10
TEXT_ANSWER_CHARACTERS_MAX: Final = 500


class QuestionKind(StrEnum):
    """What an answer looks like."""

    ONE = "one"
    """one of the options"""
    MANY = "many"
    """any of the options, at least one"""
    SCALE = "scale"
    """a whole number from 1 to `scale_max`"""
    TEXT = "text"


Answer = str | int | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, in every language."""

    question: str
    kind: QuestionKind
    texts: Mapping[Locale, str]
    options: tuple[str, ...] = ()
    option_texts: Mapping[Locale, tuple[str, ...]] = field(default_factory=dict)
    scale_max: int = 5
    is_required: bool = True

    def __post_init__(self) -> None:
        check_name("question", self.question, error=InvalidSurvey)
        if set(self.texts) != set(Locale):
            raise InvalidSurvey(
                f"question {self.question}: texts are in {sorted(self.texts)}; expected each of "
                f"{[str(locale) for locale in Locale]}."
            )
        for text in self.texts.values():
            check_text(f"question {self.question}: text", text, error=InvalidSurvey)
        self._check_options()
        if not 2 <= self.scale_max <= SCALE_MAX:
            raise InvalidSurvey(
                f"question {self.question}: scale_max is {self.scale_max}; expected 2 to "
                f"{SCALE_MAX}."
            )

    def _check_options(self) -> None:
        has_options = self.kind in {QuestionKind.ONE, QuestionKind.MANY}
        most = OPTIONS_MAX if has_options else 0
        least = 2 if has_options else 0
        if not least <= len(self.options) <= most or len(set(self.options)) != len(self.options):
            raise InvalidSurvey(
                f"question {self.question}: options are {list(self.options)}; expected {least} to "
                f"{most} different ones for kind {self.kind}."
            )
        for option in self.options:
            check_name(f"question {self.question}: option", option, error=InvalidSurvey)
        for locale in Locale if has_options else ():
            if len(self.option_texts.get(locale, ())) != len(self.options):
                raise InvalidSurvey(
                    f"question {self.question}: option_texts do not fit in {locale}; expected "
                    f"{len(self.options)} texts, one for each option in its order."
                )

    def check(self, answer: Answer) -> Answer:
        """Return the answer if it is one to this question.

        Raises
        ------
        InvalidAnswer
            If it is not; names the question and what was expected.
        """
        match self.kind:
            case QuestionKind.ONE:
                is_sound = isinstance(answer, str) and answer in self.options
                expected = f"one of {list(self.options)}"
            case QuestionKind.MANY:
                is_sound = (
                    isinstance(answer, tuple)
                    and 1 <= len(answer) <= len(set(answer))
                    and set(answer) <= set(self.options)
                )
                expected = f"different ones of {list(self.options)}"
            case QuestionKind.SCALE:
                is_sound = type(answer) is int and 1 <= answer <= self.scale_max
                expected = f"a whole number from 1 to {self.scale_max}"
            case QuestionKind.TEXT:
                is_sound = isinstance(answer, str) and _is_sound_text(answer)
                expected = f"1 to {TEXT_ANSWER_CHARACTERS_MAX} printable characters"
            case _:
                assert_never(self.kind)
        if not is_sound:
            raise InvalidAnswer(
                f"question {self.question}: the answer does not fit; expected {expected}."
            )
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A few questions to the shoppers of a site."""

    survey: SurveyId
    site: SiteId
    titles: Mapping[Locale, str]
    questions: tuple[Question, ...]
    from_ms: UnixMs
    until_ms: UnixMs

    def __post_init__(self) -> None:
        check_name("survey", self.survey, error=InvalidSurvey)
        if set(self.titles) != set(Locale):
            raise InvalidSurvey(
                f"titles are in {sorted(self.titles)}; expected each of "
                f"{[str(locale) for locale in Locale]}."
            )
        if not 1 <= len(self.questions) <= QUESTIONS_MAX:
            raise InvalidSurvey(
                f"the survey has {len(self.questions)} questions; expected 1 to {QUESTIONS_MAX}. "
                "Who is asked more stops answering."
            )
        names = [question.question for question in self.questions]
        if len(set(names)) != len(names):
            raise InvalidSurvey(f"questions are {names}; expected each name once.")
        if not 0 <= self.from_ms < self.until_ms:
            raise InvalidSurvey(
                f"the survey runs from {self.from_ms} until {self.until_ms}; expected a start "
                "before its end."
            )

    def is_open(self, now_ms: UnixMs) -> bool:
        """Say whether it is asked now."""
        return self.from_ms <= now_ms < self.until_ms

    def check(self, answers: Mapping[str, Answer]) -> Mapping[str, Answer]:
        """Return the answers in the order of the questions.

        Raises
        ------
        InvalidAnswer
            If one does not fit, is missing, or answers what was not asked.
        """
        asked = {question.question: question for question in self.questions}
        unknown = sorted(set(answers) - set(asked))
        if unknown:
            raise InvalidAnswer(f"there is no question {unknown}; expected of {sorted(asked)}.")
        missing = [
            name for name, question in asked.items() if question.is_required and name not in answers
        ]
        if missing:
            raise InvalidAnswer(f"{missing} are not answered; expected an answer to each.")
        return {
            name: question.check(answers[name])
            for name, question in asked.items()
            if name in answers
        }


def _is_sound_text(text: str) -> bool:
    is_printable = all(character.isprintable() or character == "\n" for character in text)
    return 1 <= len(text.strip()) <= len(text) <= TEXT_ANSWER_CHARACTERS_MAX and is_printable
