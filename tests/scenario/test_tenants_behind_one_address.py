"""Two retailers behind one address: whose a request is, and that nobody reaches the other."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from offers.api.roles import CAMPAIGN_STAFF, EVERYBODY, ROLES
from offers.model.people.shopper import Role
from tests.contract.test_api_roles import (
    DOCUMENT,
    PRIVATE,
    SURVEY,
    belongings_in,
    call,
    operations,
    places_of,
    said,
)
from tests.postgres import PostgresServer
from tests.scenario.running_api import Phone, RunningApi, frame
from tests.scenario.tenants_behind import Fronted, shop_of, tenants_behind
from tests.unit.offers.shop import DWELL_S, SITE, campaign
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[sa.URL]:
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="module")
def fronted(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fronted]:
    url = postgres.database()
    with tenants_behind(
        tmp_path_factory.mktemp("tenants"), url, "acme", "bolt", "corn", "dune"
    ) as fronted:
        yield fronted
    postgres.drop(url)


@pytest.fixture(scope="module")
def acme(fronted: Fronted) -> RunningApi:
    shop = shop_of(fronted, "acme")
    shop.start_campaign(campaign())
    return shop


@pytest.fixture(scope="module")
def bolt(fronted: Fronted) -> RunningApi:
    return shop_of(fronted, "bolt")


@pytest.fixture(scope="module")
def belongings(acme: RunningApi) -> dict[str, str]:
    return belongings_in(acme)


class Strangers:
    """In each role somebody at the site of the same name, of the other retailer."""

    def __init__(self, api: RunningApi) -> None:
        self._api = api
        self._held = {
            None: {},
            Role.SHOPPER: Phone(api).headers,
            Role.TILL: api.till("till-of-anna"),
            **{role: api.key(role) for role in CAMPAIGN_STAFF},
        }

    def headers(self, role: Role | None, operation: str) -> dict[str, str]:
        is_last_call = operation == "eraseShopper"
        return Phone(self._api).headers if is_last_call else self._held[role]


# Names that people choose, under which a stranger may begin something of his own.
ONES_OWN = {"publishSurvey", "addCampaignRevision", "previewCampaign", "addExperimentRevision"}


def leaks_of(bolt: RunningApi, belongings: dict[str, str]) -> list[tuple[object, ...]]:
    """Routes that answer about another tenant's things otherwise than about nothing."""
    leaks: list[tuple[object, ...]] = []
    unknown = dict.fromkeys(belongings, "f" * 32)
    strangers = Strangers(bolt)
    for operation, (_, path) in operations(bolt).items():
        if operation in ONES_OWN or not places_of(path):
            continue
        for role in ROLES[operation] or (None,):
            headers = strangers.headers(role, operation)
            foreign = call(bolt, operation, headers, **belongings)
            nothing = call(bolt, operation, headers, **unknown)
            named = json.dumps(said(foreign))
            for asked in path_of(foreign) & set(belongings.values()) - {"1"}:
                named = re.sub(rf"\b{re.escape(asked)}\b", "f" * 32, named)  # what was asked
            if (foreign.status_code, named) != (nothing.status_code, json.dumps(said(nothing))):
                leaks.append((operation, role, foreign.status_code, named, said(nothing)))
    return leaks


def path_of(answer: httpx2.Response) -> set[str]:
    return set(answer.request.url.path.split("/"))


def test_what_another_tenant_has_is_answered_as_if_it_did_not_exist(
    bolt: RunningApi, belongings: dict[str, str]
) -> None:
    """Every route that names something, in every role: at the same site, with the true id."""
    assert leaks_of(bolt, belongings) == []


def test_no_route_tells_of_another_tenants_things(
    fronted: Fronted, belongings: dict[str, str]
) -> None:
    """Lists, counts, searches and reports, too."""
    corn = shop_of(fronted, "corn")
    strangers = Strangers(corn)
    private = {belongings[place] for place in (*PRIVATE, "suspension", "webhook", "decision")}
    for operation, roles in ROLES.items():
        if operation == "streamOffers":
            continue
        for role in (None,) if roles is EVERYBODY else roles:
            headers = strangers.headers(role, operation)
            told = json.dumps(said(call(corn, operation, headers, **belongings)))
            assert [found for found in private if found in told] == [], (operation, role)


def test_both_may_choose_the_same_names(
    fronted: Fronted, acme: RunningApi, belongings: dict[str, str]
) -> None:
    """A campaign, a survey: what one begins is his, and the other's stays as it is."""
    dune = shop_of(fronted, "dune")
    before = campaigns_of(acme)
    staff = dune.key(Role.OPERATOR) | {"If-Match": "*"}
    document = DOCUMENT | {"campaign": belongings["campaign"]}
    path = f"/v1/operator/campaigns/{belongings['campaign']}/revisions"
    assert dune.http.post(path, json=document, headers=staff).status_code == 201
    assert dune.http.put("/v1/surveys/visit", json=SURVEY, headers=staff).status_code == 204
    assert campaigns_of(dune) == [belongings["campaign"]]
    assert campaigns_of(acme) == before


def campaigns_of(api: RunningApi) -> list[str]:
    answer = api.http.get("/v1/operator/campaigns", headers=api.key(Role.OPERATOR))
    return [found["campaign"] for found in answer.json()["campaigns"]]


def test_the_credential_decides_and_not_the_host_it_is_sent_to(
    fronted: Fronted, acme: RunningApi
) -> None:
    """Who holds Acme's key is with Acme, whatever name he writes into his request."""
    anna = Phone(acme)
    key = acme.key(Role.OPERATOR)
    for host in ("acme.example", "bolt.example", "evil.example", "acme.example:443"):
        with fronted.client(host) as client:
            card = client.get("/v1/me/card", headers=anna.headers)
            assert card.json()["shopper"] == anna.shopper
            campaigns = client.get("/v1/operator/campaigns", headers=key).json()["campaigns"]
            assert [found["campaign"] for found in campaigns] == campaigns_of(acme) != []


