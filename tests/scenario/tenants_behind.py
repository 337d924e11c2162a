"""Shops of several tenants behind one front, on one PostgreSQL, with a clock that tests set."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import httpx2
import sqlalchemy as sa

from inaisle.chain.tenant_directory import OpenShop, TenantDirectory
from inaisle.chain.tenant_front import TenantFront
from inaisle.chain.tenant_serve import own_pages
from inaisle.chain.tenant_sites import TenantSite, TenantSites
from inaisle.clock import SystemClock
from inaisle.service.api_server import ApiServer
from offers.api.serving import serving_config
from offers.handlers.people.issue_credential import fingerprint_of
from offers.model.ids import TenantId
from offers.storage.postgres_server import TenantPlace
from offers.storage.secret_source import SystemSecretSource
from offers.storage.tenant_book import CredentialHomes, add_tenant
from rtls.api.site_map_json import render_site_map
from tests.scenario.running_api import RunningApi
from tests.unit.offers.shop import SITE, SITE_MAP, START_MS
from tests.waiting import wait_until

SECRETS = SystemSecretSource(bytes(32))  # that of `RunningApi`


class ShopBehind(RunningApi):
    """A shop that is called through the front only."""

    def start(self) -> None:
        self.relay.start()
        self.products.start()
        self.ways.start()
        wait_until(lambda: self.products.indexed is not None)


class Fronted:
    """The front, and what stands behind it."""

    def __init__(self, folder: Path, url: sa.URL, *, open_max: int, hosts: dict[str, str]) -> None:
        self._folder = folder
        self._url = url
        self.shops: dict[str, ShopBehind] = {}
        self.sites = TenantSites(folder / "sites", hosts)
        self.directory = TenantDirectory(self.open_shop, open_max=open_max)
        self.homes = CredentialHomes(url)
        front = TenantFront(
            sites=self.sites,
            directory=self.directory,
            homes=self.homes,
            fingerprint_of=partial(fingerprint_of, secrets=SECRETS),
            own=own_pages(self.directory, SystemClock()),
        )
        self.api = ApiServer(serving_config(front, host="127.0.0.1", port=0))

    def start(self) -> None:
        self.address = f"127.0.0.1:{self.api.start()}"

    def client(self, host: str | None = None) -> httpx2.Client:
        headers = {} if host is None else {"Host": host}
        return httpx2.Client(base_url=f"http://{self.address}", headers=headers, timeout=30.0)

    @contextmanager
    def open_shop(self, shop: TenantSite) -> Iterator[OpenShop]:
        folder = self._folder / shop.tenant / shop.site
        folder.mkdir(parents=True, exist_ok=True)
        behind = ShopBehind(folder, database=TenantPlace(url=self._url, tenant=shop.tenant))
        behind.http = self.client(f"{shop.tenant}.example")
        behind.ws_url = f"ws://{self.address}"
        behind.start()
        self.shops[str(shop)] = behind
        try:
            yield OpenShop(app=behind.app, fatal=lambda: None)
        finally:
            self.shops.pop(str(shop)).close()
            behind.http.close()


@contextmanager
def tenants_behind(
    folder: Path, url: sa.URL, *tenants: str, open_max: int = 8, has_hosts: bool = True
) -> Iterator[Fronted]:
    """Serve the same shop for several tenants; `<tenant>.example` is the host of each."""
    for tenant in tenants:
        add_tenant(url, TenantId(tenant), at_ms=START_MS)
        place = folder / "sites" / tenant / SITE
        place.mkdir(parents=True)
        (place / "site_map.geojson").write_bytes(render_site_map(SITE_MAP))
    hosts = {f"{tenant}.example": f"{tenant}/{SITE}" for tenant in tenants} if has_hosts else {}
    with ExitStack() as parts:
        fronted = Fronted(folder, url, open_max=open_max, hosts=hosts)
        parts.callback(fronted.homes.close)
        parts.callback(fronted.api.stop, 15.0)
        fronted.start()
        yield fronted


def shop_of(fronted: Fronted, tenant: str) -> ShopBehind:
    """Return the shop of a tenant, which the first call to its host opens."""
    with fronted.client(f"{tenant}.example") as client:
        assert client.get("/v1/brand").status_code == 200
    return fronted.shops[f"{tenant}/{SITE}"]
