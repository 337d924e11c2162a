"""The catalogue over HTTP: wholly or not at all, read by the staff, followed by the search."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

import inaisle.catalogue.product_desk as desk_module
from inaisle.catalogue.product_desk import ProductDesk
from offers.model.people.shopper import Role
from rtls.model.units import SiteId
from tests.scenario.running_api import RunningApi, running_api
from tests.unit.offers.shop import SITE_MAP
from tests.waiting import wait_until

PATH = "/v1/operator/catalogue"
DOWELS = """sku,name_de,name_en,zones,price_minor,currency
D-1,Holzdübel,Wood dowel,dowels,299,EUR
D/2,Spreizdübel,,,,
S-1,,Screw,dowels,199,EUR
"""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path) as running:
        yield running


def put(api: RunningApi, content: str | bytes, **headers: str) -> httpx2.Response:
    key = api.key(Role.STORE_ADMIN)
    raw = content.encode() if isinstance(content, str) else content
    return api.http.put(PATH, content=raw, headers={**key, **headers})


def searched_revision(api: RunningApi) -> int:
    indexed = api.products.indexed
    return 0 if indexed is None or indexed.revision is None else indexed.revision.revision


def test_an_imported_catalogue_is_leafed_through_by_the_staff(api: RunningApi) -> None:
    """Who builds a campaign looks up what stands at a shelf."""
    staff = api.key(Role.MERCHANDISER)
    assert api.http.get(PATH, headers=staff).status_code == 404
    answer = put(api, DOWELS)
    assert (answer.status_code, answer.json()["products"]) == (200, 3)
    wait_until(lambda: searched_revision(api) == 1)
    told = api.http.get(PATH, headers=staff)
    assert told.json()["is_searched"]
    assert told.headers["ETag"] == answer.headers["ETag"] == '"1"'
    first = api.http.get(f"{PATH}/products?limit=2", headers=staff).json()
    assert ([one["sku"] for one in first["products"]], first["next"]) == (["D-1", "D/2"], "D/2")
    rest = api.http.get(f"{PATH}/products?after=D/2", headers=staff).json()
    assert ([one["sku"] for one in rest["products"]], rest["next"]) == (["S-1"], None)
    there = api.http.get(f"{PATH}/products?zone=dowels", headers=staff).json()
    assert [one["sku"] for one in there["products"]] == ["D-1", "S-1"]
    one = api.http.get(f"{PATH}/products/D/2", headers=staff).json()
    assert (one["name_de"], one["price"]) == ("Spreizdübel", None)
    assert api.http.get(f"{PATH}/products/D-9", headers=staff).status_code == 404


def test_with_one_fault_nothing_changes_and_every_fault_is_named(api: RunningApi) -> None:
    """Half a catalogue would show half a shop."""
    put(api, DOWELS)
    broken = DOWELS.replace("S-1,,Screw", "S 1,,Screw").replace(
        "Holzdübel,Wood dowel,dowels", "a,b,bay"
    )
    answer = put(api, broken)
    assert answer.status_code == 422
    details = [fault["detail"] for fault in answer.json()["errors"]]
    assert len(details) == 2
    assert "line 2: zones has 'bay'; expected the id of a zone of the site map" in details[0]
    assert "line 4: sku is 'S 1'" in details[1]
    assert api.http.get(PATH, headers=api.key(Role.OPERATOR)).json()["revision"] == 1


def test_a_catalogue_comes_through_where_a_basket_of_its_size_would_not(api: RunningApi) -> None:
    """The limit of 64 kB is for bodies that a till or a phone sends; files are read apart."""
    rows = (f"P-{n},Dübel Nummer {n},,,," for n in range(12_000))
    answer = put(api, "\n".join(["sku,name_de,name_en,zones,price_minor,currency", *rows]))
    assert (answer.status_code, answer.json()["products"]) == (200, 12_000)
    api.products.close()  # nobody here waits for the index


def test_nobody_without_a_key_makes_us_read_a_large_body(api: RunningApi) -> None:
    """64 MiB of a stranger's would fill the memory of a small machine in a few requests."""
    for headers, status in (({}, 401), (api.key(Role.MERCHANDISER), 403)):
        answer = api.http.put(PATH, content=b"sku" * 100_000, headers=headers)
        assert answer.status_code == status
    other = api.http.put(f"{PATH}/products", content=b"s" * 100_000)
    assert other.status_code == 413


def test_an_old_etag_is_refused_and_none_is_asked_for(api: RunningApi) -> None:
    """Two people who edit at once; a nightly job that just brings what is true."""
    put(api, DOWELS)
    assert put(api, DOWELS.replace("299", "399"), **{"If-Match": '"1"'}).status_code == 200
    assert put(api, DOWELS, **{"If-Match": '"1"'}).status_code == 412


def test_a_key_of_another_site_finds_nothing_here(api: RunningApi) -> None:
    """One process keeps one site's catalogue."""
    foreign = api.key(Role.STORE_ADMIN, site=SiteId("other"))
    assert api.http.put(PATH, content=DOWELS.encode(), headers=foreign).status_code == 404
    assert api.http.get(f"{PATH}/products", headers=foreign).status_code == 404
    assert api.http.get(PATH, headers=foreign).status_code == 404


def test_the_catalogue_before_answers_until_the_new_one_is_laid_out(
    api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine seconds without search at noon is what a retailer remembers."""
    put(api, DOWELS)
    wait_until(lambda: searched_revision(api) == 1)
    monkeypatch.setattr(desk_module, "FEW_PRODUCTS", 0)  # so that it is built in another process
    answer = put(api, json.dumps({"sku": "N-1", "name_de": "Nagel"}))
    assert not answer.json()["is_searched"]
    staff = api.key(Role.MERCHANDISER)
    assert api.http.get(f"{PATH}/products/D-1", headers=staff).status_code == 200
    wait_until(lambda: searched_revision(api) == 2, timeout_s=30.0)
    assert api.http.get(f"{PATH}/products/D-1", headers=staff).status_code == 404
    assert api.http.get(f"{PATH}/products/N-1", headers=staff).json()["name_de"] == "Nagel"


def test_a_second_process_follows_what_the_first_has_imported(
    api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replicas, and the command beside a running service."""
    monkeypatch.setattr(desk_module, "LOOK_EVERY_S", 0.05)
    second = ProductDesk(api.reader, site_map=SITE_MAP)
    second.start()
    try:
        put(api, DOWELS)
        wait_until(lambda: second.indexed is not None and second.indexed.revision is not None)
    finally:
        second.close()
