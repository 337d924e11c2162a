"""Hold rows of one partition of the log on their way to objects, by site and day.

Layer: edges. Takes: rows of visitors from the archive's writer. Gives: whole Parquet objects,
named by the messages that they are made of.
"""

import datetime as dt
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rtls.model.units import SiteId
from rtls.model.visit import Visit
from rtls.storage.archive.archive_names import ArrivingObject, day_name
from rtls.storage.history.history_folder import Table
from rtls.storage.history.history_rows import FixRows, FixSlice
from rtls.storage.history.parquet_tables import SCHEMAS, open_parquet

ARRIVING_SCHEMAS: Final = {
    Table.FIXES: SCHEMAS[Table.FIXES],
    Table.VISITS: pa.schema(
        [
            *SCHEMAS[Table.VISITS],
            pa.field("told", pa.uint64(), nullable=False),
            pa.field("revision", pa.int32(), nullable=False),
            pa.field("is_withdrawn", pa.bool_(), nullable=False),
        ]
    ),
}
"""as in a store's history; of visits also which one it is, so that a second copy is known"""
SiteDay = tuple[SiteId, dt.date]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivingVisit:
    """One visit as it was told, under the number of its visitor."""

    visit: Visit
    visitor: int
    floor: int
    cohort: str
    told: int


def told_of(event_id: str, salt: bytes) -> int:
    """Return the number of a visit within its day.

    Keyed like its visitor: the id itself is a hash of tag, zone and entry, from which somebody who
    guesses these could find out the tag.
    """
    digest = hashlib.blake2b(event_id.encode(), digest_size=8, key=salt, person=b"visit")
    return int.from_bytes(digest.digest(), "little")


@dataclass(slots=True)
class ArrivingPart:
    """What the messages of a partition gave, from its first one to `last`."""

    table: Table
    partition: int
    first: int
    last: int
    fixes: dict[SiteDay, FixRows] = field(default_factory=dict)
    visits: dict[SiteDay, list[ArrivingVisit]] = field(default_factory=dict)
    rows: int = 0

    def add_fixes(
        self,
        where: SiteDay,
        taken: FixSlice,
        which: npt.NDArray[np.intp],
        visitors: npt.NDArray[np.uint64],
        cohorts: Sequence[str],
    ) -> None:
        """Take some rows of an instant."""
        self.fixes.setdefault(where, FixRows()).add(taken, which, visitors, cohorts)
        self.rows += len(which)

    def add_visit(self, where: SiteDay, visit: ArrivingVisit) -> None:
        """Take a visit."""
        self.visits.setdefault(where, []).append(visit)
        self.rows += 1

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of each object, and hold its rows no longer."""
        name = ArrivingObject(
            table=self.table, partition=self.partition, first=self.first, last=self.last
        ).name
        while self.fixes:
            where, rows = self.fixes.popitem()
            yield f"{day_name(*where)}/{name}", self._content(rows.batch())
        while self.visits:
            where, visits = self.visits.popitem()
            yield f"{day_name(*where)}/{name}", self._content(_visit_batch(visits))

    def _content(self, batch: pa.RecordBatch) -> bytes:
        whole = io.BytesIO()
        with open_parquet(whole, self.table, schema=ARRIVING_SCHEMAS[self.table]) as file:
            file.write_batch(batch)
        return whole.getvalue()


def _visit_batch(rows: Sequence[ArrivingVisit]) -> pa.RecordBatch:
    def names(values: list[str]) -> pa.Array:
        return pa.array(values, pa.string()).dictionary_encode()

    columns = [
        pa.array([row.visitor for row in rows], pa.uint64()),
        names([row.visit.zone for row in rows]),
        pa.array([row.floor for row in rows], pa.int16()),
        pa.array([row.visit.entered_at_ms for row in rows], pa.int64()),
        pa.array([row.visit.left_at_ms for row in rows], pa.int64()),
        pa.array([row.visit.dwell_s for row in rows], pa.float32()),
        pa.array([row.visit.is_pass_by for row in rows], pa.bool_()),
        names([row.cohort for row in rows]),
        pa.array([row.told for row in rows], pa.uint64()),
        pa.array([row.visit.revision for row in rows], pa.int32()),
        pa.array([row.visit.is_withdrawn for row in rows], pa.bool_()),
    ]
    return pa.record_batch(columns, schema=ARRIVING_SCHEMAS[Table.VISITS])
