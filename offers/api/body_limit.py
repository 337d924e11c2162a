"""Refuse a body that is too large, without reading it all.

Layer: edges. Takes: the ASGI messages of a request. Gives: a problem 413 as soon as the stated or
the received length passes the limit, else the request as it is. Starlette's own limit answers in
plain text; every answer of ours is a problem document.
"""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offers.api.problem import KINDS, Problem, ProblemCode, send_problem

BODY_BYTES_MAX: Final = 64 * 1024


class BodyLimit:
    """ASGI middleware around the whole application.

    Parameters
    ----------
    app
        What it protects.
    bytes_max
        The largest body that comes through.
    larger
        What comes through on paths that take whole files. Such a route must let in whom it knows
        before it reads.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        bytes_max: int = BODY_BYTES_MAX,
        larger: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._bytes_max = bytes_max
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or end it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bytes_max = self._larger.get(scope["path"], self._bytes_max)
        if _stated_length(scope) > bytes_max:
            await self._refuse(scope, receive, send, bytes_max)
            return
        await self._app(scope, self._counted(receive, bytes_max), send)

    def _counted(self, receive: Receive, bytes_max: int) -> Receive:
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > bytes_max:
                # FastAPI lets this class alone through while it reads a body; the handler of
                # HTTP errors makes the problem document of it.
                raise HTTPException(KINDS[ProblemCode.BODY_TOO_LARGE].status)
            return message

        return receive_within_limit

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, bytes_max: int) -> None:
        problem = Problem(
            ProblemCode.BODY_TOO_LARGE,
            f"The body is larger than {bytes_max} bytes. Send less at once.",
        )
        await send_problem(problem, scope, receive, send)


def _stated_length(scope: Scope) -> int:
    stated = Headers(scope=scope).get("content-length", "0")
    return int(stated) if stated.isascii() and stated.isdigit() else 0
