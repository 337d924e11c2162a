"""Run the service: gateways in, offers out, API up, until told to stop.

Layer: doors. Takes: settings and a role. Gives: an exit status. One process does all by default;
`--role locate` and `--role offers` are two processes joined by Redis.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Final

import structlog

from inaisle.clock import Clock, ScaledClock, SystemClock
from inaisle.early_warm_up import end_warm_up
from inaisle.errors import ExitStatus, PartBroke
from inaisle.service.assembly import Watch, open_service, unwatched
from inaisle.service.broker import BrokerAddress
from inaisle.service.running import Running
from inaisle.service.service import Service
from inaisle.settings import Settings
from inaisle.site.map_in_force import MapInForce

log = structlog.get_logger("inaisle.service.serve")
WATCH_EVERY_S: Final = 0.5


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

    def open_on(in_force: MapInForce) -> contextlib.AbstractContextManager[Service]:
        return open_service(
            settings, role=role, broker=broker, clock=clock, watch=watch, in_force=in_force
        )

    running = Running(settings, open_on)
    try:
        running.start()
        end_warm_up()
        log.info("the API listens", host=settings.api.host, port=running.port, role=role)
        yield running
    finally:
        running.stop()


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
