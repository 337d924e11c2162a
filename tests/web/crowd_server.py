"""Serve the console with a crowd that exists nowhere but here: thousands of dots on a plan.

Only what the live map asks for is answered: who is signed in, the site map, and the live wire
(docs/live_wire.md) in frames that numpy writes. So a test measures the page and nothing else.
"""

import asyncio
import json
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import uvicorn
from fastapi import APIRouter, FastAPI, Query, Response, WebSocket
from starlette.websockets import WebSocketDisconnect

from inaisle.config_files import demo_site_map_file
from inaisle.service.web_pages import FOLDER, mount_pages

HOST = "127.0.0.1"
FRAMES_A_SECOND = 5
STEP_M = 0.01
PACE_M = 0.25  # a frame, which is 1.25 m/s
POSITIONS, ROSTER, QUALITY = 1, 2, 3


@dataclass
class CrowdServer:
    """A server in a thread; tests turn its knobs while it runs."""

    port: int
    people: int
    closes_with: int | None = None
    """close the next sockets with this code instead of sending"""
    is_silent: bool = False
    is_damaged: bool = False
    clock_ahead_ms: int = 0
    is_over: bool = False
    router: APIRouter | None = None
    """routes of the service itself, where a test needs some"""
    opened: int = 0
    hellos: list[dict[str, object]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def app(self) -> FastAPI:
        """Return the application."""
        app = FastAPI()
        app.get("/v1/staff/me")(self._me)
        app.get("/v1/operator/site-map")(self._site_map)
        app.get("/v1/operator/playback")(self._playback)
        app.websocket("/v1/operator/live")(self._live)
        if self.router is not None:
            app.include_router(self.router)
        mount_pages(app, Path(FOLDER))
        return app

    def _me(self) -> dict[str, object]:
        return {"role": "operator", "name": "ops", "site": "demo", "till": None, "expires_at": None}

    def _site_map(self) -> Response:
        return Response(demo_site_map_file().read_bytes(), media_type="application/json")

    def _playback(self, from_ms: Annotated[int, Query(alias="from")]) -> Response:
        places = walk(self.people)
        frames = [roster(self.people, from_ms), positions(next(places), from_ms)]
        frames += [positions(next(places), from_ms + 1_000 * second) for second in range(1, 600)]
        packed = b"".join(struct.pack("<I", len(frame)) + frame for frame in frames)
        return Response(packed, media_type="application/octet-stream")

    async def _live(self, websocket: WebSocket) -> None:
        await websocket.accept()
        self.hellos.append(json.loads(await websocket.receive_text()))
        self.opened += 1
        if self.closes_with is not None:
            await websocket.close(self.closes_with)
            return
        try:
            await self._send(websocket)
        except (WebSocketDisconnect, RuntimeError):
            return

    async def _send(self, websocket: WebSocket) -> None:
        await websocket.send_bytes(roster(self.people, now_ms()))
        for number, places in zip(count(), walk(self.people), strict=False):
            if self.is_over or self.closes_with is not None:
                await websocket.close(self.closes_with or 1001)
                return
            at_ms = now_ms()
            if self.is_damaged:
                await websocket.send_bytes(b"\x01\x01 not a frame")
            if not self.is_silent:
                await websocket.send_bytes(positions(places, at_ms))
                if number % FRAMES_A_SECOND == 0:
                    await websocket.send_bytes(quality(self.people, at_ms))
                    clock = {
                        "type": "clock",
                        "at_ms": at_ms + self.clock_ahead_ms,
                        "lag_ms": 120,
                        "speed": 1.0,
                    }
                    await websocket.send_text(json.dumps(clock))
            await asyncio.sleep(1.0 / FRAMES_A_SECOND)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def head(kind: int, people: int, at_ms: int) -> bytes:
    return struct.pack("<BBhIIdf", kind, 1, 0, 7, people, float(at_ms), STEP_M)


def roster(people: int, at_ms: int) -> bytes:
    refs = {"refs": [f"p{number:05d}" for number in range(people)]}
    return head(ROSTER, people, at_ms) + json.dumps(refs).encode()


def positions(places: npt.NDArray[np.float64], at_ms: int) -> bytes:
    steps = np.rint(places / STEP_M).astype("<u2")
    return head(POSITIONS, len(places), at_ms) + steps[:, 0].tobytes() + steps[:, 1].tobytes()


def quality(people: int, at_ms: int) -> bytes:
    radius_dm = np.full(people, 8, np.uint8)
    age_ds = (np.arange(people) % 60).astype(np.uint8)
    return head(QUALITY, people, at_ms) + radius_dm.tobytes() + age_ds.tobytes()


def walk(people: int) -> Iterator[npt.NDArray[np.float64]]:
    """Yield where everybody is, frame by frame: straight on, and back from the walls."""
    random = np.random.default_rng(6)
    size = np.array([60.0, 40.0])
    places = random.uniform(1.0, size - 1.0, (people, 2))
    ways = random.uniform(0.0, 2.0 * np.pi, people)
    steps = PACE_M * np.column_stack((np.cos(ways), np.sin(ways)))
    while True:
        yield places
        is_out = (places + steps < 0.0) | (places + steps > size)
        steps = np.where(is_out, -steps, steps)
        places = places + steps


@contextmanager
def serve_crowd(
    people: int, *, port: int, router: APIRouter | None = None
) -> Iterator[CrowdServer]:
    """Serve until the block ends."""
    crowd = CrowdServer(port=port, people=people, router=router)
    config = uvicorn.Config(
        crowd.app(), host=HOST, port=port, log_level="warning", ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield crowd
    finally:
        crowd.is_over = True
        time.sleep(1.5 / FRAMES_A_SECOND)
        server.should_exit = True
        thread.join(10)
