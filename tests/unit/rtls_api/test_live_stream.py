"""LiveStream: the latest frame to each socket, and no waiting for those who do not read."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest
from fastapi import WebSocket
from starlette.types import Message

from rtls.api.live_stream import LiveStream, StreamSettings
from rtls.model.errors import LiveStateAway
from rtls.model.units import Second

QUICK = StreamSettings(interval_s=Second(0.005), send_timeout_s=Second(0.1), sockets_max=3)


class Viewer:
    """One side of a socket, in the words of ASGI; may stop reading, may leave."""

    def __init__(self, *, reads: int | None = None) -> None:
        self.reads = reads
        self.frames: list[str] = []
        self.closed: tuple[int, str] | None = None
        self.is_connected = False
        self._left = asyncio.Event()

    async def receive(self) -> Message:
        if not self.is_connected:
            self.is_connected = True
            return {"type": "websocket.connect"}
        await self._left.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(self, message: Message) -> None:
        if message["type"] == "websocket.close":
            self.closed = (message["code"], message["reason"])
        elif message["type"] == "websocket.send":
            if self.reads is not None and len(self.frames) >= self.reads:
                await asyncio.Event().wait()  # the buffers are full: nothing moves any more
            self.frames.append(message["text"])

    def leave(self) -> None:
        self._left.set()

    def socket(self) -> WebSocket:
        return WebSocket({"type": "websocket", "headers": []}, self.receive, self.send)


def run(scene: Callable[[], Awaitable[None]]) -> None:
    async def within_ten_seconds() -> None:
        async with asyncio.timeout(10):
            await scene()

    asyncio.run(within_ten_seconds())


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 -- what is awaited says nothing itself
        await asyncio.sleep(0.001)


def numbered_frames() -> Callable[[], bytes]:
    numbers = iter(range(10**9))
    return lambda: b"%d" % next(numbers)


def test_one_who_does_not_read_is_closed_and_delays_nobody() -> None:
    """One sleeping laptop must not freeze the screens of all others."""

    async def scene() -> None:
        stream = LiveStream(numbered_frames(), QUICK)
        good, stuck = Viewer(), Viewer(reads=2)
        serving = asyncio.gather(stream.serve(good.socket()), stream.serve(stuck.socket()))
        await until(lambda: stuck.closed is not None)
        assert stuck.closed == (1013, "too slow")
        assert stream.counters["stuck_closed"] == 1
        assert len(stuck.frames) == 2
        seen = len(good.frames)
        assert seen > 5  # at least the frames of the 100 ms that the other was given
        await until(lambda: len(good.frames) > seen)
        good.leave()
        await serving

    run(scene)


def test_a_slow_reader_gets_the_latest_frame_and_not_the_queue() -> None:
    """Positions of a minute ago, shown one after the other, are worse than none."""

    async def scene() -> None:
        frames = numbered_frames()
        rendered: list[int] = []

        def render() -> bytes:
            frame = frames()
            rendered.append(int(frame))
            return frame

        stream = LiveStream(render, QUICK)
        slow = Viewer()
        gate = asyncio.Event()
        send = slow.send

        async def send_through_gate(message: Message) -> None:
            if message["type"] == "websocket.send" and len(slow.frames) == 1:
                await gate.wait()
            await send(message)

        socket = WebSocket({"type": "websocket", "headers": []}, slow.receive, send_through_gate)
        serving = asyncio.create_task(stream.serve(socket))
        await until(lambda: stream.counters["frames_replaced"] >= 3)
        newest = rendered[-1]
        gate.set()
        await until(lambda: len(slow.frames) >= 3)
        assert int(slow.frames[2]) >= newest - 1
        slow.leave()
        await serving

    run(scene)


def test_nobody_watching_costs_nothing() -> None:
    """Rendering two thousand fixes four times a second is for eyes only."""

    async def scene() -> None:
        calls = 0

        def render() -> bytes:
            nonlocal calls
            calls += 1
            return b"frame"

        stream = LiveStream(render, QUICK)
        viewer = Viewer()
        serving = asyncio.create_task(stream.serve(viewer.socket()))
        await until(lambda: len(viewer.frames) >= 2)
        viewer.leave()
        await serving
        assert stream.watching == 0
        producer = stream._producer
        assert producer is not None
        await producer
        after = calls
        again = Viewer()
        serving = asyncio.create_task(stream.serve(again.socket()))
        await until(lambda: len(again.frames) >= 1)
        again.leave()
        await serving
        assert after < calls < after + 10

    run(scene)


def test_one_frame_is_rendered_for_all() -> None:
    """Ten screens must not cost ten times one."""

    async def scene() -> None:
        stream = LiveStream(numbered_frames(), QUICK)
        viewers = [Viewer() for _ in range(3)]
        serving = asyncio.gather(*(stream.serve(viewer.socket()) for viewer in viewers))
        await until(lambda: all(len(viewer.frames) >= 3 for viewer in viewers))
        assert len({tuple(viewer.frames[:3]) for viewer in viewers}) == 1
        for viewer in viewers:
            viewer.leave()
        await serving

    run(scene)


def test_more_screens_than_allowed_are_turned_away() -> None:
    """Each socket holds a frame and a task; the bound is ours to set, not the network's."""

    async def scene() -> None:
        stream = LiveStream(numbered_frames(), QUICK)
        viewers = [Viewer() for _ in range(3)]
        serving = asyncio.gather(*(stream.serve(viewer.socket()) for viewer in viewers))
        await until(lambda: stream.watching == 3)
        fourth = Viewer()
        await stream.serve(fourth.socket())
        assert fourth.closed == (1013, "too many watch already")
        for viewer in viewers:
            viewer.leave()
        await serving

    run(scene)


def test_sockets_outlive_a_live_state_that_is_away_for_a_moment() -> None:
    """Redis restarts; the screens go on by themselves."""

    async def scene() -> None:
        is_away = threading.Event()
        is_away.set()

        def render() -> bytes:
            if is_away.is_set():
                raise LiveStateAway("Redis away")
            return b"frame"

        stream = LiveStream(render, QUICK)
        viewer = Viewer()
        serving = asyncio.create_task(stream.serve(viewer.socket()))
        await asyncio.sleep(0.03)
        assert viewer.frames == []
        is_away.clear()
        await until(lambda: len(viewer.frames) > 0)
        viewer.leave()
        await serving

    run(scene)


def test_a_renderer_that_breaks_ends_the_socket_with_its_error() -> None:
    """A silent screen would show nothing wrong for hours."""

    async def scene() -> None:
        def render() -> bytes:
            raise KeyError("x_m")

        with pytest.raises(KeyError):
            await LiveStream(render, QUICK).serve(Viewer().socket())

    run(scene)


def test_a_stream_without_pace_is_refused() -> None:
    """An interval of zero would render as fast as one core can."""
    with pytest.raises(ValueError, match="above 0"):
        StreamSettings(interval_s=Second(0.0))
