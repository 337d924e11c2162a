"""Keep the readings that came too late for their epoch until their tags are run again.

Layer: rules. Takes: rows behind the horizon, from rtls.ingest.reception. Gives: the same rows with
the tag's slot in place of its number, to rtls.revision by way of the door.
"""

from typing import Final

import numpy as np

from rtls.ingest.pending_readings import select
from rtls.ingest.tag_slots import NO_SLOT, Integers, TagSlots
from rtls.model.reading import READING_DTYPE, ReadingArray

ROWS_MAX: Final = 65_536
NO_ROWS: Final[ReadingArray] = np.zeros(0, READING_DTYPE)


class LateReadings:
    """Rows of `READING_DTYPE` in arrival order; `tag` is the tag's number."""

    def __init__(self) -> None:
        self._rows = NO_ROWS
        self.of_no_slot = 0
        """of tags that the engine does not follow: there is nothing to run again"""

    def put(self, rows: ReadingArray, *, oldest_ms: int) -> int:
        """Keep the rows heard after ``oldest_ms``; return how many were not kept."""
        kept = select(rows, rows["heard_at_ms"] > oldest_ms)[: ROWS_MAX - len(self._rows)]
        if len(kept):
            self._rows = np.concatenate((self._rows, kept))
        return len(rows) - len(kept)

    def forget(self, numbers: Integers) -> None:
        """Drop the readings of tags that we may not locate any more."""
        self._rows = select(self._rows, ~np.isin(self._rows["tag"], numbers))

    def take(self, slots: TagSlots) -> ReadingArray:
        """Return the rows kept, with slots, and keep them no more."""
        taken, self._rows = self._rows, NO_ROWS
        if len(taken) == 0:
            return taken
        taken["tag"] = slots.slots_of(taken["tag"])
        placed = select(taken, taken["tag"] != NO_SLOT)
        self.of_no_slot += len(taken) - len(placed)
        return placed
