"""Cut the stream of readings into epochs, in event-time order.

Layer: rules. Takes: rows from rtls.ingest.pending_readings and the watermark. Gives: one
`ReadingBatch` for each epoch with readings, and one (possibly empty) at every whole second, so that
timers fire when nobody is heard. Which reading is in which batch depends on event time alone, as
long as it comes within the lateness.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.ingest.canonical_order import Fingerprints, canonical
from rtls.ingest.pending_readings import NEVER_MS, PendingReadings, epoch_end_ms, select
from rtls.ingest.reception_settings import ReceptionSettings
from rtls.ingest.tag_slots import TagSlots
from rtls.model.reading import READING_DTYPE, ReadingArray, ReadingBatch
from rtls.model.units import SiteId, UnixMs

SECOND_MS: Final = 1_000
Instants = npt.NDArray[np.int64]
_NO_ROWS: Final[ReadingArray] = np.zeros(0, READING_DTYPE)


class Epochs:
    """Closes epochs one after the other; remembers the last one closed."""

    def __init__(self, *, site: SiteId, shard: int, settings: ReceptionSettings) -> None:
        self._site = site
        self._shard = shard
        self._settings = settings
        self.closed_ms: int | None = None
        """end of the last epoch closed; None before the first reading"""
        self.heard_ms = 0
        """end of the last epoch that had readings"""
        self.sequence = 0
        self.late = 0
        self.repeated = 0
        self.recent: deque[tuple[int, Fingerprints]] = deque()
        """fingerprints of the readings that a late repeat could repeat"""

    @property
    def horizon_ms(self) -> int:
        """Return the instant before which a reading is too late to be used."""
        return NEVER_MS if self.closed_ms is None else self.closed_ms - self._settings.late_max_ms

    @property
    def revisable_ms(self) -> int:
        """Return the instant up to which a reading is too old even for another run of its tag."""
        if self.closed_ms is None or not self._settings.revise_max_ms:
            return -NEVER_MS
        return self.closed_ms - self._settings.revise_max_ms

    def restore(
        self,
        *,
        closed_ms: int | None,
        heard_ms: int,
        sequence: int,
        recent: Iterable[tuple[int, Fingerprints]],
    ) -> None:
        """Go on from a snapshot."""
        self.closed_ms = closed_ms
        self.heard_ms = heard_ms
        self.sequence = sequence
        self.recent = deque(recent)

    def close(
        self, pending: PendingReadings, slots: TagSlots, *, watermark_ms: UnixMs
    ) -> list[ReadingBatch]:
        """Close every epoch that ends by the watermark; return their batches in order."""
        limit_ms = watermark_ms // self._settings.epoch_ms * self._settings.epoch_ms
        if self.closed_ms is not None and limit_ms <= self.closed_ms:
            return []
        rows, ends = self._due(pending, limit_ms)
        if self.closed_ms is None:
            if len(rows) == 0:
                return []
            self.closed_ms = int(ends.min()) - self._settings.epoch_ms
        batches = []
        for end_ms in self._ends_to_state(ends, limit_ms):
            chosen = select(rows, ends == end_ms) if len(rows) else rows
            batches.append(self._batch(end_ms, chosen, slots))
        self.closed_ms = max(self.closed_ms, limit_ms)
        return batches

    def _due(self, pending: PendingReadings, limit_ms: int) -> tuple[ReadingArray, Instants]:
        """Take the rows whose epoch is over, with the end of the epoch that they count to."""
        # The limit ends an epoch, so what was heard by then is in an epoch that is over.
        is_due = pending.rows["heard_at_ms"] <= limit_ms
        if not is_due.any():
            return _NO_ROWS, np.empty(0, np.int64)
        rows = pending.take(is_due)
        ends = epoch_end_ms(rows["heard_at_ms"], self._settings.epoch_ms)
        if self.closed_ms is not None:
            # A late reading is used in the next epoch, at its true time.
            np.maximum(ends, self.closed_ms + self._settings.epoch_ms, out=ends)
        return rows, ends

    def _ends_to_state(self, ends: Instants, limit_ms: int) -> list[int]:
        """Return the ends of the epochs that make a batch: with readings, or a whole second."""
        assert self.closed_ms is not None
        with_readings = np.unique(ends).tolist()
        stated = set(with_readings)
        from_ms = self.closed_ms
        for heard_ms, next_ms in zip(
            [self.heard_ms or self.closed_ms, *with_readings],
            [*with_readings, limit_ms],
            strict=True,
        ):
            until_ms = min(next_ms, heard_ms + self._settings.quiet_after_ms)
            first_ms = max(from_ms, heard_ms) // SECOND_MS * SECOND_MS + SECOND_MS
            stated.update(range(first_ms, until_ms + 1, SECOND_MS))
        return sorted(stated)

    def _batch(self, end_ms: int, rows: ReadingArray, slots: TagSlots) -> ReadingBatch:
        assert self.closed_ms is not None
        placed, introduced = slots.place(rows["tag"])
        rows["tag"] = placed
        ordered = self._without_repeats(rows, end_ms)
        self.late += int(np.count_nonzero(ordered["heard_at_ms"] <= end_ms - self._epoch_ms))
        self.closed_ms = end_ms
        if len(ordered):
            self.heard_ms = end_ms
        self.sequence += 1
        return ReadingBatch(
            site=self._site,
            shard=self._shard,
            sequence=self.sequence,
            epoch_end_ms=UnixMs(end_ms),
            readings=ordered,
            introduced=introduced,
        )

    @property
    def _epoch_ms(self) -> int:
        return self._settings.epoch_ms

    def _without_repeats(self, rows: ReadingArray, end_ms: int) -> ReadingArray:
        ordered, marks = canonical(rows)
        oldest_ms = end_ms - self._settings.late_max_ms - SECOND_MS
        while self.recent and self.recent[0][0] < oldest_ms:
            self.recent.popleft()
        is_late = ordered["heard_at_ms"] <= end_ms - self._epoch_ms
        if is_late.any() and self.recent:
            is_new = np.ones(len(marks), np.bool_)
            heard_ms = int(ordered["heard_at_ms"][is_late].min())
            is_new[is_late] = ~self._is_known(marks[is_late], heard_ms)
            ordered, marks = select(ordered, is_new), marks[is_new]
        if len(marks):
            self.recent.append((end_ms, np.sort(marks)))
        self.repeated += len(rows) - len(ordered)
        return ordered

    def _is_known(self, marks: Fingerprints, heard_ms: int) -> npt.NDArray[np.bool_]:
        """Return which marks an earlier epoch has had; none was heard before ``heard_ms``.

        Few rows are late, by a few epochs, and each epoch's marks are sorted: searching these is
        a hundred times cheaper than one set of all marks, made anew for every batch.
        """
        is_known = np.zeros(len(marks), np.bool_)
        for end_ms, earlier in reversed(self.recent):
            if end_ms < heard_ms:
                break  # what it had was heard by its end
            place = np.minimum(np.searchsorted(earlier, marks), len(earlier) - 1)
            is_known |= earlier[place] == marks
        return is_known
