"""Choose of all fixes one a tag and second, on the locating loop's own time.

Layer: edges. Takes: `EngineOutput`s in order. Gives: `FixSlice`s to the history's queue. A heatmap
needs no ten rows a second, and the loop no more work than some operations on small arrays.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.engine_contract import EngineOutput
from rtls.storage.history.history_rows import FixSlice

SILENT_MS_MAX: Final = 15_000
"""Who was heard last longer ago has probably left: a prediction is not where somebody was."""
GAP_MS_MAX: Final = 2_000
"""A row stands for the time since the one before; beyond this nobody knows where that was."""
FIRST_S: Final = 1.0


class FixSampler:
    """What was taken last of each tag; used by the locating loop's thread alone."""

    def __init__(self) -> None:
        self._last_ms = np.zeros(1024, np.int64)  # by slot; 0 before the first row

    def take(self, output: EngineOutput) -> FixSlice | None:
        """Return the rows to be written of one batch, or None where there are none."""
        at_ms, rows = output.fixes.at_ms, output.fixes.rows
        slots = rows["tag"]
        if slots.size and int(slots.max()) >= len(self._last_ms):
            self._grow(int(slots.max()) + 1)
        last_ms = self._last_ms[slots]
        # Also not before: after a restart the engine tells the last seconds once more.
        is_due = (last_ms // 1000 < at_ms // 1000) & (
            rows["evidence_at_ms"] > at_ms - SILENT_MS_MAX
        )
        is_due &= np.isfinite(rows["x_m"]) & np.isfinite(rows["y_m"])
        which = np.flatnonzero(is_due)
        taken = self._slice(output, which, last_ms[which]) if which.size else None
        self._last_ms[slots[which]] = at_ms
        self._last_ms[output.released] = 0  # the next tag of the slot begins anew
        return taken

    def _slice(
        self, output: EngineOutput, which: npt.NDArray[np.intp], last_ms: npt.NDArray[np.int64]
    ) -> FixSlice:
        at_ms, rows = output.fixes.at_ms, output.fixes.rows[which]
        gap_ms = at_ms - last_ms
        weight_s = np.where(gap_ms <= GAP_MS_MAX, gap_ms / 1000.0, FIRST_S)
        variance = (rows["cov_xx"] + rows["cov_yy"]) / 2.0
        return FixSlice(
            at_ms=at_ms,
            names=output.tag_names[which],
            floor=rows["floor"].astype(np.int16),
            x_m=rows["x_m"].astype(np.float32),
            y_m=rows["y_m"].astype(np.float32),
            sigma_m=np.sqrt(np.maximum(variance, 0.0)).astype(np.float32),
            weight_s=weight_s.astype(np.float32),
        )

    def _grow(self, slots: int) -> None:
        grown = np.zeros(max(slots, 2 * len(self._last_ms)), np.int64)
        grown[: len(self._last_ms)] = self._last_ms
        self._last_ms = grown
