"""State a number with its error, and the arms that it is made of.

Layer: nouns. Takes: what the rules of insight counted. Gives: `Estimate`, `Interval`, `Sample`.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.model.errors import InvalidSample

Numbers = npt.NDArray[np.float64]
LEVEL_USUAL: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The values that the data leave possible, at a level of confidence."""

    low: float
    high: float
    level: float

    @property
    def has_zero(self) -> bool:
        """Return whether nothing, no effect, is among them."""
        return self.low <= 0.0 <= self.high

    def scaled(self, factor: float) -> "Interval":
        """Return the interval of the value times a positive factor."""
        return Interval(low=self.low * factor, high=self.high * factor, level=self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number and its standard error."""

    value: float
    standard_error: float
    degrees_of_freedom: float
    """what the standard error stands on, as Student's distribution counts it"""
    shoppers: int

    def __post_init__(self) -> None:
        numbers = (self.value, self.standard_error, self.degrees_of_freedom)
        if not all(math.isfinite(number) for number in numbers) or self.standard_error < 0.0:
            raise InvalidSample(
                f"estimate is {self.value} ± {self.standard_error} on {self.degrees_of_freedom} "
                "degrees of freedom; expected finite numbers. Look for missing values."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One number for each shopper of an arm: everybody assigned, whether or not they bought."""

    arm: str
    values: Numbers
    """(n,)"""
    before: Numbers | None = None
    """(n,): the same, or another, number of each shopper from before the experiment"""

    def __post_init__(self) -> None:
        _check_column(f"sample {self.arm!r}: values", self.values)
        if self.before is None:
            return
        _check_column(f"sample {self.arm!r}: before", self.before)
        if len(self.before) != len(self.values):
            raise InvalidSample(
                f"sample {self.arm!r}: before has {len(self.before)} numbers, values "
                f"{len(self.values)}; expected one of each for every shopper. Give 0 to who did "
                "not shop before."
            )


def check_level(level: float) -> None:
    """Refuse a level of confidence that is none.

    Raises
    ------
    InvalidSample
        If it is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise InvalidSample(
            f"level is {level}; expected above 0 and below 1. The usual one is {LEVEL_USUAL}."
        )


def _check_column(field: str, numbers: Numbers) -> None:
    if numbers.ndim != 1 or len(numbers) < 2:
        raise InvalidSample(
            f"{field} has the shape {numbers.shape}; expected two shoppers or more in one column. "
            "Wait until more were assigned."
        )
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        raise InvalidSample(
            f"{field} has {numbers[wrong[0]]} at {int(wrong[0])}; expected finite numbers. "
            "Give 0 to who bought nothing."
        )
