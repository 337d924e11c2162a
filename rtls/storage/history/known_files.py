"""Know which files of the history can be read, and what time they hold.

Layer: edges. Takes: the folders of days. Gives: to the reader the files that a question needs, and
which are damaged. A file never changes once it has its name, so it is looked at once.
"""

import datetime as dt
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtls.model.errors import InvalidReport
from rtls.model.footfall import DayGap, GapReason
from rtls.model.units import SiteId
from rtls.storage.history.history_folder import Table, day_folder, files_of
from rtls.storage.history.parquet_tables import FileFacts, facts_of
from rtls.storage.history.site_days import Span

KNOWN_MAX: Final = 20_000
Look = tuple[str, int, int]
"""a file as it is now: path, size, when it was written"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """A file that can be read, with what it holds."""

    path: Path
    facts: FileFacts

    def holds(self, span: Span) -> bool:
        """Return whether a row may lie within a stretch of time."""
        facts = self.facts
        return bool(facts.rows) and facts.first_ms < span.end_ms and facts.last_ms >= span.start_ms


class KnownFiles:
    """What was found of each file. Guarded by the reader's lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: OrderedDict[Look, FileFacts | str] = OrderedDict()

    def readable(self, site: SiteId, day: dt.date, table: Table) -> list[KnownFile]:
        """Return the files of a day that can be read."""
        found = []
        for part in files_of(day_folder(self._folder, site, day), table).parts:
            facts = self._facts(part.path, table)
            if isinstance(facts, FileFacts):
                found.append(KnownFile(path=part.path, facts=facts))
        return found

    def gaps(self, site: SiteId, day: dt.date) -> list[DayGap]:
        """Return what is missing of a day."""
        within = day_folder(self._folder, site, day)
        gaps: list[DayGap] = []
        is_there = False
        for table in Table:
            files = files_of(within, table)
            gaps += [_unreadable(day, path.name) for path in files.strange]
            for part in files.parts:
                facts = self._facts(part.path, table)
                if isinstance(facts, FileFacts):
                    is_there = is_there or facts.rows > 0
                else:
                    gaps.append(_unreadable(day, part.path.name))
        nothing = [] if is_there or gaps else [DayGap(day=day, reason=GapReason.NO_DATA)]
        return nothing + gaps

    def mark_damaged(self, path: Path, why: str) -> None:
        """Remember that a file's end is whole and its inside is not."""
        look = _look_at(path)
        if look is not None:
            self._known[look] = why

    def reasons(self) -> list[str]:
        """Return why files cannot be read, of those found so far."""
        return [found for found in self._known.values() if isinstance(found, str)]

    def _facts(self, path: Path, table: Table) -> FileFacts | str:
        look = _look_at(path)
        if look is None:
            return f"{path.name} is gone"
        if look not in self._known:
            try:
                self._known[look] = facts_of(path, table)
            except InvalidReport as error:
                self._known[look] = str(error)
            while len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
        return self._known[look]


def _look_at(path: Path) -> Look | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return str(path), found.st_size, found.st_mtime_ns


def _unreadable(day: dt.date, file: str) -> DayGap:
    return DayGap(day=day, reason=GapReason.UNREADABLE, file=file)
