"""Keep the catalogue of a site.

Layer: ports. Takes: products. Gives: `Catalogue` to storage.
"""

from collections.abc import Sequence
from typing import Protocol

from offers.model.catalogue.product import Product
from rtls.model.units import SiteId


class Catalogue(Protocol):
    """What the sites of a retailer sell."""

    def replace(self, site: SiteId, products: Sequence[Product]) -> None:
        """Put all products of a site in the place of those before; wholly or not at all."""
        ...

    def of_site(self, site: SiteId) -> tuple[Product, ...]:
        """Return the products of a site by their sku; none where no catalogue was read in."""
        ...
