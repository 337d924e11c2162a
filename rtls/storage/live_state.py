"""Keep the latest fix of every tag in memory, for people to look at.

Layer: edges. Takes: fix batches from the locating loop. Gives: the latest fixes to rtls.api, in the
same process. Arrays inside; bounded in tags and in age; losing it costs freshness only.
"""

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.units import TagId, UnixMs
from rtls.ports import LiveFixes

TAGS_MAX: Final = 65_536
# A position older than this is nobody's business any more (docs: privacy, live positions).
RETENTION_MS: Final = 15 * 60_000
SWEEPS_A_RETENTION: Final = 15
ROWS_AT_START: Final = 256
# Making room costs a search over all rows, so it is done for many tags at once.
EVICTED_SHARE: Final = 16


class InMemoryLiveState:
    """The latest fix of each tag (ports `LiveState` and `LiveStateReader`); safe between threads.

    Parameters
    ----------
    tags_max
        With more tags than this the longest unheard are forgotten and counted in `evicted`.
    retention_ms
        A fix older than this, in event time, is forgotten.
    """

    def __init__(self, *, tags_max: int = TAGS_MAX, retention_ms: int = RETENTION_MS) -> None:
        if tags_max < 1 or retention_ms < 1:
            raise ValueError(
                f"tags_max is {tags_max}, retention_ms {retention_ms}; expected 1 or more each."
            )
        self.evicted = 0
        self._tags_max = tags_max
        self._retention_ms = retention_ms
        self._lock = threading.Lock()
        self._slots: dict[TagId, int] = {}
        self._tags: list[TagId] = []  # by slot; a slot is a row of the arrays below
        size = min(ROWS_AT_START, tags_max)
        self._rows = np.zeros(size, FIX_DTYPE)
        self._at_ms = np.zeros(size, np.int64)
        self._swept_at_ms = 0

    def put(self, fixes: FixBatch, tags: Sequence[TagId]) -> None:
        """Take the newest fixes; ``tags`` names the rows. A fix older than the known one is void.

        Raises
        ------
        ValueError
            If ``tags`` does not name each row.
        """
        if len(tags) != len(fixes.rows):
            raise ValueError(
                f"{len(tags)} tags for {len(fixes.rows)} fixes; expected one tag a row."
            )
        with self._lock:
            self._sweep_when_due(fixes.at_ms)
            known = [row for row, tag in enumerate(tags) if tag in self._slots]
            self._write(fixes, known, tags)
            # Room is made after the known tags were written, for it moves slots; and in portions,
            # so that the bound holds however large the batch is.
            new = [row for row, tag in enumerate(tags) if tag not in self._slots]
            for start in range(0, len(new), self._tags_max):
                portion = new[start : start + self._tags_max]
                self._make_room(len(portion))
                self._write(fixes, portion, tags)

    def latest(self, *, max_age_ms: int, now_ms: UnixMs) -> LiveFixes:
        """Return the latest fix of each tag not older than ``max_age_ms``, as a copy."""
        with self._lock:
            used = len(self._tags)
            chosen = np.flatnonzero(self._at_ms[:used] >= now_ms - max_age_ms)
            return self._copied(chosen)

    def latest_of(self, tags: Sequence[TagId], *, max_age_ms: int, now_ms: UnixMs) -> LiveFixes:
        """Return the same of some tags only, those of one person; unknown ones are left out."""
        with self._lock:
            known = [self._slots[tag] for tag in tags if tag in self._slots]
            slots = np.array(known, np.intp)
            return self._copied(slots[self._at_ms[slots] >= now_ms - max_age_ms])

    def _copied(self, chosen: npt.NDArray[np.intp]) -> LiveFixes:
        return LiveFixes(
            tags=tuple(self._tags[slot] for slot in chosen.tolist()),
            at_ms=self._at_ms[chosen],
            rows=self._rows[chosen],
        )

    def forget(self, tags: Sequence[TagId]) -> None:
        """Drop the fixes of tags that may not be located any longer."""
        with self._lock:
            gone = {self._slots[tag] for tag in tags if tag in self._slots}
            if gone:
                keep = np.ones(len(self._tags), np.bool_)
                keep[list(gone)] = False
                self._compact(keep)

    def _write(self, fixes: FixBatch, chosen: Sequence[int], tags: Sequence[TagId]) -> None:
        slots = np.fromiter((self._slot_of(tags[row]) for row in chosen), np.intp, len(chosen))
        fresh = self._at_ms[slots] <= fixes.at_ms
        self._rows[slots[fresh]] = fixes.rows[np.asarray(chosen, np.intp)[fresh]]
        self._at_ms[slots[fresh]] = fixes.at_ms

    def _slot_of(self, tag: TagId) -> int:
        slot = self._slots.get(tag)
        if slot is None:
            slot = len(self._tags)
            self._slots[tag] = slot
            self._tags.append(tag)
            self._at_ms[slot] = np.iinfo(np.int64).min  # any fix is newer than none
        return slot

    def _make_room(self, new: int) -> None:
        used = len(self._tags)
        if used + new > self._tags_max:
            count = min(max(used + new - self._tags_max, self._tags_max // EVICTED_SHARE), used)
            oldest = np.argpartition(self._at_ms[:used], count - 1)[:count]
            keep = np.ones(used, np.bool_)
            keep[oldest] = False
            self.evicted += count
            self._compact(keep)
            used -= count
        size = len(self._rows)
        if used + new > size:
            size = min(max(2 * size, used + new), self._tags_max)
            rows, at_ms = np.zeros(size, FIX_DTYPE), np.zeros(size, np.int64)
            rows[:used], at_ms[:used] = self._rows[:used], self._at_ms[:used]
            self._rows, self._at_ms = rows, at_ms

    def _sweep_when_due(self, at_ms: UnixMs) -> None:
        if at_ms - self._swept_at_ms < self._retention_ms // SWEEPS_A_RETENTION:
            return
        self._swept_at_ms = at_ms
        keep = self._at_ms[: len(self._tags)] >= at_ms - self._retention_ms
        if not keep.all():
            self._compact(keep)

    def _compact(self, keep: np.ndarray) -> None:
        kept = np.flatnonzero(keep)
        self._rows[: len(kept)] = self._rows[kept]
        self._at_ms[: len(kept)] = self._at_ms[kept]
        # What is forgotten must not linger in the memory behind the rows in use.
        self._rows[len(kept) : len(self._tags)] = np.zeros((), FIX_DTYPE)
        self._tags = [self._tags[slot] for slot in kept.tolist()]
        self._slots = {tag: slot for slot, tag in enumerate(self._tags)}
