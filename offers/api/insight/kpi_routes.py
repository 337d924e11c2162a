"""Serve key figures to merchandisers.

Layer: edges. Takes: requests of campaign staff. Gives: the figures of the key's own site, each with
its formula. Reading takes a transaction; counting and fitting go on outside of it, in a thread, one
report at a time.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from enum import StrEnum
from functools import partial
from typing import Annotated, Final

import anyio
import anyio.to_thread
from fastapi import APIRouter, Query, Response, status

from offers.api.auth import SiteDep
from offers.api.insight.kpi_schema import (
    AlertBody,
    AlertsBody,
    ChangeBody,
    KpisBody,
    SeriesBody,
    WeeksBody,
)
from offers.api.problem import Problem, ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import PAGE_MAX, Services, ServicesDep
from offers.handlers.insight.read_kpis import (
    SERIES_WEEKS_MAX,
    SERIES_WEEKS_READ,
    read_kpis,
    today_of,
    weeks_of,
    window_of,
)
from offers.handlers.insight.read_review import (
    ReviewInput,
    changes_in,
    read_review,
    review_of,
)
from offers.insight.kpi_report import KpiInput, KpiReport, kpi_report
from offers.insight.review import Review
from offers.insight.review_page import page_policy, review_page
from offers.insight.review_table import review_table
from offers.model.insight.kpi_columns import StopCounts
from offers.model.insight.kpi_window import WEEK_DAYS, KpiWindow, week_begin
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs

WAIT_S_MAX: Final = 30.0
WEEKS_USUAL: Final = 26


class ReviewForm(StrEnum):
    """How a review goes out."""

    HTML = "html"
    CSV = "csv"


kpi_routes = APIRouter(prefix="/operator/kpis", tags=["key figures"])

FromDay = Annotated[
    date, Query(alias="from", description="the first day, by the clocks of the site")
]
UntilDay = Annotated[
    date, Query(alias="until", description="the first day that is not in it; 7 to 366 days later")
]
Weeks = Annotated[int, Query(ge=1, le=SERIES_WEEKS_MAX, description="how many whole weeks")]


@kpi_routes.get("", operation_id="getKpis", responses=problems(ProblemCode.REPORTS_BUSY))
async def get_kpis(
    site: SiteDep, services: ServicesDep, from_: FromDay, until: UntilDay
) -> KpisBody:
    """Return the key figures of whole days: of all, by segment, and the funnel by zone."""
    return KpisBody.of(await report_of(site, from_, until, services))


@kpi_routes.get("/weeks", operation_id="getKpiWeeks", responses=problems(ProblemCode.REPORTS_BUSY))
async def get_weeks(site: SiteDep, services: ServicesDep, weeks: Weeks = WEEKS_USUAL) -> WeeksBody:
    """Return the watched figures of the last weeks, and what has changed in all that is known."""
    now_ms = services.now_ms()
    async with report_turn(services):
        found = await services.read(partial(_last_week, site, now_ms))
        series = await anyio.to_thread.run_sync(weeks_of, found)
        changes = await anyio.to_thread.run_sync(changes_in, series)
    shown = [one.last(weeks) for one in series]
    return WeeksBody(
        site=site,
        time_zone=found.window.time_zone,
        series=tuple(map(SeriesBody.of, shown)),
        changes=tuple(map(ChangeBody.of, changes)),
    )


@kpi_routes.get("/alerts", operation_id="getKpiAlerts", responses=problems())
async def get_alerts(
    site: SiteDep,
    services: ServicesDep,
    after: Annotated[int, Query(ge=0, le=2**53, description="cursor of the last page")] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
) -> AlertsBody:
    """Return what was found to have changed, each once, the oldest first."""
    found = await services.read(
        lambda work: work.kpi_alerts.after(site, after=after, limit=limit + 1)
    )
    page = found[:limit]
    return AlertsBody(
        alerts=tuple(map(AlertBody.of, page)),
        cursor=page[-1].number if page else after,
        has_more=len(found) > limit,
    )


@kpi_routes.get(
    "/review",
    operation_id="getReview",
    response_class=Response,
    responses={
        status.HTTP_200_OK: {
            "content": {
                "text/html": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            }
        },
        **problems(ProblemCode.REPORTS_BUSY),
    },
)
async def get_review(
    site: SiteDep,
    services: ServicesDep,
    from_: FromDay,
    until: UntilDay,
    form: Annotated[ReviewForm, Query(alias="format")] = ReviewForm.HTML,
) -> Response:
    """Return the review of whole days: one page to look through or print, or its figures as CSV."""
    now_ms = services.now_ms()

    def read(work: UnitOfWork) -> ReviewInput:
        window = window_of(site, from_, until, work=work)
        return read_review(window, work=work, now_ms=now_ms)

    async with report_turn(services):
        found = await services.read(read)
        review = await anyio.to_thread.run_sync(partial(_review, found, services))
    name = f"review-{review.report.window.until_day}.{form}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": f"{page_policy()}; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    if form is ReviewForm.CSV:
        return Response(review_table(review), media_type="text/csv", headers=headers)
    return Response(review_page(review), media_type="text/html", headers=headers)


async def report_of(site: SiteId, from_day: date, until: date, services: Services) -> KpiReport:
    """Return the report of a window, once it is its turn."""
    now_ms = services.now_ms()

    def read(work: UnitOfWork) -> KpiInput:
        window = window_of(site, from_day, until, work=work)
        return read_kpis(window, work=work, now_ms=now_ms)

    async with report_turn(services):
        found = await services.read(read)
        return await anyio.to_thread.run_sync(partial(_report, found, services))


@asynccontextmanager
async def report_turn(services: Services) -> AsyncIterator[None]:
    """Wait until no other report is being made: one may take half a gigabyte.

    Raises
    ------
    Problem
        If that takes too long.
    """
    turn = services.report_turn
    try:
        with anyio.fail_after(WAIT_S_MAX):
            await turn.acquire()
    except TimeoutError as error:
        raise Problem(
            ProblemCode.REPORTS_BUSY, "Other reports are still being made.", retry_after_s=5
        ) from error
    try:
        yield
    finally:
        turn.release()


def _report(found: KpiInput, services: Services) -> KpiReport:
    return kpi_report(found, stops=_stops(found.window, services))


def _review(read: ReviewInput, services: Services) -> Review:
    stops = _stops(read.found.window, services)
    return review_of(read, site_name=services.site_map.name, stops=stops)


def _stops(window: KpiWindow, services: Services) -> StopCounts | None:
    source = services.zone_stops
    return None if source is None else source.zone_stops(window)


def _last_week(site: SiteId, now_ms: UnixMs, work: UnitOfWork) -> KpiInput:
    time_zone = work.sites.budgets(site).time_zone
    until_day = week_begin(today_of(now_ms, time_zone))
    window = window_of(site, until_day - timedelta(days=WEEK_DAYS), until_day, work=work)
    return read_kpis(window, work=work, now_ms=now_ms, weeks=SERIES_WEEKS_READ)
