"""Read what a report is asked about, and in which format.

Layer: edges. Takes: parameters of the query and the Accept header. Gives: a `ReportWindow` and a
`ReportFormat` to the footfall routes.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from fastapi import Depends, Header, Query

from rtls.model.errors import InvalidReport
from rtls.model.footfall import ReportWindow, site_clock
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TEXT_MAX: Final = 40
COHORT_MAX: Final = 64


class ReportFormat(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    PNG = "png"


MEDIA_TYPES: Final = {
    ReportFormat.JSON: "application/json",
    ReportFormat.CSV: "text/csv",
    ReportFormat.PARQUET: "application/vnd.apache.parquet",
    ReportFormat.PNG: "image/png",
}

Moment = Annotated[
    str,
    Query(
        max_length=TEXT_MAX,
        description=(
            "A day, or a whole hour by the clocks of the site, e.g. 2026-03-02 or 2026-03-02T10:00."
        ),
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What of a window counts, as the query says."""

    floor: int | None
    weekdays: frozenset[int] | None
    hours: frozenset[int] | None
    cohort: str | None


async def read_choices(
    floor: Annotated[int | None, Query(ge=-99, le=999)] = None,
    weekday: Annotated[list[str] | None, Query(description="mon to sun; more than once")] = None,
    hour: Annotated[list[int] | None, Query(description="0 to 23; more than once")] = None,
    cohort: Annotated[str | None, Query(max_length=COHORT_MAX)] = None,
) -> Choices:
    """Return the choices of a query.

    Raises
    ------
    InvalidReport
        If a weekday has another name.
    """
    unknown = sorted(set(weekday or ()) - set(WEEKDAYS))
    if unknown:
        raise InvalidReport(f"weekday is {unknown}; expected of {', '.join(WEEKDAYS)}.")
    return Choices(
        floor=floor,
        weekdays=frozenset(map(WEEKDAYS.index, weekday)) if weekday else None,
        hours=frozenset(hour) if hour else None,
        cohort=cohort,
    )


async def read_format(
    format_: Annotated[ReportFormat | None, Query(alias="format")] = None,
    accept: Annotated[str, Header()] = "*/*",
) -> ReportFormat:
    """Return the format that the query names, else the first known one of Accept, else JSON."""
    if format_ is not None:
        return format_
    known = {media_type: name for name, media_type in MEDIA_TYPES.items()}
    wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return next((known[one] for one in wanted if one in known), ReportFormat.JSON)


ChoicesDep = Annotated[Choices, Depends(read_choices)]
FormatDep = Annotated[ReportFormat, Depends(read_format)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What every report is asked: which period, what of it counts, and the format."""

    from_: str
    until: str
    choices: Choices
    wanted: ReportFormat


async def read_asked(
    from_: Annotated[Moment, Query(alias="from")],
    until: Moment,
    choices: ChoicesDep,
    wanted: FormatDep,
) -> Asked:
    """Return what the query asks; its window is read with the clocks of the site."""
    return Asked(from_=from_, until=until, choices=choices, wanted=wanted)


AskedDep = Annotated[Asked, Depends(read_asked)]


def read_window(site_map: SiteMap, start: str, until: str, choices: Choices) -> ReportWindow:
    """Return the window from one moment to another; a day without an hour is its begin."""
    return ReportWindow(
        site=site_map.site,
        time_zone=site_map.time_zone,
        start_ms=_moment_ms("from", start, site_map.time_zone),
        end_ms=_moment_ms("until", until, site_map.time_zone),
        floor=choices.floor,
        weekdays=choices.weekdays,
        hours=choices.hours,
        cohort=choices.cohort,
    )


def check_format(wanted: ReportFormat, offered: Sequence[ReportFormat]) -> None:
    """Refuse a format that a report is not written in.

    Raises
    ------
    InvalidReport
        If ``wanted`` is none of ``offered``.
    """
    if wanted not in offered:
        raise InvalidReport(f"format is {wanted}; expected of {', '.join(offered)}.")


def _moment_ms(what: str, text: str, time_zone: str) -> UnixMs:
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=site_clock(time_zone))
        return UnixMs(int(moment.timestamp() * 1000))
    except (ValueError, OverflowError) as error:
        raise InvalidReport(
            f"{what} is {text!r}; expected a day or a whole hour, e.g. 2026-03-02 or "
            "2026-03-02T10:00."
        ) from error
