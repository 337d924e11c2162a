"""Put a window together of the blocks of time that persons are counted in.

Layer: rules. Takes: a `ReportWindow`. Gives: its whole days and single hours to the reports, and to
the columns of the history the block of each row, by the clocks of the site.
"""

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtls.model.errors import InvalidReport
from rtls.model.footfall import (
    HOUR_MS,
    Block,
    Bools,
    Int8s,
    Int32s,
    Int64s,
    ReportWindow,
    check_hour_begins,
    site_clock,
)
from rtls.model.units import UnixMs

EPOCH: Final = dt.date(1970, 1, 1)
PART_DAYS: Final = 31
SETTLED_MS: Final = HOUR_MS
"""a day is told an hour after its end: what is late is in it, and no figure changes after"""
DAY_HOURS: Final = 24
QUARTER_MS: Final = 900_000  # all clocks differ from UTC by whole quarters of an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowBlocks:
    """The blocks of a window.

    Parameters
    ----------
    days
        Days told as a whole, since 1970-01-01.
    hours
        (day, hour) told one by one: of days that the window holds in part.
    """

    days: frozenset[int]
    hours: frozenset[tuple[int, int]]

    @property
    def count(self) -> int:
        """The number of blocks."""
        return len(self.days) + len(self.hours)

    @property
    def touched(self) -> frozenset[int]:
        """Every day of which there is a block."""
        return self.days | {day for day, _ in self.hours}


def blocks_of(window: ReportWindow) -> WindowBlocks:
    """Return the blocks of a window.

    Raises
    ------
    InvalidReport
        If the choices of the window leave nothing of it, or ask for hours of a cohort.
    """
    days: set[int] = set()
    hours: set[tuple[int, int]] = set()
    for day, first, last in _days_of(window):
        if window.weekdays is not None and weekday_of(day) not in window.weekdays:
            continue
        chosen = [h for h in range(first, last) if window.hours is None or h in window.hours]
        if len(chosen) == DAY_HOURS:
            days.add(day)
        else:
            hours.update((day, hour) for hour in chosen)
    if not days and not hours:
        raise InvalidReport(
            "no hour of the window is on a chosen weekday and at a chosen hour; expected at least "
            "one. Choose a longer window or other weekdays and hours."
        )
    if hours and window.cohort is not None:
        # Hours and cohorts of one day would be a table whose both margins are told.
        raise InvalidReport(
            f"the window asks for single hours of the cohort {window.cohort!r}; expected whole "
            "days. Leave out the hours or the cohort."
        )
    return WindowBlocks(days=frozenset(days), hours=frozenset(hours))


def check_is_over(window: ReportWindow, now_ms: UnixMs) -> None:
    """Refuse a window that holds a part of a day that is not over and settled.

    Of a day that goes on, every look would be a moving window: who comes between two looks is told
    by their difference.

    Raises
    ------
    InvalidReport
        If the last day of ``window`` is not told yet.
    """
    clock = site_clock(window.time_zone)
    last = dt.datetime.fromtimestamp((window.end_ms - 1000) / 1000, clock).date()
    over_ms = UnixMs(day_begin_ms(day_number(last) + 1, window.time_zone) + SETTLED_MS)
    if now_ms < over_ms:
        told_at = dt.datetime.fromtimestamp(over_ms / 1000, clock)
        raise InvalidReport(
            f"the window holds {last}, which is told from {told_at:%Y-%m-%dT%H:%M} on; expected "
            "days that are over. Ask for a window that ends before it."
        )


def whole_day_parts(window: ReportWindow) -> Iterator[ReportWindow]:
    """Yield the days that a window touches, whole, a month at a time.

    What of a block is told hangs on all blocks of its day, never on what was asked for.
    """
    touched = sorted(blocks_of(window).touched)
    first, end = touched[0], touched[-1] + 1
    for begin in range(first, end, PART_DAYS):
        yield dataclasses.replace(
            window,
            start_ms=day_begin_ms(begin, window.time_zone),
            end_ms=day_begin_ms(min(begin + PART_DAYS, end), window.time_zone),
            hours=None,
        )


def days_of(window: ReportWindow) -> Iterator[ReportWindow]:
    """Yield each day of which a window holds a block, whole."""
    for day in sorted(blocks_of(window).touched):
        yield dataclasses.replace(
            window,
            start_ms=day_begin_ms(day, window.time_zone),
            end_ms=day_begin_ms(day + 1, window.time_zone),
            hours=None,
        )


