"""Serve the live map's WebSocket: who asks signs in by the first message, then frames come.

Layer: edges. Takes: the live feed, and from the door who may watch. Gives: /v1/operator/live to the
application. A token in an address would stand in every log on the way, and a browser's WebSocket
cannot send a header: so it is the first message.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import msgspec
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from rtls.api.live_feed import LiveFeed
from rtls.api.live_mailbox import LiveMailbox
from rtls.api.live_stream import close_busy

Admit = Callable[[WebSocket, str], Awaitable[str | None]]
"""takes a token; returns None, or the code of what stands against it"""
CLOSE_POLICY: Final = 1008
SIGN_IN_S_MAX: Final = 5.0
SEND_S_MAX: Final = 5.0
ADMIT_AGAIN_S: Final = 30.0
"""a session that has ended must not go on watching"""
WISHES_MAX: Final = 20
WISHES_S: Final = 10.0


class LiveHello(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first message."""

    token: str
    floor: int = 0


class LiveWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Any later message: another floor."""

    floor: int


class _Refused(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def live_router(feed: LiveFeed, *, admit: Admit) -> APIRouter:
    """Return the route.

    Parameters
    ----------
    feed
        What is shown.
    admit
        Who may see it.
    """
    router = APIRouter(tags=["operator"])

    @router.websocket("/v1/operator/live", name="watchLive")
    async def watch_live(websocket: WebSocket) -> None:
        """Send positions five times a second (docs/live_wire.md) until somebody closes."""
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            try:
                hello = await _hello(websocket)
                await _watch(websocket, hello, feed, admit)
            except _Refused as refused:
                await _close(websocket, refused.reason)

    return router


async def _hello(websocket: WebSocket) -> LiveHello:
    try:
        async with asyncio.timeout(SIGN_IN_S_MAX):
            return msgspec.json.decode(await _message(websocket), type=LiveHello)
    except (TimeoutError, msgspec.MsgspecError) as error:
        raise _Refused("credential_missing") from error


async def _watch(websocket: WebSocket, hello: LiveHello, feed: LiveFeed, admit: Admit) -> None:
    await _check(websocket, hello.token, admit)
    watcher = feed.join(_known_floor(hello.floor, feed))
    if watcher is None:
        await close_busy(websocket, "too many watch already")
        return
    own = {
        asyncio.create_task(_send(websocket, watcher)),
        asyncio.create_task(_hear(websocket, watcher, feed)),
        asyncio.create_task(_check_again(websocket, hello.token, admit)),
    }
    try:
        done, _ = await asyncio.wait({*own, feed.producer}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except TimeoutError:
        feed.counters["stuck_closed"] += 1
        await close_busy(websocket, "too slow")
    finally:
        feed.leave(watcher)
        for task in own:
            task.cancel()
        await asyncio.wait(own)  # not gather, see `LiveStream.serve`


async def _send(websocket: WebSocket, watcher: LiveMailbox) -> None:
    while True:
        frame = await watcher.next()
        if watcher.has_missed:
            raise TimeoutError
        async with asyncio.timeout(SEND_S_MAX):
            if isinstance(frame, bytes):
                await websocket.send_bytes(frame)
            else:
                await websocket.send_text(frame)


async def _hear(websocket: WebSocket, watcher: LiveMailbox, feed: LiveFeed) -> None:
    """Change floors until the other side has gone.

    Raises
    ------
    _Refused
        If it says what is no wish, or too much.
    """
    wished_at_s: deque[float] = deque(maxlen=WISHES_MAX)
    while True:
        content = await _message(websocket)
        now_s = time.monotonic()
        if len(wished_at_s) == WISHES_MAX and now_s - wished_at_s[0] < WISHES_S:
            raise _Refused("too_many_messages")
        wished_at_s.append(now_s)
        try:
            wish = msgspec.json.decode(content, type=LiveWish)
        except msgspec.MsgspecError as error:
            raise _Refused("message_unknown") from error
        feed.look_at(watcher, _known_floor(wish.floor, feed))


async def _check_again(websocket: WebSocket, token: str, admit: Admit) -> None:
    while True:
        await asyncio.sleep(ADMIT_AGAIN_S)
        await _check(websocket, token, admit)


async def _check(websocket: WebSocket, token: str, admit: Admit) -> None:
    reason = await admit(websocket, token)
    if reason is not None:
        raise _Refused(reason)


def _known_floor(floor: int, feed: LiveFeed) -> int:
    if floor not in feed.floors:
        raise _Refused("floor_unknown")
    return floor


async def _message(websocket: WebSocket) -> str | bytes:
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    return message.get("text") or message.get("bytes") or b""


async def _close(websocket: WebSocket, reason: str) -> None:
    # Who reads nothing never sees the code; then the server drops the connection.
    with suppress(TimeoutError, RuntimeError):
        async with asyncio.timeout(SEND_S_MAX):
            await websocket.close(CLOSE_POLICY, reason)
