"""Hear a shopper who is not content, and answer him.

Layer: nouns. Takes: a complaint, or a survey that was answered poorly; what staff answer.
Gives: `ServiceCase`, `CaseAnswer` to handlers, storage and API. Staff see what was said and never
who said it; the answer finds its way by the case.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.errors import InvalidShopper
from offers.model.ids import (
    CaseAnswerId,
    CaseId,
    CredentialId,
    ShopperId,
    SurveyId,
    check_random_id,
)
from offers.model.people.shopper import Locale
from rtls.model.units import SiteId, UnixMs, ZoneId

WORDS_CHARACTERS_MAX: Final = 1_000
COMPLAINTS_A_DAY_MAX: Final = 3
"""of one shopper: who has more to say than that says it to somebody's face"""
ANSWERS_A_DAY_MAX: Final = 5
"""to one shopper: no cap of marketing counts them, so they need one of their own"""


class CaseState(StrEnum):
    """How far a case has come."""

    OPEN = "open"
    """nobody has answered yet"""
    ANSWERED = "answered"
    CLOSED = "closed"


class CaseOrigin(StrEnum):
    """What opened it."""

    COMPLAINT = "complaint"
    SURVEY = "survey"


class CaseRefusal(StrEnum):
    """Why a message was not taken."""

    DAY_LIMIT_REACHED = "day_limit_reached"
    """of messages of one shopper, or to one shopper, on this day of the site"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ServiceCase:
    """One shopper who is not content. Not printed by `repr`: a log needs no complaint."""

    case: CaseId
    shopper: ShopperId
    site: SiteId
    at_ms: UnixMs
    words: str | None = None
    """what the shopper wrote; None where a survey opened the case"""
    survey: SurveyId | None = None
    answered_at_ms: UnixMs | None = None
    """of the first answer"""
    closed_at_ms: UnixMs | None = None

    def __post_init__(self) -> None:
        check_random_id("case", self.case, error=InvalidShopper)
        if (self.words is None) == (self.survey is None):
            raise InvalidShopper(
                f"survey is {self.survey} and words are "
                f"{'missing' if self.words is None else 'given'}; expected one of the two."
            )
        if self.words is not None:
            check_words(self.words)

    @property
    def origin(self) -> CaseOrigin:
        """Return what opened it."""
        return CaseOrigin.COMPLAINT if self.survey is None else CaseOrigin.SURVEY

    @property
    def state(self) -> CaseState:
        """Return how far it has come."""
        if self.closed_at_ms is not None:
            return CaseState.CLOSED
        return CaseState.OPEN if self.answered_at_ms is None else CaseState.ANSWERED


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CaseAnswer:
    """What staff wrote to a shopper; never changed. Not printed by `repr`."""

    answer: CaseAnswerId
    case: CaseId
    shopper: ShopperId
    by: CredentialId
    words: str
    at_ms: UnixMs
    points: int | None = None
    """granted with it"""

    def __post_init__(self) -> None:
        check_random_id("answer", self.answer, error=InvalidShopper)
        check_words(self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePlace:
    """Where the shopper had been on the day that he wrote of, if he lets such things be known."""

    zone: ZoneId
    at_ms: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFigures:
    """How a site treats who is not content, over the cases opened since an instant."""

    opened: int
    answered: int
    closed: int
    answer_ms_median: int | None
    """from the case to its first answer; None where none has been answered"""
    waiting_since_ms: UnixMs | None
    """when the oldest case was opened that nobody has answered, however long ago"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AnswerToTell:
    """An answer on its way to the app, in the shopper's language."""

    answer: CaseAnswer
    locale: Locale


def check_words(words: str) -> None:
    """Refuse what is no message. The error does not repeat it: it may name somebody.

    Raises
    ------
    InvalidShopper
        Unless it has 1 to `WORDS_CHARACTERS_MAX` printable characters and line breaks.
    """
    is_printable = all(letter.isprintable() or letter == "\n" for letter in words)
    if not 1 <= len(words.strip()) <= len(words) <= WORDS_CHARACTERS_MAX or not is_printable:
        raise InvalidShopper(
            f"text has {len(words)} characters; expected 1 to {WORDS_CHARACTERS_MAX} printable "
            "ones and line breaks."
        )
