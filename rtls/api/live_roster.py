"""Give each tag on a floor a slot and a pseudonym, so that positions travel without names.

Layer: edges. Takes: the latest fixes. Gives: frames of one floor to the live feed. A slot stays a
tag's until the next roster. A roster is told where somebody is new, and the larger it is the less
often, for with names it is larger than the positions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.api.live_frames import (
    ABSENT,
    AGE_DS_MAX,
    RADIUS_DM_MAX,
    FrameHead,
    age_ds,
    m_per_step,
    positions_frame,
    quality_frame,
    radius_dm,
    roster_frame,
    steps_of,
)
from rtls.model.site_map import Floor
from rtls.model.units import TagId, UnixMs
from rtls.ports import LiveFixes

REF_KEPT_MS: Final = 5 * 60_000
DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
ROSTER_BYTES_A_S_MAX: Final = 6_000
"""of 2,000 tags: whoever is new is shown two seconds later at most, of 50 at once"""
VACANT_MAX: Final = 64
"""slots that may be empty beside as many that are taken, before they are given up"""


class RefBook:
    """A pseudonym for each tag: a number of the process, which leads nowhere.

    It is forgotten five to ten minutes after the tag was last seen: a trolley has many holders a
    day, and they should not share a name.
    """

    def __init__(self) -> None:
        self._count = 0
        self._known: dict[TagId, str] = {}
        self._before: dict[TagId, str] = {}
        self._turned_at_ms = 0

    def refs(self, tags: Iterable[TagId]) -> list[str]:
        """Return the pseudonyms of tags."""
        return [self._known.get(tag) or self._recall(tag) for tag in tags]

    def turn(self, present: Iterable[TagId], *, at_ms: UnixMs) -> None:
        """Forget, once in a while, whom nobody has seen for long."""
        if abs(at_ms - self._turned_at_ms) >= REF_KEPT_MS:
            self._turned_at_ms = at_ms
            self._before, self._known = self._known, {}
            self.refs(present)

    def _recall(self, tag: TagId) -> str:
        ref = self._before.get(tag)
        if ref is None:
            self._count += 1
            ref = base_36(self._count)
        self._known[tag] = ref
        return ref


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorFrames:
    """What is to be told of a floor at one instant; None: nothing new of that kind."""

    roster: bytes | None
    positions: bytes
    quality: bytes | None


class FloorRoster:
    """Who is on one floor, in which slot.

    Parameters
    ----------
    floor
        Of the site map.
    refs
        Pseudonyms, the same on all floors, so that who takes the stairs stays who he is.
    """

    def __init__(self, floor: Floor, refs: RefBook) -> None:
        self._floor = floor.floor
        self._step_m = m_per_step(floor)
        self._refs = refs
        self._number = 0
        self._slots: dict[TagId, int] = {}
        self._tags: tuple[TagId, ...] = ()
        self._of_tags: npt.NDArray[np.intp] = np.zeros(0, np.intp)
        self._told: bytes | None = None
        self._told_at_s = 0.0

    @property
    def told(self) -> bytes | None:
        """Return the roster as it was told last, for who has just come to watch."""
        return self._told

    def frames(
        self, fixes: LiveFixes, *, at_ms: UnixMs, at_s: float, with_quality: bool
    ) -> FloorFrames:
        """Return what is to be told.

        Parameters
        ----------
        fixes
            Of all floors.
        at_ms
            The instant of the positions.
        at_s
            On any clock of the watchers: what limits how often a roster is told.
        with_quality
            Tell radius and age as well.
        """
        rows = fixes.rows
        here = np.flatnonzero(rows["floor"] == self._floor)
        tags = fixes.tags
        if len(here) != len(tags):
            tags = tuple(tags[one] for one in here.tolist())
        is_new = self._place(tags, at_s=at_s)
        head = FrameHead(
            floor=self._floor, roster=self._number, at_ms=at_ms, m_per_step=self._step_m
        )
        if is_new:
            self._told = roster_frame(head, self._refs.refs(self._slots))
            self._told_at_s = at_s
        seen = self._of_tags >= 0
        slots, rows = self._of_tags[seen], rows[here[seen]]
        return FloorFrames(
            roster=self._told if is_new else None,
            positions=self._positions(head, slots, rows),
            quality=self._quality(head, slots, rows) if with_quality else None,
        )

    def _place(self, tags: tuple[TagId, ...], *, at_s: float) -> bool:
        """Know each tag's slot, -1 for who has none yet; return whether there is a new roster."""
        slots = self._slots
        if tags != self._tags:
            self._tags = tags
            self._of_tags = np.fromiter((slots.get(tag, -1) for tag in tags), np.intp, len(tags))
        if self._told is not None:
            are_many_gone = len(slots) > 2 * len(tags) + VACANT_MAX
            is_wanted = are_many_gone or self._is_anybody_waiting()
            if not is_wanted or at_s - self._told_at_s < len(self._told) / ROSTER_BYTES_A_S_MAX:
                return False
        self._number += 1
        self._slots = {tag: slot for slot, tag in enumerate(tags)}
        self._of_tags = np.arange(len(tags))
        return True

    def _is_anybody_waiting(self) -> bool:
        return bool((self._of_tags < 0).any())

    def _positions(
        self, head: FrameHead, slots: npt.NDArray[np.intp], rows: npt.NDArray[np.void]
    ) -> bytes:
        x, y = np.full((2, len(self._slots)), ABSENT, "<u2")
        x[slots] = steps_of(rows["x_m"], step_m=self._step_m)
        y[slots] = steps_of(rows["y_m"], step_m=self._step_m)
        return positions_frame(head, x, y)

    def _quality(
        self, head: FrameHead, slots: npt.NDArray[np.intp], rows: npt.NDArray[np.void]
    ) -> bytes:
        radius = np.full(len(self._slots), RADIUS_DM_MAX, np.uint8)
        age = np.full(len(self._slots), AGE_DS_MAX, np.uint8)
        radius[slots] = radius_dm((rows["cov_xx"] + rows["cov_yy"]) / 2.0)
        age[slots] = age_ds(head.at_ms - rows["evidence_at_ms"])
        return quality_frame(head, radius, age)


def base_36(number: int) -> str:
    """Return a number in the fewest letters.

    Examples
    --------
    >>> base_36(0), base_36(35), base_36(36)
    ('0', 'z', '10')
    """
    letters = DIGITS[number % 36]
    while number := number // 36:
        letters = DIGITS[number % 36] + letters
    return letters