def test_an_offer_reaches_the_app_of_its_tenant_alone(acme: RunningApi, bolt: RunningApi) -> None:
    """The same tag at the same shelf in both: each shop has its own shoppers and streams."""
    anna, ben = Phone(acme), Phone(bolt)
    anna.pair("tag:same")
    ben.pair("tag:same")
    acme.advance(int(DWELL_S * 1000))
    with anna.stream() as stream, ben.stream() as others:
        acme.stand("tag:same")
        assert frame(stream)["type"] == "offer"
        with pytest.raises(TimeoutError):
            frame(others, timeout_s=0.3)


@pytest.mark.parametrize("host", [None, "evil.example"])
def test_who_has_neither_credential_nor_a_known_host_is_nowhere(
    fronted: Fronted, acme: RunningApi, host: str | None
) -> None:
    """Nothing is enrolled, and no page shown, on behalf of a tenant that was only guessed."""
    assert acme.tags is not None
    with fronted.client(host) as client:
        nobody = client.post("/v1/enrolments", json={})
        assert (nobody.status_code, nobody.json()["code"]) == (404, "not_found")
        wrong = {"Authorization": "Bearer till_" + "A" * 43}
        unknown = client.get("/v1/me/card", headers=wrong)
    with fronted.client("acme.example") as client:
        refused = client.get("/v1/me/card", headers=wrong)
    assert said(unknown) == said(refused)
    assert (unknown.status_code, unknown.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_stream_to_nowhere_is_closed_with_a_reason(fronted: Fronted) -> None:
    """A page that was opened under a wrong name must not wait for ever."""
    with (
        connect(f"ws://{fronted.address}/v1/me/stream") as stream,
        pytest.raises(ConnectionClosed) as told,
    ):
        stream.recv(timeout=10)
    assert (told.value.rcvd.code, told.value.rcvd.reason) == (1008, "not_found")


def test_without_a_policy_the_leak_is_found(url: sa.URL, tmp_path: Path) -> None:
    """The negative control: row-level security off on one table, and the tests above fail."""
    with tenants_behind(tmp_path, url, "acme", "bolt") as fronted:
        acme, bolt = shop_of(fronted, "acme"), shop_of(fronted, "bolt")
        acme.start_campaign(campaign())
        things = belongings_in(acme)
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE purchases DISABLE ROW LEVEL SECURITY")
        engine.dispose()
        assert {found[0] for found in leaks_of(bolt, things)} & {"getPurchase", "returnPurchase"}


def test_the_shop_that_was_not_called_for_longest_makes_room(url: sa.URL, tmp_path: Path) -> None:
    """Three thousand shops do not fit into one process, and need not."""
    with tenants_behind(tmp_path, url, "acme", "bolt", "corn", open_max=2) as fronted:
        anna = Phone(shop_of(fronted, "acme"))
        shop_of(fronted, "bolt")
        shop_of(fronted, "acme")
        shop_of(fronted, "corn")
        wait_until(lambda: set(fronted.shops) == {f"acme/{SITE}", f"corn/{SITE}"})
        shop_of(fronted, "bolt")
        wait_until(lambda: set(fronted.shops) == {f"bolt/{SITE}", f"corn/{SITE}"})
        with fronted.client() as client:
            again = client.get("/v1/me/card", headers=anna.headers)
        assert again.json()["shopper"] == anna.shopper
        assert (fronted.directory.counters["opened"], len(fronted.directory)) == (5, 2)


def test_a_shop_with_somebody_in_it_is_not_closed(url: sa.URL, tmp_path: Path) -> None:
    """An open app counts as a call; where all are in use, who comes is told to come later."""
    with tenants_behind(tmp_path, url, "acme", "bolt", open_max=1) as fronted:
        anna = Phone(shop_of(fronted, "acme"))
        with anna.stream(), fronted.client("bolt.example") as client:
            full = client.get("/v1/brand")
            assert (full.status_code, full.json()["code"]) == (503, "busy")
            assert full.headers["Retry-After"] == "5"
        wait_until(lambda: _status(fronted, "bolt") == 200)


def _status(fronted: Fronted, tenant: str) -> int:
    with fronted.client(f"{tenant}.example") as client:
        return client.get("/v1/brand").status_code


def test_a_shop_is_opened_once_however_many_call(url: sa.URL, tmp_path: Path) -> None:
    """The morning's first customers come together."""
    with tenants_behind(tmp_path, url, "acme") as fronted:
        found: list[int] = []
        calls = [
            threading.Thread(target=lambda: found.append(_status(fronted, "acme")))
            for _ in range(8)
        ]
        for one in calls:
            one.start()
        for one in calls:
            one.join()
        assert (found, fronted.directory.counters["opened"]) == ([200] * 8, 1)


def test_a_shop_that_cannot_be_opened_is_named_and_stops_nobody(
    url: sa.URL, tmp_path: Path
) -> None:
    """A tenant that was forgotten in the database, a map that somebody broke."""
    with tenants_behind(tmp_path, url, "acme", "bolt") as fronted:
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM tenants WHERE tenant = 'bolt'")
        engine.dispose()
        assert (_status(fronted, "bolt"), _status(fronted, "acme")) == (503, 200)
        with fronted.client() as client:
            ready = client.get("/readyz")
        assert ready.status_code == 200
        assert "bolt/demo: " in (fronted.directory.trouble() or "")
        assert "inaisle tenant add bolt" in (fronted.directory.trouble() or "")
