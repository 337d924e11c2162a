"""Say what the routes of products need from the door.

Layer: edges. Takes: nothing. Gives: the shape of `ProductDesk`, and the catalogue that it has
ready, to the routes and to the door that implements it.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Protocol

from offers.model.catalogue.packed import CatalogueRevision, PackedCatalogue
from offers.model.catalogue.product import Product
from offers.model.errors import NotFound
from offers.search.product_index import ProductIndex
from rtls.model.units import ZoneId


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedCatalogue:
    """One catalogue, ready to be searched and leafed through.

    Parameters
    ----------
    revision
        None where the site has no catalogue.
    index
        Its words.
    by_sku
        Its products in the order of their sku, as the retailer writes it.
    """

    revision: CatalogueRevision | None
    index: ProductIndex
    by_sku: dict[str, Product]
    skus: tuple[str, ...]

    @classmethod
    def of(cls, revision: CatalogueRevision | None, index: ProductIndex) -> "IndexedCatalogue":
        """Make an indexed catalogue ready."""
        by_sku = {product.sku: product for product in index.products}
        return cls(revision=revision, index=index, by_sku=by_sku, skus=tuple(sorted(by_sku)))

    def product(self, sku: str) -> Product:
        """Return a product.

        Raises
        ------
        NotFound
            If the catalogue has none with this sku.
        """
        found = self.by_sku.get(sku)
        if found is None:
            raise NotFound("no such product; expected the sku of one of the site's catalogue.")
        return found

    def page(self, *, after: str, zone: ZoneId | None, limit: int) -> tuple[Product, ...]:
        """Return products behind a sku, in the order of skus; of one zone only, where it is named.

        Returns at most ``limit``.
        """
        found: list[Product] = []
        for sku in self.skus[bisect_right(self.skus, after) :]:
            product = self.by_sku[sku]
            if zone is None or zone in product.zones:
                found.append(product)
                if len(found) == limit:
                    break
        return tuple(found)


class ProductDesk(Protocol):
    """The catalogue of the site, kept ready by `inaisle.catalogue.product_desk`."""

    @property
    def indexed(self) -> IndexedCatalogue | None:
        """The newest catalogue that is ready; None before the first one is."""
        ...

    def read_file(self, content: bytes, *, source: str) -> PackedCatalogue:
        """Return the products of a file as they are stored; `InvalidCatalogue` names the faults.

        Blocks for up to some seconds: for a thread.
        """
        ...

    def changed(self) -> None:
        """Take up the catalogue that has just been stored; returns at once."""
        ...
