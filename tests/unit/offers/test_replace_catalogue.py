"""replace_catalogue: a site's products are replaced wholly, numbered, and noted."""

from dataclasses import replace

import pytest

from offers.handlers.campaigns.replace_catalogue import replace_catalogue
from offers.model.audit import SYSTEM
from offers.model.catalogue.catalogue_file import PRODUCTS_MAX
from offers.model.catalogue.packed import pack, rendered
from offers.model.catalogue.product import Product
from offers.model.errors import InvalidCatalogue
from offers.model.money import Money
from rtls.model.units import SiteId, ZoneId
from tests.unit.offers.shop import SITE, START_MS, Shop

DOWEL = Product(
    sku="D-1",
    name_de="Holzdübel",
    name_en="Wood dowel",
    brand="fischer",
    category="dowels",
    eans=("4006381333931",),
    keywords=("Stift",),
    zones=(ZoneId("dowels"),),
    price=Money(amount_minor=299, currency="EUR"),
)
SCREW = Product(sku="S/1", name_de="Schraube")


def put(shop: Shop, *products: Product, site: SiteId = SITE) -> int:
    packed = pack(site, products)
    return replace_catalogue(packed, by=SYSTEM, work=shop.work, now_ms=START_MS).revision


def test_what_is_put_in_is_what_is_read(shop: Shop) -> None:
    """Every field comes back, umlauts and the order of the file too."""
    put(shop, SCREW, DOWEL)
    stored = shop.work.catalogues.of_site(SITE)
    assert stored is not None
    revision, packed = stored
    assert packed.unpacked() == (SCREW, DOWEL)
    assert (revision.revision, revision.products, revision.at_ms) == (1, 2, START_MS)
    assert shop.work.catalogues.revision_of(SITE) == revision


def test_a_new_catalogue_takes_the_place_of_the_old_one(shop: Shop) -> None:
    """What is no longer sold is no longer found."""
    put(shop, SCREW, DOWEL)
    assert put(shop, DOWEL) == 2
    stored = shop.work.catalogues.of_site(SITE)
    assert stored is not None
    assert stored[1].unpacked() == (DOWEL,)


def test_the_same_catalogue_again_is_no_new_one(shop: Shop) -> None:
    """A nightly import of an unchanged table must not make every process index it anew."""
    put(shop, DOWEL)
    assert put(shop, DOWEL) == 1
    assert [entry.action for entry in shop.work.audit.page(after=0, limit=9)] == [
        "catalogue_replaced"
    ]


def test_sites_have_catalogues_of_their_own(shop: Shop) -> None:
    """A retailer's stores sell different things."""
    put(shop, DOWEL)
    put(shop, SCREW, site=SiteId("other"))
    stored = shop.work.catalogues.of_site(SITE)
    assert stored is not None
    assert stored[1].unpacked() == (DOWEL,)
    assert shop.work.catalogues.of_site(SiteId("third")) is None


def test_a_damaged_catalogue_is_told() -> None:
    """A page of the disk was lost: the search keeps what it has, and says why."""
    packed = pack(SITE, [DOWEL])
    with pytest.raises(InvalidCatalogue, match=r"stored catalogue of demo is damaged.*Import it"):
        replace(packed, content=packed.content[5:]).unpacked()


def test_a_catalogue_of_nothing_is_refused() -> None:
    """An export that failed half way must not empty the shop."""
    with pytest.raises(InvalidCatalogue, match=f"0 products; expected 1 to {PRODUCTS_MAX}"):
        pack(SITE, [])


def test_empty_fields_are_not_written() -> None:
    """Fifty thousand products in a megabyte."""
    assert rendered([SCREW]) == b'{"sku":"S/1","name_de":"Schraube"}\n'
