"""Remember what a log has been told of slots, where nobody says which the engine has given back.

Layer: rules. Takes: batches as rtls.ingest.epoch made them. Gives: the same batches, with tags
introduced anew that the engine may have forgotten meanwhile; the shard of each slot; the slots that
may go to other tags. An engine in the same process tells what it has released; one behind a log
cannot. But it goes by the time of the readings alone, so this side can tell what it must have done.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from rtls.ingest.shards import NO_SHARD, SHARDS_MAX, Owners, shard_of
from rtls.model.errors import InvalidReading
from rtls.model.reading import ReadingBatch
from rtls.model.units import TagId

NEVER_MS: Final = -(2**62)
SECOND_MS: Final = 1_000
MARGIN_MS: Final = 60_000
"""the engine counts from when a reading was heard, this book from when its epoch ended"""


class BookedSlot(msgspec.Struct, array_like=True, frozen=True):
    """One slot in a snapshot."""

    slot: int
    tag: str
    introduced_ms: int
    heard_ms: int


class SlotBook:
    """The slots of one site that a log knows.

    Parameters
    ----------
    shards
        Of the site.
    slots_max
        Slots are 0 to slots_max - 1.
    ttl_ms
        An engine forgets a tag that is silent for longer.

    Raises
    ------
    InvalidReading
        If ``shards`` cannot be.
    """

    def __init__(self, *, shards: int, slots_max: int, ttl_ms: int) -> None:
        if not 1 <= shards <= SHARDS_MAX:
            raise InvalidReading(f"shards is {shards}; expected 1 to {SHARDS_MAX}.")
        self._shards = shards
        self._ttl_ms = ttl_ms
        self._again_ms = ttl_ms // 2
        self._tags: dict[int, TagId] = {}
        self._introduced_ms = np.full(slots_max, NEVER_MS, np.int64)
        self._heard_ms = np.full(slots_max, NEVER_MS, np.int64)
        self.owners: Owners = np.full(slots_max, NO_SHARD, np.int16)

    def note(self, batch: ReadingBatch) -> ReadingBatch:
        """Write down who is heard; return the batch with the introductions that it needs."""
        end_ms = batch.epoch_end_ms
        for slot, tag in batch.introduced:
            self._tags[slot] = tag
            self.owners[slot] = shard_of(tag, self._shards)
            self._introduced_ms[slot] = self._heard_ms[slot] = end_ms
        heard: npt.NDArray[np.int32] = np.unique(batch.readings["tag"])
        self._heard_ms[heard] = end_ms
        due = heard[end_ms - self._introduced_ms[heard] >= self._again_ms]
        if not len(due):
            return batch
        self._introduced_ms[due] = end_ms
        again = ((slot, self._tags[slot]) for slot in due.tolist())
        return replace(batch, introduced=(*batch.introduced, *again))

    def take_back(self, slots: Iterable[int]) -> None:
        """Note that these introductions reach nobody: they are made again when one is heard."""
        for slot in slots:
            self._introduced_ms[slot] = NEVER_MS

    def take_silent(self, end_ms: int) -> list[int]:
        """Forget, at a whole second, the slots that no engine can hold any more; return them."""
        if end_ms % SECOND_MS:
            return []
        is_known = self._heard_ms != NEVER_MS
        is_over = is_known & (end_ms - self._heard_ms > self._ttl_ms + MARGIN_MS)
        slots: list[int] = np.flatnonzero(is_over).tolist()
        for slot in slots:
            del self._tags[slot]
        self._heard_ms[is_over] = self._introduced_ms[is_over] = NEVER_MS
        self.owners[is_over] = NO_SHARD
        return slots

    def state(self) -> list[BookedSlot]:
        """Return what a snapshot holds."""
        return [
            BookedSlot(slot, tag, int(self._introduced_ms[slot]), int(self._heard_ms[slot]))
            for slot, tag in self._tags.items()
        ]

    def restore(self, slots: Iterable[BookedSlot]) -> None:
        """Go on from a snapshot."""
        self._tags = {}
        self._introduced_ms.fill(NEVER_MS)
        self._heard_ms.fill(NEVER_MS)
        self.owners.fill(NO_SHARD)
        for one in slots:
            self._tags[one.slot] = TagId(one.tag)
            self._introduced_ms[one.slot] = one.introduced_ms
            self._heard_ms[one.slot] = one.heard_ms
            self.owners[one.slot] = shard_of(TagId(one.tag), self._shards)
