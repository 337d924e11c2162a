"""Wire a report over many sites: archive, library, rules of release, offers' database.

Layer: doors. Takes: settings and what is asked. Gives: the report, printed or written.
"""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import structlog

from inaisle.chain.chain_settings import archive_url, site_library
from inaisle.clock import Clock
from inaisle.database.database_place import database_place
from inaisle.errors import InvalidSettings
from inaisle.reports.chain_keys import rules_in
from inaisle.reports.chain_regions import load_regions
from inaisle.reports.chain_report import (
    ChainAsked,
    ChainReport,
    ChainSources,
    chain_report,
)
from inaisle.reports.footfall_side import release_key
from inaisle.reports.history_side import has_insight
from inaisle.reports.shelf_outcomes import ShelfOutcomes
from inaisle.settings import Settings
from offers.model.catalogue.product import Product
from offers.storage.reader import Reader
from rtls.model.site_map import SiteMap
from rtls.ports import ZoneOffersSource

log = structlog.get_logger("inaisle.reports")
HOUR_MS = 3_600_000


def make_chain_report(settings: Settings, asked: ChainAsked, *, clock: Clock) -> ChainReport:
    """Return the report over all sites of the library.

    `InvalidReport` and `InvalidSettings` say what cannot be asked.

    Raises
    ------
    InvalidSettings
        If it is not said where the archive is, or its libraries are missing.
    """
    if not settings.archive.to:
        raise InvalidSettings(
            "archive.to is empty; expected where the archive of the chain is. Give it with --chain."
        )
    if not has_insight():
        raise InvalidSettings(
            "reports need the libraries of the history, which are not installed; expected the "
            'extra insight. Install it: pip install "inaisle[insight]".'
        )
    from rtls.storage.archive.archived_footfall import ArchivedFootfall
    from rtls.storage.archive.object_folder import ObjectFolder
    from rtls.storage.history.history_asking import ReaderSettings

    library, folder = site_library(settings.chain), Path(settings.chain.sites or ".")
    reader = _offers_reader(settings)
    try:
        with tempfile.TemporaryDirectory(prefix="inaisle-chain-") as near, ExitStack() as stack:
            source = ArchivedFootfall(
                ObjectFolder(archive_url(settings)),
                near=Path(near),
                report=log.warning,
                settings=ReaderSettings(memory_mib=settings.history.memory_mib, keeps_session=True),
            )
            stack.callback(source.close)
            sources = ChainSources(
                library=library,
                source=source,
                regions=load_regions(folder),
                rules_of=partial(rules_in, folder, release_key(settings), settings.footfall.k),
                offers_of=partial(_outcomes, reader),
                let_go=source.let_go,
                settle_ms=settings.archive.settle_hours * HOUR_MS,
            )
            return chain_report(asked, sources, now_ms=clock.now_ms())
    finally:
        if reader is not None:
            reader.close()


def _offers_reader(settings: Settings) -> Reader | None:
    place = database_place(settings)
    return None if isinstance(place, Path) and not place.exists() else Reader(place)


def _outcomes(reader: Reader | None, site_map: SiteMap) -> ZoneOffersSource | None:
    if reader is None:
        return None
    return ShelfOutcomes(reader, site_map=site_map, products=_products(reader, site_map))


def _products(reader: Reader, site_map: SiteMap) -> Callable[[], dict[str, Product]]:
    """Return what reads the catalogue of a site, once and only if it is asked for."""
    from inaisle.catalogue.catalogue_work import index_of
    from offers.api.products.product_desk import IndexedCatalogue

    known: dict[str, Product] = {}
    is_read: list[bool] = []

    def read() -> dict[str, Product]:
        if not is_read:
            stored = reader.run(lambda work: work.catalogues.of_site(site_map.site))
            if stored is not None:
                known.update(IndexedCatalogue.of(stored[0], index_of(stored[1])).by_sku)
            is_read.append(True)
        return known

    return read
