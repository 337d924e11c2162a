"""Hold the beliefs of a map filter, as arrays by slot, and turn them into bytes and back.

Layer: rules. Takes: slots from the engine. Gives: arrays to rtls.positioning.grid_tracking, and
bytes to the locator's state. Only nodes that carry mass are written.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.belief import BELIEF_DTYPE, NODES_A_BELIEF
from rtls.model.errors import InvalidSnapshot

Slots = npt.NDArray[np.int32]
HEAD_BYTES: Final = 9  # of each slot: when it was last ranged, and whether it has a belief


@dataclass(slots=True, kw_only=True)
class Beliefs:
    """What a map filter remembers; of no slot at all where a site has none.

    Parameters
    ----------
    rows
        (capacity,) `BELIEF_DTYPE`; zero bytes mean a free slot.
    states, masses
        (capacity, `NODES_A_BELIEF`): the states that carry mass, and the mass; the first ``used``
        of a row count.
    """

    rows: npt.NDArray[np.void]
    states: npt.NDArray[np.int32]
    masses: npt.NDArray[np.float32]

    @classmethod
    def empty(cls, capacity: int) -> "Beliefs":
        """Return the beliefs of ``capacity`` free slots."""
        return cls(
            rows=np.zeros(capacity, BELIEF_DTYPE),
            states=np.zeros((capacity, NODES_A_BELIEF), np.int32),
            masses=np.zeros((capacity, NODES_A_BELIEF), np.float32),
        )

    def __len__(self) -> int:
        return int(self.rows.size)

    @property
    def nbytes(self) -> int:
        """What the arrays take."""
        return self.rows.nbytes + self.states.nbytes + self.masses.nbytes

    def of(
        self, slots: Slots
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return how many states each of ``slots`` has, and the states and masses of all slots."""
        used = self.rows["used"][slots] if len(self) else np.zeros(slots.size, np.int32)
        return np.ascontiguousarray(used), self.states, self.masses

    def grow(self, capacity: int) -> None:
        """Add free slots until there are ``capacity``, where there are any."""
        if len(self):
            more = Beliefs.empty(capacity - len(self))
            self.rows = np.concatenate((self.rows, more.rows))
            self.states = np.concatenate((self.states, more.states))
            self.masses = np.concatenate((self.masses, more.masses))

    def clear(self, slots: Slots) -> None:
        """Forget the tags of ``slots``."""
        if len(self):
            self.rows[slots] = np.zeros((), BELIEF_DTYPE)

    def rows_of(self, slots: Slots) -> "Beliefs":
        """Return a copy of ``slots``, in that order."""
        if not len(self):
            return Beliefs.empty(0)
        return Beliefs(rows=self.rows[slots], states=self.states[slots], masses=self.masses[slots])

    def put_rows(self, slots: Slots, rows: "Beliefs") -> None:
        """Put rows back as `rows_of` gave them."""
        if len(self):
            self.rows[slots] = rows.rows
            self.states[slots] = rows.states
            self.masses[slots] = rows.masses

    def pack(self, slots: Slots) -> bytes:
        """Return the beliefs of ``slots`` as bytes; the same beliefs give the same bytes.

        Of a tag that is not on the grid there is nothing to tell but when it was last ranged.
        """
        if not len(self):
            return b""
        is_own = (self.rows["at_ms"][slots] != 0) | (self.rows["pending_ms"][slots] != 0)
        own = slots[is_own]
        is_used = np.arange(NODES_A_BELIEF) < self.rows["used"][own][:, None]
        return b"".join((
            self.rows["precise_ms"][slots].tobytes(),
            is_own.tobytes(),
            self.rows[own].tobytes(),
            self.states[own][is_used].tobytes(),
            self.masses[own][is_used].tobytes(),
        ))  # fmt: skip

    def unpack(self, content: bytes, slots: Slots) -> None:
        """Fill ``slots`` with what `pack` wrote of as many.

        Raises
        ------
        InvalidSnapshot
            If the bytes are more or fewer than these beliefs take.
        """
        heads = slots.size * HEAD_BYTES if len(self) else 0
        if len(content) < heads or (content and not len(self)):
            raise InvalidSnapshot(_wrong_size(len(content), heads))
        if not len(self):
            return
        self.rows["precise_ms"][slots] = np.frombuffer(content, np.int64, slots.size)
        is_own = np.frombuffer(content, np.bool_, slots.size, 8 * slots.size)
        own = slots[is_own]
        begin = heads + own.size * BELIEF_DTYPE.itemsize
        if len(content) < begin:
            raise InvalidSnapshot(_wrong_size(len(content), begin))
        rows = np.frombuffer(content, BELIEF_DTYPE, own.size, heads)
        used = rows["used"]
        count = int(used.sum())
        if used.min(initial=0) < 0 or used.max(initial=0) > NODES_A_BELIEF:
            raise InvalidSnapshot(f"a belief has {used.max()} nodes; expected {NODES_A_BELIEF}.")
        if len(content) != begin + 8 * count:
            raise InvalidSnapshot(_wrong_size(len(content), begin + 8 * count))
        self.rows[own] = rows
        which, place = np.nonzero(np.arange(NODES_A_BELIEF) < used[:, None])
        self.states[own[which], place] = np.frombuffer(content, np.int32, count, begin)
        self.masses[own[which], place] = np.frombuffer(
            content, np.float32, count, begin + 4 * count
        )


def _wrong_size(found: int, expected: int) -> str:
    return (
        f"{found} bytes of beliefs; expected {expected}. Take the previous snapshot, or move the "
        "file away to start anew."
    )
