"""Read what the key figures of a window, or of many weeks, are counted from.

Layer: flow. Takes: days of a site. Gives: `KpiInput` to who counts, outside of the transaction:
counting takes longer than reading.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from offers.handlers.experiments.judge_experiment import judge_holdout
from offers.insight.experiment_report import Advice
from offers.insight.incremental_cost import Controlled
from offers.insight.kpi_report import KpiInput
from offers.insight.lifetime_value import HISTORY_WEEKS
from offers.insight.weekly_figures import weekly_series
from offers.model.errors import NotFound
from offers.model.experiments.metric import Metric
from offers.model.insight.drift import WeeklySeries
from offers.model.insight.kpi_columns import PurchaseColumns
from offers.model.insight.kpi_window import (
    KpiWindow,
    day_date,
    site_days,
    week_begin,
)
from offers.ports import UnitOfWork
from rtls.model.errors import InvalidReport
from rtls.model.units import SiteId, UnixMs

ROWS_MAX: Final = 2_000_000
SERIES_WEEKS_MAX: Final = 118
"""a year to compare with, and one to judge"""
SERIES_WEEKS_READ: Final = SERIES_WEEKS_MAX + 2
"""one before them for who came again, and one since a window may end within a week"""


def window_of(site: SiteId, from_day: date, until_day: date, *, work: UnitOfWork) -> KpiWindow:
    """Return the days by the clocks of the site; `InvalidReport` if there is no such window."""
    time_zone = work.sites.budgets(site).time_zone
    return KpiWindow(site=site, time_zone=time_zone, from_day=from_day, until_day=until_day)


def read_kpis(
    window: KpiWindow, *, work: UnitOfWork, now_ms: UnixMs, weeks: int = HISTORY_WEEKS
) -> KpiInput:
    """Return what the report of a window is made of.

    Parameters
    ----------
    window
        The days; all of them must be over.
    work, now_ms
        The transaction and the time.
    weeks
        How far back to look from the end of the window; at least as far as the report does.

    It raises `InvalidReport` if the window holds a day that is not over, or too much.
    """
    check_is_over(window, now_ms)
    short = window.before().from_day
    long = min(short, window.until_day - timedelta(weeks=max(weeks, HISTORY_WEEKS)))
    currency = work.key_figures.currency(
        window.site, from_ms=begin_ms(long, window), until_ms=window.until_ms
    )
    try:
        receipts, is_long = _receipts(window, long, currency, work), True
    except InvalidReport:  # too many: all figures but one need no more than two windows
        receipts, is_long = _receipts(window, short, currency, work), False
    return KpiInput(
        window=window,
        receipts=receipts,
        offers=work.key_figures.offers(
            window.site,
            from_ms=begin_ms(long if is_long else short, window),
            until_ms=window.until_ms,
            time_zone=window.time_zone,
            limit=ROWS_MAX,
        ),
        is_long=is_long,
        controlled=_controlled(window, work),
        totals=work.key_figures.totals(
            window.site, from_day=long, until_day=window.until_day, currency=currency
        ),
    )


def check_is_over(window: KpiWindow, now_ms: UnixMs) -> None:
    """Refuse a window with a day that is not over.

    Raises
    ------
    InvalidReport
        If it ends later than now.
    """
    if window.until_ms > now_ms:
        raise InvalidReport(
            f"the window is until {window.until_day}; expected days that are over by the clocks "
            f"of the site ({window.time_zone}). Ask until today at the latest."
        )


def today_of(now_ms: UnixMs, time_zone: str) -> date:
    """Return the day that it is by the clocks of a site."""
    return day_date(int(site_days(np.array([now_ms], np.int64), time_zone)[0]))


def weeks_of(found: KpiInput) -> tuple[WeeklySeries, ...]:
    """Return the watched figures of the whole weeks before the end of a window.

    There are as many as were read; none where that was too much.
    """
    if not found.is_long:
        return ()
    end = week_begin(found.window.until_day)
    return weekly_series(
        found.receipts,
        found.offers,
        found.totals,
        first_week=end - timedelta(weeks=SERIES_WEEKS_MAX),
        weeks=SERIES_WEEKS_MAX,
    )


def begin_ms(day: date, window: KpiWindow) -> UnixMs:
    """Return when a day begins by the clocks of the site."""
    return replace(window, from_day=day, until_day=day + timedelta(weeks=1)).from_ms


def _receipts(
    window: KpiWindow, from_day: date, currency: str, work: UnitOfWork
) -> PurchaseColumns:
    return work.key_figures.receipts(
        window.site,
        from_ms=begin_ms(from_day, window),
        until_ms=window.until_ms,
        currency=currency,
        time_zone=window.time_zone,
        limit=ROWS_MAX,
    )


def _controlled(window: KpiWindow, work: UnitOfWork) -> Controlled | None:
    """Return what campaigns brought and cost against the global holdout, where there is one."""
    try:
        sales, discounts = (
            judge_holdout(metric, site=window.site, work=work, now_ms=window.until_ms)
            for metric in (Metric.REVENUE, Metric.DISCOUNT)
        )
    except NotFound:
        return None
    if not sales.lifts or not discounts.lifts:
        return None
    return Controlled(
        sales=sales.lifts[0],
        cost_minor=max(discounts.lifts[0].whole_minor, 0),
        is_split_off=sales.advice is Advice.REPAIR_SPLIT,
    )
