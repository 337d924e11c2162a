"""Keep what it takes to run the last minute of some tags once more.

Layer: flow. Takes: batches and copies of the engine's rows from rtls.revision. Gives: the youngest
copy from before an instant, and the readings since. Bounded in bytes: what is too much is left out
and said so, and then cannot be run again.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.engine_contract import Slots
from rtls.engine_snapshot import EngineRows
from rtls.model.errors import InvalidReading
from rtls.model.reading import READING_DTYPE, ReadingArray, ReadingBatch
from rtls.model.units import UnixMs

MEBIBYTE: Final = 1 << 20
Instants = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionSettings:
    """How far back a reading may change what was told, and how much is kept for that.

    2,000 tags take 5.4 kB each in 8 copies, 86 MB; on the walkable grid 13.1 kB, 210 MB. 16,000
    readings a second take 56 bytes each over 70 s, 63 MB.

    Parameters
    ----------
    late_ms_max
        Readings later than this are for analytics only.
    epoch_ms
        Length of the epochs, as reception cuts them.
    copy_every_ms
        Distance of two copies of the state.
    every_ms
        No two runs within this time: a spool is emptied in many messages.
    states_bytes_max, readings_bytes_max
        What the copies and the log may take.
    late_readings_max, tags_a_run_max, events_max
        Bounds on what waits for a run, what one run takes, and what is remembered as told.
    """

    late_ms_max: int = 60_000
    epoch_ms: int = 100
    copy_every_ms: int = 10_000
    every_ms: int = 1_000
    states_bytes_max: int = 224 * MEBIBYTE
    readings_bytes_max: int = 64 * MEBIBYTE
    late_readings_max: int = 65_536
    tags_a_run_max: int = 500
    events_max: int = 20_000

    def __post_init__(self) -> None:
        for item in fields(self):
            if getattr(self, item.name) < 1:
                raise InvalidReading(
                    f"{item.name} is {getattr(self, item.name)}; expected 1 or more."
                )

    @property
    def kept_ms(self) -> int:
        """How long copies and readings are kept: so that a copy is older than any reading."""
        return self.late_ms_max + self.copy_every_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCopy:
    """The engine's rows of the tags followed at the end of an epoch.

    Parameters
    ----------
    end_ms
        End of the last epoch that they have taken.
    slots
        (n,) ascending: whose rows they are.
    left_out
        Slots in use for which there was no room.
    """

    end_ms: UnixMs
    slots: Slots
    rows: EngineRows
    left_out: Slots


class RevisionLog:
    """Copies of the state and the batches between them, the oldest first."""

    def __init__(self, settings: RevisionSettings) -> None:
        self._settings = settings
        self._copies: deque[StateCopy] = deque()
        self._batches: deque[ReadingBatch] = deque()
        self._weights: deque[tuple[int, Weights]] = deque([(-1, np.empty(0))])
        """(end of an epoch, trust in the anchors from then on)"""
        self._reading_bytes = 0
        self._complete_from_ms = 0
        """no batch that ends later is missing"""

    @property
    def bytes(self) -> int:
        """What copies and readings take at present."""
        return self._reading_bytes + sum(copy.rows.nbytes for copy in self._copies)

    @property
    def oldest_ms(self) -> int | None:
        """Readings heard after this instant can be taken in; None while there is no copy."""
        return self._copies[0].end_ms if self._copies else None

    def is_copy_due(self, end_ms: UnixMs) -> bool:
        """Say whether it is time for a copy of the state at ``end_ms``."""
        every_ms = self._settings.copy_every_ms
        return not self._copies or end_ms // every_ms > self._copies[-1].end_ms // every_ms

    def room_for_tags(self, tag_bytes: int) -> int:
        """Return how many tags of so many bytes each a copy may hold."""
        copies = self._settings.kept_ms // self._settings.copy_every_ms + 1
        return self._settings.states_bytes_max // (copies * max(tag_bytes, 1))

    def keep(self, copy: StateCopy) -> None:
        """Add a copy younger than all others."""
        self._copies.append(copy)

    def note(self, batch: ReadingBatch) -> None:
        """Add a batch younger than all others, and forget what is too old or too much."""
        if batch.readings.size or batch.introduced:
            self._batches.append(batch)
            self._reading_bytes += batch.readings.nbytes
        oldest_ms = batch.epoch_end_ms - self._settings.kept_ms
        bytes_max = self._settings.readings_bytes_max
        while self._batches and (
            self._batches[0].epoch_end_ms <= oldest_ms or self._reading_bytes > bytes_max
        ):
            gone = self._batches.popleft()
            self._reading_bytes -= gone.readings.nbytes
            self._complete_from_ms = gone.epoch_end_ms
        oldest_ms = max(oldest_ms, self._complete_from_ms)
        while self._copies and self._copies[0].end_ms < oldest_ms:
            self._copies.popleft()

    def note_weights(self, weights: Weights, end_ms: UnixMs) -> None:
        """Remember how far anchors are trusted after the epoch that ended at ``end_ms``."""
        if not np.array_equal(self._weights[-1][1], weights):
            self._weights.append((end_ms, weights))
        while len(self._weights) > 1 and self._weights[1][0] < end_ms - self._settings.kept_ms:
            self._weights.popleft()

    def weights_before(self, end_ms: UnixMs) -> Weights:
        """Return how far anchors were trusted in the epoch that ended at ``end_ms``."""
        return next((w for from_ms, w in reversed(self._weights) if from_ms < end_ms))

    def copy_before(self, heard_ms: int) -> StateCopy | None:
        """Return the youngest copy that can be run up to a reading heard at ``heard_ms``."""
        return next((copy for copy in reversed(self._copies) if copy.end_ms < heard_ms), None)

    def batches_since(self, end_ms: UnixMs) -> Iterator[ReadingBatch]:
        """Yield the batches that end after ``end_ms``."""
        return (batch for batch in self._batches if batch.epoch_end_ms > end_ms)

    def readings_since(self, end_ms: UnixMs, slots: Slots) -> tuple[ReadingArray, Instants]:
        """Return the readings of the tags in ``slots`` since ``end_ms``, with the epoch of each.

        Where a slot was given to a new tag in the meantime, what its last owner was heard by is
        left out.
        """
        rows: list[ReadingArray] = []
        ends: list[Instants] = []
        is_wanted = np.zeros(int(slots.max(initial=0)) + 1, np.bool_)
        is_wanted[slots] = True
        for batch in reversed(list(self.batches_since(end_ms))):
            tag = batch.readings["tag"]
            is_own = (tag >= 0) & (tag < is_wanted.size)
            is_own[is_own] = is_wanted[tag[is_own]]
            chosen = batch.readings[is_own]
            rows.append(chosen)
            ends.append(np.full(chosen.size, batch.epoch_end_ms, np.int64))
            for slot, _ in batch.introduced:
                if slot < is_wanted.size:
                    is_wanted[slot] = False
        rows.append(np.empty(0, READING_DTYPE))
        ends.append(np.empty(0, np.int64))
        return np.concatenate(rows[::-1]), np.concatenate(ends[::-1])
