"""Load what describes the shop: site map, campaigns, programme, products.

Layer: doors. Takes: the site section of the settings. Gives: checked nouns to locating, offers,
simulator and doctor. Where nothing is set, the demo shop is meant.
"""

import json
from pathlib import Path

from pydantic import JsonValue

from inaisle.config_files import (
    campaign_template_files,
    demo_campaigns_file,
    demo_catalogue_file,
    demo_programme_file,
)
from inaisle.errors import InvalidSettings
from inaisle.settings_sections import SiteSection
from inaisle.site.map_in_force import maps_to_run_on
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.programme_json import parse_programme
from rtls.model.site_map import SiteMap


def load_site_map(section: SiteSection) -> SiteMap:
    """Read and check the map in force; `InvalidSiteMap` names file, feature and remedy."""
    return next(maps_to_run_on(section)).site_map


def read_templates() -> tuple[dict[str, JsonValue], ...]:
    """Return the ready-made campaigns that ship with the program."""
    return tuple(json.loads(path.read_bytes()) for path in campaign_template_files())


def read_campaigns(section: SiteSection) -> tuple[bytes, Path] | None:
    """Return the campaigns to put into force at the start, and where they stand.

    The demo campaigns go with the demo shop only: on another map their zones do not exist.
    """
    path = section.campaigns
    if path is None and section.map is None:
        path = demo_campaigns_file()
    return None if path is None else (_read(path, "site.campaigns"), path)


def load_programme(section: SiteSection) -> Programme | None:
    """Read the loyalty programme, where there is one; `InvalidProgramme` names place and remedy.

    That of the demo goes with the demo shop and its campaigns only: its rewards are among them.
    """
    path = section.programme
    if path is None and section.map is None and section.campaigns is None:
        path = demo_programme_file()
    return (
        None if path is None else parse_programme(_read(path, "site.programme"), source=str(path))
    )


def read_catalogue_file(section: SiteSection) -> tuple[bytes, Path] | None:
    """Return the products of a site that has none yet, and where they stand.

    Those of the demo go with the demo shop only: elsewhere their zones do not exist.
    """
    path = section.catalogue
    if path is None and section.map is None:
        path = demo_catalogue_file()
    return None if path is None else (_read(path, "site.catalogue"), path)


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidSettings(
            f"{path}: cannot be read ({error.strerror}). Set {setting} to a readable file."
        ) from error
