"""The catalogue of the demo shop: found, led to, and taken in where there is none yet."""

from collections.abc import Callable
from pathlib import Path

import pytest

from inaisle.clock import SystemClock
from inaisle.config_files import demo_catalogue_file, demo_site_map_file
from inaisle.errors import Unavailable
from inaisle.service import assembly
from inaisle.service.assembly import open_service
from inaisle.service.broker import BrokerAddress
from inaisle.settings import load_settings
from offers.model.catalogue.catalogue_file import read_catalogue
from offers.model.catalogue.packed import CatalogueRevision
from offers.model.catalogue.search import SearchQuery
from offers.model.errors import InvalidCatalogue
from offers.search.find_products import find_products
from offers.search.product_index import ProductIndex
from offers.storage.reader import Reader
from rtls.model.site_map import ZoneKind
from rtls.model.site_map_geojson import parse_site_map

NOWHERE = BrokerAddress(host="127.0.0.1", port=1, qos=1)
PATH = demo_catalogue_file()
SITE_MAP = parse_site_map(demo_site_map_file().read_bytes(), source="demo")
ZONES = {zone.zone: zone for zone in SITE_MAP.zones}


def test_every_shelf_of_the_demo_has_a_product_and_every_product_a_shelf_or_none() -> None:
    """Who tries the search should find something wherever he stands."""
    products = read_catalogue(PATH.read_bytes(), source=PATH.name, zones=ZONES)
    stocked = {zone for product in products for zone in product.zones}
    assert stocked == {z.zone for z in SITE_MAP.zones if z.kind is ZoneKind.SHELF}


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("dubel gipskarton", "Hohlraumdübel für Gipskarton"),
        ("wandfrabe", "Wandfarbe Weiß 10 l"),
        ("light bulb", "LED-Lampe E27 8 W"),
        ("klobrille", "WC-Sitz mit Absenkautomatik"),
    ],
)
def test_what_people_type_is_found(typed: str, name: str) -> None:
    """Without umlauts, with typing errors, in English, and by another word."""
    index = ProductIndex.of_products(read_catalogue(PATH.read_bytes(), source=PATH.name))
    assert find_products(SearchQuery(text=typed), index)[0].product.name_de == name


@pytest.fixture
def wire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., CatalogueRevision | None]:
    """Wire the offers half of a service, and return the catalogue that the site then has."""

    def refuse(*_: object, **__: object) -> None:
        raise Unavailable("planted: nobody locates here")

    monkeypatch.setattr(assembly, "LocatingSide", refuse)

    def wired(catalogue: Path | None = None) -> CatalogueRevision | None:
        data = tmp_path / "data"
        flags = {("site", "data"): data, ("site", "catalogue"): catalogue, ("api", "port"): 0}
        settings = load_settings(environment={}, flags=flags).settings
        with (
            pytest.raises(Unavailable, match="planted"),
            open_service(settings, role="all", broker=NOWHERE, clock=SystemClock()),
        ):
            pass
        reader = Reader(data / "offers.sqlite")
        try:
            return reader.run(lambda work: work.catalogues.revision_of(SITE_MAP.site))
        finally:
            reader.close()

    return wired


def test_a_file_is_taken_in_where_there_is_none_yet_and_never_again(
    tmp_path: Path, wire: Callable[..., CatalogueRevision | None]
) -> None:
    """What somebody imported since must not be gone after a restart."""
    first = wire()
    assert first is not None
    assert (first.revision, first.products) == (1, 48)
    other = tmp_path / "other.csv"
    other.write_text("sku,name_de\nA,Nagel\n", encoding="utf-8")
    assert wire(other) == first


def test_a_file_with_a_fault_stops_the_start(
    tmp_path: Path, wire: Callable[..., CatalogueRevision | None]
) -> None:
    """Named by line, as in the import."""
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("sku,name_de,zones\nA,Nagel,nowhere\n", encoding="utf-8")
    with pytest.raises(InvalidCatalogue, match=r"wrong.csv line 2: zones has 'nowhere'"):
        wire(wrong)
