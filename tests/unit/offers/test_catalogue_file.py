"""read_catalogue: CSV and JSON Lines in, products or named faults out."""

import json

import pytest

from offers.model.catalogue.catalogue_file import read_catalogue
from offers.model.catalogue.product import Product
from offers.model.errors import InvalidCatalogue
from offers.model.money import Money
from rtls.model.units import ZoneId

DOWEL = Product(
    sku="D-1",
    name_de="Holzdübel",
    name_en="Wood dowel",
    eans=("4006381333931",),
    keywords=("Dübel", "Stift"),
    zones=(ZoneId("bay-1"),),
    price=Money(amount_minor=299, currency="EUR"),
)
CSV = """sku,name_de,name_en,eans,keywords,zones,price_minor,currency
D-1,Holzdübel,Wood dowel,4006381333931,Dübel|Stift,bay-1,299,EUR
"""
ROW = {
    "sku": "D-1",
    "name_de": "Holzdübel",
    "name_en": "Wood dowel",
    "eans": ["4006381333931"],
    "keywords": ["Dübel", "Stift"],
    "zones": ["bay-1"],
    "price_minor": 299,
    "currency": "EUR",
}


@pytest.mark.parametrize(
    "text", [CSV, "\ufeff" + CSV, CSV.replace(",", ";"), json.dumps(ROW), f"\n{json.dumps(ROW)}\n"]
)
def test_both_formats_say_the_same(text: str) -> None:
    """Offices write semicolons and a byte order mark, programs write JSON."""
    assert read_catalogue(text.encode(), source="shop") == (DOWEL,)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("D 1,Name,,,,,,", "line 2: sku is 'D 1'"),
        ("D-1,,,,,,,", "line 2: name_de and name_en are both empty"),
        ("D-1,Name,,4006381333930,,,,", "line 2: eans has '4006381333930'.*check digit"),
        ("D-1,Name,,,,Bay 1,,", "line 2: zones has 'Bay 1'"),
        ("D-1,Name,,,,,2.99,EUR", "line 2: price_minor is '2.99'.*2.50 EUR is 250"),
        ("D-1,Name,,,,,299,euro", "line 2: currency is 'euro'"),
        ("D-1,Name,,,a|a,,,", "line 2: keywords has 2 members, 1 of them different"),
        ("D-1,Name", "line 2: more or fewer fields"),
        ('D-1,"Name', "from line 2 on: unexpected end of data"),
        ("D-1,One,,,,,,\nD-1,Two,,,,,,", "line 3: sku is 'D-1' as in line 2"),
    ],
)
def test_a_fault_is_named_by_line_and_field(row: str, said: str) -> None:
    """Whoever wrote the table finds the cell without asking us."""
    with pytest.raises(InvalidCatalogue, match=said):
        read_catalogue(f"{CSV.splitlines()[0]}\n{row}\n".encode(), source="shop.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no product"),
        (b"sku,name_de\nA,\xfcbel\n", "line 2: byte 0xfc is no UTF-8"),
        (b'{"sku": "A"', "line 1: .* is no JSON"),
        (b'{"sku": 7, "name_de": "x"}', "line 1: sku is 7; expected a text"),
        (b'{"sku": "A", "naem": "x"}', "unknown fields \\['naem'\\]"),
        (b'{"sku": "A", "name_de": "x", "zones": "b"}', "zones is 'b'; expected a list"),
        (b'{"sku": "A", "name_de": "x"}\n[1]', "line 2: .* is no object"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(content: bytes, said: str) -> None:
    """Nothing of it is taken over: half a catalogue shows half a shop."""
    with pytest.raises(InvalidCatalogue, match=said):
        read_catalogue(content, source="shop")


def test_faults_are_told_up_to_a_bound() -> None:
    """A file of another kind would fill the log with its lines."""
    rows = "\n".join(["sku,name_de", *("!,x" for _ in range(500))])
    with pytest.raises(InvalidCatalogue, match="stopped after 20 faults") as refused:
        read_catalogue(rows.encode(), source="shop")
    assert str(refused.value).count("\n") == 20
