"""Fence events: what another vendor's software reads of our transitions, and how they get there."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from rtls.api.fence_json import render_fence_events
from rtls.api.fence_stream import FenceStream
from rtls.model.units import SiteId, TagId, UnixMs, ZoneId
from rtls.model.visit import LeftReason, Transition, TransitionKind, event_id, visit_id
from tests.waiting import wait_until

ENTERED_MS = UnixMs(1_795_255_200_120)
VISIT = visit_id(SiteId("demo"), TagId("tag:0d13"), ZoneId("dowels"), ENTERED_MS)
ENTERED = Transition(
    event_id=event_id(VISIT, "entered"),
    visit_id=VISIT,
    site=SiteId("demo"),
    tag=TagId("tag:0d13"),
    zone=ZoneId("dowels"),
    kind=TransitionKind.ENTERED,
    at_ms=ENTERED_MS,
    decided_at_ms=UnixMs(ENTERED_MS + 2_000),
    probability=0.8,
)
LEFT = replace(
    ENTERED,
    event_id=event_id(VISIT, "left"),
    kind=TransitionKind.LEFT,
    at_ms=UnixMs(ENTERED_MS + 60_000),
    decided_at_ms=UnixMs(ENTERED_MS + 65_000),
    reason=LeftReason.LOST,
)


def test_a_transition_is_an_omlox_fence_event() -> None:
    """Software written for a hub reads it without a change."""
    content = render_fence_events([ENTERED, LEFT])
    assert content is not None
    message = json.loads(content)
    assert (message["event"], message["topic"]) == ("message", "fence_events")
    entry, leave = message["payload"]
    assert entry["event_type"] == "region_entry"
    assert (entry["fence_id"], entry["provider_id"]) == ("dowels", "tag:0d13")
    assert entry["entry_time"] == "2026-11-21T10:00:00.120Z"
    assert "exit_time" not in entry
    assert leave["event_type"] == "region_exit"
    assert leave["exit_time"] == "2026-11-21T10:01:00.120Z"
    assert leave["properties"]["reason"] == "lost"
    assert leave["properties"]["visit"] == entry["properties"]["visit"]
    assert entry["id"].replace("-", "") == ENTERED.event_id


def test_what_is_no_transition_is_no_fence_event() -> None:
    """A hub knows entries and exits."""
    assert render_fence_events([]) is None


class Served:
    """A server in a thread, with the stream it serves."""

    def __init__(self) -> None:
        self.stream = FenceStream(sockets_max=2, waiting_max=4)
        app = FastAPI()

        @app.websocket("/fence-events")
        async def stream_events(websocket: WebSocket) -> None:
            await self.stream.serve(websocket)

        self.listening = socket.create_server(("127.0.0.1", 0))
        self.server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
        )
        self.thread = threading.Thread(target=self.server.run, args=([self.listening],))
        self.url = f"ws://127.0.0.1:{self.listening.getsockname()[1]}/fence-events"


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    served.thread.start()
    yield served
    served.server.should_exit = True
    served.thread.join(10)
    served.listening.close()


def test_each_who_watches_gets_each_event_in_order(served: Served) -> None:
    """An event that one viewer has taken is not gone for the other."""
    served.stream.accept([ENTERED])  # nobody watches yet
    with connect(served.url) as one, connect(served.url) as other:
        wait_until(lambda: served.stream.watching == 2)
        served.stream.accept([ENTERED])
        served.stream.accept([LEFT])
        for viewer in (one, other):
            kinds = [json.loads(viewer.recv(5))["payload"][0]["event_type"] for _ in range(2)]
            assert kinds == ["region_entry", "region_exit"]
        with connect(served.url) as third, pytest.raises(ConnectionClosed) as closed:
            third.recv(5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
    wait_until(lambda: served.stream.watching == 0)


def test_a_viewer_that_has_missed_events_is_told_so_by_the_end_of_its_stream() -> None:
    """A gap that looks like silence would leave somebody standing in a zone for ever."""
    stream = FenceStream(waiting_max=2)

    async def play() -> list[str]:
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=2)
        stream._queues.add(queue)
        for message in ("a", "b", "c", "d"):
            stream._share(message)
        assert stream.watching == 0
        return [queue.get_nowait() for _ in range(queue.qsize())]

    assert asyncio.run(play()) == ["b", ""]
