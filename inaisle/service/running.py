"""Keep a service running, and let it go over to a map that was published.

Layer: doors. Takes: what `open_service` takes. Gives: a `Running` to inaisle.service.serve and
inaisle.demo.demo. Going over means to close the wired service and to open it again in the same
process, on the same listening socket: every part learns of the new map by the way that it knows,
its start, and what was not finished is in the snapshot and the database as after any stop.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import Final

import structlog

from inaisle.service.api_server import ApiServer, listen_on
from inaisle.service.service import Service
from inaisle.settings import Settings
from inaisle.site.map_in_force import MapInForce, map_folder, maps_to_run_on
from rtls.model.errors import InaisleError

log = structlog.get_logger("inaisle.service.serve")
LOOK_EVERY_S: Final = 0.5
OpenService = Callable[[MapInForce], AbstractContextManager[Service]]


class Running:
    """A service that runs on the newest map that it can run on; a thread looks for newer ones.

    Parameters
    ----------
    settings
        Where to listen, and where maps are published.
    open_service
        Wires a service on a map.

    Attributes
    ----------
    service, api
        Those of now: others after a map was published.
    port
        Where the API listens, all the time.
    """

    service: Service
    api: ApiServer
    port: int

    def __init__(self, settings: Settings, open_service: OpenService) -> None:
        self._settings = settings
        self._open_service = open_service
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._parts = ExitStack()
        self._failure: str | None = None
        self._newest = 0
        self._listening: socket.socket | None = None
        self._thread = threading.Thread(target=self._watch, name="maps", daemon=True)

    def start(self) -> None:
        """Open the service; the errors are those of who wires it."""
        section = self._settings.api
        self._listening = listen_on(section.host, section.port)
        self.port = int(self._listening.getsockname()[1])
        self._open(self._listening)
        if self._settings.site.published:
            self._thread.start()

    def stop(self) -> None:
        """End it in the order in which nothing is lost; safe where `start` has failed."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._turn:
            self._close()
        if self._listening is not None:
            self._listening.close()

    def fatal(self) -> str | None:
        """Return why the process must end with status 1, or None."""
        if not self._turn.acquire(blocking=False):
            return None  # it goes over to another map just now
        try:
            if self._failure is not None:
                return self._failure
            return self.service.fatal() or (None if self.api.is_alive else "the API has ended")
        finally:
            self._turn.release()

    def _watch(self) -> None:
        folder = map_folder(self._settings.site)
        while not self._stop.wait(LOOK_EVERY_S):
            if self._listening is not None and folder.newest_number() > self._newest:
                self._go_over(self._listening)

    def _go_over(self, listening: socket.socket) -> None:
        started = time.monotonic()
        with self._turn:
            if self._failure is not None:
                return
            try:
                self._close()
                self._open(listening)
            except BaseException as error:
                self._failure = f"the service did not come back on another map: {error!r}"
                log.critical("no service on any map", exc_info=error)
                return
        seconds = round(time.monotonic() - started, 3)
        log.info("the map was taken up", source=self.service.in_force.source, seconds=seconds)

    def _open(self, listening: socket.socket) -> None:
        """Open the service on the newest map on which it opens; remember why not on newer ones.

        Raises
        ------
        InaisleError
            If it opens on none: what stands against the oldest, the file of the settings.
        """
        self._newest = map_folder(self._settings.site).newest_number()
        passed_over: tuple[str, ...] = ()
        for in_force in maps_to_run_on(self._settings.site):
            known = (*passed_over, *in_force.passed_over)
            try:
                self._open_on(replace(in_force, passed_over=tuple(dict.fromkeys(known))), listening)
            except InaisleError as error:
                if not in_force.revision:
                    raise
                log.warning("a map cannot be taken up", source=in_force.source, error=str(error))
                passed_over = (*known, f"{in_force.source} cannot be taken up: {error}")
            else:
                return

    def _open_on(self, in_force: MapInForce, listening: socket.socket) -> None:
        section = self._settings.api
        with ExitStack() as parts:
            service = parts.enter_context(self._open_service(in_force))
            api = ApiServer(service.api_config(), listening)
            service.start()
            parts.callback(api.stop, section.stop_within_s)
            api.start()
            # Locating first: what it drains still becomes offers on open sockets.
            parts.callback(service.stop_locating)
            self.service, self.api = service, api
            self._parts = parts.pop_all()

    def _close(self) -> None:
        self._parts.close()
