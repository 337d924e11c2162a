"""Show a process of the chain to its supervisor: does it live, is it ready, what does it count.

Layer: doors. Takes: what the parts say of themselves, and their counters. Gives: /livez, /readyz
and /metrics over HTTP, as the service gives them, for a process that has no API.
"""

from typing import Final

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from inaisle.service.api_server import ApiServer
from offers.api.serving import serving_config
from rtls.api.health import Health
from rtls.api.health_routes import health_router, metrics_router
from rtls.api.metrics import HealthCollector

CONNECTIONS_MAX: Final = 64
STOP_WITHIN_S: Final = 2.0


class HealthPage:
    """The three pages, served by a thread of its own.

    Parameters
    ----------
    health
        Asked at each call of /readyz.
    registry
        What /metrics shows; the parts of ``health`` are added to it.
    host, port
        Where to listen; port 0 takes a free one.
    """

    def __init__(
        self, health: Health, registry: CollectorRegistry, *, host: str, port: int
    ) -> None:
        registry.register(HealthCollector(health))
        app = FastAPI(title="Inaisle chain", docs_url=None, redoc_url=None, openapi_url=None)
        app.include_router(health_router(health))
        app.include_router(metrics_router(registry))
        self._server = ApiServer(
            serving_config(app, host=host, port=port, connections_max=CONNECTIONS_MAX)
        )

    def start(self) -> int:
        """Begin to answer, and return the port; `Unavailable` where the port is taken."""
        return self._server.start()

    def stop(self) -> None:
        """Answer what is in flight, and end."""
        self._server.stop(STOP_WITHIN_S)
