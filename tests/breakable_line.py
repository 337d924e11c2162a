"""A TCP line between two real parts that a test may cut, hold up and mend."""

import contextlib
import socket
import threading
from typing import Self

from tests.conftest import pick_free_port

CHUNK_BYTES = 65_536


class BreakableLine:
    """Listens on a port of its own and passes on what comes, both ways.

    A line that is cut ends what is under way and takes nobody; one that is held up takes everybody
    and passes nothing on, as a mobile network does.
    """

    def __init__(self, to_port: int | None = None) -> None:
        self.port = pick_free_port()
        self.to_port = to_port
        self._may_pass = threading.Event()
        self._may_pass.set()
        self._is_cut = False
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        self.cut()

    def cut(self) -> None:
        """End what is under way, and take nobody until `mend`."""
        with self._lock:
            self._is_cut = True
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self._open.clear()
        self._may_pass.set()  # what was held up has nowhere to go now

    def hold_up(self) -> None:
        """Take everybody and pass nothing on until `mend`."""
        self._may_pass.clear()

    def mend(self) -> None:
        """Let all pass again."""
        with self._lock:
            self._is_cut = False
        self._may_pass.set()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return  # closed: the test is over
            self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        with self._lock:
            if self._is_cut or self.to_port is None:
                near.close()
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to_port))
            except OSError:  # nobody listens there just now
                near.close()
                return
            self._open |= {near, far}
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with source, contextlib.suppress(OSError):
            while content := source.recv(CHUNK_BYTES):
                self._may_pass.wait()
                target.sendall(content)
        with self._lock:
            self._open.discard(source)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
