"""Hold readings in preallocated columns until their epoch closes.

Layer: rules. Takes: decoded columns with names resolved, from rtls.ingest.reception. Gives: rows to
rtls.ingest.epoch. Columns of several messages are gathered as lists and become arrays together,
since the fixed cost of an array operation is that of many readings.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from rtls.ingest.formats.decoded import NO_CHANNEL, NO_SIGMA, ReadingColumns
from rtls.model.reading import READING_DTYPE, ReadingArray, ReadingFlag, ReadingKind

UNKNOWN: Final = -1
NEVER_MS: Final = -(2**62)
_NAN: Final = float("nan")
Number = TypeVar("Number", int, float)


class GatheredReadings:
    """Readings of the messages of one call, not yet arrays."""

    def __init__(self) -> None:
        self.tags: list[int] = []
        self.anchors: list[int] = []
        self.values: list[float] = []
        self.ages_ms: list[int] = []
        # Shorter than the others where the last readings have none; empty in many shops.
        self.values_2: list[float] = []
        self.values_3: list[float] = []
        self.ref_anchors: list[int] = []
        self.sigmas: list[float] = []
        self.channels: list[int] = []
        # One entry a message and kind:
        self.counts: list[int] = []
        self.kinds: list[ReadingKind] = []
        self.flags: list[int] = []
        self.sent_at_ms: list[int] = []
        self.received_at_ms: list[int] = []

    def __len__(self) -> int:
        return len(self.tags)

    def add(
        self,
        columns: ReadingColumns,
        *,
        tags: Sequence[int],
        anchors: Sequence[int],
        ref_anchors: Sequence[int] | None,
        sent_at_ms: int,
        received_at_ms: int,
        flags: int,
    ) -> None:
        """Take one message's readings of one kind; `UNKNOWN` marks those to be left out."""
        count, before = len(columns.tags), len(self)
        _append(self.values_2, columns.values_2, before, _NAN)
        _append(self.values_3, columns.values_3, before, _NAN)
        _append(self.ref_anchors, ref_anchors, before, UNKNOWN)
        _append(self.sigmas, columns.sigmas, before, NO_SIGMA)
        _append(self.channels, columns.channels, before, NO_CHANNEL)
        self.tags += tags
        self.anchors += anchors
        self.values += columns.values
        self.ages_ms += columns.ages_ms
        self.counts.append(count)
        self.kinds.append(columns.kind)
        self.flags.append(flags)
        self.sent_at_ms.append(sent_at_ms)
        self.received_at_ms.append(received_at_ms)


def _append(
    column: list[Number], more: Sequence[Number] | None, before: int, nothing: Number
) -> None:
    """Append to a column that may be missing for the readings so far, ``before`` in number."""
    if more is not None:
        column += [nothing] * (before - len(column))
        column += more


class PendingReadings:
    """Rows of `READING_DTYPE` in arrival order, in an array that never grows.

    In these rows `tag` is the tag's number (rtls.ingest.tag_slots), not yet its slot.
    """

    def __init__(self, readings_max: int) -> None:
        self._rows: ReadingArray = np.zeros(readings_max, READING_DTYPE)
        self._spare: ReadingArray = np.zeros(readings_max, READING_DTYPE)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def room(self) -> int:
        """Return how many readings still fit."""
        return len(self._rows) - self._count

    @property
    def rows(self) -> ReadingArray:
        """Return the rows that wait, as a view."""
        return self._rows[: self._count]

    def put(
        self, gathered: GatheredReadings, *, spool_after_ms: int, horizon_ms: int
    ) -> ReadingArray:
        """Append the readings that are wanted; return those that are older than ``horizon_ms``.

        Parameters
        ----------
        gathered
            At most `room` readings.
        spool_after_ms
            A reading this much older than its arrival is marked as coming from a spool.
        horizon_ms
            Readings heard before it are left out.
        """
        total = len(gathered)
        assert total <= self.room
        rows = self._rows[self._count : self._count + total]
        is_wanted = _fill(rows, gathered, spool_after_ms)
        is_too_late = is_wanted & (rows["heard_at_ms"] < horizon_ms)
        kept = is_wanted & ~is_too_late
        count = int(np.count_nonzero(kept))
        too_late = select(rows, is_too_late)
        if count < total:
            rows[:count] = select(rows, kept)
        self._count += count
        return too_late

    def take(self, chosen: npt.NDArray[np.bool_]) -> ReadingArray:
        """Remove and return the rows where ``chosen`` : (n_pending,) is true."""
        taken = select(self.rows, chosen)
        self.keep(~chosen)
        return taken

    def keep(self, chosen: npt.NDArray[np.bool_]) -> None:
        """Drop the rows where ``chosen`` : (n_pending,) is false."""
        kept = np.flatnonzero(chosen)
        # Into the other half and swap: a fresh array of this size would cost more in page faults
        # than the copy itself. Mode "clip", since "raise" would copy twice to be safe.
        self.rows.take(kept, out=self._spare[: len(kept)], mode="clip")
        self._rows, self._spare = self._spare, self._rows
        self._count = len(kept)

    def restore(self, rows: ReadingArray) -> None:
        """Go on from a snapshot; at most `readings_max` rows."""
        self._rows[: len(rows)] = rows
        self._count = len(rows)


