"""Make of what arrived of a day one object a table: each row once, sorted, as a store has it.

Layer: edges. Takes: the archive, a site, a day that is over and settled. Gives: the day as reports
read it. A kill at any instant leaves what arrived, or the whole day, or both; with the whole day
there, what arrived is a left-over and goes.

Rows that were put twice, or told twice on the log, are known by visitor and second; visits by their
number, of which the highest revision holds. For how long a fix stands is the time since the one
before, which is known only now.
"""

import datetime as dt
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from rtls.model.errors import InvalidReport, NotDurable
from rtls.model.units import SiteId
from rtls.storage.archive.archive_names import arriving_of, day_name, settled_name
from rtls.storage.archive.object_folder import ObjectFolder
from rtls.storage.history.duckdb_session import open_session
from rtls.storage.history.history_file import HistoryFile
from rtls.storage.history.history_folder import DAMAGED, Table
from rtls.storage.history.history_queries import ONCE
from rtls.storage.history.parquet_tables import ROW_GROUP_ROWS, facts_of

MEMORY_MIB: Final = 512
OBJECTS_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What was done to one table of a day."""

    objects: int = 0
    """that became one"""
    rows: int = 0
    left_over: int = 0
    """that came when the day was settled, or that a kill left behind; they are gone"""
    damaged: tuple[str, ...] = ()
    """set aside, each with the reason"""


def settle_day(
    objects: ObjectFolder, site: SiteId, day: dt.date, table: Table, names: Sequence[str]
) -> Settled:
    """Settle one table of a day.

    Parameters
    ----------
    names
        What is in the folder of the day.

    Raises
    ------
    NotDurable
        If store or disk refuse, or another process settles the day at the same time; what
        arrived still counts then.
    """
    folder = day_name(site, day)
    arrived = [f"{folder}/{one.name}" for one in arriving_of(names, table)]
    whole = settled_name(table)
    if not arrived:
        return Settled()
    if whole in names:
        return Settled(left_over=objects.remove(arrived))
    with tempfile.TemporaryDirectory(prefix="inaisle-settling-") as near:
        paths, damaged = _brought(objects, arrived, Path(near), table)
        file = HistoryFile(Path(near) / whole, table)
        try:
            if paths:
                _write_once(paths, file, table)
            file.finish()
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            file.abandon()
            raise NotDurable(
                f"{folder}: {table} could not be settled ({error}); expected readable objects and "
                "free space for them. What arrived still counts."
            ) from error
        objects.put(f"{folder}/{whole}", (Path(near) / whole).read_bytes())
    objects.remove(arrived)  # a kill before this leaves what the next turn removes
    return Settled(objects=len(arrived), rows=file.rows, damaged=damaged)


def _brought(
    objects: ObjectFolder, names: Sequence[str], near: Path, table: Table
) -> tuple[list[str], tuple[str, ...]]:
    """Bring objects near, a few at a time; what cannot be read is set aside, and named.

    Raises
    ------
    NotDurable
        If one is gone: somebody else has settled the day, and of the rest a part would be made.
    """
    paths, damaged = [], []
    for begin in range(0, len(names), OBJECTS_AT_ONCE):
        asked = names[begin : begin + OBJECTS_AT_ONCE]
        found = objects.get(asked)
        if len(found) < len(asked):
            raise NotDurable(
                f"{next(name for name in asked if name not in found)} is gone; expected all that "
                "arrived of the day. Another process settles it: this one leaves it alone."
            )
        for name, content in found.items():
            path = near / f"{begin:08}-{Path(name).name}"
            path.write_bytes(content)
            try:
                facts_of(path, table)
            except InvalidReport as error:
                objects.put(name + DAMAGED, content)
                damaged.append(str(error))
            else:
                paths.append(str(path))
    return paths, tuple(damaged)


def _write_once(paths: Sequence[str], file: HistoryFile, table: Table) -> None:
    with open_session(memory_mib=MEMORY_MIB, threads=1) as session:
        found = session.sql(ONCE[table], params={"paths": list(paths)})
        waiting: list[pa.RecordBatch] = []
        for batch in found.to_arrow_reader(ROW_GROUP_ROWS):
            waiting.append(batch)
            if sum(one.num_rows for one in waiting) >= ROW_GROUP_ROWS:
                file.write(pa.Table.from_batches(waiting))
                waiting = []
        if waiting:
            file.write(pa.Table.from_batches(waiting))
