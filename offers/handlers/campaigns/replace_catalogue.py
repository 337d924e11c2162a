"""Put a new catalogue in the place of a site's earlier one.

Layer: flow. Takes: a packed catalogue, and who brings it. Gives: its revision. Offers and coupons
that are out stay as they are: they name products by themselves.
"""

from offers.handlers.note_audit import note_audit
from offers.model.audit import Actor, AuditAction
from offers.model.catalogue.packed import CatalogueRevision, PackedCatalogue
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def replace_catalogue(
    packed: PackedCatalogue, *, by: Actor, work: UnitOfWork, now_ms: UnixMs
) -> CatalogueRevision:
    """Return the catalogue that the site has from now on.

    The same products once more change nothing, so that a nightly import makes no new revision of
    an old catalogue.
    """
    before = work.catalogues.revision_of(packed.site)
    if before is not None and before.fingerprint == packed.fingerprint:
        return before
    revision = work.catalogues.replace(packed, at_ms=now_ms)
    note_audit(
        AuditAction.CATALOGUE_REPLACED,
        subject=packed.site,
        by=by,
        details={
            "revision": revision,
            "products": packed.products,
            "fingerprint": packed.fingerprint,
        },
        work=work,
        now_ms=now_ms,
    )
    return CatalogueRevision(
        site=packed.site,
        revision=revision,
        products=packed.products,
        fingerprint=packed.fingerprint,
        at_ms=now_ms,
    )
