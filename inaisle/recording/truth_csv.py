"""Read where the tags of a recording really were.

Layer: doors. Takes: the folder of a recording. Gives: the truth by session and tag to
inaisle.recording.score. Locating never reads this file.
"""

from pathlib import Path

import numpy as np

from inaisle.recording.csv_table import find_table, finite, read_table
from inaisle.recording.fix_csv import SessionTag
from inaisle.recording.score import Truth
from rtls.model.errors import InvalidRecording

TRUTH_COLUMNS = ("session", "t_s", "tag", "x", "y")


def read_truth(folder: Path) -> dict[SessionTag, Truth]:
    """Read ``truth.csv`` or ``truth.csv.gz``; a column ``floor`` in it is optional.

    Raises
    ------
    InvalidRecording
        If there is none, or a row is not finite or goes back in time.
    """
    path = find_table(folder, "truth")
    if path is None:
        raise InvalidRecording(f"{folder}: no truth.csv or truth.csv.gz; nothing to score against.")
    rows: dict[SessionTag, list[tuple[float, float, float]]] = {}
    floors: dict[SessionTag, list[str]] = {}
    for line, row in read_table(path, TRUTH_COLUMNS):
        where = f"{path}:{line}"
        group = rows.setdefault((row["session"], row["tag"]), [])
        t_s, x, y = (finite(row, name, where=where) for name in ("t_s", "x", "y"))
        if group and t_s < group[-1][0]:
            raise InvalidRecording(f"{where}: t_s {t_s} after {group[-1][0]}; expected rising.")
        group.append((t_s, x, y))
        if row.get("floor"):
            floors.setdefault((row["session"], row["tag"]), []).append(row["floor"])
    return {name: _truth(group, floors.get(name, [])) for name, group in rows.items()}


def _truth(rows: list[tuple[float, float, float]], floors: list[str]) -> Truth:
    table = np.array(rows, dtype=np.float64)
    return Truth(
        t_ms=np.rint(table[:, 0] * 1000.0).astype(np.int64),
        xy=table[:, 1:3],
        floors=np.array(floors) if len(floors) == len(rows) else None,
    )
