"""Tell key figures who came by the zones and who stopped there.

Layer: doors. Takes: the reports of footfall. Gives: `FootfallStops`, a `ZoneStopsSource`, to the
offers half. What crosses here are told counts: footfall has rounded them, and withheld days of few.
"""

from collections.abc import Callable

from typing_extensions import override

from offers.model.insight.kpi_columns import StopCounts, ZoneStops
from offers.model.insight.kpi_window import KpiWindow
from offers.ports import ZoneStopsSource
from rtls.footfall_reports import FootfallReports
from rtls.model.errors import InvalidReport
from rtls.model.footfall import ReportWindow
from rtls.model.units import UnixMs, ZoneId


class FootfallStops(ZoneStopsSource):
    """Who came by and stopped, as the zone report of the same days has it."""

    def __init__(self, reports: FootfallReports, *, now_ms: Callable[[], UnixMs]) -> None:
        self._reports = reports
        self._now_ms = now_ms

    @override
    def zone_stops(self, window: KpiWindow) -> StopCounts | None:
        """Return the counts of the days of the window; None where nothing can be told."""
        asked = ReportWindow(
            site=window.site,
            time_zone=window.time_zone,
            start_ms=window.from_ms,
            end_ms=window.until_ms,
        )
        try:
            report = self._reports.whole_zones(asked, now_ms=self._now_ms())
        except InvalidReport:
            return None  # another site, a plan without zones, or a day that is not told yet
        return StopCounts(
            zones=tuple(
                ZoneStops(zone=ZoneId(one.zone), visitors=one.visitors, stoppers=one.stoppers)
                for one in report.zones
            ),
            days_missing=len({gap.day for gap in report.gaps}),
        )
