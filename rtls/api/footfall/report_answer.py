"""Answer with a report in the format that was asked for.

Layer: edges. Takes: rows and what holds of them. Gives: JSON, CSV or Parquet to the footfall
routes, and the problems that are theirs alone.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

import msgspec
from fastapi import Response
from typing_extensions import TypedDict

from rtls.api.footfall.report_query import MEDIA_TYPES, ReportFormat, check_format
from rtls.api.footfall.report_rows import Kinds, Row
from rtls.api.footfall.report_table import ReportTable, render_csv, render_parquet
from rtls.footfall.release import ROUNDING, SECONDS
from rtls.model.footfall import DayGap, ReportWindow, site_clock

TABLES: Final = (ReportFormat.JSON, ReportFormat.CSV, ReportFormat.PARQUET)
RETRY_AFTER_S: Final = 5


class GapDocument(TypedDict):
    """A day that the report has to do without."""

    day: str
    reason: str
    """no_data, or unreadable where a file is damaged and the others are in the report"""
    file: str


class WindowDocument(TypedDict):
    """What the report is about, by the clocks of the site."""

    start: str
    until: str
    floor: int | None
    weekdays: list[int] | None
    hours: list[int] | None
    cohort: str | None


class ReportDocument(TypedDict):
    """A report: figures that are withheld are null, places that are withheld have no row."""

    report: str
    site: str
    windows: list[WindowDocument]
    k: int
    """about how many distinct visitors something needs to be told"""
    visitors_step: int
    seconds_step: int
    columns: list[str]
    rows: list[dict[str, str | int | float | None]]
    gaps: list[GapDocument]
    notes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report laid out in rows, in any format."""

    name: str
    columns: Kinds
    rows: Sequence[Row]
    windows: Sequence[ReportWindow]
    gaps: Sequence[DayGap]
    k: int
    notes: Sequence[str] = ()


def report_response(report: Report, wanted: ReportFormat) -> Response:
    """Return the report as JSON, CSV or Parquet; refuse a picture of what has none."""
    check_format(wanted, TABLES)
    document = report_document(report)
    match wanted:
        case ReportFormat.JSON | ReportFormat.PNG:
            content = msgspec.json.encode(document)
        case ReportFormat.CSV:
            content = render_csv(_table(report, document))
        case ReportFormat.PARQUET:
            content = render_parquet(_table(report, document))
        case _:
            assert_never(wanted)
    headers = {} if wanted is ReportFormat.JSON else _as_file(report.name, wanted)
    # What is missing must be seen also where the format has no place for it.
    headers["X-Report-Gaps"] = str(len(report.gaps))
    return Response(content, media_type=MEDIA_TYPES[wanted], headers=headers)


def picture_response(name: str, content: bytes) -> Response:
    """Return a picture as a file."""
    wanted = ReportFormat.PNG
    return Response(content, media_type=MEDIA_TYPES[wanted], headers=_as_file(name, wanted))


def report_document(report: Report) -> ReportDocument:
    """Return the report as JSON has it."""
    return ReportDocument(
        report=report.name,
        site=report.windows[0].site,
        windows=[_window(window) for window in report.windows],
        k=report.k,
        visitors_step=ROUNDING,
        seconds_step=SECONDS,
        columns=list(report.columns),
        rows=list(report.rows),
        gaps=[
            GapDocument(day=gap.day.isoformat(), reason=gap.reason.value, file=gap.file)
            for gap in report.gaps
        ],
        notes=list(report.notes),
    )


def problem_response(status: int, code: str, detail: str) -> Response:
    """Return a problem document (RFC 9457) of the footfall routes."""
    title = {501: "Not Implemented", 503: "Service Unavailable"}[status]
    body = {
        "type": f"/v1/problems/{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": "/v1/operator/footfall",
    }
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}  # noqa: PLR2004
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


def _table(report: Report, document: ReportDocument) -> ReportTable:
    about = {key: value for key, value in document.items() if key not in {"rows", "columns"}}
    return ReportTable(
        columns=report.columns,
        rows=[[row[name] for name in report.columns] for row in report.rows],
        about={"inaisle": msgspec.json.encode(about).decode()},
    )


def _window(window: ReportWindow) -> WindowDocument:
    clock = site_clock(window.time_zone)
    start, until = (
        dt.datetime.fromtimestamp(at_ms / 1000, clock).isoformat()
        for at_ms in (window.start_ms, window.end_ms)
    )
    return WindowDocument(
        start=start,
        until=until,
        floor=window.floor,
        weekdays=None if window.weekdays is None else sorted(window.weekdays),
        hours=None if window.hours is None else sorted(window.hours),
        cohort=window.cohort,
    )


def _as_file(name: str, wanted: ReportFormat) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.{wanted.value}"'}
