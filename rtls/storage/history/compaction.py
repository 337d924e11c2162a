"""Put the many small files of a day into one sorted file.

Layer: edges. Takes: the folder of a day. Gives: one file in place of many, with the same rows, to
the reader, for which a day is then a thousand times fewer files and hours are neighbours on disk.

A kill at any instant leaves either the small files or the large one as those that count.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from rtls.model.errors import InvalidReport, NotDurable
from rtls.storage.history.duckdb_session import open_session
from rtls.storage.history.history_file import HistoryFile
from rtls.storage.history.history_folder import DAMAGED, Table, files_of, part_path
from rtls.storage.history.history_queries import SORTED
from rtls.storage.history.parquet_tables import ROW_GROUP_ROWS, facts_of

COMPACT_MIB: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What was done to one table of a day."""

    files: int = 0
    """that became one"""
    rows: int = 0
    damaged: tuple[str, ...] = ()
    """files that were set aside, each with the reason"""


def compact(folder: Path, table: Table, *, files_min: int = 2) -> Compacted:
    """Compact one table of a day, if there are ``files_min`` files of it or more.

    A file that cannot be read is set aside under another name, and the others are compacted.

    Parameters
    ----------
    folder
        Of the day.
    files_min
        From how many files on it is worth it.

    Raises
    ------
    NotDurable
        If the disk refuses; the small files still count.
    """
    for path in files_of(folder, table).superseded:
        with contextlib.suppress(OSError):  # of a compaction that was cut short
            path.unlink()
    damaged = _set_damaged_aside(folder, table)
    parts = files_of(folder, table).parts
    if len(parts) < files_min:
        return Compacted(damaged=damaged)
    file = HistoryFile(part_path(folder, table, parts[0].first, parts[-1].last), table)
    try:
        _write_sorted([part.path for part in parts], file, table)
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        file.abandon()
        raise NotDurable(
            f"{folder}: {table} could not be compacted ({error}); expected readable files and "
            "free space. The small files still count."
        ) from error
    file.finish()
    for part in parts:
        with contextlib.suppress(OSError):  # superseded now, whether it goes or not
            part.path.unlink()
    return Compacted(files=len(parts), rows=file.rows, damaged=damaged)


def _write_sorted(paths: list[Path], file: HistoryFile, table: Table) -> None:
    with open_session(memory_mib=COMPACT_MIB, threads=1) as session:
        found = session.sql(SORTED[table], params={"paths": [str(path) for path in paths]})
        waiting: list[pa.RecordBatch] = []
        for batch in found.to_arrow_reader(ROW_GROUP_ROWS):
            waiting.append(batch)
            if sum(one.num_rows for one in waiting) >= ROW_GROUP_ROWS:
                file.write(pa.Table.from_batches(waiting))
                waiting = []
        if waiting:
            file.write(pa.Table.from_batches(waiting))


def _set_damaged_aside(folder: Path, table: Table) -> tuple[str, ...]:
    found = []
    for part in files_of(folder, table).parts:
        try:
            facts_of(part.path, table)
        except InvalidReport as error:
            with contextlib.suppress(OSError):
                part.path.rename(part.path.with_name(part.path.name + DAMAGED))
            found.append(str(error))
    return tuple(found)
