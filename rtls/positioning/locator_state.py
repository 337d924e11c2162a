"""Hold what the filters remember of each tag, as arrays by slot.

Layer: rules. Takes: slots from the engine. Gives: arrays to the locator, rows to revisions, and
bytes to the engine's snapshot.

Nothing here knows a filter. A new array by slot is one more field of `LocatorState` and one
more line in `BY_SLOT`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidSnapshot
from rtls.model.track import TRACK_DTYPE

Slots = npt.NDArray[np.int32]
Rows = npt.NDArray[np.void]
BY_SLOT: Final = {"tracks": TRACK_DTYPE}
"""The arrays that have one row a tag slot; zero bytes mean a free slot."""


@dataclass(slots=True, kw_only=True)
class LocatorState:
    """All that the filters remember.

    Parameters
    ----------
    tracks
        (capacity,) `TRACK_DTYPE`.
    """

    tracks: Rows

    @classmethod
    def empty(cls, capacity: int) -> "LocatorState":
        """Return the state of ``capacity`` free slots."""
        return cls(tracks=np.zeros(capacity, TRACK_DTYPE))

    @property
    def capacity(self) -> int:
        """Slots there are now."""
        return int(self.tracks.size)

    @property
    def nbytes(self) -> int:
        """What the arrays by slot take."""
        return sum(getattr(self, name).nbytes for name in BY_SLOT)

    def grow(self, capacity: int) -> None:
        """Add free slots until there are ``capacity``."""
        for name, dtype in BY_SLOT.items():
            rows = getattr(self, name)
            setattr(self, name, np.concatenate((rows, np.zeros(capacity - rows.size, dtype))))

    def clear(self, slots: Slots) -> None:
        """Forget the tags of ``slots``."""
        for name, dtype in BY_SLOT.items():
            getattr(self, name)[slots] = np.zeros((), dtype)

    def rows_of(self, slots: Slots) -> "LocatorState":
        """Return a copy of all that is remembered of the tags in ``slots``, in that order."""
        return LocatorState(**{name: getattr(self, name)[slots] for name in BY_SLOT})

    def put_rows(self, slots: Slots, rows: "LocatorState") -> None:
        """Put rows back as `rows_of` gave them."""
        for name in BY_SLOT:
            getattr(self, name)[slots] = getattr(rows, name)

    def layout(self) -> str:
        """Say how a row is laid out; another layout cannot read the bytes."""
        return repr([(name, dtype.descr) for name, dtype in BY_SLOT.items()])

    def pack(self, slots: Slots) -> bytes:
        """Return the rows of ``slots`` as bytes; the same rows always give the same bytes."""
        return b"".join(getattr(self, name)[slots].tobytes() for name in BY_SLOT)

    def unpack(self, content: bytes, slots: Slots) -> None:
        """Fill ``slots`` with what `pack` wrote of as many.

        Raises
        ------
        InvalidSnapshot
            If the bytes are more or fewer than these rows take.
        """
        expected = slots.size * sum(dtype.itemsize for dtype in BY_SLOT.values())
        if len(content) != expected:
            raise InvalidSnapshot(
                f"{len(content)} bytes of tracks; expected {expected} for {slots.size} tags. Take "
                "the previous snapshot, or move the file away to start anew."
            )
        place = 0
        for name, dtype in BY_SLOT.items():
            getattr(self, name)[slots] = np.frombuffer(content, dtype, slots.size, place)
            place += slots.size * dtype.itemsize
