"""find_products: what shoppers type, and what they mean."""

import pytest

from offers.model.catalogue.product import Product
from offers.model.catalogue.search import HITS_MAX, MatchKind, SearchHit, SearchQuery
from offers.model.errors import InvalidSearch
from offers.search.find_products import find_products
from offers.search.product_index import ProductIndex
from rtls.model.units import ZoneId

PRODUCTS = (
    Product(sku="D-1", name_de="Holzdübel 8 mm", name_en="Wood dowel 8 mm", category="Befestigung"),
    Product(sku="D-2", name_de="Dübel aus Holz", category="Befestigung", zones=(ZoneId("d"),)),
    Product(sku="S-1", name_de="Spanplattenschraube", name_en="Chipboard screw"),
    Product(sku="A-1", name_de="Akku-Schrauber", brand="Bosch", eans=("4006381333931",)),
    Product(sku="M-1", name_de="Maßband", keywords=("Zollstock",), category="Messen"),
    Product(sku="D-2000", name_de="Wandfarbe"),
)
INDEX = ProductIndex.of_products(PRODUCTS)


def found(text: str, **options: object) -> list[str]:
    query = SearchQuery(text=text, **options)  # type: ignore[arg-type]
    return [hit.product.sku for hit in find_products(query, INDEX)]


def first(text: str) -> SearchHit:
    return find_products(SearchQuery(text=text), INDEX)[0]


@pytest.mark.parametrize(
    "text", ["Holzdübel", "dübel holz", "duebel", "dubel", "DUEBEL", "holzdübl", "holzdbüel", "hol"]
)
def test_a_dowel_is_found_however_it_is_typed(text: str) -> None:
    """Umlauts, compounds and errors are what a German catalogue is missed by."""
    assert "D-1" in found(text)


def test_a_compound_finds_its_parts_apart() -> None:
    """The catalogue says "Dübel aus Holz", the shopper "Holzdübel"."""
    apart = ProductIndex.of_products(PRODUCTS[1:])
    (hit,) = find_products(SearchQuery(text="holzdübel"), apart)
    assert [match.kind for match in hit.matches] == [MatchKind.JOINED, MatchKind.JOINED]


@pytest.mark.parametrize(
    ("text", "sku", "kind"),
    [
        ("4006381333931", "A-1", MatchKind.CODE),
        ("04006381333931", "A-1", MatchKind.CODE),
        ("d-2", "D-2", MatchKind.CODE),
        ("wandfarbe", "D-2000", MatchKind.EXACT),
        ("screws", "S-1", MatchKind.STEM),
        ("wandf", "D-2000", MatchKind.PREFIX),
        ("schraube", "S-1", MatchKind.PART),
        ("wandfrabe", "D-2000", MatchKind.TYPO),
        ("akkuschrauber", "A-1", MatchKind.EXACT),
        ("zollstock", "M-1", MatchKind.EXACT),
        ("massband", "M-1", MatchKind.EXACT),
    ],
)
def test_a_hit_says_why_it_is_one(text: str, sku: str, kind: MatchKind) -> None:
    """Whoever keeps the catalogue sees which word to add."""
    hits = find_products(SearchQuery(text=text), INDEX)
    told = {hit.product.sku: [match.kind for match in hit.matches] for hit in hits}
    assert told[sku] == [kind]


def test_a_code_comes_first() -> None:
    """Staff type numbers, and mean that number."""
    assert first("d-2").product.sku == "D-2"
    assert first("d-2").score == 1.0


def test_the_better_match_comes_first() -> None:
    """The word itself before the word as a part of another."""
    assert found("dübel") == ["D-2", "D-1"]


def test_filters_leave_only_what_fits() -> None:
    """A shopper in the aisle has no use for what is sold on-line."""
    assert found("dübel", is_in_shop=True) == ["D-2"]
    assert found("maßband", category="messen") == ["M-1"]
    assert found("maßband", category="Befestigung") == []


@pytest.mark.parametrize("text", ["qxzvkj", "?!", "xqzwvkpt yyqjxz", "9999999"])
def test_nothing_is_found_where_nothing_is_alike(text: str) -> None:
    """A list of something is worse than the word "nothing": people walk there."""
    assert found(text) == []


@pytest.mark.parametrize("text", ["", "   ", "a" * 101])
def test_a_query_that_is_none_is_refused(text: str) -> None:
    """Every query costs time, so its length is bound."""
    with pytest.raises(InvalidSearch, match="expected 1 to 100"):
        SearchQuery(text=text)


@pytest.mark.parametrize("hits_max", [0, HITS_MAX + 1])
def test_a_list_without_an_end_is_refused(hits_max: int) -> None:
    """Nobody reads more on a phone."""
    with pytest.raises(InvalidSearch, match="hits_max"):
        SearchQuery(text="dübel", hits_max=hits_max)


def test_an_empty_catalogue_finds_nothing() -> None:
    """A shop that has just been set up answers, too."""
    empty = ProductIndex.of_products(())
    assert find_products(SearchQuery(text="dübel"), empty) == ()
