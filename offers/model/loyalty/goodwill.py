"""Let staff make something good on the spot, within a limit.

Layer: nouns. Takes: what staff want to grant. Gives: `Grant`, `Goodwill`, `GoodwillLimits` and why
one is refused to the handlers grant_goodwill and answer_case. The reason is one of a list: free
text about a person would have to be kept, shown and erased.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.errors import InvalidShopper
from rtls.model.units import SiteId

POINTS_MAX: Final = 1_000_000


class GoodwillReason(StrEnum):
    """What is to be made good."""

    LONG_WAIT = "long_wait"
    OUT_OF_STOCK = "out_of_stock"
    FAULTY_GOODS = "faulty_goods"
    WRONG_PRICE = "wrong_price"
    THANKS = "thanks"


class GoodwillRefusal(StrEnum):
    """Why nothing was granted."""

    CARD_NOT_VALID = "card_not_valid"
    """unknown, too old, or shown before: never told apart"""
    ABOVE_GRANT_LIMIT = "above_grant_limit"
    DAY_LIMIT_REACHED = "day_limit_reached"
    """of this key, on this day of the site"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodwillLimits:
    """How much one key of the staff may grant."""

    points_a_grant_max: int = 500
    points_a_day_max: int = 2_000
    lasts_days: int = 365

    def __post_init__(self) -> None:
        if not 1 <= self.points_a_grant_max <= self.points_a_day_max <= POINTS_MAX:
            raise InvalidShopper(
                f"points_a_grant_max is {self.points_a_grant_max}, points_a_day_max "
                f"{self.points_a_day_max}; expected 1 <= a grant <= a day <= {POINTS_MAX}."
            )
        if not 1 <= self.lasts_days <= 3_660:
            raise InvalidShopper(f"lasts_days is {self.lasts_days}; expected 1 to 3660.")


DEFAULT_LIMITS: Final = GoodwillLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Points for somebody, and why."""

    points: int
    reason: GoodwillReason
    site: SiteId
    """where the key of the staff is good, from the credential"""

    def __post_init__(self) -> None:
        if type(self.points) is not int or not 1 <= self.points <= POINTS_MAX:
            raise InvalidShopper(f"points is {self.points!r}; expected 1 to {POINTS_MAX}.")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Goodwill(Grant):
    """A grant for whoever shows this card. Not printed by `repr`: the code is a secret."""

    card: str
    """what was scanned"""
