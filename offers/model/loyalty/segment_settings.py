"""Say where the segments of a site part.

Layer: nouns. Takes: what a retailer writes into the programme. Gives: `SegmentSettings` to the
rules of segments and to their handler.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.conditions.fact import DAY_MS
from offers.model.errors import InvalidProgramme
from offers.model.money import AMOUNT_MINOR_MAX, CURRENCIES

YEAR_DAYS: Final = 365
_BOUNDS: Final = {
    "at_risk_days": (1, YEAR_DAYS - 1),  # after a year without a purchase nobody is in a segment
    "new_days": (1, YEAR_DAYS),
    "new_purchases_max": (1, 100),
    "high_value_percent": (1, 99),
    "keep_percent": (1, 100),
    "high_value_minor": (1, AMOUNT_MINOR_MAX),
    "buyers_min": (1, 1_000_000),
    "levels_percent_min": (0, 100),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSettings:
    """Where segments part."""

    currency: str = "EUR"
    """what is spent in others does not count"""
    at_risk_days: int = 90
    """after so long without a purchase"""
    new_days: int = 60
    """from the first purchase on"""
    new_purchases_max: int = 2
    """who buys a third time knows the shop"""
    high_value_percent: int = 80
    """of the year's buyers spend less than those of high value"""
    keep_percent: int = 80
    """of the level is enough to stay of high value"""
    high_value_minor: int = 50_000
    """the level of a site with fewer than `buyers_min` buyers in the year"""
    buyers_min: int = 50
    levels_percent_min: int = 5
    """by less than that a level is not moved"""
    levels_every_ms: int = DAY_MS

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES:
            raise InvalidProgramme(
                f"segments.currency is {self.currency!r}; expected an ISO 4217 code, e.g. 'EUR'."
            )
        for field, (least, most) in _BOUNDS.items():
            given = getattr(self, field)
            if type(given) is not int or not least <= given <= most:
                raise InvalidProgramme(
                    f"segments.{field} is {given!r}; expected a whole number, {least} to {most}."
                )


DEFAULT_SEGMENTS: Final = SegmentSettings()
SETTABLE: Final = ("currency", *_BOUNDS)
"""what a programme's document may name"""
