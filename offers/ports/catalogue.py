"""Keep the catalogue of each site.

Layer: ports. Takes: a packed catalogue. Gives: `Catalogues` to storage.
"""

from typing import Protocol

from offers.model.catalogue.packed import CatalogueRevision, PackedCatalogue
from rtls.model.units import SiteId, UnixMs


class Catalogues(Protocol):
    """What the sites of a retailer sell: of each site the newest catalogue, wholly or not at all.

    A catalogue is one value: it is written once a day at most, and only ever read as a whole.
    """

    def replace(self, packed: PackedCatalogue, *, at_ms: UnixMs) -> int:
        """Put a catalogue in the place of the site's earlier one; return its revision."""
        ...

    def revision_of(self, site: SiteId) -> CatalogueRevision | None:
        """Return which catalogue the site has; None where none was imported."""
        ...

    def of_site(self, site: SiteId) -> tuple[CatalogueRevision, PackedCatalogue] | None:
        """Return the catalogue of a site with its products; None where none was imported."""
        ...
