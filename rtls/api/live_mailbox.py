"""Hold what one watcher of the live map has not taken yet: of each kind the newest, of events all.

Layer: edges. Takes: frames of the live feed. Gives: them to one socket, rosters before positions.
What is newer replaces what waits, so a slow reader sees less often and never late. Events are not
replaced; who lets too many wait has missed some, and is told so by the end of the stream.
"""

import asyncio
from collections import deque
from enum import IntEnum
from typing import Final

from rtls.api.live_roster import FloorFrames

EVENTS_WAITING_MAX: Final = 256


class Place(IntEnum):
    """What is sent first."""

    ROSTER = 0
    POSITIONS = 1
    QUALITY = 2
    CLOCK = 3


class LiveMailbox:
    """What waits for one socket; belongs to one event loop.

    Parameters
    ----------
    floor
        What the watcher looks at; `watch` changes it.
    """

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self.replaced = 0
        self.has_missed = False
        self._waiting: dict[Place, bytes | str] = {}
        self._events: deque[str] = deque()
        self._is_any = asyncio.Event()

    def watch(self, floor: int, roster: bytes | None) -> None:
        """Look at a floor from now on, whose roster is this; None where nobody has made one."""
        self.floor = floor
        for place in (Place.ROSTER, Place.POSITIONS, Place.QUALITY):
            self._waiting.pop(place, None)
        if roster is not None:
            self._put(Place.ROSTER, roster)

    def put_floor(self, frames: FloorFrames) -> None:
        """Take what is new of the floor."""
        if frames.roster is not None:
            # What waits is about the slots of the roster before.
            self._waiting.pop(Place.QUALITY, None)
            self._put(Place.ROSTER, frames.roster)
        self._put(Place.POSITIONS, frames.positions)
        if frames.quality is not None:
            self._put(Place.QUALITY, frames.quality)

    def put_clock(self, text: str) -> None:
        """Take what time it is there."""
        self._put(Place.CLOCK, text)

    def put_events(self, text: str) -> None:
        """Take events."""
        self._events.append(text)
        self.has_missed = self.has_missed or len(self._events) > EVENTS_WAITING_MAX
        self._is_any.set()

    async def next(self) -> bytes | str:
        """Wait for the next frame."""
        while not self._waiting and not self._events:
            self._is_any.clear()
            await self._is_any.wait()
        if self._waiting:
            return self._waiting.pop(min(self._waiting))
        return self._events.popleft()

    def _put(self, place: Place, frame: bytes | str) -> None:
        self.replaced += place in self._waiting
        self._waiting[place] = frame
        self._is_any.set()
