"""Import a catalogue, and say which there is and what is found in it.

Layer: doors. Takes: settings, and a file or words. Gives: lines on standard output and an exit
status to inaisle.commands.cli_catalogue. A running service takes the catalogue up within seconds.
"""

import json
from pathlib import Path

import typer

from inaisle.clock import SystemClock
from inaisle.database.database_work import read_beside, write_beside
from inaisle.errors import ExitStatus, InvalidSettings
from inaisle.settings import Settings
from inaisle.site.site_loading import load_site_map
from offers.api.schema import render_instant
from offers.handlers.campaigns.replace_catalogue import replace_catalogue
from offers.model.audit import SYSTEM
from offers.model.catalogue.catalogue_file import read_catalogue
from offers.model.catalogue.packed import CatalogueRevision, PackedCatalogue, pack
from offers.model.catalogue.search import SearchQuery
from offers.model.errors import NotFound
from offers.search.find_products import find_products
from offers.search.product_index import ProductIndex


def run_import(settings: Settings, file: Path, *, as_json: bool) -> int:
    """Replace the catalogue of the site of the map.

    Raises
    ------
    InvalidSettings
        If the file cannot be read.
    """
    site_map = load_site_map(settings.site)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidSettings(
            f"{file}: cannot be read ({error.strerror}). Name a readable file."
        ) from error
    zones = frozenset(zone.zone for zone in site_map.zones)
    packed = pack(site_map.site, read_catalogue(content, source=file.name, zones=zones))
    now_ms = SystemClock().now_ms()
    stored = write_beside(
        settings, lambda work: replace_catalogue(packed, by=SYSTEM, work=work, now_ms=now_ms)
    )
    _tell(stored, (), as_json=as_json)
    return ExitStatus.DONE


def run_status(settings: Settings, *, as_json: bool) -> int:
    """Say which catalogue there is."""
    site_map = load_site_map(settings.site)
    revision, packed = _stored(settings)
    known = {zone.zone for zone in site_map.zones}
    named = {zone for product in packed.unpacked() for zone in product.zones}
    _tell(revision, sorted(named - known), as_json=as_json)
    return ExitStatus.DONE


def run_search(settings: Settings, words: str, *, as_json: bool) -> int:
    """Say what is found by some words."""
    query = SearchQuery(text=words)
    _, packed = _stored(settings)
    hits = find_products(query, ProductIndex.of_products(packed.unpacked()))
    for hit in hits:
        product = hit.product
        by = [f"{match.asked} → {match.met} ({match.kind})" for match in hit.matches]
        told = {
            "sku": product.sku,
            "name": product.name_de or product.name_en,
            "zones": list(product.zones),
            "score": round(hit.score, 3),
            "by": by,
        }
        zones = ", ".join(product.zones) or "-"
        line = f"{hit.score:.2f}  {product.sku}  {told['name']}  at {zones}  by {', '.join(by)}"
        typer.echo(json.dumps(told, ensure_ascii=False) if as_json else line)
    if not hits and not as_json:
        typer.echo("nothing is like it")
    return ExitStatus.DONE


def _stored(settings: Settings) -> tuple[CatalogueRevision, PackedCatalogue]:
    site = load_site_map(settings.site).site
    stored = read_beside(settings, lambda work: work.catalogues.of_site(site))
    if stored is None:
        raise NotFound(f"site {site} has no catalogue; run inaisle catalogue import FILE.")
    return stored


def _tell(
    stored: CatalogueRevision, unknown_zones: tuple[str, ...] | list[str], *, as_json: bool
) -> None:
    told = {
        "site": stored.site,
        "revision": stored.revision,
        "products": stored.products,
        "imported_at": render_instant(stored.at_ms),
        "fingerprint": stored.fingerprint,
        "unknown_zones": list(unknown_zones),
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(
        f"{stored.site}: {stored.products} products, revision {stored.revision} of "
        f"{told['imported_at']}, {stored.fingerprint[:12]}"
    )
    if unknown_zones:
        typer.echo(f"zones that the map does not know: {', '.join(unknown_zones)}")
