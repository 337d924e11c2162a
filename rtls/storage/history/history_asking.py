"""Ask the files of a day one question, however many of them turn out to be damaged.

Layer: edges. Takes: a query, a day, stretches of time. Gives: columns to the history's reader.

One question at a time: so the bound on memory is that of the process. A file that disappears has
just been compacted: it is asked anew. A file that cannot be read is left out, and told.
"""

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidReport
from rtls.model.footfall import DayGap
from rtls.model.units import SiteId
from rtls.storage.history.duckdb_session import open_session
from rtls.storage.history.history_folder import Table
from rtls.storage.history.history_queries import READ_ALL, about_nothing, within
from rtls.storage.history.known_files import KnownFiles
from rtls.storage.history.site_days import Span

TRIES: Final = 4
Columns = dict[str, npt.NDArray[np.generic]]
"""the answer of a query, by the names of its columns"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSettings:
    """What a question may take."""

    memory_mib: int = 512
    threads: int = 2
    keeps_session: bool = False
    """for who asks of thousands of sites: to open one costs more than a question"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPart:
    """What of a day of a site is asked about, in one table."""

    site: SiteId
    day: dt.date
    table: Table
    spans: tuple[Span, ...]


class HistoryAsking:
    """The files of all sites in a folder; may be asked from any thread."""

    def __init__(
        self, folder: Path, *, report: Callable[[str], None], settings: ReaderSettings
    ) -> None:
        self._files = KnownFiles(folder)
        self._report = report
        self._settings = settings
        self._told: set[str] = set()
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._session: duckdb.DuckDBPyConnection | None = None

    def close(self) -> None:
        """Close the session that was kept, if one was."""
        with self._lock:
            self._session = None
            self._stack.close()

    def ask(
        self, query: str, parts: Sequence[DayPart], asked: Mapping[str, object]
    ) -> list[Columns]:
        """Return the answer about each part, of the files that can be read.

        Where there are none the answer has no rows. `InvalidReport` says that the question needs
        more memory than it may take, or that nothing can be read.
        """
        with self._lock, self._open() as session:
            return [self._ask_one(session, query, part, asked) for part in parts]

    def gaps(self, site: SiteId, day: dt.date) -> list[DayGap]:
        """Return what is missing of a day."""
        with self._lock:
            found = self._files.gaps(site, day)
            self._tell()
        return found

    @contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        bounds = self._settings
        opened = open_session(memory_mib=bounds.memory_mib, threads=bounds.threads)
        if not bounds.keeps_session:
            with opened as session:
                yield session
            return
        if self._session is None:
            self._session = self._stack.enter_context(opened)
        yield self._session

    def _ask_one(
        self,
        session: duckdb.DuckDBPyConnection,
        query: str,
        part: DayPart,
        asked: Mapping[str, object],
    ) -> Columns:
        text = within(query, part.table, part.spans)
        for _ in range(TRIES):
            paths = self._paths(part)
            try:
                return _run(session, text, part.table, paths, asked)
            except duckdb.OutOfMemoryException as error:
                raise InvalidReport(
                    f"the report of {part.day} needs more than {self._settings.memory_mib} MiB "
                    f"({error}); expected it to fit. Raise history.memory_mib, or ask for larger "
                    "cells."
                ) from error
            except duckdb.Error:
                self._find_damaged(session, paths, part.table)
        raise InvalidReport(
            f"the {part.table} of {part.day} cannot be read; expected files that stay as they "
            "are. Look at the disk."
        )

    def _paths(self, part: DayPart) -> list[str]:
        hull = Span(start_ms=part.spans[0].start_ms, end_ms=part.spans[-1].end_ms)
        files = self._files.readable(part.site, part.day, part.table)
        self._tell()
        return [str(file.path) for file in files if file.holds(hull)]

    def _find_damaged(
        self, session: duckdb.DuckDBPyConnection, paths: Sequence[str], table: Table
    ) -> None:
        for path in paths:
            try:
                _run(session, READ_ALL[table], table, [path], {})
            except duckdb.Error as error:
                why = f"{Path(path).name} is damaged within ({str(error).splitlines()[0]})"
                self._files.mark_damaged(Path(path), why)
        self._tell()

    def _tell(self) -> None:
        for why in self._files.reasons():
            if why not in self._told:
                self._told.add(why)
                self._report(f"left out of reports: {why}")


def _run(
    session: duckdb.DuckDBPyConnection,
    query: str,
    table: Table,
    paths: Sequence[str],
    asked: Mapping[str, object],
) -> Columns:
    text = query if paths else about_nothing(query, table)
    given = {name: value for name, value in asked.items() if f"${name}" in text}
    if paths:
        given["paths"] = list(paths)
    found = session.execute(text, given).fetchnumpy()
    # A column that could be NULL comes masked; none of ours is.
    return {name: np.ma.getdata(column) for name, column in found.items()}
