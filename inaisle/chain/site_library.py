"""Read the sites of a chain from one folder: a sub-folder for each, named by its id.

Layer: doors. Takes: a folder with `<site>/site_map.geojson` and, where there is one,
`<site>/calibration.json`. Gives: checked maps and calibrations to bridge and workers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inaisle.calibration.calibration_file import load_calibration_file
from inaisle.errors import InvalidSettings
from inaisle.site.map_in_force import checked_map
from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import SiteMap, check_id
from rtls.model.units import SiteId
from rtls.positioning.calibration import Calibration

MAP_NAME: Final = "site_map.geojson"
CALIBRATION_NAME: Final = "calibration.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSite:
    """One site as the chain knows it."""

    site_map: SiteMap
    calibration: Calibration | None = None

    @property
    def site(self) -> SiteId:
        """Return its id."""
        return self.site_map.site


class SiteLibrary:
    """The folder of sites; a site is read when it is asked for, each time anew.

    Parameters
    ----------
    folder
        Of the settings: `chain.sites`.

    Raises
    ------
    InvalidSettings
        If there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise InvalidSettings(
                f"chain.sites is {folder}, which is no folder; expected one with a sub-folder for "
                f"each site, named by its id, with {MAP_NAME} in it."
            )
        self._folder = folder

    def sites(self) -> tuple[SiteId, ...]:
        """Return the ids of all sites, sorted; sub-folders without a map are none."""
        return tuple(sorted(self._sites()))

    def find(self, site: str) -> ChainSite | None:
        """Return a site, or None where the library does not hold it.

        `InvalidSiteMap` and `InvalidCalibration` name what is wrong with its files.

        Raises
        ------
        InvalidSettings
            If a file cannot be read, or the map is of another site than its folder.
        """
        if not _is_id(site) or not (self._folder / site / MAP_NAME).is_file():
            return None
        path = self._folder / site / MAP_NAME
        try:
            site_map = checked_map(path.read_bytes(), source=str(path))
        except OSError as error:
            raise InvalidSettings(
                f"{path}: cannot be read ({error.strerror}). Make it readable for this user."
            ) from error
        if site_map.site != site:
            raise InvalidSettings(
                f"{path} is the map of site {site_map.site!r}; expected {site!r}, the name of its "
                "folder. Name the folder as the map names the site."
            )
        beside = path.with_name(CALIBRATION_NAME)
        calibration = load_calibration_file(beside, site_map) if beside.is_file() else None
        return ChainSite(site_map=site_map, calibration=calibration)

    def _sites(self) -> Iterator[SiteId]:
        for folder in self._folder.iterdir():
            if _is_id(folder.name) and (folder / MAP_NAME).is_file():
                yield SiteId(folder.name)


def _is_id(name: str) -> bool:
    """Return whether a name could be of a site: so it never leads out of the folder."""
    try:
        check_id("site", name)
    except InvalidSiteMap:
        return False
    return True
