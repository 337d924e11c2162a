"""The demo shop for tests that hypothesis calls, which have no fixtures; read once."""

from functools import cache

from rtls.model.site_map import SiteMap
from rtls.model.site_map_geojson import parse_site_map
from tests.unit.firmware_sim.conftest import SITE


@cache
def demo_shop() -> SiteMap:
    return parse_site_map(SITE.read_bytes(), source=str(SITE))
