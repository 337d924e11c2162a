"""The demo shop, read once."""

from pathlib import Path

import pytest

from rtls.model.site_map import SiteMap
from rtls.model.site_map_geojson import parse_site_map

SITE = Path(__file__).resolve().parents[3] / "config" / "demo" / "site.geojson"


@pytest.fixture(scope="session")
def shop() -> SiteMap:
    return parse_site_map(SITE.read_bytes(), source=str(SITE))
