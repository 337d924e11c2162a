"""Read a catalogue file, and lay out the words of a catalogue: what takes seconds.

Layer: doors. Takes: a file, or what is stored. Gives: what is stored, or the index, to
inaisle.catalogue.product_desk, which runs both in another process. So this module imports little.
"""

from offers.model.catalogue.catalogue_file import read_catalogue
from offers.model.catalogue.packed import PackedCatalogue, pack
from offers.search.product_index import ProductIndex
from rtls.model.units import SiteId, ZoneId


def pack_file(
    content: bytes, *, source: str, site: SiteId, zones: frozenset[ZoneId]
) -> PackedCatalogue:
    """Return the products of a file as they are stored; `InvalidCatalogue` names what is wrong."""
    return pack(site, read_catalogue(content, source=source, zones=zones))


def index_of(packed: PackedCatalogue) -> ProductIndex:
    """Return the words of a stored catalogue; `InvalidCatalogue` where it is damaged."""
    return ProductIndex.of_products(packed.unpacked())
