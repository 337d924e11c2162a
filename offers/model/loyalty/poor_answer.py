"""Say which answer to a survey tells that a shopper is not content.

Layer: nouns. Takes: what a retailer writes into the programme. Gives: `PoorAnswerRule` to the
handler open_case. A rule is about a kind of question and not about one survey, so that a survey of
next month is heard, too. Free text is not judged: a machine that reads moods errs, and its errors
look like neglect.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidProgramme
from offers.model.ids import check_name
from offers.model.people.survey import OPTIONS_MAX, Answer, Question, QuestionKind

RULES_MAX: Final = 10
_CHOICES: Final = frozenset({QuestionKind.ONE, QuestionKind.MANY})


@dataclass(frozen=True, slots=True, kw_only=True)
class PoorAnswerRule:
    """One kind of answer that opens a case.

    Examples
    --------
    >>> low = PoorAnswerRule(kind=QuestionKind.SCALE, percent_max=40)  # 1 or 2 of 5, 1 to 4 of 10
    """

    kind: QuestionKind
    percent_max: int | None = None
    """of a scale, on which 1 is the worst: poor up to so much of its length"""
    options: frozenset[str] = frozenset()
    """of a choice: poor where one of them is chosen"""

    def __post_init__(self) -> None:
        is_scale, is_choice = self.kind is QuestionKind.SCALE, self.kind in _CHOICES
        if not is_scale and not is_choice:
            raise InvalidProgramme(
                f"poor_answers: kind is {self.kind}; expected scale, one or many. Nobody's own "
                "words are judged."
            )
        percent = self.percent_max
        is_percent = type(percent) is int and 1 <= percent <= 99
        if (percent is not None) != is_scale or (is_scale and not is_percent):
            raise InvalidProgramme(
                f"poor_answers: percent_max is {percent!r} for kind {self.kind}; expected 1 to 99 "
                "for a scale, and none for a choice."
            )
        if not int(is_choice) <= len(self.options) <= (OPTIONS_MAX if is_choice else 0):
            raise InvalidProgramme(
                f"poor_answers: options are {sorted(self.options)} for kind {self.kind}; expected "
                f"1 to {OPTIONS_MAX} for a choice, and none for a scale."
            )
        for option in self.options:
            check_name("poor_answers: option", option, error=InvalidProgramme)

    def could_be_met(self, question: Question) -> bool:
        """Say whether some answer to the question is poor."""
        is_scale = self.kind is QuestionKind.SCALE
        has_option = not self.options.isdisjoint(question.options)
        return question.kind is self.kind and (is_scale or has_option)

    def is_met(self, question: Question, answer: Answer) -> bool:
        """Say whether an answer that fits its question is poor."""
        if question.kind is not self.kind:
            return False
        if isinstance(answer, int):
            assert self.percent_max is not None
            return answer * 100 <= self.percent_max * question.scale_max
        chosen = answer if isinstance(answer, tuple) else (answer,)
        return not self.options.isdisjoint(chosen)
