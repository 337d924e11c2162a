"""Bring frames to the open apps of a shopper, so that one stuck app slows nobody.

Layer: edges. Takes: frames from the relay's thread (or a fan-out thread). Gives: one bounded queue
for each open WebSocket to `offers.api.offering.stream_routes`, which writes it. A queue that
overflows closes its socket with 1013: offers are never dropped, the app fetches them again by its
cursor.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from offers.model.ids import ShopperId

QUEUE_MAX: Final = 64
SOCKETS_A_SHOPPER_MAX: Final = 5
SOCKETS_MAX: Final = 20_000
CLOSE_TRY_AGAIN_LATER: Final = 1013
CLOSE_SERVICE_RESTART: Final = 1012


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message to the app.

    Parameters
    ----------
    text
        JSON, as it goes over the wire.
    written
        Called once for each socket it was written to, in the event loop; must not block.
    """

    text: str
    written: Callable[[], None] | None = None


class AppSocket:
    """The queue of one open app. Everything but `shopper` belongs to the event loop."""

    def __init__(
        self, shopper: ShopperId, *, queue_max: int, leave: Callable[["AppSocket"], None]
    ) -> None:
        self.shopper = shopper
        self.close_code: int | None = None
        self._frames: asyncio.Queue[Frame] = asyncio.Queue(queue_max)
        self._ended = asyncio.Event()
        self._leave = leave

    def put(self, frame: Frame) -> bool:
        """Queue a frame; a full queue ends the socket and says False."""
        if self.close_code is not None:
            return False
        if self._frames.full():
            self.end(CLOSE_TRY_AGAIN_LATER)
            return False
        self._frames.put_nowait(frame)
        return True

    def end(self, close_code: int) -> None:
        """Ask the writer to close; what is still queued is not written (the app resyncs)."""
        if self.close_code is None:
            self.close_code = close_code
            self._ended.set()

    def leave(self) -> None:
        """Take the socket out of its channel; harmless when it is out already."""
        self._leave(self)

    async def next(self) -> Frame:
        """Wait for the next frame."""
        return await self._frames.get()

    async def ended(self) -> None:
        """Wait until the socket is to be closed with `close_code`."""
        await self._ended.wait()


class AppChannel:
    """All open apps of this process.

    Parameters
    ----------
    queue_max
        Frames that may wait for one socket.
    sockets_a_shopper_max, sockets_max
        Open sockets of one shopper, and of all.
    """

    def __init__(
        self,
        *,
        queue_max: int = QUEUE_MAX,
        sockets_a_shopper_max: int = SOCKETS_A_SHOPPER_MAX,
        sockets_max: int = SOCKETS_MAX,
    ) -> None:
        self._queue_max = queue_max
        self._sockets_a_shopper_max = sockets_a_shopper_max
        self._sockets_max = sockets_max
        self._sockets: defaultdict[ShopperId, set[AppSocket]] = defaultdict(set)
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = Lock()  # guards the loop's coming and going against hand_over
        self.counters = {"opened": 0, "refused": 0, "frames": 0, "overflowed": 0}

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the event loop that the sockets live in; called when the application starts."""
        with self._lock:
            self._loop = loop

    def detach(self) -> None:
        """Forget the loop: from here on nothing is handed over."""
        with self._lock:
            self._loop = None

    def open(self, shopper: ShopperId) -> AppSocket | None:
        """Register a socket; None when the shopper or the process has reached its limit.

        Only from the event loop.
        """
        mine = self._sockets.get(shopper, ())
        if len(mine) >= self._sockets_a_shopper_max or self._count >= self._sockets_max:
            self.counters["refused"] += 1
            return None
        socket = AppSocket(shopper, queue_max=self._queue_max, leave=self._forget)
        self._sockets[shopper].add(socket)
        self._count += 1
        self.counters["opened"] += 1
        return socket

    def _forget(self, socket: AppSocket) -> None:
        mine = self._sockets.get(socket.shopper)
        if mine is None or socket not in mine:
            return
        mine.discard(socket)
        self._count -= 1
        if not mine:
            del self._sockets[socket.shopper]

    def close_all(self, shopper: ShopperId, close_code: int) -> None:
        """End all sockets of a shopper, e.g. after erasure. Only from the event loop."""
        for socket in tuple(self._sockets.get(shopper, ())):
            socket.end(close_code)

    def hand_over(self, shopper: ShopperId, frame: Frame) -> None:
        """Give a frame to every open app of the shopper. From any thread; returns at once."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._enqueue, shopper, frame)

    def _enqueue(self, shopper: ShopperId, frame: Frame) -> None:
        for socket in tuple(self._sockets.get(shopper, ())):
            if socket.put(frame):
                self.counters["frames"] += 1
            elif socket.close_code == CLOSE_TRY_AGAIN_LATER:
                self.counters["overflowed"] += 1
                self._forget(socket)

    def is_connected(self, shopper: ShopperId) -> bool:
        """Say whether an app of the shopper is open here. From any thread, a moment's truth."""
        return shopper in self._sockets

    def __len__(self) -> int:
        """Return the number of open sockets."""
        return self._count
