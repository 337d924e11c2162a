"""Stream fence events to those who watch, each to each, without ever waiting for a slow reader.

Layer: edges. Takes: zone events, in the thread of the locating loop. Gives: omlox messages to
WebSockets. Unlike a live fix an event is not replaced by the next one: a socket has a bounded queue
of its own, and one that does not keep up is closed with 1013 and learns that it has missed some.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from fastapi import WebSocket, WebSocketDisconnect

from rtls.api.fence_json import render_fence_events
from rtls.api.live_stream import close_busy, wait_for_leaving
from rtls.model.visit import ZoneEvent

SOCKETS_MAX: Final = 64
WAITING_MAX: Final = 256
SEND_S_MAX: Final = 5.0
_MISSED: Final = ""


class FenceStream:
    """Fence events to any number of sockets; its sockets belong to one event loop."""

    def __init__(self, *, sockets_max: int = SOCKETS_MAX, waiting_max: int = WAITING_MAX) -> None:
        self.counters = {"events_sent": 0, "stuck_closed": 0, "refused_full": 0}
        self._sockets_max = sockets_max
        self._waiting_max = waiting_max
        self._queues: set[asyncio.Queue[str]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def watching(self) -> int:
        """Return how many sockets are open."""
        return len(self._queues)

    def accept(self, events: Sequence[ZoneEvent]) -> None:
        """Take events from any thread; never blocks and never fails: nobody's money hangs on it."""
        loop = self._loop
        if not self._queues or loop is None or loop.is_closed():
            return
        message = render_fence_events(events)
        if message is not None:
            with suppress(RuntimeError):  # the loop has closed meanwhile: the service is ending
                loop.call_soon_threadsafe(self._share, message.decode())

    async def serve(self, websocket: WebSocket) -> None:
        """Send events to a socket until it leaves or does not keep up."""
        await websocket.accept()
        if len(self._queues) >= self._sockets_max:
            self.counters["refused_full"] += 1
            await close_busy(websocket, "too many watch already")
            return
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=self._waiting_max)
        self._queues.add(queue)
        own = (
            asyncio.create_task(self._send(websocket, queue)),
            asyncio.create_task(wait_for_leaving(websocket)),
        )
        try:
            done, _ = await asyncio.wait(own, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._queues.discard(queue)
            for task in own:
                task.cancel()
            await asyncio.wait(own)

    def _share(self, message: str) -> None:
        for queue in list(self._queues):
            if queue.full():
                # The oldest makes room for the word that some are missing; nothing comes after it.
                queue.get_nowait()
                queue.put_nowait(_MISSED)
                self._queues.discard(queue)
            else:
                queue.put_nowait(message)

    async def _send(self, websocket: WebSocket, queue: asyncio.Queue[str]) -> None:
        try:
            while (message := await queue.get()) != _MISSED:
                async with asyncio.timeout(SEND_S_MAX):
                    await websocket.send_text(message)
                self.counters["events_sent"] += 1
        except WebSocketDisconnect:
            return
        except TimeoutError:
            pass
        self.counters["stuck_closed"] += 1
        await close_busy(websocket, "too slow")
