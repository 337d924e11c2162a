"""Say which map a site runs on: the newest that was published, else the file of the settings.

Layer: doors. Takes: the site section of the settings. Gives: `MapInForce` to whoever loads a map,
and the others that could be taken where the newest cannot.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from inaisle.config_files import demo_site_map_file
from inaisle.errors import InvalidSettings
from inaisle.settings_sections import SiteSection
from rtls.geofence.site_map_check import check_site_map
from rtls.model.errors import InvalidSiteMap
from rtls.model.map_draft import MapRevision, PublishedMap
from rtls.model.site_map import SiteMap
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import UnixMs
from rtls.storage.site_maps.map_folder import MapFolder

log = structlog.get_logger("inaisle.maps")
FOLDER_NAME: Final = "site-map"
"""in the folder of site.data"""
THE_FILE: Final = MapRevision(revision=0, published_at_ms=UnixMs(0), published_by="", note="")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapInForce:
    """A map that a site can run on.

    Parameters
    ----------
    published
        The map as it stands in its file; its revision is 0 where that is the file of the settings.
    source
        Where it came from, for people.
    passed_over
        Why newer revisions were not taken, one sentence each.
    """

    site_map: SiteMap
    published: PublishedMap
    source: str
    passed_over: tuple[str, ...] = ()

    @property
    def revision(self) -> int:
        """Return the number of the revision; 0 is the file of the settings."""
        return self.published.about.revision

    def trouble(self) -> str | None:
        """Return why this is not the newest map, or None; for `Health.watch`."""
        if not self.passed_over:
            return None
        return f"{self.source} is in force: {' '.join(self.passed_over)}"


def site_map_file(section: SiteSection) -> Path:
    """Return the file of the site map: the demo shop where none is set."""
    return section.map or demo_site_map_file()


def map_folder(section: SiteSection, report: Callable[[str], None] = log.error) -> MapFolder:
    """Return the folder of drafts and published maps of a site; ``report`` hears what is amiss."""
    return MapFolder(section.data / FOLDER_NAME, report=report)


def maps_to_run_on(section: SiteSection) -> Iterator[MapInForce]:
    """Yield the maps that a site could run on: the newest published first, the file last.

    A damaged or unsound revision is passed over, which the next one tells. With
    ``site.published`` off there is the file only.

    Raises
    ------
    InvalidSettings
        If the folder holds maps of another site.
    """
    filed = map_of_file(section)
    passed_over: list[str] = []
    if section.published:
        for found in map_folder(section, passed_over.append).newest_first():
            source = f"revision {found.about.revision} of the floor plan"
            try:
                site_map = checked_map(found.content, source=source)
            except InvalidSiteMap as error:
                passed_over.append(str(error))
                continue
            if site_map.site != filed.site_map.site:
                raise InvalidSettings(
                    f"{source} in {section.data} is of site {site_map.site!r}; expected "
                    f"{filed.site_map.site!r}, the site of {filed.source}. Give each site its own "
                    "site.data, or set site.published to false."
                )
            yield MapInForce(
                site_map=site_map,
                published=found,
                source=source,
                passed_over=tuple(passed_over),
            )
    yield MapInForce(
        site_map=filed.site_map,
        published=filed.published,
        source=filed.source,
        passed_over=tuple(passed_over),
    )


def map_of_file(section: SiteSection) -> MapInForce:
    """Return the map of the settings' file; `InvalidSiteMap` names what is wrong with it.

    Raises
    ------
    InvalidSettings
        If the file cannot be read.
    """
    path = site_map_file(section)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidSettings(
            f"{path}: cannot be read ({error.strerror}). Set site.map to a readable file."
        ) from error
    return MapInForce(
        site_map=checked_map(content, source=str(path)),
        published=PublishedMap(about=THE_FILE, content=content),
        source=str(path),
    )


def checked_map(content: bytes, *, source: str) -> SiteMap:
    """Return the map of a document; `InvalidSiteMap` lists what is wrong with it."""
    site_map = parse_site_map(content, source=source)
    check_site_map(site_map, source=source)
    return site_map
