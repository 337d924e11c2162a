"""Give every tag a number, and every located tag a slot in the engine's arrays.

Layer: rules. Takes: tag ids as strings. Gives: numbers to rtls.ingest.pending_readings and slots to
rtls.ingest.epoch. Strings become integers here and nowhere else.

Two steps, since messages arrive in any order: a *number* is given at arrival and is seen by nobody
outside; a *slot* is given when the first epoch with the tag closes, in the order of the ids. So the
slots do not depend on how messages were split or mixed up on their way.
"""

import heapq
from collections.abc import Container, Iterable

import msgspec
import numpy as np
import numpy.typing as npt

from rtls.model.units import TagId

Integers = npt.NDArray[np.int32]
NO_SLOT = -1


class KnownTag(msgspec.Struct, array_like=True, frozen=True):
    """One tag in a snapshot."""

    tag: str
    number: int
    slot: int


class TagSlots:
    """The tags known at present.

    Parameters
    ----------
    tags_max
        How many tags can be known at a time; slots are 0 to tags_max - 1.
    """

    def __init__(self, tags_max: int) -> None:
        self.tags_max = tags_max
        self.number_of: dict[str, int] = {}
        """the tags whose readings are taken"""
        self._withdrawn: dict[str, int] = {}
        """tags that are not to be located any more, but whose slot the engine still uses"""
        self._names: list[str] = [""] * tags_max
        self._slots: Integers = np.full(tags_max, NO_SLOT, np.int32)
        self._number_at: dict[int, int] = {}
        # The lowest free one is taken first, so that the engine's live rows stay together.
        self._free_numbers = list(range(tags_max))
        self._free_slots = list(range(tags_max))

    def intern(self, tag: str) -> int | None:
        """Return the tag's number; None if no more tags fit."""
        number = self.number_of.get(tag)
        if number is None:
            number = self._withdrawn.pop(tag, None)  # granted again before the engine let it go
            if number is None and self._free_numbers:
                number = heapq.heappop(self._free_numbers)
                self._names[number] = tag
            if number is not None:
                self.number_of[tag] = number
        return number

    def place(self, numbers: Integers) -> tuple[Integers, tuple[tuple[int, TagId], ...]]:
        """Return the slot of each number, and (slot, tag) of those that had none before."""
        slots = self._slots[numbers]
        if slots.size == 0 or slots.min() >= 0:
            return slots, ()
        new = sorted(
            (self._names[number], int(number)) for number in np.unique(numbers[slots == NO_SLOT])
        )
        introduced = []
        for name, number in new:
            slot = heapq.heappop(self._free_slots)
            self._slots[number] = slot
            self._number_at[slot] = number
            introduced.append((slot, TagId(name)))
        return self._slots[numbers], tuple(introduced)

    def slots_of(self, numbers: Integers) -> Integers:
        """Return the slot of each number, `NO_SLOT` where it has none."""
        return self._slots[numbers]

    def release(self, slots: Iterable[int], *, waiting: Integers) -> None:
        """Free slots that the engine has done with; tags with readings in ``waiting`` stay known.

        Such a tag gets a slot again, and is introduced again, with its next batch.
        """
        still_needed = set(waiting.tolist())
        for slot in slots:
            number = self._number_at.pop(int(slot), None)
            if number is None:
                continue
            self._slots[number] = NO_SLOT
            heapq.heappush(self._free_slots, int(slot))
            if number not in still_needed:
                self._forget(number)

    def withdraw(self, admitted: Container[str]) -> Integers:
        """Take no more readings of tags that are not in ``admitted``; return their numbers."""
        gone = [tag for tag in self.number_of if tag not in admitted]
        numbers = [self.number_of.pop(tag) for tag in gone]
        for tag, number in zip(gone, numbers, strict=True):
            self._withdrawn[tag] = number
            if self._slots[number] == NO_SLOT:
                self._forget(number)
        return np.array(numbers, np.int32)

    def forget_unplaced(self, *, waiting: Integers) -> None:
        """Make room: forget tags that have neither a slot nor a reading in ``waiting``."""
        still_needed = set(waiting.tolist())
        for number in list(self.number_of.values()):
            if self._slots[number] == NO_SLOT and number not in still_needed:
                self._forget(number)

    def _forget(self, number: int) -> None:
        name = self._names[number]
        self.number_of.pop(name, None)
        self._withdrawn.pop(name, None)
        self._names[number] = ""
        heapq.heappush(self._free_numbers, number)

    def state(self) -> list[KnownTag]:
        """Return what a snapshot holds."""
        known = [*self.number_of.items(), *self._withdrawn.items()]
        slots = self._slots[[number for _, number in known]].tolist() if known else []
        return [
            KnownTag(tag, number, slot) for (tag, number), slot in zip(known, slots, strict=True)
        ]

    def restore(self, tags: list[KnownTag]) -> None:
        """Go on from a snapshot."""
        self.number_of = {one.tag: one.number for one in tags}
        self._withdrawn = {}
        self._names = [""] * self.tags_max
        self._slots.fill(NO_SLOT)
        for one in tags:
            self._names[one.number] = one.tag
            self._slots[one.number] = one.slot
        self._number_at = {one.slot: one.number for one in tags if one.slot != NO_SLOT}
        self._free_numbers = sorted(set(range(self.tags_max)) - set(self.number_of.values()))
        self._free_slots = sorted(set(range(self.tags_max)) - set(self._number_at))
