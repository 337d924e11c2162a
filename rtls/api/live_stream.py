"""Stream live fixes over WebSockets without ever waiting for a slow reader.

Layer: edges. Takes: rendered frames. Gives: the latest frame to each socket. A frame is rendered
once for all sockets, only while somebody watches. Each socket holds at most one frame that waits,
and a newer one replaces it; a socket that takes none for too long is closed with 1013.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import WebSocket, WebSocketDisconnect, status

from rtls.model.errors import LiveStateAway
from rtls.model.units import Second

CLOSING_S_MAX: Final = Second(1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """How often frames are sent, and what a socket may cost."""

    interval_s: Second = Second(0.25)
    send_timeout_s: Second = Second(5.0)
    sockets_max: int = 64

    def __post_init__(self) -> None:
        if self.interval_s <= 0.0 or self.send_timeout_s <= 0.0 or self.sockets_max < 1:
            raise ValueError(
                f"interval_s {self.interval_s}, send_timeout_s {self.send_timeout_s}, sockets_max "
                f"{self.sockets_max}; expected above 0 each."
            )


class LiveStream:
    """Frames to any number of sockets; belongs to one event loop.

    Parameters
    ----------
    render
        Returns the frame of now; called in a thread. While it raises `LiveStateAway` nothing is
        sent.
    """

    def __init__(self, render: Callable[[], bytes], settings: StreamSettings | None = None) -> None:
        self.counters = {"frames_replaced": 0, "stuck_closed": 0, "refused_full": 0}
        self._render = render
        self._settings = settings or StreamSettings()
        self._slots: set[asyncio.Queue[str]] = set()
        self._producer: asyncio.Task[None] | None = None

    @property
    def watching(self) -> int:
        """Return how many sockets are open."""
        return len(self._slots)

    async def serve(self, websocket: WebSocket) -> None:
        """Send frames to a socket until it leaves or is stuck."""
        await websocket.accept()
        if len(self._slots) >= self._settings.sockets_max:
            self.counters["refused_full"] += 1
            await close_busy(websocket, "too many watch already")
            return
        slot: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
        self._slots.add(slot)
        if self._producer is None or self._producer.done():
            self._producer = asyncio.create_task(self._produce())
        own = (
            asyncio.create_task(self._send(websocket, slot)),
            asyncio.create_task(wait_for_leaving(websocket)),
        )
        try:
            # The producer is among them: should it break, each socket ends with its error.
            done, _ = await asyncio.wait(
                {*own, self._producer}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            self._slots.discard(slot)
            for task in own:
                task.cancel()
            # Not gather: when the server cancels us here, gather would answer with the tasks' own
            # cancellation, which nobody above has asked for.
            await asyncio.wait(own)

    async def _produce(self) -> None:
        while self._slots:
            try:
                frame = (await asyncio.to_thread(self._render)).decode()
            except LiveStateAway:
                pass  # the reader says so in /readyz; the sockets stay for its return
            else:
                for slot in self._slots:
                    self._offer(slot, frame)
            await asyncio.sleep(self._settings.interval_s)

    def _offer(self, slot: asyncio.Queue[str], frame: str) -> None:
        if slot.full():
            slot.get_nowait()
            self.counters["frames_replaced"] += 1
        slot.put_nowait(frame)

    async def _send(self, websocket: WebSocket, slot: asyncio.Queue[str]) -> None:
        try:
            while True:
                frame = await slot.get()
                async with asyncio.timeout(self._settings.send_timeout_s):
                    await websocket.send_text(frame)
        except TimeoutError:
            self.counters["stuck_closed"] += 1
            await close_busy(websocket, "too slow")
        except WebSocketDisconnect:
            return


async def wait_for_leaving(websocket: WebSocket) -> None:
    """Return when the other side has closed; whatever else it says is not for us."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def close_busy(websocket: WebSocket, reason: str) -> None:
    """Close with 1013 (try again later), but do not wait long for one who does not read."""
    try:
        async with asyncio.timeout(CLOSING_S_MAX):
            await websocket.close(status.WS_1013_TRY_AGAIN_LATER, reason)
    except (TimeoutError, RuntimeError):  # RuntimeError: the other side has closed meanwhile
        return
