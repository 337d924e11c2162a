"""Read what the key figures of a window, or of many weeks, are counted from.

Layer: flow. Takes: days of a site. Gives: `KpiInput` and columns to who counts, outside of the
transaction: counting takes longer than reading.
"""

from collections import ChainMap
from datetime import date, timedelta
from typing import Final

import numpy as np

from offers.handlers.experiments.judge_experiment import judge_holdout
from offers.insight.experiment_report import Advice
from offers.insight.incremental_cost import Controlled
from offers.insight.kpi_report import KpiInput
from offers.insight.weekly_figures import weekly_series
from offers.model.errors import NotFound
from offers.model.experiments.metric import Metric
from offers.model.insight.drift import WeeklySeries
from offers.model.insight.kpi_columns import OfferColumns, PurchaseColumns
from offers.model.insight.kpi_window import (
    WEEK_DAYS,
    KpiWindow,
    day_date,
    site_days,
    week_begin,
)
from offers.ports import UnitOfWork
from rtls.model.errors import InvalidReport
from rtls.model.units import SiteId, UnixMs

ROWS_MAX: Final = 2_000_000
HISTORY_WEEKS: Final = 104
SERIES_WEEKS_MAX: Final = 118
"""a year to compare with, and one to judge"""


def window_of(site: SiteId, from_day: date, until_day: date, *, work: UnitOfWork) -> KpiWindow:
    """Return the days by the clocks of the site; `InvalidReport` if there is no such window."""
    time_zone = work.sites.budgets(site).time_zone
    return KpiWindow(site=site, time_zone=time_zone, from_day=from_day, until_day=until_day)


def read_kpis(window: KpiWindow, *, work: UnitOfWork, now_ms: UnixMs) -> KpiInput:
    """Return what the report of a window is made of.

    It raises `InvalidReport` if the window holds a day that is not over, or too much.
    """
    check_is_over(window, now_ms)
    figures, site = work.key_figures, window.site
    before = window.before()
    currency = figures.currency(site, from_ms=window.from_ms, until_ms=window.until_ms)
    receipts = figures.receipts(
        site,
        from_ms=before.from_ms,
        until_ms=window.until_ms,
        currency=currency,
        time_zone=window.time_zone,
        only_members=False,
        limit=ROWS_MAX,
    )
    offers = figures.offers(
        site,
        from_ms=window.from_ms,
        until_ms=window.until_ms,
        time_zone=window.time_zone,
        limit=ROWS_MAX,
    )
    history = _history(window, currency, work)
    totals = figures.totals(window, currency=currency)
    return KpiInput(
        window=window,
        receipts=receipts,
        history=history,
        offers=offers,
        controlled=_controlled(window, work),
        totals=totals,
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


def last_weeks(site: SiteId, weeks: int, *, today: date, time_zone: str) -> tuple[KpiWindow, ...]:
    """Return the last whole weeks as windows, the oldest first."""
    end = week_begin(today)
    mondays = [end - timedelta(days=WEEK_DAYS * ago) for ago in range(weeks, 0, -1)]
    return tuple(
        KpiWindow(
            site=site,
            time_zone=time_zone,
            from_day=monday,
            until_day=monday + timedelta(days=WEEK_DAYS),
        )
        for monday in mondays
    )


def read_weeks(weeks: tuple[KpiWindow, ...], *, work: UnitOfWork) -> tuple[WeeklySeries, ...]:
    """Return the watched figures of weeks that follow each other."""
    first, last = weeks[0], weeks[-1]
    figures, site = work.key_figures, first.site
    begin = first.before()
    currency = figures.currency(site, from_ms=first.from_ms, until_ms=last.until_ms)
    receipts: PurchaseColumns = figures.receipts(
        site,
        from_ms=begin.from_ms,
        until_ms=last.until_ms,
        currency=currency,
        time_zone=first.time_zone,
        only_members=False,
        limit=ROWS_MAX,
    )
    offers: OfferColumns = figures.offers(
        site,
        from_ms=first.from_ms,
        until_ms=last.until_ms,
        time_zone=first.time_zone,
        limit=ROWS_MAX,
    )
    totals = [figures.totals(week, currency=currency) for week in weeks]
    return weekly_series(
        receipts,
        offers,
        dict(ChainMap(*map(dict, totals))),
        first_week=first.from_day,
        weeks=len(weeks),
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


def _history(window: KpiWindow, currency: str, work: UnitOfWork) -> PurchaseColumns | None:
    from_day = window.until_day - timedelta(weeks=HISTORY_WEEKS)
    from_ms = UnixMs(window.until_ms - (window.until_day - from_day).days * 86_400_000)
    try:
        return work.key_figures.receipts(
            window.site,
            from_ms=from_ms,
            until_ms=window.until_ms,
            currency=currency,
            time_zone=window.time_zone,
            only_members=True,
            limit=ROWS_MAX,
        )
    except InvalidReport:
        return None  # the other figures do not need it
