"""The first steps of the funnel: what footfall tells of the same days, and nothing else."""

import datetime as dt

from inaisle.reports.zone_stops import FootfallStops
from offers.model.insight.kpi_window import KpiWindow
from rtls.footfall.release import ReleaseRules
from rtls.footfall_reports import FootfallReports, ReportSettings
from rtls.model.footfall import DayGap, GapReason
from rtls.model.units import SiteId, UnixMs
from tests.reference.footfall import MONDAY, MemoryHistory, instant, whole_days
from tests.unit.rtls_api.test_footfall_routes import shelf_site, shopping_day

NOW_MS = UnixMs(instant(MONDAY, 24 * 30))


def stops(site: SiteId, from_day: dt.date):
    fixes, stays = shopping_day(120)
    reports = FootfallReports(
        MemoryHistory(fixes, stays, gaps=[DayGap(day=MONDAY, reason=GapReason.NO_DATA)] * 2),
        site_map=shelf_site(),
        settings=ReportSettings(rules=ReleaseRules(key=bytes(32))),
    )
    window = KpiWindow(
        site=site,
        time_zone=shelf_site().time_zone,
        from_day=from_day,
        until_day=from_day + dt.timedelta(days=7),
    )
    asked = FootfallStops(reports, now_ms=lambda: NOW_MS).zone_stops(window)
    return asked, reports


def test_the_funnel_begins_with_the_counts_of_the_zone_report() -> None:
    """A merchandiser who opens both must see one number."""
    asked, reports = stops(shelf_site().site, MONDAY)
    assert asked is not None
    whole = reports.zones(whole_days(MONDAY, MONDAY + dt.timedelta(days=6)), now_ms=NOW_MS)
    expected = {one.zone: (one.visitors, one.stoppers) for one in whole.zones}
    assert {one.zone: (one.visitors, one.stoppers) for one in asked.zones} == expected
    assert any(visitors for visitors, _ in expected.values())
    assert asked.days_missing == 1


def test_of_another_site_or_of_a_day_that_goes_on_nothing_is_told() -> None:
    """The funnel then begins with the offer, and says why."""
    assert stops(SiteId("elsewhere"), MONDAY)[0] is None
    today = MONDAY + dt.timedelta(days=24)
    assert stops(shelf_site().site, today)[0] is None
