"""Run the service: gateways in, offers out, API up, until told to stop.

Layer: doors. Takes: settings and a role. Gives: an exit status. One process does all by default;
`--role locate` and `--role offers` are two processes joined by Redis.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import structlog
import uvicorn
from typing_extensions import override

from inaisle.assembly import Watch, open_service, unwatched
from inaisle.broker import BrokerAddress
from inaisle.clock import Clock, ScaledClock, SystemClock
from inaisle.errors import ExitStatus, PartBroke, Unavailable
from inaisle.service import Service
from inaisle.settings import Settings

log = structlog.get_logger("inaisle.serve")
WATCH_EVERY_S: Final = 0.5


class ApiServer(uvicorn.Server):
    """uvicorn in a thread of its own; signals belong to the main thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._thread = threading.Thread(target=self._run_here, name="api", daemon=True)
        self.failure: BaseException | None = None

    @contextlib.contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    def start(self, timeout_s: float = 10.0) -> int:
        """Listen, and return the port.

        Raises
        ------
        Unavailable
            If it does not listen in time: the port is taken, or the host is not ours.
        """
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(timeout_s / 0.01)):
            if self.started or not self._thread.is_alive():
                break
            waited.wait(0.01)
        if not self.started:
            raise Unavailable(
                f"the API cannot listen on {self.config.host}:{self.config.port}. Set api.port to "
                "a free port, or 0 to take any."
            )
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port

    def stop(self, timeout_s: float) -> None:
        """Refuse new connections, answer those in flight, close sockets with 1012."""
        self.should_exit = True
        self._thread.join(timeout_s)

    @property
    def is_alive(self) -> bool:
        """Return whether it still serves."""
        return self._thread.is_alive()

    def _run_here(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001 - SystemExit where the port is taken
            self.failure = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A service that runs."""

    service: Service
    api: ApiServer
    port: int

    def fatal(self) -> str | None:
        """Return why the process must end with status 1, or None."""
        return self.service.fatal() or (None if self.api.is_alive else "the API has ended")


@contextlib.contextmanager
def running_service(
    settings: Settings,
    *,
    role: str,
    broker: BrokerAddress,
    clock: Clock,
    watch: Watch = unwatched,
) -> Iterator[Running]:
    """Start everything, and stop it in the order in which nothing is lost."""
    with open_service(settings, role=role, broker=broker, clock=clock, watch=watch) as service:
        api = ApiServer(service.api_config())
        service.start()
        port = api.start()
        log.info("the API listens", host=settings.api.host, port=port, role=role)
        try:
            yield Running(service=service, api=api, port=port)
        finally:
            try:
                # Locating first: what it drains still becomes offers on open sockets.
                service.stop_locating()
            finally:
                api.stop(settings.api.stop_within_s)


def run_serve(settings: Settings, *, role: str) -> ExitStatus:
    """Serve until SIGTERM or Ctrl-C (status 0), or until a part breaks (status 1)."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    broker = BrokerAddress(host=settings.mqtt.host, port=settings.mqtt.port, qos=settings.mqtt.qos)
    clock = service_clock(settings)
    try:
        with running_service(settings, role=role, broker=broker, clock=clock) as running:
            while not stop.wait(WATCH_EVERY_S):
                reason = running.fatal()
                if reason is not None:
                    log.critical("a part broke; the process ends", reason=reason)
                    return ExitStatus.BROKEN
    except PartBroke as error:
        log.critical("a part broke; the process ends", reason=str(error))
        return ExitStatus.BROKEN
    log.info("stopped")
    return ExitStatus.DONE


def service_clock(settings: Settings) -> Clock:
    """Return the clock of the settings: the machine's, or a faster one that begins now."""
    if settings.clock.speed == 1.0:
        return SystemClock()
    return ScaledClock.start(origin_ms=SystemClock().now_ms(), speed=settings.clock.speed)
