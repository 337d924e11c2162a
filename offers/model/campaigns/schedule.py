"""Say on which days and at which hours a campaign may make offers, by the clocks of the site.

Layer: nouns. Takes: what a merchandiser writes (see schedule_json). Gives: `Schedule` to campaigns
and to decision.schedule. Days and hours are those that the clocks on the wall show, whatever the
time zone does with them: what is written for half past two happens twice in the night in which the
clocks go back, and not at all in the one in which they go forward.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from offers.model.conditions.condition_terms import Weekday
from offers.model.errors import InvalidCampaign

DAY_MINUTES: Final = 1_440
SPANS_MAX: Final = 50
LEAP_YEAR: Final = 2_000
WEEKDAYS: Final = tuple(Weekday)


@dataclass(frozen=True, slots=True, kw_only=True)
class HourSpan:
    """From one minute of the day until just before another; past midnight where that is earlier.

    What goes past midnight belongs to the day on which it began.
    """

    from_minute: int
    until_minute: int

    def __post_init__(self) -> None:
        if not 0 <= self.from_minute < DAY_MINUTES or not 0 < self.until_minute <= DAY_MINUTES:
            raise InvalidCampaign(
                f"schedule.hours is {self.from_minute} to {self.until_minute} minutes; expected "
                "times from 00:00 to 24:00."
            )
        if self.from_minute == self.until_minute:
            raise InvalidCampaign(
                "schedule.hours begins and ends at the same time; expected a span. Leave it out "
                "where every hour is meant."
            )

    @property
    def is_past_midnight(self) -> bool:
        """Say whether it ends on the day after the one on which it began."""
        return self.until_minute < self.from_minute


@dataclass(frozen=True, slots=True, kw_only=True)
class DateSpan:
    """From one date to another, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise InvalidCampaign(
                f"schedule.dates is {self.first} to {self.last}; expected the first day before "
                "the last."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class YearlySpan:
    """From one day of the year to another, both included, every year; past New Year if later.

    29 February is meant as the last day of that month: in a year without it, it is the 28th.
    """

    first: tuple[int, int]
    """month and day"""
    last: tuple[int, int]

    def __post_init__(self) -> None:
        for month, day in (self.first, self.last):
            try:
                date(LEAP_YEAR, month, day)
            except ValueError as error:
                raise InvalidCampaign(
                    f"schedule.yearly has {month:02d}-{day:02d}; expected a day of the year such "
                    "as '12-24'."
                ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When offers may be made. What is left empty allows all of its kind; all kinds must allow."""

    weekdays: frozenset[Weekday] = frozenset()
    hours: tuple[HourSpan, ...] = ()
    dates: tuple[DateSpan, ...] = ()
    yearly: tuple[YearlySpan, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.hours) + len(self.dates) + len(self.yearly)
        if count > SPANS_MAX:
            raise InvalidCampaign(f"schedule has {count} spans; expected at most {SPANS_MAX}.")


ALWAYS: Final = Schedule()
