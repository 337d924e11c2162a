"""A shopper finds a product and is led to its shelf, over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from offers.api.services import ApiSettings
from offers.model.people.shopper import Role
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.units import TagId, UnixMs
from tests.scenario.running_api import Phone, RunningApi, running_api
from tests.waiting import wait_until

CATALOGUE = [
    {
        "sku": "D/1",
        "name_de": "Holzdübel",
        "name_en": "Wood dowel",
        "zones": ["dowels"],
        "price_minor": 299,
        "currency": "EUR",
    },
    {"sku": "D-2", "name_de": "Spreizdübel"},
]
# The middle of the shelf's zone (0, 0) to (2, 1).
SHELF = (1.0, 0.5)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    settings = ApiSettings(searches_in_10_s_max=20)
    with running_api(tmp_path_factory.mktemp("api"), settings=settings) as running:
        lines = "\n".join(json.dumps(row) for row in CATALOGUE).encode()
        key = running.key(Role.STORE_ADMIN)
        answer = running.http.put("/v1/operator/catalogue", content=lines, headers=key)
        assert answer.status_code == 200
        wait_until(lambda: bool(running.products.indexed and running.products.indexed.skus))
        wait_until(lambda: running.ways.is_ready)
        yield running


def locate(api: RunningApi, tag: str, x_m: float, y_m: float, *, age_ms: int = 0) -> None:
    rows = np.zeros(1, FIX_DTYPE)
    rows["x_m"], rows["y_m"] = x_m, y_m
    api.live.put(FixBatch(at_ms=UnixMs(api.now_ms - age_ms), rows=rows), (TagId(tag),))


def route(phone: Phone, **body: object) -> dict[str, object]:
    answer = phone.post("/v1/me/routes", body)
    return answer.json() | {"http": answer.status_code}


def test_a_product_is_found_and_told_in_the_asked_language(api: RunningApi) -> None:
    """A tourist types English, with a typing error."""
    phone = Phone(api)
    english = phone.headers | {"Accept-Language": "en-GB"}
    found = api.http.get("/v1/me/products?q=dowle", headers=english).json()["hits"]
    assert found[0]["product"]["name"] == "Wood dowel"
    assert found[0]["product"]["price"] == {"amount_minor": 299, "currency": "EUR"}
    assert found[0]["product"]["shelves"] == [
        {"zone": "dowels", "name": "Dowels", "floor": 0, "within": []}
    ]
    assert found[0]["matches"] == [{"asked": "dowle", "met": "dowel", "kind": "typo"}]
    german = phone.get("/v1/me/products?q=dübel").json()["hits"]
    assert [hit["product"]["name"] for hit in german] == ["Holzdübel", "Spreizdübel"]
    there = phone.get("/v1/me/products?q=dübel&in_shop=true").json()["hits"]
    assert [hit["product"]["sku"] for hit in there] == ["D/1"]
    one = phone.get("/v1/me/products/D/1").json()
    assert (one["name"], len(one["shelves"])) == ("Holzdübel", 1)
    assert phone.get("/v1/me/products/D-9").status_code == 404


def test_a_shopper_is_led_from_where_he_is(api: RunningApi) -> None:
    """From (4, 4.5) to (1, 0.5) the straight line is 5 m, 4.5 s."""
    phone = Phone(api)
    phone.pair("tag:led")
    api.advance(1_000)
    locate(api, "tag:led", 4.0, 4.5)
    told = route(phone, sku="D/1")
    assert (told["http"], told["started_at"], told["zone_name"]) == (200, "fix", "Dowels")
    assert (told["length_m"], told["walking_s"]) == (5.0, 4.5)
    assert told["line"] == [
        {"floor": 0, "x_m": 4.0, "y_m": 4.5},
        {"floor": 0, "x_m": SHELF[0], "y_m": SHELF[1]},
    ]
    texts = [step["text"] for step in told["steps"]]
    assert texts == ["Gehen Sie 5 m geradeaus.", "Sie sind da: „Dowels“ liegt vor Ihnen."]


def test_an_old_fix_leads_nobody(api: RunningApi) -> None:
    """Thirty seconds ago the shopper was in another aisle."""
    phone = Phone(api)
    phone.pair("tag:old")
    api.advance(60_000)
    locate(api, "tag:old", 4.0, 4.5, age_ms=31_000)
    told = route(phone, sku="D/1")
    assert (told["http"], told["reason"]) == (409, "not_located")


def test_where_a_trolley_was_before_it_was_paired_is_nobodys_business(api: RunningApi) -> None:
    """It was pushed by somebody else a moment ago."""
    phone = Phone(api)
    locate(api, "tag:trolley", 4.0, 4.5)
    api.advance(1_000)
    phone.pair("tag:trolley")
    assert route(phone, sku="D/1")["reason"] == "not_located"


def test_without_consent_nobody_looks_where_a_shopper_is(api: RunningApi) -> None:
    """But whoever says where he stands is led from there."""
    phone = Phone(api)
    phone.pair("tag:shy")
    api.advance(1_000)
    locate(api, "tag:shy", 4.0, 4.5)
    phone.withdraw("locate")
    refused = route(phone, sku="D/1")
    assert (refused["http"], refused["reason"]) == (409, "consent_missing")
    told = route(phone, sku="D/1", from_place={"floor": 0, "x_m": 1.0, "y_m": 10.5})
    assert (told["started_at"], told["length_m"]) == ("place", 10.0)
    told = route(phone, zone="dowels", from_zone="dowels")
    assert (told["started_at"], told["length_m"]) == ("zone", 0.0)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "expected one of the two, to go to"),
        ({"sku": "D/1", "zone": "dowels"}, 422, "expected one of the two, to go to"),
        ({"sku": "D-9"}, 404, "no such product"),
        ({"zone": "soap"}, 404, "no such zone"),
        ({"sku": "D/1", "from_zone": "soap"}, 404, "no such zone"),
        ({"sku": "D-2"}, 409, "stands at no shelf"),
        ({"sku": "D/1", "from_place": {"floor": 7, "x_m": 1, "y_m": 1}}, 409, "floor is 7"),
        ({"sku": "D/1", "from_place": {"floor": 0, "x_m": 900, "y_m": 1}}, 409, "nearest ground"),
    ],
)
def test_what_cannot_be_walked_is_told(
    api: RunningApi, body: dict[str, object], status: int, said: str
) -> None:
    """Each with a reason that an app can show or act on."""
    told = route(Phone(api), **body)
    assert (told["http"], said in told["detail"]) == (status, True), told


def test_who_asks_without_end_has_to_wait(api: RunningApi) -> None:
    """A search costs ten milliseconds of a core: a script of one shopper must not take it all."""
    phone = Phone(api)
    codes = [phone.get("/v1/me/products?q=d%C3%BCbel").status_code for _ in range(21)]
    assert (codes[0], codes[-1]) == (200, 429)
    assert Phone(api).get("/v1/me/products?q=d%C3%BCbel").status_code == 200


def test_before_anything_is_laid_out_the_app_is_told_to_come_again(tmp_path: Path) -> None:
    """For some seconds after a start."""
    with running_api(tmp_path) as starting:
        phone = Phone(starting)
        starting.products._indexed = None
        starting.ways._finder = None
        for answer in (phone.get("/v1/me/products?q=d"), phone.post("/v1/me/routes", {"sku": "1"})):
            assert (answer.status_code, answer.json()["code"]) == (503, "products_away")
            assert int(answer.headers["Retry-After"]) >= 1
