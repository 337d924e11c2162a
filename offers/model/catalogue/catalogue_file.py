"""Read a catalogue of products from CSV or JSON Lines, and name each line that is wrong.

Layer: nouns. Takes: the bytes of a file. Gives: `Product`s, or `InvalidCatalogue` that lists the
first faults with line, field, value, what was expected and the remedy. All or nothing: half a
catalogue would show half a shop.
"""

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from offers.model.catalogue.product import Product
from offers.model.errors import InvalidCatalogue, InvalidMoney
from offers.model.money import Money
from rtls.model.units import ZoneId

BYTES_MAX: Final = 64 * 1024 * 1024
PRODUCTS_MAX: Final = 200_000
LINE_CHARACTERS_MAX: Final = 20_000
FAULTS_TOLD: Final = 20
LISTS: Final = ("eans", "keywords", "zones")
TEXTS: Final = ("sku", "name_de", "name_en", "brand", "category", "currency")
FIELDS: Final = frozenset({*LISTS, *TEXTS, "price_minor"})
SEPARATOR: Final = "|"
"""between the members of a list in a field of CSV"""
Row = Mapping[str, object]


def read_catalogue(
    content: bytes, *, source: str, zones: Collection[ZoneId] | None = None
) -> tuple[Product, ...]:
    """Return the products of a file: JSON Lines where it begins with a brace, else CSV.

    Parameters
    ----------
    content
        UTF-8. CSV has a line of names on top, separated by comma or semicolon, and `SEPARATOR`
        within lists.
    source
        What messages call the file.
    zones
        Those of the site map, where products must stand at none but these; None for any.

    Raises
    ------
    InvalidCatalogue
        If the file is too large, empty, no UTF-8, or any of its lines is wrong or a second one of
        its sku or EAN, or names a zone that is not on the map.
    """
    if len(content) > BYTES_MAX:
        raise InvalidCatalogue(
            f"{source} has {len(content)} bytes; expected at most {BYTES_MAX}. Split the catalogue "
            "by site."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidCatalogue(
            f"{source} line {line}: byte {content[error.start]:#04x} is no UTF-8. Save the file as "
            "UTF-8; tables of offices often write Windows-1252."
        ) from error
    return _collected(text, source, zones)


def _collected(text: str, source: str, zones: Collection[ZoneId] | None) -> tuple[Product, ...]:
    products: list[Product] = []
    faults: list[str] = []
    first_line: dict[str, int] = {}
    rows = _json_rows(text) if text.lstrip()[:1] == "{" else _csv_rows(text, source)
    for line, row in rows:
        try:
            product = _product(row)
            _refuse_repeats(product, line, first_line)
            _refuse_unknown(product, zones)
            products.append(product)
        except (InvalidCatalogue, InvalidMoney) as error:
            faults.append(f"{source} line {line}: {error}")
        if len(faults) >= FAULTS_TOLD:
            faults.append(f"reading stopped after {FAULTS_TOLD} faults")
            break
        if len(products) > PRODUCTS_MAX:
            faults.append(f"{source} has more than {PRODUCTS_MAX} products; split it by site")
            break
    if faults:
        raise InvalidCatalogue("\n".join(faults))
    if not products:
        raise InvalidCatalogue(f"{source} has no product; expected at least one line of one.")
    return tuple(products)


def _refuse_unknown(product: Product, known: Collection[ZoneId] | None) -> None:
    unknown = [] if known is None else [zone for zone in product.zones if zone not in known]
    if unknown:
        raise InvalidCatalogue(
            f"zones has {unknown[0]!r}; expected the id of a zone of the site map. Correct it, "
            "draw the zone first, or leave zones empty where the product is not in the shop."
        )


def _refuse_repeats(product: Product, line: int, first_line: dict[str, int]) -> None:
    for what, code in (("sku", product.sku), *(("eans", ean) for ean in product.eans)):
        key = f"{what} {code}"
        if key in first_line:
            raise InvalidCatalogue(
                f"{what} is {code!r} as in line {first_line[key]}; expected each once. Remove one "
                "of the two lines, or give the product its own number."
            )
        first_line[key] = line


def _json_rows(text: str) -> Iterator[tuple[int, Row]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if content.strip():
            yield line, _json_row(content)


def _json_row(content: str) -> Row:
    """Return one object; what is none becomes a row that tells so when it is read."""
    if len(content) > LINE_CHARACTERS_MAX:
        return {"fault": f"the line has {len(content)} characters, more than {LINE_CHARACTERS_MAX}"}
    try:
        row = json.loads(content)
    except (ValueError, RecursionError):
        return {"fault": f"{content[:60]!r} is no JSON"}
    return row if isinstance(row, dict) else {"fault": f"{content[:60]!r} is no object"}


def _csv_rows(text: str, source: str) -> Iterator[tuple[int, Row]]:
    head = text.split("\n", 1)[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                yield reader.line_num, {"fault": "more or fewer fields than the line of names"}
            else:
                yield reader.line_num, {k: _cell(k, v) for k, v in row.items() if v.strip()}
    except csv.Error as error:
        raise InvalidCatalogue(
            f"{source} from line {reader.line_num + 1} on: {error}; expected quotes that are "
            f"closed and fields of at most {csv.field_size_limit()} characters."
        ) from error


def _cell(field: str, value: str) -> object:
    if field in LISTS:
        return [part.strip() for part in value.split(SEPARATOR) if part.strip()]
    if field == "price_minor" and value.strip().isascii() and value.strip().isdigit():
        return int(value.strip()[:20])
    return value.strip()


def _product(row: Row) -> Product:
    if "fault" in row:
        raise InvalidCatalogue(f"{row['fault']}; expected one product. Correct the line.")
    unknown = sorted(set(row) - FIELDS)
    if unknown:
        raise InvalidCatalogue(f"unknown fields {unknown[:5]}; expected of {sorted(FIELDS)}.")
    return Product(
        sku=_text(row, "sku"),
        name_de=_text(row, "name_de"),
        name_en=_text(row, "name_en"),
        brand=_text(row, "brand"),
        category=_text(row, "category"),
        eans=_texts(row, "eans"),
        keywords=_texts(row, "keywords"),
        zones=tuple(ZoneId(zone) for zone in _texts(row, "zones")),
        price=_price(row),
    )


def _text(row: Row, field: str) -> str:
    given = row.get(field, "")
    if not isinstance(given, str):
        raise InvalidCatalogue(f"{field} is {given!r}; expected a text. Put it into quotes.")
    return given


def _texts(row: Row, field: str) -> tuple[str, ...]:
    given = row.get(field, [])
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise InvalidCatalogue(f"{field} is {given!r}; expected a list of texts.")
    return tuple(given)


def _price(row: Row) -> Money | None:
    given = row.get("price_minor")
    if given is None:
        return None
    if type(given) is not int:
        raise InvalidCatalogue(
            f"price_minor is {given!r}; expected an integer of minor units: 2.50 EUR is 250."
        )
    return Money(amount_minor=given, currency=_text(row, "currency"))
