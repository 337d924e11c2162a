"""Hold the way from passing a shelf to a purchase as a row of counts.

Layer: nouns. Takes: what offers.insight counted. Gives: `Funnel` to the API and the review. A step
never holds more than the one before it, which the noun itself insists on.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from offers.model.insight.kpi import Withheld
from rtls.model.errors import InvalidReport
from rtls.model.units import ZoneId


class Step(StrEnum):
    """The steps in their order; each counts a shopper once for a zone and a day."""

    PASSED = "passed"
    STOPPED = "stopped"
    OFFERED = "offered"
    SEEN = "seen"
    REDEEMED = "redeemed"
    PURCHASED = "purchased"


LOCATED: Final = (Step.PASSED, Step.STOPPED)
"""known from where people stood; the others from offers"""
FORMULAS: Final = {
    Step.PASSED: "shoppers who came by the zone that day, stopped or not (footfall, rounded to "
    "five a day); at least those who stopped",
    Step.STOPPED: "shoppers who stopped in the zone that day (footfall, rounded to five a day); "
    "at least those who were made an offer there",
    Step.OFFERED: "shoppers who were made an offer for the zone that day",
    Step.SEEN: "of these, who opened it, or redeemed it",
    Step.REDEEMED: "of these, whose redemption was not taken back",
    Step.PURCHASED: "of these, whose redemption belongs to a receipt that we know",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """One step: a count to the nearest five, or why there is none."""

    step: Step
    count: int | None
    withheld: Withheld | None = None

    def __post_init__(self) -> None:
        if (self.count is None) is (self.withheld is None):
            raise InvalidReport(
                f"step {self.step} is {self.count} and withheld for {self.withheld}; expected "
                "either a count or the reason why there is none."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """All steps of one zone, or of all zones with offers (None)."""

    zone: ZoneId | None
    steps: tuple[FunnelStep, ...]

    def __post_init__(self) -> None:
        if tuple(one.step for one in self.steps) != tuple(Step):
            raise InvalidReport(
                f"the funnel has the steps {[one.step.value for one in self.steps]}; expected "
                f"{[step.value for step in Step]}."
            )
        counts = [one.count for one in self.steps if one.count is not None]
        if any(later > earlier for earlier, later in pairwise(counts)):
            raise InvalidReport(
                f"the funnel of {self.zone or 'all zones'} counts {counts}; expected no step to "
                "hold more than the one before it."
            )

    def share_of_step_before(self, place: int) -> float | None:
        """Return which share of the step before came to this one; None where it is not known."""
        if place == 0:
            return None
        before, here = self.steps[place - 1].count, self.steps[place].count
        return None if not before or here is None else here / before
