"""Write the review of any window by hand.

Layer: doors. Takes: settings, two days, a folder. Gives: the page and the table, and where they
are. The database is only read, so that a running service is not disturbed.
"""

from datetime import date, timedelta
from functools import partial
from pathlib import Path

from inaisle.clock import Clock, SystemClock
from inaisle.database.database_place import database_place, name_of
from inaisle.errors import Unavailable
from inaisle.reports.footfall_side import open_footfall
from inaisle.reports.history_side import has_insight
from inaisle.reports.review_side import schedule_of
from inaisle.reports.zone_stops import FootfallStops
from inaisle.settings import Settings
from inaisle.site.site_loading import load_site_map
from offers.delivery.review_folder import ReviewFolder
from offers.handlers.insight.read_review import ReviewInput, read_review, review_of
from offers.model.insight.kpi_columns import StopCounts
from offers.model.insight.kpi_window import KpiWindow
from offers.ports import UnitOfWork
from offers.storage.database import Place
from offers.storage.reader import Reader
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs


def write_review(
    settings: Settings, *, from_day: date, until_day: date, folder: Path, clock: Clock
) -> Path:
    """Write the review of a window; return where its page lies.

    It raises `InvalidReport` if there cannot be such a window, and `NotDurable` if the folder does
    not take it.

    Raises
    ------
    Unavailable
        If there is no database.
    """
    site_map = load_site_map(settings.site)
    place = database_place(settings)
    if isinstance(place, Path) and not place.exists():
        raise Unavailable(
            f"there is no database at {name_of(place)}; expected that of a shop that has been "
            "open. Name its folder with --data."
        )
    window = KpiWindow(
        site=site_map.site,
        time_zone=site_map.time_zone,
        from_day=from_day,
        until_day=until_day,
    )
    read = _read(place, window, clock.now_ms())
    stops = _stops(settings, site_map, window, clock)
    review = review_of(read, site_name=site_map.name, stops=stops)
    return ReviewFolder(folder).write(review)


def scheduled_days(settings: Settings, *, clock: Clock) -> tuple[date, date]:
    """Return the days of the review that was due last."""
    schedule = schedule_of(settings.review)
    until_day = schedule.due(clock.now_ms(), time_zone=load_site_map(settings.site).time_zone)
    return until_day - timedelta(weeks=schedule.weeks), until_day


def default_clock() -> Clock:
    """Return the machine's clock."""
    return SystemClock()


def _read(place: Place, window: KpiWindow, now_ms: UnixMs) -> ReviewInput:
    reader = Reader(place)
    try:
        return reader.run(partial(_look, window, now_ms))
    finally:
        reader.close()


def _look(window: KpiWindow, now_ms: UnixMs, work: UnitOfWork) -> ReviewInput:
    return read_review(window, work=work, now_ms=now_ms)


def _stops(
    settings: Settings, site_map: SiteMap, window: KpiWindow, clock: Clock
) -> StopCounts | None:
    if not has_insight():
        return None
    reports = open_footfall(settings, site_map=site_map)
    return FootfallStops(reports, now_ms=clock.now_ms).zone_stops(window)
