"""Keep a WebSocket open to the shopper's app, and write offers to it as they come.

Layer: edges. Takes: a connection that signs in by header or by its first message, frames of the app
channel. Gives: ``hello``, what was missed, then every offer; what the phone hears of the anchors
goes the other way. An app that does not read is closed with 1013 and holds up nobody; when it comes
back it resyncs by its cursor.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Final

from fastapi import APIRouter, WebSocket
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect, WebSocketState

from offers.api.auth import sign_in
from offers.api.error_handlers import problem_of
from offers.api.offering.offer_routes import SHOWN, offers_page
from offers.api.offering.stream_frames import (
    CURSOR_MAX,
    HelloFrame,
    OfferFrame,
    ScanFrame,
    ScanRefusedFrame,
    SignInFrame,
)
from offers.api.people.shopper_schema import OffersBody
from offers.api.problem import Problem
from offers.api.roles import ROLES
from offers.api.services import PAGE_MAX, Services, Socket, services_of
from offers.api.visits.scan_routes import take_scan
from offers.model.ids import ShopperId
from offers.model.offering.offer import OfferState
from rtls.model.errors import InaisleError

OPERATION: Final = "streamOffers"
CLOSE_POLICY: Final = 1008
CLOSE_TRY_AGAIN_LATER: Final = 1013
MESSAGES_FROM_APP_MAX: Final = 1_000
OPEN_STATES: Final = (OfferState.DELIVERED, OfferState.OPENED)

stream_routes = APIRouter()


class _Refused(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@stream_routes.websocket("/me/stream", name=OPERATION)
async def stream_offers(websocket: WebSocket) -> None:
    """Stream the shopper's offers until somebody closes."""
    services = services_of(websocket)
    await websocket.accept()
    socket: Socket | None = None
    with suppress(WebSocketDisconnect):
        try:
            shopper, after = await _sign_in(websocket, services)
            socket = _open(shopper, services)
            await _resync(websocket, shopper, after, services)
            services.connected(shopper)
            await _serve(websocket, shopper, socket, services)
        except _Refused as refused:
            await _close(websocket, refused.code, refused.reason, services)
        finally:
            if socket is not None:
                socket.leave()


async def _sign_in(websocket: WebSocket, services: Services) -> tuple[ShopperId, int | None]:
    # By header or by the first message. A token in a query would stand in every log on the way.
    scheme, _, secret = websocket.headers.get("authorization", "").partition(" ")
    after = _after_of_query(websocket)
    if scheme.lower() != "bearer":
        first = await _first_message(websocket, services)
        secret = first.token
        after = first.after if first.after is not None else after
    credential = await sign_in(secret.strip(), services)
    if credential is None:
        raise _Refused(CLOSE_POLICY, "credential_invalid")
    allowed = ROLES[OPERATION]
    assert allowed is not None
    if credential.role not in allowed or credential.shopper is None:
        raise _Refused(CLOSE_POLICY, "role_forbidden")
    return credential.shopper, after


async def _first_message(websocket: WebSocket, services: Services) -> SignInFrame:
    try:
        async with asyncio.timeout(services.settings.sign_in_s_max):
            message = await websocket.receive()
    except TimeoutError as error:
        raise _Refused(CLOSE_POLICY, "credential_missing") from error
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    try:
        return SignInFrame.model_validate_json(message.get("text") or message.get("bytes") or "")
    except ValidationError as error:
        raise _Refused(CLOSE_POLICY, "credential_missing") from error


def _after_of_query(websocket: WebSocket) -> int | None:
    given = websocket.query_params.get("after")
    if given is None:
        return None
    is_cursor = given.isascii() and given.isdigit() and len(given) <= len(str(CURSOR_MAX))
    if not is_cursor or int(given) > CURSOR_MAX:
        raise _Refused(CLOSE_POLICY, "validation_failed")
    return int(given)


def _open(shopper: ShopperId, services: Services) -> Socket:
    socket = services.channel.open(shopper)
    if socket is None:
        raise _Refused(CLOSE_TRY_AGAIN_LATER, "too_many_sockets")
    return socket


async def _resync(
    websocket: WebSocket, shopper: ShopperId, after: int | None, services: Services
) -> None:
    """Say hello and send what the app missed: all behind its cursor, or all that is still open."""
    states = OPEN_STATES if after is None else SHOWN
    page: OffersBody = await services.read(
        partial(offers_page, shopper, after=after or 0, limit=PAGE_MAX, states=states)
    )
    hello = HelloFrame(cursor=page.cursor, has_more=page.has_more)
    frames = [hello.model_dump_json()]
    frames += [OfferFrame(offer=offer).model_dump_json() for offer in page.offers]
    for text in frames:
        await _send(websocket, text, services)


async def _send(websocket: WebSocket, text: str, services: Services) -> None:
    try:
        async with asyncio.timeout(services.settings.send_s_max):
            await websocket.send_text(text)
    except TimeoutError as error:
        raise _Refused(CLOSE_TRY_AGAIN_LATER, "too_slow") from error


async def _serve(
    websocket: WebSocket, shopper: ShopperId, socket: Socket, services: Services
) -> None:
    # Reading tells that the app has gone, also while nothing is to be written.
    await _first_to_end(
        _read_until_gone(websocket, shopper, services),
        _write_frames(websocket, socket, services),
        socket.ended(),
    )
    if socket.close_code is not None:
        raise _Refused(socket.close_code, "too_slow")


async def _first_to_end(*works: Coroutine[None, None, None]) -> None:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _read_until_gone(websocket: WebSocket, shopper: ShopperId, services: Services) -> None:
    # Besides scans the app has nothing to say; some frameworks send a ping of their own.
    others = 0
    while others < MESSAGES_FROM_APP_MAX:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text") or message.get("bytes") or ""
        if not await _is_scan_taken(text, websocket, shopper, services):
            others += 1
    raise _Refused(CLOSE_POLICY, "too_many_messages")


async def _is_scan_taken(
    text: str | bytes, websocket: WebSocket, shopper: ShopperId, services: Services
) -> bool:
    """Take a message that is a scan; say what stands against it."""
    try:
        scan = ScanFrame.model_validate_json(text)
    except ValidationError:
        return False
    try:
        await take_scan(scan, shopper, services)
    except Problem as problem:
        refused = problem
    except InaisleError as error:
        refused = problem_of(error)
    else:
        return True
    frame = ScanRefusedFrame(
        code=refused.code,
        detail=refused.detail,
        reason=refused.reason,
        retry_after_s=refused.retry_after_s,
    )
    await _send(websocket, frame.model_dump_json(exclude_none=True), services)
    return False


async def _write_frames(websocket: WebSocket, socket: Socket, services: Services) -> None:
    while True:
        frame = await socket.next()
        await _send(websocket, frame.text, services)
        # No await in between: what the app does with the offer comes behind this report.
        if frame.written is not None:
            frame.written()


async def _close(websocket: WebSocket, code: int, reason: str, services: Services) -> None:
    if websocket.application_state is not WebSocketState.CONNECTED:
        return
    # An app that reads nothing never sees the code; then the server drops the connection.
    with suppress(TimeoutError):
        async with asyncio.timeout(services.settings.send_s_max):
            await websocket.close(code, reason)
