"""Set the limits of the web server: sockets, sizes, and how long a stop may take.

Layer: edges. Takes: the application and an address from the door. Gives: a `uvicorn.Config`.
The defaults of uvicorn are made for benchmarks: no limit on connections, 16 MiB a message, and a
stop that waits for ever.
"""

import logging
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

WS_MESSAGE_BYTES_MAX: Final = 32 * 1024  # a scan of 256 anchors is 20 kB
CONNECTIONS_MAX: Final = 10_000
STOP_S_MAX: Final = 4
ABORT_AFTER_S: Final = 1.0
PING_EVERY_S: Final = 20.0


class AbortingWebSocket(WebSocketsSansIOProtocol):
    """Drop a connection whose application has ended, also when the other side reads nothing.

    uvicorn closes the transport, which waits until its buffer is written; an app that never reads
    would keep the file descriptor for ever and hold up a stop.
    """

    @override
    async def run_asgi(self) -> None:
        """Run the application, then give the closing handshake a moment."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(ABORT_AFTER_S, self.transport.abort)


def serving_config(
    app: ASGIApp, *, host: str, port: int, connections_max: int = CONNECTIONS_MAX
) -> uvicorn.Config:
    """Return how uvicorn serves the application.

    Parameters
    ----------
    app
        From `offers.api.app.create_app`.
    host, port
        Where to listen; port 0 takes a free one.
    connections_max
        Connections and tasks above it are answered 503 at once.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        ws=AbortingWebSocket,
        ws_max_size=WS_MESSAGE_BYTES_MAX,
        ws_ping_interval=PING_EVERY_S,
        ws_ping_timeout=PING_EVERY_S,
        ws_per_message_deflate=False,  # frames are short; a window for each socket is not
        limit_concurrency=connections_max,
        timeout_graceful_shutdown=STOP_S_MAX,
        timeout_keep_alive=15,
        server_header=False,
        proxy_headers=False,  # an address from a header would let anybody choose his own
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        lifespan="on",
    )
