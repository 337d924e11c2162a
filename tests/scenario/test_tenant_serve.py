"""`inaisle tenant serve`: shops of two retailers in one process, on PostgreSQL and Redis."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from inaisle.chain.tenant_serve import running_front
from inaisle.clock import SystemClock
from inaisle.config_files import demo_site_map_file
from inaisle.errors import InvalidSettings
from inaisle.settings import Settings
from inaisle.settings_sections import (
    ApiSection,
    OffersSection,
    RedisSection,
    SiteSection,
    TenantsSection,
)
from offers.model.ids import TenantId
from offers.storage.tenant_book import add_tenant
from rtls.model.units import UnixMs
from tests.conftest import Server
from tests.postgres import PostgresServer
from tests.waiting import wait_until

SITE = "demo"
pytestmark = [pytest.mark.slow, pytest.mark.broker]


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[sa.URL]:
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture
def settings(tmp_path: Path, url: sa.URL, redis_server: Server) -> Settings:
    for tenant in ("acme", "bolt"):
        add_tenant(url, TenantId(tenant), at_ms=UnixMs(0))
        place = tmp_path / "tenants" / tenant / SITE
        place.mkdir(parents=True)
        (place / "site_map.geojson").write_bytes(demo_site_map_file().read_bytes())
    return Settings(
        site=SiteSection(data=tmp_path / "var"),
        offers=OffersSection(
            database_url=SecretStr(url.render_as_string(hide_password=False)),
        ),
        api=ApiSection(port=0),
        redis=RedisSection(url=SecretStr(f"redis://{redis_server.host}:{redis_server.port}/0")),
        tenants=TenantsSection(
            sites=tmp_path / "tenants",
            hosts={f"{tenant}.example": f"{tenant}/{SITE}" for tenant in ("acme", "bolt")},
        ),
    )


def test_one_process_answers_for_two_retailers(settings: Settings) -> None:
    """Wired by the door: keys, pages, health; what stands in Redis names the retailer as well."""
    with running_front(settings, clock=SystemClock()) as (_, directory, port):
        clients = {
            name: httpx2.Client(
                base_url=f"http://127.0.0.1:{port}", headers={"Host": f"{name}.example"}, timeout=30
            )
            for name in ("acme", "bolt")
        }
        tokens = {
            name: client.post("/v1/enrolments", json={}).json()["token"]
            for name, client in clients.items()
        }
        for name, client in clients.items():
            other = "bolt" if name == "acme" else "acme"
            for token in (tokens[name], tokens[other]):
                card = client.get("/v1/me/card", headers={"Authorization": f"Bearer {token}"})
                assert card.status_code == 200
            folder = settings.site.data / name / SITE
            staff = json.loads((folder / "keys.json").read_text())["staff"]
            assert not (folder / "secret.key").exists()
            health = client.get("/v1/operator/health", headers={"Authorization": f"Bearer {staff}"})
            assert health.status_code == 200
            assert client.get("/readyz").status_code == 200
            assert client.get("/card/").status_code in {200, 404}  # 404: the pages are not built
        assert "inaisle_shops_opened_total 2.0" in clients["acme"].get("/metrics").text
        assert (len(directory), directory.fatal()) == (2, None)
        for client in clients.values():
            client.close()


@pytest.mark.parametrize("open_max", [1, 2])
def test_shops_are_open_before_anybody_calls_them(settings: Settings, open_max: int) -> None:
    """What a shop's visits and its clock make due waits for no caller; who calls finds room."""
    tenants = settings.tenants.model_copy(update={"open_max": open_max})
    with running_front(settings.model_copy(update={"tenants": tenants}), clock=SystemClock()) as (
        _,
        directory,
        port,
    ):
        wait_until(lambda: directory.counters["opened"] == open_max)
        for name in ("acme", "bolt"):
            host = {"Host": f"{name}.example"}
            answer = httpx2.get(f"http://127.0.0.1:{port}/v1/brand", headers=host, timeout=30)
            assert answer.status_code == 200
        assert directory.counters["opened"] == 2
        assert len(directory) == open_max


def test_a_front_that_ends_while_its_shops_open_leaves_none_behind(settings: Settings) -> None:
    """Who stops what he has only just started waits for no shop that nobody called."""
    with running_front(settings, clock=SystemClock()) as (_, directory, _):
        wait_until(lambda: len(directory) == 1)
    assert (len(directory), directory.counters["opened"]) == (0, directory.counters["closed"])


def test_without_a_server_or_shops_it_does_not_begin(settings: Settings) -> None:
    """There is no front before a file: that is `inaisle serve`."""
    lacking = settings.model_copy(update={"tenants": TenantsSection()})
    with (
        pytest.raises(InvalidSettings, match=r"tenants\.sites is empty"),
        running_front(lacking, clock=SystemClock()),
    ):
        pytest.fail("it began")
