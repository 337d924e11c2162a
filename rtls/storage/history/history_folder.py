"""Know where the files of the history lie, and which of them count.

Layer: edges. Takes: a folder, a site, a day. Gives: paths and file lists to the writer, the reader,
compaction and retention.

    <folder>/site=<site>/day=<YYYY-MM-DD>/
        fixes-000001.parquet           as written, in order
        fixes-000001-000059.parquet    these, compacted
        fixes-000060.parquet.writing   not finished; nobody reads it
        visits-….parquet

A file whose numbers lie within those of another one is superseded: it is left over from a
compaction that was cut short, and counts no longer. So the step from many files to one is a single
rename.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from rtls.model.errors import InvalidReport
from rtls.model.site_map import ID_PATTERN
from rtls.model.units import SiteId

NAME: Final = re.compile(r"\A(fixes|visits)-(\d{6,9})(?:-(\d{6,9}))?\.parquet\Z")
DAY: Final = re.compile(r"\Aday=(\d{4}-\d\d-\d\d)\Z")
WRITING: Final = ".writing"
DAMAGED: Final = ".damaged"


class Table(StrEnum):
    """What a file holds."""

    FIXES = "fixes"
    VISITS = "visits"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class HistoryPart:
    """One finished file: the rows of the writer's files `first` to `last`."""

    first: int
    last: int
    path: Path

    def covers(self, other: "HistoryPart") -> bool:
        """Return whether this one holds all of another one and more."""
        is_other = (self.first, self.last) != (other.first, other.last)
        return is_other and self.first <= other.first and other.last <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFiles:
    """What lies in the folder of a day, of one table."""

    parts: tuple[HistoryPart, ...] = ()
    """the files that count, in their order"""
    superseded: tuple[Path, ...] = ()
    strange: tuple[Path, ...] = ()
    """set aside as damaged, or of a name that no file of ours has"""


def site_folder(folder: Path, site: SiteId) -> Path:
    """Return the folder of a site.

    Raises
    ------
    InvalidReport
        If the site's id could not be a folder's name.
    """
    if not ID_PATTERN.match(site):
        raise InvalidReport(f"site is {site!r}; expected the id of a site map: a-z, 0-9 and '-'.")
    return folder / f"site={site}"


def day_folder(folder: Path, site: SiteId, day: dt.date) -> Path:
    """Return the folder of a day of a site."""
    return site_folder(folder, site) / f"day={day.isoformat()}"


def days_there(folder: Path, site: SiteId) -> Iterator[tuple[dt.date, Path]]:
    """Yield the days of which there is a folder, oldest first."""
    within = site_folder(folder, site)
    if not within.is_dir():
        return
    for path in sorted(within.iterdir()):
        match = DAY.match(path.name)
        if match and path.is_dir():
            try:
                yield dt.date.fromisoformat(match[1]), path
            except ValueError:
                continue  # day=2026-13-40: nobody's day


def files_of(folder: Path, table: Table) -> DayFiles:
    """Return the files of one table in the folder of a day."""
    if not folder.is_dir():
        return DayFiles()
    parts: list[HistoryPart] = []
    strange: list[Path] = []
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(f"{table}-") or path.name.endswith(WRITING):
            continue
        match = NAME.match(path.name)
        if match is None:
            strange.append(path)
            continue
        first = int(match[2])
        parts.append(HistoryPart(first=first, last=int(match[3] or first), path=path))
    counting = [part for part in parts if not any(other.covers(part) for other in parts)]
    kept = {part.path for part in counting}
    return DayFiles(
        parts=tuple(sorted(counting)),
        superseded=tuple(part.path for part in parts if part.path not in kept),
        strange=tuple(strange),
    )


def next_number(folder: Path, table: Table) -> int:
    """Return the number that the next file of a day gets; numbers are never given out twice."""
    found = files_of(folder, table)
    taken = [part.last for part in found.parts]
    for path in found.strange:
        match = NAME.match(path.name.removesuffix(DAMAGED))
        taken += [] if match is None else [int(match[3] or match[2])]
    return max(taken, default=0) + 1


def part_path(folder: Path, table: Table, first: int, last: int | None = None) -> Path:
    """Return the name of a file with one number, or of one that stands for several."""
    numbers = f"{first:06}" if last is None else f"{first:06}-{last:06}"
    return folder / f"{table}-{numbers}.parquet"
