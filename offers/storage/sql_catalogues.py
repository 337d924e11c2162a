"""Keep the catalogues of sites in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Catalogues`. Two
imports at once both count: the second UPDATE waits for the first, and numbers on from it.
"""

import sqlalchemy as sa

from offers.model.catalogue.packed import CatalogueRevision, PackedCatalogue
from offers.model.errors import Busy
from offers.storage.insert_once import insert_once
from offers.storage.tables import CATALOGUES
from rtls.model.units import SiteId, UnixMs

_C = CATALOGUES.c
_OF_SITE = _C.site == sa.bindparam("of_site")
_REPLACE = (
    sa.update(CATALOGUES)
    .where(_OF_SITE)
    .values(
        revision=_C.revision + 1,
        products=sa.bindparam("new_products", type_=sa.BigInteger),
        fingerprint=sa.bindparam("new_fingerprint", type_=sa.Text),
        content=sa.bindparam("new_content", type_=sa.LargeBinary),
        at_ms=sa.bindparam("new_at_ms", type_=sa.BigInteger),
    )
)
_NUMBER = sa.select(_C.revision).where(_OF_SITE)
_REVISION = sa.select(_C.site, _C.revision, _C.products, _C.fingerprint, _C.at_ms).where(_OF_SITE)
_WHOLE = sa.select(CATALOGUES).where(_OF_SITE)


class SqlCatalogues:
    """The newest catalogue of each site."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(CATALOGUES, connection.dialect.name)

    def replace(self, packed: PackedCatalogue, *, at_ms: UnixMs) -> int:
        """Put a catalogue in the place of the site's earlier one; return its revision.

        Raises
        ------
        Busy
            If two processes import the first one of a site at once.
        """
        values = {
            "products": packed.products,
            "fingerprint": packed.fingerprint,
            "content": packed.content,
            "at_ms": at_ms,
        }
        given = {"of_site": packed.site, **{f"new_{name}": one for name, one in values.items()}}
        if self._connection.execute(_REPLACE, given).rowcount == 0:
            row = {"site": packed.site, "revision": 1, **values}
            if self._connection.execute(self._insert, row).rowcount == 0:
                raise Busy(
                    f"another first catalogue of {packed.site} has just been imported; expected "
                    "none. Import again."
                )
        return int(self._connection.execute(_NUMBER, {"of_site": packed.site}).scalar_one())

    def revision_of(self, site: SiteId) -> CatalogueRevision | None:
        """Return which catalogue the site has; None where none was imported."""
        row = self._connection.execute(_REVISION, {"of_site": site}).one_or_none()
        return None if row is None else _revision(row)

    def of_site(self, site: SiteId) -> tuple[CatalogueRevision, PackedCatalogue] | None:
        """Return the catalogue of a site with its products; None where none was imported."""
        row = self._connection.execute(_WHOLE, {"of_site": site}).one_or_none()
        if row is None:
            return None
        packed = PackedCatalogue(
            site=site,
            products=row.products,
            fingerprint=row.fingerprint,
            content=bytes(row.content),
        )
        return _revision(row), packed


def _revision(row: sa.Row[*tuple[object, ...]]) -> CatalogueRevision:
    return CatalogueRevision(
        site=SiteId(row.site),
        revision=row.revision,
        products=row.products,
        fingerprint=row.fingerprint,
        at_ms=UnixMs(row.at_ms),
    )
