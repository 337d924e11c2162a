"""Keep the words of the site's catalogue at hand, and follow it when it changes.

Layer: doors. Takes: the database, by a reader. Gives: `ProductDesk` to the routes of products. A
thread looks every few seconds whether the catalogue is another, whoever imported it: this process,
a second one, or the command. The index is built in a process of its own, where it is large; until
it is there the one before answers, and before the first one there is none.
"""

import threading
from functools import partial
from typing import Final

import structlog

from inaisle.apart import run_apart
from inaisle.catalogue.catalogue_work import index_of, pack_file
from offers.api.products.product_desk import IndexedCatalogue
from offers.model.catalogue.packed import PackedCatalogue
from offers.ports import Reader
from offers.search.product_index import ProductIndex
from rtls.model.errors import InaisleError
from rtls.model.site_map import SiteMap

log = structlog.get_logger("inaisle.products")
LOOK_EVERY_S: Final = 5.0
RETRY_AFTER_S: Final = 60.0
FEW_PRODUCTS: Final = 1_000
"""are indexed in a quarter of a second, which starting a process takes longer than"""
FEW_BYTES: Final = 256 * 1024
STOP_S_MAX: Final = 2.0


class ProductDesk:
    """The catalogue of one site, ready to be searched (`offers.api.products.ProductDesk`).

    Parameters
    ----------
    reader
        The database.
    site_map
        Whose products, and the zones that they may stand at.
    """

    def __init__(self, reader: Reader, *, site_map: SiteMap) -> None:
        self._reader = reader
        self._site = site_map.site
        self._zones = frozenset(zone.zone for zone in site_map.zones)
        self._indexed: IndexedCatalogue | None = None
        self._trouble: str | None = "starting"
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="offers-products", daemon=True)

    @property
    def indexed(self) -> IndexedCatalogue | None:
        """The newest catalogue that is ready; None before the first one."""
        return self._indexed

    def read_file(self, content: bytes, *, source: str) -> PackedCatalogue:
        """Return the products of a file as they are stored; `InvalidCatalogue` names the faults.

        Blocks for up to some seconds: not for the event loop.
        """
        pack = partial(pack_file, content, source=source, site=self._site, zones=self._zones)
        return pack() if len(content) <= FEW_BYTES else run_apart(pack)

    def changed(self) -> None:
        """Look now: another catalogue has been stored."""
        self._woken.set()

    def start(self) -> None:
        """Begin to follow the catalogue."""
        self._thread.start()

    def close(self) -> None:
        """Stop. An index in the making is given up. Safe before `start`."""
        self._stop.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S_MAX)

    def trouble(self) -> str | None:
        """Return what is wrong, for `Health`."""
        return self._trouble

    def _follow(self) -> None:
        while not self._stop.is_set():
            wait_s = LOOK_EVERY_S
            try:
                self._look()
                self._trouble = None
            except InaisleError as error:
                if self._stop.is_set():
                    return
                # What was indexed before goes on answering.
                self._trouble = f"the catalogue cannot be taken up: {error}"
                log.warning("the catalogue cannot be taken up", error=str(error)[:500])
                wait_s = RETRY_AFTER_S
            self._woken.wait(wait_s)
            self._woken.clear()

    def _look(self) -> None:
        known = None if self._indexed is None else self._indexed.revision
        newest = self._reader.run(lambda work: work.catalogues.revision_of(self._site))
        if newest is None:
            if self._indexed is None:
                self._indexed = IndexedCatalogue.of(None, ProductIndex.of_products(()))
            return
        if known is not None and known.fingerprint == newest.fingerprint:
            return
        stored = self._reader.run(lambda work: work.catalogues.of_site(self._site))
        assert stored is not None  # a catalogue is replaced, never taken away
        revision, packed = stored
        self._indexed = IndexedCatalogue.of(revision, self._index(packed))
        log.info("catalogue indexed", revision=revision.revision, products=revision.products)

    def _index(self, packed: PackedCatalogue) -> ProductIndex:
        build = partial(index_of, packed)
        if packed.products <= FEW_PRODUCTS:
            return build()
        return run_apart(build, is_given_up=self._stop.is_set)
