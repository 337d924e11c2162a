"""Write and read fixes as a table, one row for each fix in the order of emission.

Layer: doors. Takes: fixes of a replay, or a file that claims to be such a table. Gives: the file to
the user, columns to inaisle.recording.score. `emitted_t_s` says up to which instant input had been
consumed when the row was written, so that a score can refuse hindsight.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from inaisle.recording.csv_table import finite, read_table
from rtls.model.errors import InvalidRecording

FIX_COLUMNS: Final = (
    "session", "t_s", "emitted_t_s", "tag", "x", "y", "z", "floor", "cov_xx", "cov_xy", "cov_yy",
)  # fmt: skip
NUMBER_COLUMNS: Final = ("t_s", "emitted_t_s", "x", "y", "cov_xx", "cov_xy", "cov_yy")
SessionTag = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmittedFixes:
    """The fixes of one tag in one session, in the order of emission.

    Parameters
    ----------
    t_ms, emitted_ms
        (n,) int64, ms of the session's clock.
    xy
        (n, 2) m.
    cov
        (n, 3) m²: xx, xy, yy.
    floors
        (n,) labels, as the map names them.
    """

    t_ms: npt.NDArray[np.int64]
    emitted_ms: npt.NDArray[np.int64]
    xy: npt.NDArray[np.float64]
    cov: npt.NDArray[np.float64]
    floors: npt.NDArray[np.object_]


def write_fixes(path: Path, rows: Iterable[tuple[object, ...]]) -> int:
    """Write the header and the rows, and return how many rows there were.

    Raises
    ------
    InvalidRecording
        If the file cannot be written.
    """
    count = 0
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(FIX_COLUMNS)
            for row in rows:
                writer.writerow(row)
                count += 1
    except OSError as error:
        raise InvalidRecording(f"{path}: cannot be written ({error}).") from error
    return count


def read_fixes(path: Path) -> dict[SessionTag, EmittedFixes]:
    """Read such a table and refuse rows that no causal replay can have written.

    Raises
    ------
    InvalidRecording
        If the file cannot be read, lacks a column, or holds a row that is not finite, is emitted
        before its own instant, goes back in emission or has a covariance that is none.
    """
    numbers: dict[SessionTag, list[tuple[float, ...]]] = {}
    floors: dict[SessionTag, list[str]] = {}
    for line, row in read_table(path, FIX_COLUMNS):
        where = f"{path}:{line}"
        values = tuple(finite(row, name, where=where) for name in NUMBER_COLUMNS)
        _refuse_hindsight(values, where=where)
        group = numbers.setdefault((row["session"], row["tag"]), [])
        if group and values[1] < group[-1][1]:
            raise InvalidRecording(
                f"{where}: emitted_t_s is {values[1]} after {group[-1][1]} of the same tag; "
                "expected rows in the order of emission, as inaisle replay writes them."
            )
        group.append(values)
        floors.setdefault((row["session"], row["tag"]), []).append(row["floor"])
    return {name: _columns(rows, floors[name]) for name, rows in numbers.items()}


def _refuse_hindsight(values: tuple[float, ...], *, where: str) -> None:
    t_s, emitted_t_s, _, _, cov_xx, cov_xy, cov_yy = values
    if emitted_t_s < t_s:
        raise InvalidRecording(
            f"{where}: emitted_t_s {emitted_t_s} is before t_s {t_s}; a fix cannot be known before "
            "its own instant. Replay without looking ahead."
        )
    if cov_xx <= 0.0 or cov_yy <= 0.0 or cov_xx * cov_yy <= cov_xy * cov_xy:
        raise InvalidRecording(
            f"{where}: covariance {cov_xx}, {cov_xy}, {cov_yy} is none; expected a positive "
            "definite matrix in m²."
        )


def _columns(rows: list[tuple[float, ...]], floors: list[str]) -> EmittedFixes:
    table = np.array(rows, dtype=np.float64)
    return EmittedFixes(
        t_ms=np.rint(table[:, 0] * 1000.0).astype(np.int64),
        emitted_ms=np.rint(table[:, 1] * 1000.0).astype(np.int64),
        xy=table[:, 2:4],
        cov=table[:, 4:7],
        floors=np.array(floors, np.object_),
    )
