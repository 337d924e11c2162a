"""Hold what one process runs, start it, and say when it must end.

Layer: doors. Takes: the halves that inaisle.service.assembly has wired. Gives: a `Service` to
inaisle.service.serve and inaisle.demo.demo.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

import uvicorn
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from inaisle.calibration.calibration_in_force import CalibrationInForce
from inaisle.clock import Clock
from inaisle.service.locating_side import Around, LocatingSide
from inaisle.service.offers_side import OffersSide
from inaisle.service.web_pages import mount_pages
from inaisle.settings import Settings
from inaisle.site.map_in_force import MapInForce
from offers.api.serving import serving_config
from rtls.api.health import Health
from rtls.api.health_routes import health_router, metrics_router
from rtls.api.metrics import CountersCollector, HealthCollector


class Service:
    """The halves that this process runs, and its API.

    Attributes
    ----------
    settings
        What the process was told.
    in_force
        The map that it runs on.
    calibration
        What of the calibration holds on that map.
    around
        Time, health and metrics of the process.
    stack
        Closes the parts in the reverse order of their making.
    routers
        What the API serves besides the offers' own routes.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        in_force: MapInForce,
        calibration: CalibrationInForce,
    ) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        health = Health(now_ms=clock.now_ms)
        registry.register(HealthCollector(health))
        self.around = Around(clock=clock, health=health, registry=registry)
        self.stack = ExitStack()
        self.routers: list[APIRouter] = [health_router(health), metrics_router(registry)]
        self.locating: LocatingSide | None = None
        self.offers: OffersSide | None = None
        self.settings = settings
        self.in_force = in_force
        self.calibration = calibration.calibration
        health.watch("site map", in_force.trouble, is_essential=False)
        health.watch("calibration", lambda: calibration.trouble, is_essential=False)
        self._starts: list[Callable[[], None]] = []

    def run_with(self, start: Callable[[], None], stop: Callable[[], None]) -> None:
        """Have a part started and stopped with the service: last started, first stopped."""
        self._starts.append(start)
        self.stack.callback(stop)

    def count(self, **counters: Mapping[str, int]) -> None:
        """Show counters of parts, each under its own name, in /metrics."""
        for name, group in counters.items():
            self.around.registry.register(CountersCollector(name, partial(dict, group)))

    def start(self) -> None:
        """Start all parts, in the order of `run_with`."""
        for start in self._starts:
            start()

    def stop_locating(self) -> None:
        """Drain and end the locating half, where there is one."""
        if self.locating is not None:
            self.locating.stop()

    def fatal(self) -> str | None:
        """Return why the process must end with status 1, or None."""
        halves: Sequence[LocatingSide | OffersSide | None] = (self.locating, self.offers)
        for half in halves:
            reason = None if half is None else half.fatal()
            if reason is not None:
                return reason
        return None

    def app(self) -> FastAPI:
        """Return the application: without offers it is health and metrics only."""
        if self.offers is not None:
            return self.offers.app(open_routers=self.routers)
        app = FastAPI(title="Inaisle locating", docs_url=None, redoc_url=None)
        for router in self.routers:
            app.include_router(router)
        return app

    def api_config(self) -> uvicorn.Config:
        """Return how the application is served, and the pages beside it."""
        app = self.app()
        if self.offers is not None:
            mount_pages(app)
        section = self.settings.api
        return serving_config(
            app, host=section.host, port=section.port, connections_max=section.connections_max
        )
