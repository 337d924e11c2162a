"""Say which days of a site a key figure is about.

Layer: nouns. Takes: dates and the site's time zone. Gives: `KpiWindow` to rules, handlers and the
API: whole days by the clocks of the site, a week of them at least, so that no figure is about one
day's few.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.model.campaigns.settlement import Period
from rtls.model.errors import InvalidReport
from rtls.model.footfall import site_clock
from rtls.model.units import SiteId, UnixMs

WEEK_DAYS: Final = 7
DAYS_MAX: Final = 366
_EPOCH: Final = date(1970, 1, 1)

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiWindow:
    """Whole days of a site: from the first until just before the other."""

    site: SiteId
    time_zone: str
    from_day: date
    until_day: date

    def __post_init__(self) -> None:
        if not WEEK_DAYS <= self.days <= DAYS_MAX:
            raise InvalidReport(
                f"the window is from {self.from_day} until {self.until_day}, {self.days} days; "
                f"expected {WEEK_DAYS} to {DAYS_MAX}, the second day being the first that is not "
                "in it. Ask for whole weeks, a quarter or a year."
            )
        site_clock(self.time_zone)

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.until_day - self.from_day).days

    @property
    def from_ms(self) -> UnixMs:
        """When it begins by the clocks of the site."""
        return self._bounds_ms()[0]

    @property
    def until_ms(self) -> UnixMs:
        """When it ends by the clocks of the site."""
        return self._bounds_ms()[1]

    def before(self) -> "KpiWindow":
        """Return the window of the same length that ends where this one begins."""
        from_day = self.from_day - timedelta(days=self.days)
        return replace(self, from_day=from_day, until_day=self.from_day)

    def _bounds_ms(self) -> tuple[UnixMs, UnixMs]:
        period = Period(from_day=self.from_day, until_day=self.until_day)
        return period.bounds_ms(self.time_zone)


def week_begin(day: date) -> date:
    """Return the Monday of the week of a day.

    Examples
    --------
    >>> week_begin(date(2026, 11, 22))  # a Sunday
    datetime.date(2026, 11, 16)
    """
    return day - timedelta(days=day.weekday())


def day_number(day: date) -> int:
    """Return the days since 1970-01-01."""
    return (day - _EPOCH).days


def day_date(number: int) -> date:
    """Return the date of a day since 1970-01-01."""
    return _EPOCH + timedelta(days=number)


def site_days(at_ms: Int64s, time_zone: str) -> Int32s:
    """Return (n,) days since 1970-01-01 of instants, by the clocks of a site.

    Days begin where `Period` says, so that a day on which the clocks change has 23 or 25 hours.
    """
    if not len(at_ms):
        return np.zeros(0, np.int32)
    # No clock is further than a day from UTC.
    first = int(at_ms.min()) // 86_400_000 - 1
    last = int(at_ms.max()) // 86_400_000 + 1
    begins = np.array([_begin_ms(day, time_zone) for day in range(first, last + 1)], np.int64)
    return (first + np.searchsorted(begins, at_ms, side="right") - 1).astype(np.int32)


def _begin_ms(day: int, time_zone: str) -> int:
    one = Period(from_day=day_date(day), until_day=day_date(day + 1))
    return one.bounds_ms(time_zone)[0]
