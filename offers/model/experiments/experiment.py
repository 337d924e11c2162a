"""State an experiment: what is varied, for whom, how long, and what must not get worse.

Layer: nouns. Takes: the document of a merchandiser. Gives: `Experiment` to assignment and reports.
A revision is never changed. What is varied stands in factors; an arm is one level of each, so that
A/B, A/B/n (one factor) and factorial designs (several) are one thing. The first level of a factor
is the one that is compared against; the arm of first levels is the control.
"""

import math
from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import Final

from offers.model.errors import InvalidExperiment
from offers.model.ids import ExperimentId, check_name, check_text
from rtls.model.units import UnixMs

ARMS_MAX: Final = 64
FACTORS_MAX: Final = 4
GUARDRAILS_MAX: Final = 20
LASTS_MS_MAX: Final = 366 * 86_400_000
SALT_CHARACTERS_MIN: Final = 8


class Dimension(Enum):
    """What a factor varies."""

    BENEFIT = "benefit"
    MESSAGE = "message"
    CADENCE = "cadence"


class WorseWhen(Enum):
    """In which direction a metric gets worse."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One thing that is varied, and the levels that are tried of it."""

    name: str
    dimension: Dimension
    levels: tuple[str, ...]
    """the first is what the others are compared against, e.g. "none" or how it is done today"""

    def __post_init__(self) -> None:
        check_name("factor.name", self.name, error=InvalidExperiment)
        for level in self.levels:
            check_name(f"factor {self.name!r}: level", level, error=InvalidExperiment)
        if len(self.levels) < 2 or len(set(self.levels)) < len(self.levels):
            raise InvalidExperiment(
                f"factor {self.name!r}: levels is {list(self.levels)}; expected two or more "
                "different ones. Name first what the others are compared against."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """A metric that must not get worse than by a margin, whatever else an arm is good for."""

    metric: str
    worse_when: WorseWhen
    margin: float
    """in the unit of the metric, per shopper; zero or more"""

    def __post_init__(self) -> None:
        check_name("guardrail.metric", self.metric, error=InvalidExperiment)
        if not (math.isfinite(self.margin) and self.margin >= 0.0):
            raise InvalidExperiment(
                f"guardrail {self.metric!r}: margin is {self.margin}; expected a number of zero or "
                "more. Say how much worse the metric may get; the direction stands in worse_when."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One level of each factor, in the order of the factors."""

    number: int
    levels: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the levels as one word, e.g. "ten-percent+friendly"."""
        return "+".join(self.levels)

    @property
    def is_control(self) -> bool:
        """Return whether it is the arm that all others are compared against."""
        return self.number == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One revision of an experiment. All arms get equal shares of the shoppers."""

    experiment: ExperimentId
    revision: int
    question: str
    """what is to be learnt, in a sentence"""
    salt: str
    """makes the assignment independent of that of other experiments"""
    factors: tuple[Factor, ...]
    metric: str
    """what the arms are judged by, e.g. "margin-minor" """
    guardrails: tuple[Guardrail, ...] = ()
    from_ms: UnixMs
    until_ms: UnixMs

    def __post_init__(self) -> None:
        check_name("experiment", self.experiment, error=InvalidExperiment)
        check_name("metric", self.metric, error=InvalidExperiment)
        check_text("question", self.question, error=InvalidExperiment)
        check_salt("salt", self.salt)
        if self.revision < 1:
            raise InvalidExperiment(
                f"revision is {self.revision}; expected 1 or more. The first one is 1."
            )
        if not self.from_ms < self.until_ms:
            raise InvalidExperiment(
                f"until_ms is {self.until_ms}, from_ms {self.from_ms}; expected an end after the "
                "start. Swap them or give a later end."
            )
        if self.until_ms - self.from_ms > LASTS_MS_MAX:
            raise InvalidExperiment(
                f"until is {self.until_ms - self.from_ms} ms after from; expected at most "
                f"{LASTS_MS_MAX}, a year: assignments are kept for 13 months. Begin a new one then."
            )
        self._check_factors()
        self._check_guardrails()

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Return every combination of levels; the first is the control."""
        cells = product(*(factor.levels for factor in self.factors))
        return tuple(Arm(number=number, levels=levels) for number, levels in enumerate(cells))

    def check_follows(self, earlier: "Experiment") -> None:
        """Refuse a revision that would mix shoppers of two designs under one assignment.

        Raises
        ------
        InvalidExperiment
            If it is of another experiment, its number is not the next, or the factors have changed
            while the salt has not.
        """
        if (self.experiment, self.revision) != (earlier.experiment, earlier.revision + 1):
            raise InvalidExperiment(
                f"revision is {self.revision} of {self.experiment!r}; expected "
                f"{earlier.revision + 1} of {earlier.experiment!r}. Read the latest one again."
            )
        if self.factors != earlier.factors and self.salt == earlier.salt:
            raise InvalidExperiment(
                f"salt is {self.salt!r} as in revision {earlier.revision}, but the factors differ; "
                "expected a new salt. Otherwise shoppers carry over what they got in other arms."
            )

    def _check_factors(self) -> None:
        names = [factor.name for factor in self.factors]
        if not 1 <= len(names) <= FACTORS_MAX or len(set(names)) < len(names):
            raise InvalidExperiment(
                f"factors are {names}; expected 1 to {FACTORS_MAX} of different names."
            )
        arms = math.prod(len(factor.levels) for factor in self.factors)
        if arms > ARMS_MAX:
            raise InvalidExperiment(
                f"factors make {arms} arms; expected at most {ARMS_MAX}. Leave out levels: each "
                "arm gets the same share, and small ones tell nothing."
            )

    def _check_guardrails(self) -> None:
        metrics = [guardrail.metric for guardrail in self.guardrails]
        if len(metrics) > GUARDRAILS_MAX or len(set(metrics)) < len(metrics):
            raise InvalidExperiment(
                f"guardrails are {metrics[:5]}; expected at most {GUARDRAILS_MAX}, each metric "
                "once. Keep the stricter one."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """The shoppers that no campaign addresses, so that all of them together can be judged."""

    salt: str
    per_mille: int = 50

    def __post_init__(self) -> None:
        check_salt("holdout.salt", self.salt)
        if not 0 <= self.per_mille <= 500:
            raise InvalidExperiment(
                f"holdout.per_mille is {self.per_mille}; expected 0 to 500 (half of all shoppers). "
                "The usual share is 50, that is 5 %."
            )


def check_salt(field: str, salt: str) -> None:
    """Refuse a salt that is too short to set experiments apart, or breaks the hashed text.

    Raises
    ------
    InvalidExperiment
        If it is not 8 to 63 of a-z, 0-9 and '-'.
    """
    check_name(field, salt, error=InvalidExperiment)
    if len(salt) < SALT_CHARACTERS_MIN:
        raise InvalidExperiment(
            f"{field} is {salt!r}; expected {SALT_CHARACTERS_MIN} characters or more. "
            "Draw it at random, once for each design."
        )
