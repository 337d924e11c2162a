"""Serve the reports of footfall to merchandisers.

Layer: edges. Takes: `FootfallReports` and a clock from the door. Gives: the routes below
/v1/operator/footfall to the application. Only what rtls.footfall.release tells passes here; who may
call is decided by the dependency passed in. An impossible window is an `InvalidReport`, of which
the application makes a problem document (422).
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from rtls.api.footfall import report_rows as rows_of
from rtls.api.footfall.heatmap_picture import render_change, render_heatmap
from rtls.api.footfall.plan_document import PlanDocument, plan_document
from rtls.api.footfall.report_answer import (
    Report,
    ReportDocument,
    picture_response,
    problem_response,
    report_response,
)
from rtls.api.footfall.report_query import (
    MEDIA_TYPES,
    Asked,
    AskedDep,
    Moment,
    ReportFormat,
    read_window,
)
from rtls.api.footfall.report_rows import Kinds, Row
from rtls.footfall_reports import FootfallReports
from rtls.model.errors import MissingExtra
from rtls.model.footfall import DayGap, ReportWindow
from rtls.model.site_map import ZoneKind
from rtls.model.units import UnixMs, ZoneId

WAIT_S_MAX: Final = 30.0
# The schema that the application has for the problems of all its routes.
PROBLEM: Final[dict[str, object]] = {
    "content": {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemBody"}}
    }
}
REFUSALS: Final[dict[int | str, dict[str, object]]] = {
    401: PROBLEM | {"description": "No key, or none that is known."},
    403: PROBLEM | {"description": "The key is of another role."},
    404: PROBLEM | {"description": "The key is of another site."},
}
PROBLEMS: Final[dict[int | str, dict[str, object]]] = {
    **REFUSALS,
    422: PROBLEM | {"description": "The window or a choice is impossible; `detail` says which."},
    501: PROBLEM | {"description": "The format needs the extra `insight` (`extra_missing`)."},
    503: PROBLEM | {"description": "Other reports are being made (`reports_busy`); ask again."},
}
ANSWERS: Final[dict[int | str, dict[str, object]]] = {
    200: {
        "model": ReportDocument,
        "content": {name: {} for form, name in MEDIA_TYPES.items() if form is not ReportFormat.PNG},
    },
    **PROBLEMS,
}
ZoneName = Annotated[str, Query(max_length=63)]
LevelName = Annotated[ZoneKind, Query(description="The kind of zones to walk between.")]
LENGTH: Final = Query(ge=3, le=6, description="Zones of a path.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FootfallParts:
    """What the footfall routes work with."""

    reports: FootfallReports
    now_ms: Callable[[], UnixMs]
    turn: threading.Lock = field(default_factory=threading.Lock)
    """one report at a time: each may take half a gigabyte"""

    def answer(self, asked: Asked, make: Callable[[ReportWindow], Report | Response]) -> Response:
        """Make a report when it is its turn; say so where that takes too long."""
        if not self.turn.acquire(timeout=WAIT_S_MAX):
            return problem_response(503, "reports_busy", "Other reports are still being made.")
        try:
            made = make(self.window(asked))
            return report_response(made, asked.wanted) if isinstance(made, Report) else made
        except MissingExtra as error:
            return problem_response(501, "extra_missing", str(error))
        finally:
            self.turn.release()

    def window(self, asked: Asked) -> ReportWindow:
        """Return the period that was asked for, by the clocks of the site."""
        return read_window(self.reports.site_map, asked.from_, asked.until, asked.choices)

    def report(
        self,
        name: str,
        columns: Kinds,
        rows: Sequence[Row],
        *,
        windows: Sequence[ReportWindow],
        gaps: Sequence[DayGap],
        notes: Sequence[str] = (),
    ) -> Report:
        """Return a report under the k of this site."""
        return Report(
            name=name,
            columns=columns,
            rows=rows,
            windows=windows,
            gaps=gaps,
            k=self.reports.rules.k,
            notes=notes,
        )


def footfall_router(parts: FootfallParts, *, authorise: Callable[..., object]) -> APIRouter:
    """Return the routes.

    Parameters
    ----------
    authorise
        A FastAPI dependency that raises for whoever may not read reports of this site.
    """
    router = APIRouter(
        prefix="/v1/operator/footfall", tags=["footfall"], dependencies=[Depends(authorise)]
    )
    _add_plan(router, parts)
    _add_heatmap(router, parts)
    _add_heatmap_change(router, parts)
    _add_zones(router, parts)
    _add_shelves(router, parts)
    _add_flows(router, parts)
    _add_paths(router, parts)
    _add_ways(router, parts)
    _add_move(router, parts)
    return router


def _add_plan(router: APIRouter, parts: FootfallParts) -> None:
    @router.get(
        "/plan", operation_id="getReportPlan", responses={200: {"model": PlanDocument}, **REFUSALS}
    )
    def get_report_plan() -> Response:
        """Return what reports are drawn on: floors, zones, walls, and where nobody can stand."""
        document = plan_document(parts.reports, now_ms=parts.now_ms())
        return Response(msgspec.json.encode(document), media_type="application/json")


def _add_heatmap(router: APIRouter, parts: FootfallParts) -> None:
    reports = parts.reports

    # Plain functions: FastAPI gives each a thread, and the event loop goes on.
    @router.get("/heatmap", operation_id="getHeatmap", responses=ANSWERS)
    def get_heatmap(asked: AskedDep) -> Response:
        """Return person-seconds per square metre and visitors of each told cell; PNG too."""

        def make(window: ReportWindow) -> Report | Response:
            found = reports.heatmap(window, now_ms=parts.now_ms())
            if asked.wanted is ReportFormat.PNG:
                picture = render_heatmap(found.floors[0], reports.site_map, k=reports.rules.k)
                return picture_response("heatmap", picture)
            return parts.report(
                "heatmap",
                rows_of.CELL_COLUMNS,
                rows_of.cell_rows(found.floors),
                windows=[window],
                gaps=found.gaps,
            )

        return parts.answer(asked, make)


def _add_heatmap_change(router: APIRouter, parts: FootfallParts) -> None:
    reports = parts.reports

    @router.get("/heatmap-change", operation_id="getHeatmapChange", responses=ANSWERS)
    def get_heatmap_change(
        asked: AskedDep,
        later_from: Moment,
        later_until: Moment,
    ) -> Response:
        """Return what changed in each cell that is told in both periods, a block on average."""

        def make(earlier: ReportWindow) -> Report | Response:
            later = parts.window(replace(asked, from_=later_from, until=later_until))
            found = reports.change(earlier, later, now_ms=parts.now_ms())
            if asked.wanted is ReportFormat.PNG:
                picture = render_change(found.floors[0], reports.site_map, k=reports.rules.k)
                return picture_response("heatmap-change", picture)
            return parts.report(
                "heatmap-change",
                rows_of.CHANGE_COLUMNS,
                rows_of.change_rows(found.floors),
                windows=[earlier, later],
                gaps=found.gaps,
                notes=["is_clear is 0 where rounding alone could have made the change."],
            )

        return parts.answer(asked, make)


def _add_zones(router: APIRouter, parts: FootfallParts) -> None:
    reports = parts.reports

    @router.get("/zones", operation_id="getZoneReport", responses=ANSWERS)
    def get_zone_report(asked: AskedDep) -> Response:
        """Return pass-by, stops, stop rate and dwell of each zone; `hour` is null for all hours."""

        def make(window: ReportWindow) -> Report:
            found = reports.zones(window, now_ms=parts.now_ms())
            return parts.report(
                "zones",
                rows_of.ZONE_COLUMNS,
                rows_of.zone_rows([*found.zones, *found.hours]),
                windows=[window],
                gaps=found.gaps,
            )

        return parts.answer(asked, make)


def _add_shelves(router: APIRouter, parts: FootfallParts) -> None:
    reports = parts.reports

    @router.get("/shelves", operation_id="getShelfReport", responses=ANSWERS)
    def get_shelf_report(asked: AskedDep) -> Response:
        """Return the zone report with offers, redemptions and purchases."""

        def make(window: ReportWindow) -> Report:
            found = reports.shelves(window, now_ms=parts.now_ms())
            return parts.report(
                "shelves",
                rows_of.SHELF_COLUMNS,
                rows_of.shelf_rows([*found.zones, *found.hours]),
                windows=[window],
                gaps=found.gaps,
            )

        return parts.answer(asked, make)


def _add_flows(router: APIRouter, parts: FootfallParts) -> None:
    reports = parts.reports

    @router.get("/flows", operation_id="getFlows", responses=ANSWERS)
    def get_flows(
        asked: AskedDep,
        level: LevelName,
        stops_only: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query has no order
    ) -> Response:
        """Return how many went from zone to zone; null is the way in or out.

        With `stops_only` it is the matrix of origins and destinations: from stop to stop.
        """

        def make(window: ReportWindow) -> Report:
            found = reports.flows(window, level=level, stops_only=stops_only, now_ms=parts.now_ms())
            return parts.report(
                "flows",
                rows_of.FLOW_COLUMNS,
                rows_of.flow_rows(found.paths),
                windows=[window],
                gaps=found.gaps,
                notes=["Shares are of told flows; withheld ones are not in them."],
            )

        return parts.answer(asked, make)


def _add_paths(router: APIRouter, parts: FootfallParts) -> None:
    reports = parts.reports

    @router.get("/paths", operation_id="getPaths", responses=ANSWERS)
    def get_paths(
        asked: AskedDep,
        level: LevelName,
        length: Annotated[int, LENGTH] = 3,
    ) -> Response:
        """Return the runs of zones that are walked most."""

        def make(window: ReportWindow) -> Report:
            found = reports.paths(window, level=level, length=length, now_ms=parts.now_ms())
            return parts.report(
                "paths",
                rows_of.PATH_COLUMNS,
                rows_of.path_rows(found.paths),
                windows=[window],
                gaps=found.gaps,
            )

        return parts.answer(asked, make)


def _add_ways(router: APIRouter, parts: FootfallParts) -> None:
    reports = parts.reports

    @router.get("/ways", operation_id="getWays", responses=ANSWERS)
    def get_ways(asked: AskedDep) -> Response:
        """Return on which ways of the plan people walk, as steps between knots."""

        def make(window: ReportWindow) -> Report:
            found = reports.ways(window, now_ms=parts.now_ms())
            return parts.report(
                "ways",
                rows_of.WAY_COLUMNS,
                rows_of.way_rows(found.ways),
                windows=[window],
                gaps=found.gaps,
            )

        return parts.answer(asked, make)


def _add_move(router: APIRouter, parts: FootfallParts) -> None:
    reports = parts.reports

    @router.get("/move", operation_id="estimateMove", responses=ANSWERS)
    def estimate_move(
        asked: AskedDep,
        category_zone: ZoneName,
        to_zone: ZoneName,
    ) -> Response:
        """Return what a category is expected to gain or lose on another zone, with its interval."""

        def make(window: ReportWindow) -> Report:
            found = reports.move(
                window,
                category_zone=ZoneId(category_zone),
                to_zone=ZoneId(to_zone),
                now_ms=parts.now_ms(),
            )
            return parts.report(
                "move",
                rows_of.MOVE_COLUMNS,
                rows_of.move_rows(found.estimate),
                windows=[window],
                gaps=found.gaps,
                notes=list(found.estimate.assumptions),
            )

        return parts.answer(asked, make)
