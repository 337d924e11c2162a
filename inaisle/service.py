"""Hold what one process runs, start it, and say when it must end.

Layer: doors. Takes: the halves that inaisle.assembly has wired. Gives: a `Service` to inaisle.serve
and inaisle.demo.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import uvicorn
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from inaisle.clock import Clock
from inaisle.locating_side import Around, LocatingSide
from inaisle.offers_side import OffersSide
from inaisle.settings import Settings
from offers.api.serving import serving_config
from rtls.api.health import Health
from rtls.api.health_routes import health_router, metrics_router
from rtls.api.metrics import HealthCollector


class Service:
    """The halves that this process runs, and its API.

    Attributes
    ----------
    settings
        What the process was told.
    around
        Time, health and metrics of the process.
    stack
        Closes the parts in the reverse order of their making.
    routers
        What the API serves besides the offers' own routes.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
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
        self._starts: list[Callable[[], None]] = []

    def run_with(self, start: Callable[[], None], stop: Callable[[], None]) -> None:
        """Have a part started and stopped with the service: last started, first stopped."""
        self._starts.append(start)
        self.stack.callback(stop)

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

    def api_config(self) -> uvicorn.Config:
        """Return how the API is served; without offers it is health and metrics only."""
        if self.offers is not None:
            app = self.offers.app(open_routers=self.routers)
        else:
            app = FastAPI(title="Inaisle locating", docs_url=None, redoc_url=None)
            for router in self.routers:
                app.include_router(router)
        section = self.settings.api
        return serving_config(
            app, host=section.host, port=section.port, connections_max=section.connections_max
        )
