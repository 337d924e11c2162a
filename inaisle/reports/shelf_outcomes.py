"""Tell reports of footfall what became of offers and purchases at each shelf.

Layer: doors. Takes: the offers half, by a reader, and the catalogue as it is now.
Gives: `ShelfOutcomes`, a `ZoneOffersSource`, to inaisle.reports.footfall_side. Persons stay on the
offers side: what crosses here are counts, and the reports withhold of them what is of few.
"""

from collections.abc import Callable, Iterable, Mapping

from typing_extensions import override

from offers.insight.zone_outcomes import zone_outcomes
from offers.model.catalogue.product import Product
from offers.model.offering.shelf_event import ShelfSale
from offers.ports import Reader, UnitOfWork
from rtls.model.footfall import Block, ReportWindow
from rtls.model.site_map import SiteMap
from rtls.model.units import ZoneId
from rtls.model.zone_offers import ZoneOffers
from rtls.ports import ZoneOffersSource


class ShelfOutcomes(ZoneOffersSource):
    """Offers and purchases by zone.

    Parameters
    ----------
    products
        The catalogue by sku; none where the site has none. What it does not know stands at the zone
        that is called as its category, if there is one.
    """

    def __init__(
        self, reader: Reader, *, site_map: SiteMap, products: Callable[[], Mapping[str, Product]]
    ) -> None:
        self._reader = reader
        self._site = site_map.site
        self._zones = frozenset(zone.zone for zone in site_map.zones)
        self._products = products

    @override
    def zone_offers(self, window: ReportWindow, *, block: Block) -> ZoneOffers:
        """Return the counts of each zone and block of the window."""
        known = self._products()

        def zones_of(sale: ShelfSale) -> Iterable[ZoneId]:
            product = known.get(sale.sku)
            named = (ZoneId(sale.category),) if product is None else product.zones
            return (zone for zone in named if zone in self._zones)

        def count(work: UnitOfWork) -> ZoneOffers:
            span = {"from_ms": window.start_ms, "until_ms": window.end_ms}
            return zone_outcomes(
                work.shelf_events.offers_made(self._site, **span),
                work.shelf_events.sold(self._site, **span),
                zones_of=zones_of,
                window=window,
                block=block,
            )

        return self._reader.run(count)
