"""What lies on the counter: a cashier scans a number or types a name."""

import json
from collections.abc import Iterator

import pytest

from offers.model.people.shopper import Role
from tests.scenario.running_api import RunningApi, running_api
from tests.waiting import wait_until

PRODUCTS = (
    {
        "sku": "D-1",
        "name_de": "Holzdübel",
        "name_en": "Wood dowel",
        "category": "dowels",
        "eans": ["4006381333931"],
        "price_minor": 449,
        "currency": "EUR",
    },
    {"sku": "D-2", "name_de": "Dübelbox", "name_en": "Box of dowels", "category": "dowels"},
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        content = "\n".join(json.dumps(product) for product in PRODUCTS)
        admin = running.key(Role.STORE_ADMIN)
        put = running.http.put("/v1/operator/catalogue", content=content.encode(), headers=admin)
        assert put.status_code == 200, put.text
        wait_until(lambda: len(found(running, "D-1")["products"]) == 1)
        yield running


def found(api: RunningApi, text: str) -> dict:
    answer = api.http.get("/v1/till/products", params={"q": text}, headers=api.till())
    return answer.json() if answer.status_code == 200 else {"products": []}


def test_a_scanned_number_is_one_product_with_its_price(api: RunningApi) -> None:
    """The scanner beeps once; the line must be there without a second touch."""
    answer = found(api, "4006381333931")
    assert answer["is_number"]
    (product,) = answer["products"]
    assert (product["sku"], product["category"]) == ("D-1", "dowels")
    assert product["price"] == {"amount_minor": 449, "currency": "EUR"}


def test_a_typed_name_offers_what_may_be_meant(api: RunningApi) -> None:
    """Loose goods have no barcode; the cashier chooses."""
    answer = found(api, "dubel")
    assert not answer["is_number"]
    assert {product["sku"] for product in answer["products"]} == {"D-1", "D-2"}


def test_a_number_that_nobody_knows_is_no_product(api: RunningApi) -> None:
    """It is told as unknown and typed by hand, and not taken for something like it."""
    assert found(api, "4006381333948") == {"is_number": False, "products": []}
