"""Read which region each site of a chain belongs to.

Layer: doors. Takes: `regions.csv` in the library of sites: a line `site,region` for each.
Gives: the regions to reports over many sites.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from inaisle.errors import InvalidSettings
from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import check_id
from rtls.model.units import SiteId

NAME: Final = "regions.csv"
COLUMNS: Final = ["site", "region"]
NO_REGION: Final = "-"


def load_regions(library: Path) -> Mapping[SiteId, str]:
    """Return the region of each site that has one; none where there is no file.

    Raises
    ------
    InvalidSettings
        If the file cannot be read, or a line names no site, no region, or a site twice.
    """
    path = library / NAME
    if not path.is_file():
        return {}
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    except (OSError, ValueError, csv.Error) as error:
        raise InvalidSettings(f"{path} cannot be read ({error}); expected UTF-8 text.") from error
    if not rows or rows[0] != COLUMNS:
        raise InvalidSettings(
            f"{path}: the first line is {rows[:1]}; expected {','.join(COLUMNS)}."
        )
    regions: dict[SiteId, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(COLUMNS) or not row[1].strip() or row[0] in regions:
            raise InvalidSettings(
                f"{path}, line {number}: {','.join(row)!r}; expected a site that stands in no "
                "other line, a comma, and its region."
            )
        regions[_site(path, number, row[0])] = row[1].strip()
    return regions


def _site(path: Path, number: int, name: str) -> SiteId:
    try:
        check_id("site", name)
    except InvalidSiteMap as error:
        raise InvalidSettings(f"{path}, line {number}: {error}") from error
    return SiteId(name)
