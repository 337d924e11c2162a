"""Say how long positions and visits are kept outside the database, and from when the oldest are.

Layer: doors. Takes: settings, and the folder of the history. Gives: `KeptData` to the page of
retention.
"""

from inaisle.reports.history_side import has_insight, history_folder
from inaisle.settings import Settings
from offers.model.people.kept_data import KeptData
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.storage.history.history_folder import Table, days_there, files_of
from rtls.storage.history.site_days import day_span
from rtls.storage.live_state import RETENTION_MS


def kept_history(settings: Settings, site_map: SiteMap) -> tuple[KeptData, ...]:
    """Return what the locating half keeps of persons."""
    live = KeptData(
        data="live positions",
        days=0,
        reason=f"to know who stands where: {RETENTION_MS // 60_000} minutes, in memory or Redis",
        rows=None,
        oldest_at_ms=None,
    )
    if not has_insight():
        return (live,)
    section = settings.history
    fixes_days = section.retention_days if section.fixes_days is None else section.fixes_days
    reason = "reports about many; only of who granted analytics, under numbers of one day"
    positions, visits = (
        KeptData(
            data=f"history of {name}",
            days=days,
            reason=reason,
            rows=None,
            oldest_at_ms=_oldest(settings, site_map, table),
        )
        for name, table, days in (
            ("positions", Table.FIXES, min(fixes_days, section.retention_days)),
            ("visits", Table.VISITS, section.retention_days),
        )
    )
    return live, positions, visits


def _oldest(settings: Settings, site_map: SiteMap, table: Table) -> UnixMs | None:
    for day, folder in days_there(history_folder(settings), site_map.site):
        if files_of(folder, table).parts:
            return day_span(day, site_map.time_zone).start_ms
    return None