def _fill(
    rows: ReadingArray, gathered: GatheredReadings, spool_after_ms: int
) -> npt.NDArray[np.bool_]:
    """Write the readings into ``rows``; return which of them have all names known."""
    counts = np.array(gathered.counts)
    received_at_ms = np.repeat(np.array(gathered.received_at_ms, np.int64), counts)
    # An age that was not sent is marked by a positive number and means 0.
    heard_at_ms = np.repeat(np.array(gathered.sent_at_ms, np.int64), counts)
    heard_at_ms += np.minimum(np.array(gathered.ages_ms, np.int64), 0)
    np.minimum(heard_at_ms, received_at_ms, out=heard_at_ms)  # nothing is heard after it arrived
    from_spool = received_at_ms - heard_at_ms > spool_after_ms
    sigma = np.array(gathered.sigmas, np.float64)
    sigma[sigma < 0.0] = np.nan
    kinds = np.repeat(np.array(gathered.kinds, np.uint8), counts)
    flags = np.repeat(np.array(gathered.flags, np.uint8), counts)
    rows["heard_at_ms"] = heard_at_ms
    rows["tag"] = gathered.tags
    rows["anchor"] = gathered.anchors
    rows["value"] = gathered.values
    rows["value_2"] = np.nan
    rows["value_2"][: len(gathered.values_2)] = gathered.values_2
    rows["value_3"] = np.nan
    rows["value_3"][: len(gathered.values_3)] = gathered.values_3
    rows["sigma"] = np.nan
    rows["sigma"][: len(sigma)] = sigma
    rows["ref_anchor"] = UNKNOWN
    rows["ref_anchor"][: len(gathered.ref_anchors)] = gathered.ref_anchors
    rows["kind"] = kinds
    rows["flags"] = flags | (from_spool * np.uint8(ReadingFlag.FROM_SPOOL))
    rows["channel"] = 0
    rows["channel"][: len(gathered.channels)] = np.maximum(np.array(gathered.channels, np.int16), 0)
    has_reference = (kinds != ReadingKind.TDOA) | (rows["ref_anchor"] != UNKNOWN)
    named = (rows["tag"] != UNKNOWN) & (rows["anchor"] != UNKNOWN)
    return np.asarray(named & has_reference)


def select(rows: ReadingArray, chosen: npt.NDArray[np.bool_]) -> ReadingArray:
    """Return the chosen rows: `take` moves whole records, an index goes field by field (10 ×)."""
    selected: ReadingArray = rows.take(np.flatnonzero(chosen))
    return selected


def epoch_end_ms(heard_at_ms: npt.NDArray[np.int64], epoch_ms: int) -> npt.NDArray[np.int64]:
    """Return the end of the epoch of each instant; one on the boundary ends its epoch.

    Examples
    --------
    >>> epoch_end_ms(np.array([901, 1000, 1001]), 100).tolist()
    [1000, 1000, 1100]
    """
    return -(-heard_at_ms // epoch_ms) * epoch_ms
