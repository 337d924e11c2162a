"""Put a whole catalogue into one value, as it is stored and sent between processes.

Layer: nouns. Takes: `Product`s. Gives: `PackedCatalogue`, a few dozen bytes a product, to storage,
and the products back. What is packed is the format of `catalogue_file`, so that everything read
back is checked like a file.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from offers.model.catalogue.catalogue_file import BYTES_MAX, PRODUCTS_MAX, read_catalogue
from offers.model.catalogue.product import Product
from offers.model.errors import InvalidCatalogue
from rtls.model.units import SiteId, UnixMs

LEVEL: Final = 6
"""of compression: five times smaller; more effort gains a hundredth"""
FINGERPRINT_PATTERN: Final = re.compile(r"\A[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedCatalogue:
    """All products of a site.

    Parameters
    ----------
    products
        How many there are.
    fingerprint
        SHA-256 of what is packed: the same products in the same order have the same.
    content
        JSON Lines, compressed.
    """

    site: SiteId
    products: int
    fingerprint: str
    content: bytes

    def __post_init__(self) -> None:
        if not 1 <= self.products <= PRODUCTS_MAX:
            raise InvalidCatalogue(
                f"the catalogue of {self.site} has {self.products} products; expected 1 to "
                f"{PRODUCTS_MAX}. Split it by site."
            )
        if not FINGERPRINT_PATTERN.match(self.fingerprint) or not self.content:
            raise InvalidCatalogue(
                f"the catalogue of {self.site} has fingerprint {self.fingerprint[:70]!r} and "
                f"{len(self.content)} bytes; expected 64 hex digits and some. Import it again."
            )

    def unpacked(self) -> tuple[Product, ...]:
        """Return the products, in the order of the file.

        Raises
        ------
        InvalidCatalogue
            If the content is damaged, or of products that this version does not accept.
        """
        source = f"the stored catalogue of {self.site}"
        try:
            # Bounded: what is stored may have been written by somebody else.
            lines = zlib.decompressobj().decompress(self.content, BYTES_MAX + 1)
        except zlib.error as error:
            raise InvalidCatalogue(f"{source} is damaged ({error}). Import it again.") from error
        return read_catalogue(lines, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRevision:
    """Which catalogue a site has: what changed when, without the products.

    `revision` counts the imports from 1.
    """

    site: SiteId
    revision: int
    products: int
    fingerprint: str
    at_ms: UnixMs


def pack(site: SiteId, products: Sequence[Product]) -> PackedCatalogue:
    """Return the products of a site as one value."""
    lines = rendered(products)
    return PackedCatalogue(
        site=site,
        products=len(products),
        fingerprint=hashlib.sha256(lines).hexdigest(),
        content=zlib.compress(lines, LEVEL),
    )


def rendered(products: Iterable[Product]) -> bytes:
    """Return products as JSON Lines that `read_catalogue` takes."""
    return "".join(
        json.dumps(_row(product), ensure_ascii=False, separators=(",", ":")) + "\n"
        for product in products
    ).encode()


def _row(product: Product) -> dict[str, object]:
    price = product.price
    row: dict[str, object] = {
        "sku": product.sku,
        "name_de": product.name_de,
        "name_en": product.name_en,
        "brand": product.brand,
        "category": product.category,
        "eans": list(product.eans),
        "keywords": list(product.keywords),
        "zones": list(product.zones),
        "price_minor": None if price is None else price.amount_minor,
        "currency": None if price is None else price.currency,
    }
    return {field: value for field, value in row.items() if value not in ("", [], None)}
