"""Cut time into the days of a site: a day begins and ends by the clocks on its walls.

Layer: edges. Takes: instants and the site's time zone. Gives: days, their bounds and their hours to
the writer and the reader of the history.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from rtls.model.footfall import site_clock
from rtls.model.units import UnixMs

EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time: from `start_ms` on, up to and without `end_ms`."""

    start_ms: UnixMs
    end_ms: UnixMs

    def within(self, other: "Span") -> "Span | None":
        """Return what both have in common, or None."""
        start, end = max(self.start_ms, other.start_ms), min(self.end_ms, other.end_ms)
        return Span(start_ms=start, end_ms=end) if start < end else None


def day_of(at_ms: UnixMs, time_zone: str) -> dt.date:
    """Return the day of an instant by the clocks of the site.

    Examples
    --------
    >>> day_of(UnixMs(0), "America/New_York")
    datetime.date(1969, 12, 31)
    """
    return dt.datetime.fromtimestamp(at_ms / 1000, site_clock(time_zone)).date()


def day_span(day: dt.date, time_zone: str) -> Span:
    """Return when a day begins and ends; 23 to 25 hours apart."""
    clock = site_clock(time_zone)
    begins = (dt.datetime.combine(d, dt.time(), clock) for d in (day, day + dt.timedelta(days=1)))
    start, end = (UnixMs(int(begin.timestamp()) * 1000) for begin in begins)
    return Span(start_ms=start, end_ms=end)


def hour_spans(day: dt.date, time_zone: str) -> Iterator[tuple[int, Span]]:
    """Yield each hour of the day that its clocks show, with the time for which they show it.

    In the night in which the clocks go back one hour is shown twice, and is one span of two hours.
    """
    clock = site_clock(time_zone)
    whole = day_span(day, time_zone)
    start = whole.start_ms
    hour = dt.datetime.fromtimestamp(start / 1000, clock).hour
    for quarter in range(whole.start_ms, whole.end_ms, 900_000):
        shown = dt.datetime.fromtimestamp(quarter / 1000, clock).hour
        if shown != hour:
            yield hour, Span(start_ms=start, end_ms=UnixMs(quarter))
            start, hour = UnixMs(quarter), shown
    yield hour, Span(start_ms=start, end_ms=whole.end_ms)


def days_of(span: Span, time_zone: str) -> Iterator[dt.date]:
    """Yield the days that a stretch of time touches."""
    day = day_of(span.start_ms, time_zone)
    last = day_of(UnixMs(span.end_ms - 1), time_zone)
    while day <= last:
        yield day
        day += dt.timedelta(days=1)


def day_number(day: dt.date) -> int:
    """Return the days since 1970-01-01."""
    return (day - EPOCH).days