def hour_windows(day: ReportWindow) -> Iterator[ReportWindow]:
    """Yield the hours of a day; where the clocks go back, the hour that comes twice is one."""
    begins = [
        at_ms
        for at_ms in range(day.start_ms, day.end_ms, QUARTER_MS)
        if at_ms == day.start_ms or is_hour_begin(UnixMs(at_ms), day.time_zone)
    ]
    for start_ms, end_ms in itertools.pairwise([*begins, day.end_ms]):
        yield dataclasses.replace(day, start_ms=UnixMs(start_ms), end_ms=UnixMs(end_ms))


def hours_of(blocks: WindowBlocks) -> WindowBlocks:
    """Return the same time hour by hour."""
    whole = {(day, hour) for day in blocks.days for hour in range(DAY_HOURS)}
    return WindowBlocks(days=frozenset(), hours=blocks.hours | whole)


def asked_blocks(blocks: WindowBlocks) -> Iterator[Block]:
    """Yield the kinds of blocks that a window is made of."""
    if blocks.days:
        yield Block.DAY
    if blocks.hours:
        yield Block.HOUR


def block_columns(at_ms: Int64s, time_zone: str) -> tuple[Int32s, Int8s]:
    """Return (n,) day since 1970-01-01 and (n,) hour of instants, by the clocks of a site."""
    clock = site_clock(time_zone)
    quarters, place = np.unique(at_ms // QUARTER_MS, return_inverse=True)
    days = np.empty(len(quarters), np.int32)
    hours = np.empty(len(quarters), np.int8)
    for index, quarter in enumerate(quarters.tolist()):
        here = dt.datetime.fromtimestamp(quarter * QUARTER_MS / 1000, clock)
        days[index] = day_number(here.date())
        hours[index] = here.hour
    return days[place.reshape(-1)], hours[place.reshape(-1)]


def is_in_blocks(blocks: WindowBlocks, day: Int32s, hour: Int8s) -> Bools:
    """Return (n,) whether each row's block is one of ``blocks``; `hour` -1 stands for a day."""
    wanted = np.array(
        sorted([d * 32 for d in blocks.days] + [d * 32 + h + 1 for d, h in blocks.hours]), np.int64
    )
    return np.isin(day.astype(np.int64) * 32 + hour + 1, wanted)


def is_hour_begin(at_ms: UnixMs, time_zone: str) -> bool:
    """Return whether an hour begins at an instant, by the clocks of a site."""
    try:
        check_hour_begins("begin", at_ms, site_clock(time_zone))
    except InvalidReport:
        return False
    return True


def day_number(day: dt.date) -> int:
    """Return the days since 1970-01-01.

    Examples
    --------
    >>> day_number(dt.date(1970, 1, 2))
    1
    """
    return (day - EPOCH).days


def day_date(day: int) -> dt.date:
    """Return the date of a day since 1970-01-01."""
    return EPOCH + dt.timedelta(days=day)


def weekday_of(day: int) -> int:
    """Return 0 for a Monday to 6 for a Sunday.

    Examples
    --------
    >>> weekday_of(0)  # 1970-01-01 was a Thursday
    3
    """
    return (day + 3) % 7


def day_begin_ms(day: int, time_zone: str) -> UnixMs:
    """Return the instant at which a day begins by the clocks of a site."""
    begin = dt.datetime.combine(day_date(day), dt.time(), site_clock(time_zone))
    return UnixMs(int(begin.timestamp()) * 1000)


def _days_of(window: ReportWindow) -> Iterator[tuple[int, int, int]]:
    """Yield each day of a window with its first hour and the hour that is no longer part."""
    clock = site_clock(window.time_zone)
    start = dt.datetime.fromtimestamp(window.start_ms / 1000, clock)
    end = dt.datetime.fromtimestamp(window.end_ms / 1000, clock)
    first, last = day_number(start.date()), day_number(end.date())
    for day in range(first, last + 1):
        # Where the clocks go forward at midnight, the day begins at one.
        is_cut = day == first and window.start_ms > day_begin_ms(day, window.time_zone)
        begin = start.hour if is_cut else 0
        until = end.hour if day == last else DAY_HOURS
        if begin < until:
            yield day, begin, until
