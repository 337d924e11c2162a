"""Serve the API in a thread of its own, on a socket that outlives it.

Layer: doors. Takes: a `uvicorn.Config` and a socket that listens. Gives: an `ApiServer` to
inaisle.service.running. The socket is not the server's: while one server ends and the next begins,
who connects waits a moment in the system's queue and is not refused.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Final

import uvicorn
from typing_extensions import override

from inaisle.errors import Unavailable

BACKLOG: Final = 2_048
START_S_MAX: Final = 10.0
LOOK_EVERY_S: Final = 0.01


def listen_on(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises
    ------
    Unavailable
        If the port is taken, or the host is not ours.
    """
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise Unavailable(
            f"the API cannot listen on {host}:{port} ({error.strerror}). Set api.port to a free "
            "port, or 0 to take any."
        ) from error


class ApiServer(uvicorn.Server):
    """uvicorn in a thread of its own; signals belong to the main thread.

    Parameters
    ----------
    config
        What is served.
    listening
        The socket to serve on, which stays open; without one the server opens and closes its own.
    """

    def __init__(self, config: uvicorn.Config, listening: socket.socket | None = None) -> None:
        super().__init__(config)
        self._listening = listening
        self._thread = threading.Thread(target=self._run_here, name="api", daemon=True)
        self.failure: BaseException | None = None

    @contextlib.contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    def start(self) -> int:
        """Begin to answer, and return the port.

        Raises
        ------
        Unavailable
            If it does not begin in time: the port is taken, or the host is not ours.
        """
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(START_S_MAX / LOOK_EVERY_S)):
            if self.started or not self._thread.is_alive():
                break
            waited.wait(LOOK_EVERY_S)
        if not self.started:
            raise Unavailable(
                f"the API does not answer on {self.config.host}:{self.config.port}. Set api.port "
                "to a free port, or 0 to take any."
            )
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port

    def stop(self, timeout_s: float) -> None:
        """Take no more connections, answer those in flight, close sockets with 1012."""
        self.should_exit = True
        self._thread.join(timeout_s)

    @property
    def is_alive(self) -> bool:
        """Return whether it still serves."""
        return self._thread.is_alive()

    def _run_here(self) -> None:
        try:
            given = self._listening  # it closes what it is given
            self.run(sockets=None if given is None else [given.dup()])
        except BaseException as error:  # noqa: BLE001 - a thread has nobody to raise to
            self.failure = error
