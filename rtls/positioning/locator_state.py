"""Hold what the filters remember of each tag, as arrays by slot.

Layer: rules. Takes: slots from the engine. Gives: arrays to the locator, rows to revisions, and
bytes to the engine's snapshot.

Nothing here knows a filter. A new array by slot is one more field of `LocatorState` and one
more line in `BY_SLOT`; one by anchor, in `BY_ANCHOR`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.belief import BELIEF_DTYPE
from rtls.model.errors import InvalidSnapshot
from rtls.model.track import TRACK_DTYPE
from rtls.positioning.anchor_health import WATCH_DTYPE
from rtls.positioning.beliefs import Beliefs
from rtls.positioning.kernels.records import HEALTH_DTYPE
from rtls.positioning.stale_values import REPEATS_DTYPE
from rtls.positioning.tracking import full_trust

Slots = npt.NDArray[np.int32]
Rows = npt.NDArray[np.void]
DIGEST_BYTES: Final = 16
LENGTH_BYTES: Final = 8
BY_SLOT: Final = {"tracks": TRACK_DTYPE, "repeats": REPEATS_DTYPE}
"""The arrays that have one row a tag slot; zero bytes mean a free slot."""
BY_ANCHOR: Final = {"health": HEALTH_DTYPE, "watch": WATCH_DTYPE}
"""The arrays that have one row an anchor, in the order of the site map."""


@dataclass(slots=True, kw_only=True)
class LocatorState:
    """All that the filters remember.

    Parameters
    ----------
    tracks
        (capacity,) `TRACK_DTYPE`.
    repeats
        (capacity,) `REPEATS_DTYPE`: what each link said last, and how often.
    beliefs
        Of the map filter; of no slot where the site has none.
    health, watch
        (n_anchors,) `HEALTH_DTYPE` and `WATCH_DTYPE`.
    anchors
        Digest of the names of the anchors, since their numbers mean nothing on another map.
    """

    tracks: Rows
    repeats: Rows
    beliefs: Beliefs = field(default_factory=lambda: Beliefs.empty(0))
    health: Rows = field(default_factory=lambda: full_trust(0))
    watch: Rows = field(default_factory=lambda: np.zeros(0, WATCH_DTYPE))
    anchors: bytes = bytes(DIGEST_BYTES)

    @classmethod
    def empty(
        cls, capacity: int, *, anchors: Sequence[str] = (), has_grid: bool = False
    ) -> "LocatorState":
        """Return the state of ``capacity`` free slots and of ``anchors``, all trusted in full."""
        names = "\n".join(anchors).encode()
        return cls(
            **{name: np.zeros(capacity, dtype) for name, dtype in BY_SLOT.items()},
            beliefs=Beliefs.empty(capacity if has_grid else 0),
            health=full_trust(len(anchors)),
            watch=np.zeros(len(anchors), WATCH_DTYPE),
            anchors=hashlib.blake2b(names, digest_size=DIGEST_BYTES).digest(),
        )

    @property
    def capacity(self) -> int:
        """Slots there are now."""
        return int(self.tracks.size)

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """(n_anchors,) how far each anchor is trusted."""
        weights: npt.NDArray[np.float64] = self.health["weight"]
        return weights

    @weights.setter
    def weights(self, weights: npt.NDArray[np.float64]) -> None:
        self.health["weight"] = weights

    @property
    def nbytes(self) -> int:
        """What the arrays by slot take."""
        return sum(int(getattr(self, name).nbytes) for name in BY_SLOT) + self.beliefs.nbytes

    def grow(self, capacity: int) -> None:
        """Add free slots until there are ``capacity``."""
        for name, dtype in BY_SLOT.items():
            rows = getattr(self, name)
            setattr(self, name, np.concatenate((rows, np.zeros(capacity - rows.size, dtype))))
        self.beliefs.grow(capacity)

    def clear(self, slots: Slots) -> None:
        """Forget the tags of ``slots``."""
        for name, dtype in BY_SLOT.items():
            getattr(self, name)[slots] = np.zeros((), dtype)
        self.beliefs.clear(slots)

    def rows_of(self, slots: Slots) -> "LocatorState":
        """Return a copy of all that is remembered of the tags in ``slots``, in that order."""
        rows = {name: getattr(self, name)[slots] for name in BY_SLOT}
        return LocatorState(**rows, beliefs=self.beliefs.rows_of(slots))

    def put_rows(self, slots: Slots, rows: "LocatorState") -> None:
        """Put rows back as `rows_of` gave them."""
        for name in BY_SLOT:
            getattr(self, name)[slots] = getattr(rows, name)
        self.beliefs.put_rows(slots, rows.beliefs)

    def layout(self) -> str:
        """Say how a row is laid out; another layout cannot read the bytes."""
        dtypes = (BY_SLOT | BY_ANCHOR).items()
        layouts = [(name, dtype.descr) for name, dtype in dtypes]
        return repr((layouts, BELIEF_DTYPE.descr if len(self.beliefs) else None))

    def pack(self, slots: Slots) -> bytes:
        """Return the rows of ``slots`` and of the anchors; the same rows give the same bytes."""
        beliefs = self.beliefs.pack(slots)
        return b"".join((  # at once: these are megabytes, twice a second
            *(getattr(self, name)[slots].tobytes() for name in BY_SLOT),
            len(beliefs).to_bytes(LENGTH_BYTES, "little"),
            beliefs,
            self.anchors,
            *(getattr(self, name).tobytes() for name in BY_ANCHOR),
        ))  # fmt: skip

    def unpack(self, content: bytes, slots: Slots) -> None:
        """Fill ``slots`` with what `pack` wrote of as many, and the anchors if they are the same.

        Raises
        ------
        InvalidSnapshot
            If the bytes are more or fewer than these rows take.
        """
        rows = slots.size * sum(dtype.itemsize for dtype in BY_SLOT.values())
        start = rows + LENGTH_BYTES
        taken = start + int.from_bytes(content[rows:start], "little")
        by_anchor = content[taken + DIGEST_BYTES :]
        a_row = sum(dtype.itemsize for dtype in BY_ANCHOR.values())
        if len(content) < taken + DIGEST_BYTES or len(by_anchor) % a_row:
            raise InvalidSnapshot(
                f"{len(content)} bytes of the locator; expected {taken} for {slots.size} tags, a "
                f"digest and rows of {a_row} bytes. Take the previous snapshot, or move the file "
                "away to start anew."
            )
        place = 0
        for name, dtype in BY_SLOT.items():
            getattr(self, name)[slots] = np.frombuffer(content, dtype, slots.size, place)
            place += slots.size * dtype.itemsize
        self.beliefs.unpack(content[start:taken], slots)
        if content[taken : taken + DIGEST_BYTES] == self.anchors:
            self._take_anchors(by_anchor)

    def _take_anchors(self, content: bytes) -> None:
        place = 0
        for name, dtype in BY_ANCHOR.items():
            rows = getattr(self, name)
            setattr(self, name, np.frombuffer(content, dtype, rows.size, place).copy())
            place += rows.nbytes
