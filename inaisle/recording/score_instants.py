"""Choose the instants at which fixes are held against the truth.

Layer: doors. Takes: the truth of a recording and, where they matter, the instants of its readings.
Gives: instants by session and tag to inaisle.recording.score.

Scores of one set are comparable only at the same instants, so the set itself says which: a truth
without floors is dense (cameras, motion capture) and is asked every 0.5 s. A truth with floors is
of fingerprinting walks: where each of its rows is an instant of a scan, those are the instants;
where its rows are way points that somebody tapped on a map, every 2 s after the first row.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from inaisle.recording.csv_table import find_table, finite, read_table
from inaisle.recording.fix_csv import SessionTag
from inaisle.recording.instants import Instants
from inaisle.recording.score import Truth, half_second_grid

WAYPOINT_GRID_MS: Final = 2_000
Milliseconds = npt.NDArray[np.int64]


def instants_of(
    folder: Path, truths: Mapping[SessionTag, Truth], *, choice: Instants = Instants.AUTO
) -> dict[SessionTag, Milliseconds]:
    """Return the instants to score at, ms of each session's clock.

    Parameters
    ----------
    folder
        The recording; its readings are read only where the truth has floors and must be asked
        whether its rows are scans.
    truths
        By session and tag.
    choice
        `AUTO` as the module says.
    """
    if choice is Instants.AUTO:
        choice = _suggested(folder, truths)
    match choice:
        case Instants.TRUTH:
            return {name: truth.t_ms for name, truth in truths.items()}
        case Instants.TWO_SECONDS:
            return {name: waypoint_grid(truth) for name, truth in truths.items()}
        case _:
            return {name: half_second_grid(truth) for name, truth in truths.items()}


def waypoint_grid(truth: Truth) -> Milliseconds:
    """Return each 2 s after the truth's first row; at the first row nothing has been heard."""
    return np.arange(
        truth.t_ms[0] + WAYPOINT_GRID_MS, truth.t_ms[-1] + 1, WAYPOINT_GRID_MS, dtype=np.int64
    )


def _suggested(folder: Path, truths: Mapping[SessionTag, Truth]) -> Instants:
    if any(truth.floors is None for truth in truths.values()):
        return Instants.HALF_SECOND
    heard = _heard(folder)
    are_scans = all(
        set(truth.t_ms.tolist()) <= heard.get(name, set()) for name, truth in truths.items()
    )
    return Instants.TRUTH if are_scans else Instants.TWO_SECONDS


def _heard(folder: Path) -> dict[SessionTag, set[int]]:
    """Return the instants at which each tag was heard, ms."""
    path = find_table(folder, "readings")
    heard: dict[SessionTag, set[int]] = {}
    if path is not None:
        for line, row in read_table(path, ("session", "t_s", "tag")):
            at_ms = round(finite(row, "t_s", where=f"{path}:{line}") * 1000.0)
            heard.setdefault((row["session"], row["tag"]), set()).add(at_ms)
    return heard
