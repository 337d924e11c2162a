"""Choose of all fixes one a tag and second, on the locating loop's own time.

Layer: edges. Takes: `FixBatch`es in order. Gives: which rows the `FixSpool` keeps. The line of a
store is narrow, and whoever looks at a chain needs no ten rows a second.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.fix import FixBatch

SILENT_MS_MAX: Final = 15_000
"""Who was heard last longer ago has probably left: a prediction is not where somebody was."""
SLOTS_AT_START: Final = 1_024


class FixThinner:
    """What was kept last of each tag; used by one thread.

    Parameters
    ----------
    every_ms
        At most one fix of a tag in each such span, counted from 1970.
    kept_until_ms
        Up to the end of its span all is kept already: after a restart the engine tells the last
        second once more.
    """

    def __init__(self, *, every_ms: int, kept_until_ms: int = 0) -> None:
        if every_ms < 1:
            raise ValueError(f"every_ms is {every_ms}; expected 1 or more.")
        self._every_ms = every_ms
        self._kept_until = kept_until_ms // every_ms
        # By slot. One that goes to another tag within the span costs that tag one fix.
        self._last_ms = np.zeros(SLOTS_AT_START, np.int64)

    def choose(self, fixes: FixBatch) -> npt.NDArray[np.intp]:
        """Return the numbers of the rows to be kept; they count as kept from then on."""
        at_ms, rows = fixes.at_ms, fixes.rows
        slots = rows["tag"]
        if not slots.size or at_ms // self._every_ms <= self._kept_until:
            return np.zeros(0, np.intp)
        if int(slots.max()) >= len(self._last_ms):
            self._grow(int(slots.max()) + 1)
        is_due = self._last_ms[slots] // self._every_ms < at_ms // self._every_ms
        is_due &= rows["evidence_at_ms"] > at_ms - SILENT_MS_MAX
        is_due &= np.isfinite(rows["x_m"]) & np.isfinite(rows["y_m"])
        chosen = np.flatnonzero(is_due)
        self._last_ms[slots[chosen]] = at_ms
        return chosen

    def _grow(self, slots: int) -> None:
        grown = np.zeros(max(slots, 2 * len(self._last_ms)), np.int64)
        grown[: len(self._last_ms)] = self._last_ms
        self._last_ms = grown
