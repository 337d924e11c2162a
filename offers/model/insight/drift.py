"""Hold key figures week by week, and the alerts that one of them has changed.

Layer: nouns. Takes: weekly figures. Gives: `WeeklySeries` and `DriftAlert` to offers.insight.drift,
storage and the API.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from offers.model.insight.kpi import KpiName
from rtls.model.errors import InvalidReport
from rtls.model.units import SiteId

WATCHED: Final = (
    KpiName.RETENTION,
    KpiName.REPEAT_RATE,
    KpiName.PURCHASE_FREQUENCY,
    KpiName.MEAN_BASKET,
    KpiName.REDEMPTION_RATE,
    KpiName.MEMBERS_SHARE,
)
"""what is followed week by week"""
_WEEK: Final = timedelta(days=7)


class Direction(StrEnum):
    """Where a figure went."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklySeries:
    """One figure in each of several weeks, one after the other without a gap."""

    name: KpiName
    first_week: date
    """a Monday"""
    values: tuple[float | None, ...]
    """None where a week's figure is withheld"""

    def __post_init__(self) -> None:
        _check_monday("first_week", self.first_week)

    def week(self, place: int) -> date:
        """Return the Monday of a week."""
        return self.first_week + place * _WEEK

    def last(self, weeks: int) -> "WeeklySeries":
        """Return the same without all but the last weeks."""
        left_out = max(len(self.values) - weeks, 0)
        return replace(self, first_week=self.week(left_out), values=self.values[left_out:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that a series shows: found in one week, begun in another or the same."""

    name: KpiName
    direction: Direction
    found_week: date
    since_week: date
    before: float
    """the median of the weeks that were learnt from"""
    after: float
    """the median since it began"""

    def __post_init__(self) -> None:
        _check_monday("found_week", self.found_week)
        _check_monday("since_week", self.since_week)
        if self.since_week > self.found_week:
            raise InvalidReport(
                f"the change of {self.name} began on {self.since_week} and was found on "
                f"{self.found_week}; expected it to begin first."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftAlert:
    """One change, told once."""

    number: int
    site: SiteId
    change: Change
    noted_at_ms: int


def _check_monday(field: str, day: date) -> None:
    if day.weekday():
        raise InvalidReport(f"{field} is {day}, a {day:%A}; expected a Monday.")
