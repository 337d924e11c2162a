"""Say when a review is made, of how many weeks, and how many are kept.

Layer: nouns. Takes: settings of a site. Gives: `ReviewSchedule` to the review writer.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from offers.model.insight.kpi_window import WEEK_DAYS, week_begin
from rtls.model.errors import InvalidReport
from rtls.model.footfall import site_clock
from rtls.model.units import UnixMs

WEEKS_MAX: Final = 52
KEPT_MAX: Final = 520


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSchedule:
    """A day of the week and an hour, by the clocks of the site."""

    weekday: int = 0
    """0 for Monday"""
    hour: int = 6
    weeks: int = 4
    """whole weeks, from Monday to Sunday, that end before it"""
    kept: int = 104

    def __post_init__(self) -> None:
        for field, value, low, high in (
            ("weekday", self.weekday, 0, WEEK_DAYS - 1),
            ("hour", self.hour, 0, 23),
            ("weeks", self.weeks, 1, WEEKS_MAX),
            ("kept", self.kept, 1, KEPT_MAX),
        ):
            if not low <= value <= high:
                raise InvalidReport(f"review {field} is {value}; expected {low} to {high}.")

    def due(self, now_ms: UnixMs, *, time_zone: str) -> date:
        """Return the Monday with which the weeks of the newest review that is due end.

        Examples
        --------
        >>> noon_of_a_sunday = UnixMs(1_795_345_200_000)  # 22 November 2026
        >>> ReviewSchedule().due(noon_of_a_sunday, time_zone="Europe/Berlin")
        datetime.date(2026, 11, 16)
        >>> ReviewSchedule(hour=13, weekday=6).due(noon_of_a_sunday, time_zone="Europe/Berlin")
        datetime.date(2026, 11, 9)
        """
        here = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(site_clock(time_zone))
        monday = week_begin(here.date())
        is_due = (here.weekday(), here.hour) >= (self.weekday, self.hour)
        return monday if is_due else monday - timedelta(days=WEEK_DAYS)
