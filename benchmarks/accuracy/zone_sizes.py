"""Say how large a zone must be for a radio to name it: the share of instants in the right square.

Layer: benchmarks. Takes: a recording and the fixes of its replay. Gives: a share for each size to
benchmarks.accuracy.recordings.

Squares of one size tile the floor; an instant is right where fix and truth share a square. The
mean over nine placements of the tiling, so that no lucky grid decides; not located is not right.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inaisle.recording.fix_csv import read_fixes
from inaisle.recording.score import STALE_AFTER_MS
from inaisle.recording.score_instants import instants_of
from inaisle.recording.truth_csv import read_truth

SIZES_M = (0.6, 1.25, 2.0, 3.0, 4.5, 6.0, 10.0, 20.0)
PLACEMENTS = 3
Floats = npt.NDArray[np.float64]


def shares_of_sizes(recording: Path, fixes: Path) -> Iterator[tuple[float, float]]:
    """Yield (side in m, share of instants in the right square)."""
    truth, estimate = _pairs(recording, fixes)
    for side_m in SIZES_M:
        yield side_m, _share(truth, estimate, side_m)


def _pairs(recording: Path, fixes: Path) -> tuple[Floats, Floats]:
    """Return truth and last emitted fix at each instant, (n, 2) each; NaN where there is none."""
    truths, emitted = read_truth(recording), read_fixes(fixes)
    where, found = [], []
    for name, at_ms in instants_of(recording, truths).items():
        truth = truths[name]
        where.append(
            np.column_stack([np.interp(at_ms, truth.t_ms, truth.xy[:, axis]) for axis in (0, 1)])
        )
        places = np.full((len(at_ms), 2), np.nan)
        if name in emitted:
            own = emitted[name]
            last = np.searchsorted(own.emitted_ms, at_ms, side="right") - 1
            is_fresh = (last >= 0) & (at_ms - own.t_ms[np.maximum(last, 0)] <= STALE_AFTER_MS)
            places[is_fresh] = own.xy[last[is_fresh]]
        found.append(places)
    return np.vstack(where), np.vstack(found)


def _share(truth: Floats, estimate: Floats, side_m: float) -> float:
    shares = []
    for across in range(PLACEMENTS):
        for along in range(PLACEMENTS):
            origin = np.array([across, along]) * side_m / PLACEMENTS
            own = np.floor((truth - origin) / side_m)
            other = np.floor((estimate - origin) / side_m)  # NaN is in no square
            shares.append(float(np.mean((own == other).all(axis=1))))
    return float(np.mean(shares))
