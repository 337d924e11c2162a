"""Read the settled days of a chain's archive as reports read the history of a store.

Layer: edges. Takes: `ReportWindow`s. Gives: columns and counts (port `FootfallSource`). Only the
days that a window touches are read, by their names, without a listing: of an object store they are
brought near, all at once, and let go again; a folder is read where it is.
"""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from rtls.model.footfall import (
    Block,
    CellTimes,
    DayGap,
    FixColumns,
    ReportWindow,
    VisitColumns,
    ZoneStays,
)
from rtls.model.units import Metre, SiteId
from rtls.storage.archive.archive_names import day_name, settled_name, site_name
from rtls.storage.archive.object_folder import ObjectFolder
from rtls.storage.history.history_asking import ReaderSettings
from rtls.storage.history.history_folder import Table
from rtls.storage.history.history_reader import HistoryReader
from rtls.storage.history.site_days import Span, days_of


class ArchivedFootfall:
    """The archive of a chain (port `FootfallSource`). For one thread.

    Parameters
    ----------
    near
        An empty folder of this machine for what is brought; nobody else's.
    report
        Told in one sentence of each object that cannot be read.
    settings
        What a question may take.
    """

    def __init__(
        self,
        objects: ObjectFolder,
        *,
        near: Path,
        report: Callable[[str], None],
        settings: ReaderSettings | None = None,
    ) -> None:
        self._objects = objects
        self._near = None if objects.local is not None else near
        self._reader = HistoryReader(objects.local or near, report=report, settings=settings)
        self._brought: set[str] = set()
        self.counters = {"objects": 0, "bytes": 0}

    def fixes(self, window: ReportWindow) -> FixColumns:
        """Return the fixes of the window; `InvalidReport` where they are too many to be held."""
        self._bring(window, (Table.FIXES,))
        return self._reader.fixes(window)

    def visits(self, window: ReportWindow) -> VisitColumns:
        """Return the stays that began within the window; likewise."""
        self._bring(window, (Table.VISITS,))
        return self._reader.visits(window)

    def cell_times(self, window: ReportWindow, *, cell_m: Metre, block: Block) -> CellTimes:
        """Return the time in each cell and block."""
        self._bring(window, (Table.FIXES,))
        return self._reader.cell_times(window, cell_m=cell_m, block=block)

    def zone_stays(self, window: ReportWindow, *, block: Block) -> ZoneStays:
        """Return the stays in each zone and block."""
        self._bring(window, (Table.VISITS,))
        return self._reader.zone_stays(window, block=block)

    def cohorts(self, window: ReportWindow) -> tuple[str, ...]:
        """Return the segments that fixes or visits of the window name, "" included, sorted."""
        self._bring(window, tuple(Table))
        return self._reader.cohorts(window)

    def gaps(self, window: ReportWindow) -> tuple[DayGap, ...]:
        """Return the days of the window that are missing, by the visits of each."""
        self._bring(window, (Table.VISITS,))
        return self._reader.gaps(window)

    def close(self) -> None:
        """Let go of what is kept between two questions."""
        self._reader.close()

    def let_go(self, site: SiteId) -> None:
        """Forget what was brought of a site."""
        if self._near is not None:
            shutil.rmtree(self._near / site_name(site), ignore_errors=True)
            beginning = f"{site_name(site)}/"
            self._brought = {name for name in self._brought if not name.startswith(beginning)}

    def _bring(self, window: ReportWindow, tables: Iterable[Table]) -> None:
        if self._near is None:
            return
        span = Span(start_ms=window.start_ms, end_ms=window.end_ms)
        wanted = [
            name
            for day in days_of(span, window.time_zone)
            for table in tables
            if (name := f"{day_name(window.site, day)}/{settled_name(table)}") not in self._brought
        ]
        for name, content in self._objects.get(wanted).items():
            path = self._near / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            self.counters["objects"] += 1
            self.counters["bytes"] += len(content)
        self._brought.update(wanted)
