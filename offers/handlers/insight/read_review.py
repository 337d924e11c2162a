"""Read what a review is made of.

Layer: flow. Takes: a window. Gives: `ReviewInput` to who makes the review, outside of the
transaction: counting takes longer than reading.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from offers.handlers.insight.read_kpis import (
    SERIES_WEEKS_READ,
    read_kpis,
    today_of,
    weeks_of,
)
from offers.insight.drift import changes_of
from offers.insight.kpi_report import KpiInput, kpi_report
from offers.insight.review import Review
from offers.model.insight.drift import Change, WeeklySeries
from offers.model.insight.kpi_columns import StopCounts
from offers.model.insight.kpi_window import KpiWindow
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

WEEKS_SHOWN: Final = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewInput:
    """What was read."""

    found: KpiInput
    made_on: date


def read_review(window: KpiWindow, *, work: UnitOfWork, now_ms: UnixMs) -> ReviewInput:
    """Return what the review of a window is made of; `InvalidReport` as `read_kpis` has it."""
    found = read_kpis(window, work=work, now_ms=now_ms, weeks=SERIES_WEEKS_READ)
    return ReviewInput(found=found, made_on=today_of(now_ms, window.time_zone))


def changes_in(weeks: Iterable[WeeklySeries]) -> tuple[Change, ...]:
    """Return every change that the weeks show."""
    return tuple(change for one in weeks for change in changes_of(one))


def review_of(read: ReviewInput, *, site_name: str, stops: StopCounts | None) -> Review:
    """Return the review; the last half year of the weeks, and what changed within it."""
    weeks = weeks_of(read.found)
    shown = tuple(one.last(WEEKS_SHOWN) for one in weeks)
    return Review(
        site_name=site_name,
        made_on=read.made_on,
        report=kpi_report(read.found, stops=stops),
        weeks=shown,
        changes=tuple(
            one for one in changes_in(weeks) if shown and one.found_week >= shown[0].first_week
        ),
    )
