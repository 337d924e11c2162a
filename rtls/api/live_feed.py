"""Show live positions to any number of watchers, encoded once for all of a floor.

Layer: edges. Takes: the live state, and zone events in the thread of the locating loop.
Gives: frames to the sockets of `live_routes`. Nothing is read and nothing encoded while nobody
watches, and nobody waits for a slow reader.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from typing_extensions import TypedDict

from rtls.api.live_mailbox import LiveMailbox
from rtls.api.live_roster import FloorFrames, FloorRoster, RefBook
from rtls.model.errors import LiveStateAway
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.model.visit import Transition, ZoneEvent
from rtls.ports import LiveFixes, LiveStateReader

AGE_MS_MAX: Final = 10_000
"""who was located longer ago is not here now"""
INTERVAL_S: Final = 0.2
FRAMES_A_SECOND: Final = 5
EVENTS_A_FRAME_MAX: Final = 200
WATCHERS_MAX: Final = 64


class LiveEvent(TypedDict):
    """Somebody entered or left a zone; who is not said."""

    kind: str
    zone: str
    at_ms: int


class EventsMessage(TypedDict):
    """What has happened since the last of these."""

    type: Literal["events"]
    events: list[LiveEvent]


class ClockMessage(TypedDict):
    """How late the picture is."""

    type: Literal["clock"]
    at_ms: int
    lag_ms: int
    speed: float
    """seconds of the shop in one of the world: only a demo's differ"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    """All that is told at one instant."""

    floors: dict[int, FloorFrames]
    clock: str | None


class LiveFeed:
    """Frames to any number of watchers; their sockets belong to one event loop.

    Parameters
    ----------
    site_map
        What floors there are.
    live
        Where tags are now.
    now_ms
        The door's clock.
    located_until_ms
        Up to which instant locating has worked; None where it does so elsewhere. It tells an
        empty shop from a feed that stands still.
    speed
        Seconds of that clock in one of the machine's.
    """

    def __init__(
        self,
        *,
        site_map: SiteMap,
        live: LiveStateReader,
        now_ms: Callable[[], UnixMs],
        located_until_ms: Callable[[], UnixMs] | None = None,
        speed: float = 1.0,
        interval_s: float = INTERVAL_S,
        watchers_max: int = WATCHERS_MAX,
    ) -> None:
        self.counters = {"frames_replaced": 0, "refused_full": 0, "stuck_closed": 0}
        self.floors = {floor.floor: floor for floor in site_map.floors}
        self._live = live
        self._now_ms = now_ms
        self._located_until_ms = located_until_ms
        self._speed = speed
        self._interval_s = interval_s
        self._watchers_max = watchers_max
        self._watchers: set[LiveMailbox] = set()
        self._refs = RefBook()
        self._rosters: dict[int, FloorRoster] = {}
        self._newest_ms = 0
        self._events: list[LiveEvent] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._producer: asyncio.Task[None] | None = None

    @property
    def watching(self) -> int:
        """Return how many watch."""
        return len(self._watchers)

    @property
    def producer(self) -> asyncio.Task[None]:
        """Return what makes the frames: should it break, each socket ends with its error."""
        if self._producer is None or self._producer.done():
            self._loop = asyncio.get_running_loop()
            self._producer = asyncio.create_task(self._produce())
        return self._producer

    def join(self, floor: int) -> LiveMailbox | None:
        """Return a place to be sent to; None where too many watch already."""
        if len(self._watchers) >= self._watchers_max:
            self.counters["refused_full"] += 1
            return None
        watcher = LiveMailbox(floor)
        self._watchers.add(watcher)
        self.look_at(watcher, floor)
        return watcher

    def look_at(self, watcher: LiveMailbox, floor: int) -> None:
        """Show a watcher another floor."""
        roster = self._rosters.get(floor)
        watcher.watch(floor, None if roster is None else roster.told)

    def leave(self, watcher: LiveMailbox) -> None:
        """Send nothing more there."""
        self._watchers.discard(watcher)
        self.counters["frames_replaced"] += watcher.replaced

    def accept(self, events: Sequence[ZoneEvent]) -> None:
        """Take events from any thread; never blocks and never fails: nobody's money hangs on it."""
        loop = self._loop
        if not self._watchers or loop is None or loop.is_closed():
            return
        found = [
            LiveEvent(kind=event.kind.value, zone=event.zone, at_ms=event.at_ms)
            for event in events
            if isinstance(event, Transition) and event.revision == 0
        ]
        if found:
            with suppress(RuntimeError):  # the loop has closed meanwhile: the service is ending
                loop.call_soon_threadsafe(self._events.extend, found)

    async def _produce(self) -> None:
        frames = 0
        while self._watchers:
            began_s = time.monotonic()
            floors = {watcher.floor for watcher in self._watchers}
            is_second = frames % FRAMES_A_SECOND == 0
            picture = await asyncio.to_thread(self._draw, floors, is_second=is_second)
            self._share(picture)
            frames += 1
            spent_s = time.monotonic() - began_s
            # At most half of a core, however long Redis takes to tell of thousands.
            await asyncio.sleep(max(self._interval_s - spent_s, spent_s))
        self._rosters.clear()

    def _draw(self, floors: set[int], *, is_second: bool) -> _Picture:
        """Read the live state once and encode each floor that somebody looks at."""
        now_ms = self._now_ms()
        try:
            fixes = self._live.latest(max_age_ms=AGE_MS_MAX, now_ms=now_ms)
        except LiveStateAway:
            # The lag grows, and the reader says in /readyz what is wrong.
            return _Picture(floors={}, clock=self._clock(now_ms) if is_second else None)
        at_ms = self._instant(fixes)
        self._refs.turn(fixes.tags, at_ms=at_ms)
        drawn = {}
        for floor in floors:
            if floor not in self._rosters:
                self._rosters[floor] = FloorRoster(self.floors[floor], self._refs)
            drawn[floor] = self._rosters[floor].frames(
                fixes, at_ms=at_ms, at_s=time.monotonic(), with_quality=is_second
            )
        return _Picture(floors=drawn, clock=self._clock(now_ms) if is_second else None)

    def _instant(self, fixes: LiveFixes) -> UnixMs:
        newest = [int(fixes.at_ms.max())] if len(fixes.at_ms) else []
        if self._located_until_ms is not None and not newest:
            newest.append(self._located_until_ms())
        self._newest_ms = max(self._newest_ms, *newest) if newest else self._newest_ms
        return UnixMs(self._newest_ms)

    def _clock(self, now_ms: UnixMs) -> str:
        at_ms = self._newest_ms or now_ms
        lag_ms = max(now_ms - at_ms, 0)
        message = ClockMessage(type="clock", at_ms=at_ms, lag_ms=lag_ms, speed=self._speed)
        return msgspec.json.encode(message).decode()

    def _share(self, picture: _Picture) -> None:
        events = self._events[-EVENTS_A_FRAME_MAX:]
        self._events.clear()
        told = EventsMessage(type="events", events=events)
        text = msgspec.json.encode(told).decode() if events else None
        for watcher in self._watchers:
            frames = picture.floors.get(watcher.floor)  # None: it has just turned to another
            if frames is not None:
                watcher.put_floor(frames)
            if picture.clock is not None:
                watcher.put_clock(picture.clock)
            if text is not None:
                watcher.put_events(text)
