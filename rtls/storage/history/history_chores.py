"""Do what keeps the history small and its promises: old days, old salts, small files.

Layer: edges. Takes: the folder of the history and the time. Gives: nothing; the history's thread
calls it between two turns of writing.
"""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.storage.history.compaction import compact
from rtls.storage.history.history_folder import Table, day_folder, days_there, files_of
from rtls.storage.history.retention import Keep, sweep
from rtls.storage.history.salt_book import SaltBook

EVERY_MS: Final = 1_000
DAY_FILES_MAX: Final = 120
"""Of a day that goes on: two hours of files, beyond which the reader would feel them."""


class HistoryChores:
    """What is to be done beside writing. Used by the history's thread.

    Parameters
    ----------
    folder
        Of all sites.
    report
        Told in one sentence what an operator should know.
    """

    def __init__(
        self,
        folder: Path,
        *,
        site_map: SiteMap,
        salts: SaltBook,
        keep: Keep,
        report: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._site_map = site_map
        self._salts = salts
        self._keep = keep
        self._report = report
        self._due_ms = UnixMs(0)
        self._is_done: set[tuple[Table, dt.date]] = set()  # of days that are over
        self.counters = {"compacted_files": 0, "damaged_files": 0, "removed_files": 0}

    def run(self, *, now_ms: UnixMs) -> None:
        """Sweep, destroy salts, and compact one table of one day; raises `NotDurable`."""
        if now_ms < self._due_ms:
            return
        self._due_ms = UnixMs(now_ms + EVERY_MS)
        self._salts.destroy_settled(now_ms=now_ms)
        self.counters["removed_files"] += sweep(
            self._folder,
            self._site_map.site,
            time_zone=self._site_map.time_zone,
            keep=self._keep,
            now_ms=now_ms,
        )
        self._compact_one(now_ms)

    def _compact_one(self, now_ms: UnixMs) -> None:
        for day, within in days_there(self._folder, self._site_map.site):
            is_over = self._salts.is_settled(day, now_ms=now_ms)
            for table in Table:
                if (table, day) in self._is_done:
                    continue
                if not is_over and len(files_of(within, table).parts) <= DAY_FILES_MAX:
                    continue
                if is_over:
                    self._is_done.add((table, day))
                if self._compact(day, table):
                    return

    def _compact(self, day: dt.date, table: Table) -> bool:
        within = day_folder(self._folder, self._site_map.site, day)
        done = compact(within, table)
        self.counters["compacted_files"] += done.files
        self.counters["damaged_files"] += len(done.damaged)
        for reason in done.damaged:
            self._report(f"a file of the history was set aside: {reason}")
        return done.files > 0
