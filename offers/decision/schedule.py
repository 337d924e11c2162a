"""Say whether a schedule lets offers be made at an instant, by the clocks of the site.

Layer: rules. Takes: a `Schedule`, an instant, a time zone. Gives: yes or no to decide, and to
contradiction whether there is any yes at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from offers.model.campaigns.campaign import Validity
from offers.model.campaigns.schedule import (
    ALWAYS,
    WEEKDAYS,
    DateSpan,
    HourSpan,
    Schedule,
    YearlySpan,
)
from rtls.model.units import UnixMs

_DAY: Final = timedelta(days=1)
LAST_OF_FEBRUARY: Final = (2, 29)


@dataclass(frozen=True, slots=True, kw_only=True)
class WallTime:
    """What the clocks and calendars of a site show."""

    day: date
    minute: int
    """of the day"""


def wall_time(at_ms: UnixMs, zone: tzinfo) -> WallTime:
    """Return what the clocks show at an instant.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> wall_time(UnixMs(1_774_746_000_000), ZoneInfo("Europe/Berlin"))  # 29 March 2026, 01:00 UTC
    WallTime(day=datetime.date(2026, 3, 29), minute=180)
    """
    shown = datetime.fromtimestamp(at_ms // 1_000, tz=UTC).astimezone(zone)
    return WallTime(day=shown.date(), minute=shown.hour * 60 + shown.minute)


def is_scheduled(schedule: Schedule, shown: WallTime) -> bool:
    """Say whether offers may be made while the clocks show this."""
    if not schedule.hours:
        return schedule == ALWAYS or _is_day(schedule, shown.day)
    return any(_is_in_span(schedule, span, shown) for span in schedule.hours)


def can_ever_be(schedule: Schedule, validity: Validity, zone: tzinfo) -> bool:
    """Say whether there is an instant within the validity at which offers may be made."""
    return any(
        validity.from_ms <= at_ms < validity.until_ms
        and is_scheduled(schedule, wall_time(at_ms, zone))
        for at_ms in _turns(schedule, validity, zone)
    )


def _is_in_span(schedule: Schedule, span: HourSpan, shown: WallTime) -> bool:
    if not span.is_past_midnight:
        is_hour = span.from_minute <= shown.minute < span.until_minute
        return is_hour and _is_day(schedule, shown.day)
    if shown.minute >= span.from_minute:
        return _is_day(schedule, shown.day)
    return shown.minute < span.until_minute and _is_day(schedule, shown.day - _DAY)


def _turns(schedule: Schedule, validity: Validity, zone: tzinfo) -> Iterator[UnixMs]:
    """Yield the instants at which a schedule may begin to allow: days, spans, changes of clock."""
    yield validity.from_ms
    day = wall_time(validity.from_ms, zone).day - _DAY
    last = wall_time(validity.until_ms, zone).day
    minutes = [0, *(span.from_minute for span in schedule.hours)]
    while day <= last:
        if _is_day(schedule, day):
            for minute in minutes:
                yield from _instants(day, minute, zone)
            # Where the clocks jump, they jump to a full hour or half of one.
            for half_hour in range(48):
                yield from _instants(day, half_hour * 30, zone)
        day += _DAY


def _instants(day: date, minute: int, zone: tzinfo) -> Iterator[UnixMs]:
    shown = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone)
    for fold in (0, 1):
        yield UnixMs(round(shown.replace(fold=fold).timestamp() * 1_000))


def _is_day(schedule: Schedule, day: date) -> bool:
    return (
        (not schedule.weekdays or WEEKDAYS[day.weekday()] in schedule.weekdays)
        and (not schedule.dates or any(_is_within(span, day) for span in schedule.dates))
        and (not schedule.yearly or any(_is_in_year(span, day) for span in schedule.yearly))
    )


def _is_within(span: DateSpan, day: date) -> bool:
    return span.first <= day <= span.last


def _is_in_year(span: YearlySpan, day: date) -> bool:
    first, last, today = span.first, span.last, (day.month, day.day)
    if today == (2, 28) and not _has_29_february(day.year):
        # The day stands for the last of February, too.
        return _is_between(first, last, today) or _is_between(first, last, LAST_OF_FEBRUARY)
    return _is_between(first, last, today)


def _is_between(first: tuple[int, int], last: tuple[int, int], day: tuple[int, int]) -> bool:
    return first <= day <= last if first <= last else day >= first or day <= last


def _has_29_february(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
