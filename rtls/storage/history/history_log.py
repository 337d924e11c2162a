"""Write the history of one site: rows in, finished files out.

Layer: edges. Takes: fixes and visits under their tags, and who counts. Gives: Parquet files of
pseudonyms, partitioned by the days of the site, to reader and compaction. It has no thread and no
clock: rtls.storage.history.history_recorder gives it both, and a replay gives it recorded time.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from rtls.model.counted_tag import CountedTag
from rtls.model.errors import NotDurable
from rtls.model.site_map import SiteMap
from rtls.model.units import TagId, UnixMs
from rtls.model.visit import Passed, VisitRecord
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.history.held_visits import HeldVisits
from rtls.storage.history.history_file import HistoryFile
from rtls.storage.history.history_folder import (
    Table,
    day_folder,
    next_number,
    part_path,
    site_folder,
)
from rtls.storage.history.history_lock import HistoryLock
from rtls.storage.history.history_rows import FixRows, FixSlice, VisitRow, VisitRows
from rtls.storage.history.parquet_tables import ROW_GROUP_ROWS
from rtls.storage.history.retention import remove_unfinished
from rtls.storage.history.salt_book import SaltBook, visitor_of
from rtls.storage.history.site_days import Span, day_of, day_span

FILE_ROWS_MAX: Final = 8 * ROW_GROUP_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """How long rows wait, which is what a kill can cost."""

    file_ms: int = 60_000
    """a file is finished so long after its first row"""
    settle_ms: int = 65_000
    """visits wait so long for late readings"""


class HistoryLog:
    """The files that grow. Used by one thread.

    Parameters
    ----------
    folder
        Of all sites; files go into the site's own.
    counted
        Whose rows may be written; asked anew for each row.
    salts
        Of the site.
    """

    def __init__(
        self,
        folder: Path,
        *,
        site_map: SiteMap,
        counted: CountedTags,
        salts: SaltBook,
        settings: LogSettings,
    ) -> None:
        self._folder = folder
        self._site = site_map.site
        self._time_zone = site_map.time_zone
        self._floors = {zone.zone: zone.floor for zone in site_map.zones}
        self._counted = counted
        self._salts = salts
        self._settings = settings
        self._lock = HistoryLock(site_folder(folder, site_map.site))
        self._held = HeldVisits(settle_ms=settings.settle_ms)
        self._rows: dict[tuple[Table, dt.date], FixRows | VisitRows] = {}
        self._files: dict[tuple[Table, dt.date], tuple[UnixMs, HistoryFile | None]] = {}
        self._visitors: dict[tuple[TagId, UnixMs], int] = {}
        self._today: tuple[dt.date, Span] | None = None
        self.counters = {
            "fixes": 0, "visits": 0, "files": 0, "not_counted": 0, "too_late": 0, "lost": 0,
            "unfinished_removed": 0,
        }  # fmt: skip
        self.counters |= self._held.counters

    def begin(self) -> None:
        """Take the folder, and clear what a kill has left in it; safe to call again.

        Raises
        ------
        NotDurable
            If the folder cannot be used, or another process writes there.
        """
        if self._lock.take():
            try:
                self.counters["unfinished_removed"] += remove_unfinished(self._folder, self._site)
            except OSError as error:
                self._lock.give_back()
                raise NotDurable(_unusable(self._folder, error)) from error

    def take_fixes(self, taken: FixSlice, *, now_ms: UnixMs) -> None:
        """Take the fixes of one instant; raises `NotDurable` as `turn` does."""
        which, counted = self._who_counts(taken.names, taken.at_ms)
        if not which:
            return
        day = self._day(taken.at_ms)
        salt = self._salts.salt_of(day, now_ms=now_ms)
        if salt is None:
            self.counters["too_late"] += len(which)
            return
        rows = self._rows_of(Table.FIXES, day, now_ms)
        assert isinstance(rows, FixRows)
        visitors = [self._visitor(found, salt) for found in counted]
        rows.add(
            taken,
            np.array(which, np.intp),
            np.array(visitors, np.uint64),
            [found.cohort for found in counted],
        )
        if len(rows) >= ROW_GROUP_ROWS:
            self._write(Table.FIXES, day)

    def take_visits(self, records: Sequence[VisitRecord], *, now_ms: UnixMs) -> None:
        """Take visits and passes as they are told; they are written once they are settled."""
        self._held.take(records, now_ms=now_ms)

    def turn(self, *, now_ms: UnixMs) -> None:
        """Write what is settled, and finish the files whose time has come.

        Where the disk refuses it raises `NotDurable`. What waited in that file is lost and counted;
        the next rows begin a new one.
        """
        self._take_settled(now_ms)
        due = [
            key
            for key, (begun_ms, file) in self._files.items()
            if now_ms - begun_ms >= self._settings.file_ms
            or (file is not None and file.rows >= FILE_ROWS_MAX)
        ]
        for key in due:
            self._finish(*key)

    def close(self, *, now_ms: UnixMs) -> None:
        """Write all that is known, settled or not; raises `NotDurable` as `turn` does."""
        self._take_settled(UnixMs(now_ms + self._settings.settle_ms + 1))
        try:
            for key in list(self._files):
                self._finish(*key)
        finally:
            self._lock.give_back()

    def give_up(self) -> None:
        """Drop the files that grow, after the disk has refused."""
        for table, day in list(self._files):
            self._drop(table, day)

    def _who_counts(self, names: np.ndarray, at_ms: UnixMs) -> tuple[list[int], list[CountedTag]]:
        which, found = [], []
        for row, name in enumerate(names.tolist()):
            counted = self._counted.find(TagId(name.decode("ascii")))
            if counted is not None and counted.since_ms <= at_ms:
                which.append(row)
                found.append(counted)
        self.counters["not_counted"] += len(names) - len(which)
        return which, found

    def _take_settled(self, now_ms: UnixMs) -> None:
        for record in self._held.settled(now_ms=now_ms):
            entered_at_ms = record.at_ms if isinstance(record, Passed) else record.entered_at_ms
            counted = self._counted.find(record.tag)
            if counted is None or counted.since_ms > entered_at_ms:
                self.counters["not_counted"] += 1
                continue
            day = day_of(entered_at_ms, self._time_zone)
            salt = self._salts.salt_of(day, now_ms=now_ms)
            if salt is None:
                self.counters["too_late"] += 1
                continue
            rows = self._rows_of(Table.VISITS, day, now_ms)
            assert isinstance(rows, VisitRows)
            # Not from the cache: a visit of yesterday evening has yesterday's salt.
            visitor = visitor_of(counted, salt)
            rows.rows.append(self._visit_row(record, visitor=visitor, cohort=counted.cohort))
        self.counters |= self._held.counters

    def _visit_row(self, record: VisitRecord, *, visitor: int, cohort: str) -> VisitRow:
        if isinstance(record, Passed):
            entered_at_ms = left_at_ms = record.at_ms
            dwell_s, is_pass = 0.0, True
        else:
            entered_at_ms, left_at_ms = record.entered_at_ms, record.left_at_ms
            dwell_s, is_pass = float(record.dwell_s), record.is_pass_by
        return VisitRow(
            visitor=visitor,
            zone=record.zone,
            floor=self._floors.get(record.zone, 0),
            entered_at_ms=entered_at_ms,
            left_at_ms=left_at_ms,
            dwell_s=dwell_s,
            is_pass=is_pass,
            cohort=cohort,
        )

    def _day(self, at_ms: UnixMs) -> dt.date:
        if self._today is None or not self._today[1].start_ms <= at_ms < self._today[1].end_ms:
            day = day_of(at_ms, self._time_zone)
            self._today = (day, day_span(day, self._time_zone))
            self._visitors = {}
        return self._today[0]

    def _visitor(self, counted: CountedTag, salt: bytes) -> int:
        # Of today's holders alone: the table ends with the day, as the salt does.
        holder = (counted.tag, counted.first_held_ms)
        if holder not in self._visitors:
            self._visitors[holder] = visitor_of(counted, salt)
        return self._visitors[holder]

    def _rows_of(self, table: Table, day: dt.date, now_ms: UnixMs) -> FixRows | VisitRows:
        key = (table, day)
        if key not in self._files:
            self._files[key] = (now_ms, None)
            self._rows[key] = FixRows() if table is Table.FIXES else VisitRows()
        return self._rows[key]

    def _write(self, table: Table, day: dt.date) -> HistoryFile:
        key = (table, day)
        begun_ms, file = self._files[key]
        rows = self._rows[key]
        count = len(rows)
        try:
            if file is None:
                within = day_folder(self._folder, self._site, day)
                file = HistoryFile(part_path(within, table, next_number(within, table)), table)
                self._files[key] = (begun_ms, file)
            file.write(rows.batch())
        except (NotDurable, OSError) as error:
            self.counters["lost"] += count + (0 if file is None else file.rows)
            del self._files[key], self._rows[key]
            if isinstance(error, OSError):
                raise NotDurable(_unusable(self._folder, error)) from error
            raise
        return file

    def _finish(self, table: Table, day: dt.date) -> None:
        key = (table, day)
        file = self._files[key][1]
        if len(self._rows[key]):
            file = self._write(table, day)
        del self._files[key], self._rows[key]
        if file is None:
            return
        try:
            file.finish()
        except NotDurable:
            self.counters["lost"] += file.rows
            raise
        self.counters[table.value] += file.rows
        self.counters["files"] += 1

    def _drop(self, table: Table, day: dt.date) -> None:
        _, file = self._files.pop((table, day))
        lost = len(self._rows.pop((table, day)))
        if file is not None:
            lost += file.rows
            file.abandon()
        self.counters["lost"] += lost


def _unusable(folder: Path, error: OSError) -> str:
    return (
        f"{folder} cannot be used ({error}); expected a readable and writable folder. Correct its "
        "rights, or history.folder."
    )
