"""Read a schedule from a campaign's document, and write one back.

Layer: nouns. Takes: the member "schedule". Gives: a `Schedule`, or an error that names the member.
``{"weekdays": ["friday"], "hours": [{"from": "18:00", "until": "22:00"}],
"dates": [{"first": "2026-12-01", "last": "2026-12-24"}],
"yearly": [{"first": "02-14", "last": "02-14"}]}``
"""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from offers.model.campaigns.schedule import DateSpan, HourSpan, Schedule, YearlySpan
from offers.model.conditions.condition_terms import Weekday
from offers.model.errors import InvalidCampaign
from offers.model.json_members import Json, list_of, object_of, refuse_unknown, text_of

T = TypeVar("T")


def parse_schedule(given: Json) -> Schedule:
    """Return the schedule; raise `InvalidCampaign` where a member is unknown or wrong."""
    refuse_unknown(given, "schedule", {"weekdays", "hours", "dates", "yearly"})
    return Schedule(
        weekdays=frozenset(_weekday(day) for day in list_of(given.get("weekdays", []), "weekdays")),
        hours=_spans(given, "hours", "from", "until", _hours),
        dates=_spans(given, "dates", "first", "last", _dates),
        yearly=_spans(given, "yearly", "first", "last", _yearly),
    )


def render_schedule(schedule: Schedule) -> dict[str, object]:
    """Return the member that `parse_schedule` reads."""
    rendered: dict[str, object] = {}
    if schedule.weekdays:
        rendered["weekdays"] = sorted(
            (day.value for day in schedule.weekdays), key=[day.value for day in Weekday].index
        )
    if schedule.hours:
        rendered["hours"] = [
            {"from": clock(span.from_minute), "until": clock(span.until_minute)}
            for span in schedule.hours
        ]
    if schedule.dates:
        rendered["dates"] = [
            {"first": span.first.isoformat(), "last": span.last.isoformat()}
            for span in schedule.dates
        ]
    if schedule.yearly:
        rendered["yearly"] = [
            {"first": _day_of_year(span.first), "last": _day_of_year(span.last)}
            for span in schedule.yearly
        ]
    return rendered


def clock(minute: int) -> str:
    """Return a minute of the day as people write it.

    Examples
    --------
    >>> clock(1110)
    '18:30'
    """
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _day_of_year(day: tuple[int, int]) -> str:
    return f"{day[0]:02d}-{day[1]:02d}"


def _spans(
    given: Json, member: str, first: str, last: str, make: Callable[[str, str], T]
) -> tuple[T, ...]:
    spans = []
    for entry in list_of(given.get(member, []), f"schedule.{member}"):
        span = object_of(entry, f"schedule.{member}")
        refuse_unknown(span, f"schedule.{member}", {first, last})
        spans.append(make(text_of(span, first), text_of(span, last)))
    return tuple(spans)


def _weekday(given: object) -> Weekday:
    try:
        return Weekday(str(given))
    except ValueError as error:
        expected = [day.value for day in Weekday]
        raise InvalidCampaign(f"schedule.weekdays has {given!r}; expected {expected}.") from error


def _hours(first: str, last: str) -> HourSpan:
    return HourSpan(from_minute=_minute(first), until_minute=_minute(last))


def _minute(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    is_clock = len(text) == len("00:00") and bool(colon) and text.isascii()
    if not is_clock or not hours.isdecimal() or not minutes.isdecimal() or int(minutes) > 59:
        raise InvalidCampaign(f"schedule.hours has {text!r}; expected a time such as '18:30'.")
    return int(hours) * 60 + int(minutes)


def _dates(first: str, last: str) -> DateSpan:
    return DateSpan(first=_date(first), last=_date(last))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidCampaign(
            f"schedule.dates has {text!r}; expected a date such as '2026-12-24'."
        ) from error


def _yearly(first: str, last: str) -> YearlySpan:
    return YearlySpan(first=_month_and_day(first), last=_month_and_day(last))


def _month_and_day(text: str) -> tuple[int, int]:
    month, dash, day = text.partition("-")
    if not dash or not (month + day).isdecimal() or len(text) != len("12-24"):
        raise InvalidCampaign(f"schedule.yearly has {text!r}; expected a day such as '12-24'.")
    return int(month), int(day)
