"""Hold rows of the history on their way to a file, as columns.

Layer: edges. Takes: what the locating loop located and told. Gives: record batches to the history's
writer. A row names a visitor of a day, never a tag.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rtls.model.units import UnixMs
from rtls.storage.history.history_folder import Table
from rtls.storage.history.parquet_tables import SCHEMAS


@dataclass(frozen=True, slots=True, kw_only=True)
class FixSlice:
    """The fixes of one instant that are to be written, still under the names of their tags.

    Parameters
    ----------
    names
        (n,) ASCII ids of the tags.
    floor, x_m, y_m, sigma_m, weight_s
        (n,) Where they were, how surely, and for how many seconds each row stands.
    """

    at_ms: UnixMs
    names: npt.NDArray[np.bytes_]
    floor: npt.NDArray[np.int16]
    x_m: npt.NDArray[np.float32]
    y_m: npt.NDArray[np.float32]
    sigma_m: npt.NDArray[np.float32]
    weight_s: npt.NDArray[np.float32]


@dataclass(slots=True)
class FixRows:
    """Fixes of one day that wait for their row group."""

    slices: list[tuple[FixSlice, npt.NDArray[np.intp], npt.NDArray[np.uint64]]] = field(
        default_factory=list
    )
    """a slice, which of its rows count, and the visitors of these"""
    cohorts: list[str] = field(default_factory=list)
    """of all counting rows, in their order"""

    def __len__(self) -> int:
        return len(self.cohorts)

    def add(
        self,
        taken: FixSlice,
        which: npt.NDArray[np.intp],
        visitors: npt.NDArray[np.uint64],
        cohorts: Sequence[str],
    ) -> None:
        """Take some rows of a slice."""
        self.slices.append((taken, which, visitors))
        self.cohorts.extend(cohorts)

    def batch(self) -> pa.RecordBatch:
        """Return all rows, and hold none any more."""
        slices, self.slices = self.slices, []
        cohorts, self.cohorts = self.cohorts, []
        columns = [
            np.concatenate([np.full(len(which), one.at_ms, np.int64) for one, which, _ in slices]),
            np.concatenate([visitors for _, _, visitors in slices]),
            *(
                np.concatenate([getattr(one, name)[which] for one, which, _ in slices])
                for name in ("floor", "x_m", "y_m", "sigma_m", "weight_s")
            ),
            pa.array(cohorts, pa.string()).dictionary_encode(),
        ]
        return pa.record_batch(list(map(pa.array, columns)), schema=SCHEMAS[Table.FIXES])


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRow:
    """One visit or pass."""

    visitor: int
    zone: str
    floor: int
    entered_at_ms: UnixMs
    left_at_ms: UnixMs
    dwell_s: float
    is_pass: bool
    cohort: str


@dataclass(slots=True)
class VisitRows:
    """Visits of one day that wait for their row group."""

    rows: list[VisitRow] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self) -> pa.RecordBatch:
        """Return all rows, and hold none any more."""
        rows, self.rows = self.rows, []
        schema = SCHEMAS[Table.VISITS]
        columns = []
        for column in schema:
            values = [getattr(row, column.name) for row in rows]
            is_name = pa.types.is_dictionary(column.type)
            plain = pa.array(values, pa.string() if is_name else column.type)
            columns.append(plain.dictionary_encode() if is_name else plain)
        return pa.record_batch(columns, schema=schema)
