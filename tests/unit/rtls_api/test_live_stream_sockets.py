"""The stream over real sockets: one viewer stops reading, the others go on."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from websockets.sync.client import connect

from rtls.api.live_stream import LiveStream, StreamSettings
from rtls.model.units import Second
from tests.waiting import wait_until

FRAME = b"x" * 1_000_000


class Served:
    """A server in a thread, with the stream it serves."""

    def __init__(self) -> None:
        settings = StreamSettings(interval_s=Second(0.02), send_timeout_s=Second(0.3))
        self.stream = LiveStream(lambda: FRAME, settings)
        app = FastAPI()

        @app.websocket("/stream")
        async def stream_frames(websocket: WebSocket) -> None:
            await self.stream.serve(websocket)

        self.listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, log_config=None, ws_per_message_deflate=False, timeout_graceful_shutdown=1
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.listening],))

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.listening.getsockname()[1]}/stream"


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    served.thread.start()
    yield served
    served.server.should_exit = True
    served.thread.join(10)
    served.listening.close()


@pytest.mark.slow
@pytest.mark.timed
def test_a_viewer_that_stops_reading_is_dropped_and_the_other_sees_every_frame(
    served: Served,
) -> None:
    """Kernel buffers hide the fault with small frames, so these are large."""
    with (
        connect(served.url, max_size=None, max_queue=1, close_timeout=0.1) as good,
        connect(served.url, max_size=None, max_queue=1, close_timeout=0.1) as stuck,
    ):
        assert len(stuck.recv(timeout=5)) == len(FRAME)
        gaps_s = []
        deadline = time.monotonic() + 10
        while served.stream.counters["stuck_closed"] == 0 and time.monotonic() < deadline:
            began = time.monotonic()
            good.recv(timeout=5)
            gaps_s.append(time.monotonic() - began)
        assert served.stream.counters["stuck_closed"] == 1
        good.recv(timeout=5)
        # On a busy machine a frame may be late; while the other is stuck most must not be.
        assert sorted(gaps_s)[len(gaps_s) // 2] < 0.15  # half of what the stuck one was given
        wait_until(lambda: served.stream.watching == 1)
