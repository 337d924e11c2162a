"""Serve the shops of many retailers from one process, until told to stop.

Layer: doors. Takes: settings. Gives: an exit status to inaisle.commands.cli_tenant. Each shop is
wired as `inaisle serve --role offers` wires it, for its own tenant, and is open while there is
room. Several such processes stand behind one address; which of them is asked does not matter.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from inaisle.chain.tenant_directory import OpenShop, TenantDirectory
from inaisle.chain.tenant_front import TenantFront
from inaisle.chain.tenant_sites import TenantSite, TenantSites
from inaisle.clock import Clock
from inaisle.database.database_place import database_place, key_file
from inaisle.errors import ExitStatus, InvalidSettings, PartBroke
from inaisle.service.api_server import ApiServer, listen_on
from inaisle.service.assembly import open_service
from inaisle.service.broker import BrokerAddress
from inaisle.service.serve import WATCH_EVERY_S, service_clock
from inaisle.service.web_pages import mount_pages
from inaisle.settings import Settings
from offers.api.serving import serving_config
from offers.handlers.people.issue_credential import fingerprint_of
from offers.storage.database import prepare_database, url_of
from offers.storage.secret_source import SystemSecretSource, load_key
from offers.storage.tenant_book import CredentialHomes
from rtls.api.health import Health
from rtls.api.health_routes import health_router, metrics_router
from rtls.api.metrics import CountersCollector, HealthCollector

log = structlog.get_logger("inaisle.chain.tenants")
NOWHERE: Final = BrokerAddress(host="127.0.0.1", port=0, qos=1)  # the role offers hears no gateway


def run_tenants(settings: Settings) -> ExitStatus:
    """Serve until SIGTERM or Ctrl-C (status 0), or until a part of a shop breaks (status 1)."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        with running_front(settings, clock=service_clock(settings)) as (api, directory, port):
            log.info("the API listens", host=settings.api.host, port=port)
            while not stop.wait(WATCH_EVERY_S):
                reason = directory.fatal() or (None if api.is_alive else "the API has ended")
                if reason is not None:
                    log.critical("a part broke; the process ends", reason=reason)
                    return ExitStatus.BROKEN
    except PartBroke as error:
        log.critical("a part broke; the process ends", reason=str(error))
        return ExitStatus.BROKEN
    log.info("stopped")
    return ExitStatus.DONE


@contextlib.contextmanager
def running_front(
    settings: Settings, *, clock: Clock
) -> Iterator[tuple[ApiServer, TenantDirectory, int]]:
    """Answer for all shops of the settings; give the server, the shops and the port.

    Raises
    ------
    InvalidSettings
        If no server or no folder of shops is named.
    """
    place = database_place(settings)
    if isinstance(place, Path) or settings.tenants.sites is None:
        raise InvalidSettings(
            "offers.database_url or tenants.sites is empty; expected a PostgreSQL server, and a "
            "folder of <tenant>/<site>/site_map.geojson."
        )
    prepare_database(url_of(place))
    sites = TenantSites(settings.tenants.sites, settings.tenants.hosts or {})
    directory = TenantDirectory(
        partial(_open_shop, settings, sites, clock), open_max=settings.tenants.open_max
    )
    secrets = SystemSecretSource(load_key(key_file(settings)))
    with contextlib.ExitStack() as parts:
        homes = CredentialHomes(url_of(place))
        parts.callback(homes.close)
        front = TenantFront(
            sites=sites,
            directory=directory,
            homes=homes,
            fingerprint_of=partial(fingerprint_of, secrets=secrets),
            own=own_pages(directory, clock, ahead=sites.all()),
        )
        section = settings.api
        listening = parts.enter_context(listen_on(section.host, section.port))
        config = serving_config(
            front, host=section.host, port=section.port, connections_max=section.connections_max
        )
        api = ApiServer(config, listening)
        # A shop takes a moment to close, too, and what it has accepted is carried out.
        parts.callback(lambda: api.stop(section.stop_within_s + len(directory)))
        yield api, directory, api.start()


@contextlib.contextmanager
def _open_shop(
    settings: Settings, sites: TenantSites, clock: Clock, shop: TenantSite
) -> Iterator[OpenShop]:
    own = sites.settings_of(shop, settings)
    with open_service(own, role="offers", broker=NOWHERE, clock=clock) as service:
        if service.in_force.site_map.site != shop.site:
            raise InvalidSettings(
                f"{own.site.map} is the map of site {service.in_force.site_map.site!r}; expected "
                f"{shop.site!r}, the name of its folder."
            )
        app = service.app()
        mount_pages(app)
        service.start()
        yield OpenShop(app=app, fatal=service.fatal)


def own_pages(
    directory: TenantDirectory, clock: Clock, *, ahead: Sequence[TenantSite] = ()
) -> FastAPI:
    """Return what the process answers for itself: health and metrics.

    Its start opens the shops that are named, in the background; its end closes all.
    """
    health, registry = Health(now_ms=clock.now_ms), CollectorRegistry()
    health.watch("shops", directory.trouble, is_essential=False)
    registry.register(HealthCollector(health))
    registry.register(CountersCollector("inaisle_shops", partial(dict, directory.counters)))

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        opening = asyncio.create_task(directory.open_ahead(ahead))
        try:
            yield
        finally:
            opening.cancel()
            await asyncio.wait([opening])
            await directory.close()

    app = FastAPI(title="Inaisle shops", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.include_router(health_router(health))
    app.include_router(metrics_router(registry))
    return app
