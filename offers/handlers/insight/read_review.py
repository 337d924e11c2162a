"""Read what a review is made of.

Layer: flow. Takes: a window. Gives: `ReviewInput` to who makes the review, outside of the
transaction: counting takes longer than reading.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from offers.handlers.insight.read_kpis import (
    SERIES_WEEKS_MAX,
    last_weeks,
    read_kpis,
    read_weeks,
    today_of,
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
    weeks: tuple[WeeklySeries, ...]
    """two years and more, up to the end of the window; none where nothing happened in it"""
    made_on: date

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change that the weeks show."""
        return tuple(change for one in self.weeks for change in changes_of(one))


def read_review(window: KpiWindow, *, work: UnitOfWork, now_ms: UnixMs) -> ReviewInput:
    """Return what the review of a window is made of; `InvalidReport` as `read_kpis` has it."""
    found = read_kpis(window, work=work, now_ms=now_ms)
    weeks = last_weeks(
        window.site, SERIES_WEEKS_MAX, today=window.until_day, time_zone=window.time_zone
    )
    return ReviewInput(
        found=found,
        weeks=() if found.is_empty else read_weeks(weeks, work=work),
        made_on=today_of(now_ms, window.time_zone),
    )


def review_of(read: ReviewInput, *, site_name: str, stops: StopCounts | None) -> Review:
    """Return the review; the last half year of the weeks, and what changed within it."""
    shown = tuple(one.last(WEEKS_SHOWN) for one in read.weeks)
    return Review(
        site_name=site_name,
        made_on=read.made_on,
        report=kpi_report(read.found, stops=stops),
        weeks=shown,
        changes=tuple(
            one for one in read.changes if shown and one.found_week >= shown[0].first_week
        ),
    )
