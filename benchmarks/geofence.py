"""Find the zones over points: our grid against shapely's STRtree, 10,000 polygons, same hits.

The peer gets its fastest form: points prebuilt, one bulk query, predicate "intersects". Rounds
interleave and the medians of CPU time are compared, so that other load hits both alike. The control
takes one zone out of our index and must be found out by the comparison of hits.
"""

import math
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import numpy.typing as npt
import shapely

from rtls.geofence.zone_index import ZoneIndex
from rtls.model.site_map import Floor, SiteMap, Zone, ZoneKind
from rtls.model.units import Metre, SiteId, ZoneId

POLYGONS = 10_000
POINTS = 20_000
ROUNDS = 7
WIDTH_M, HEIGHT_M = 120.0, 80.0
EDGE_M = 1e-9
SQUARE = ((-1, -1), (1, -1), (1, 1), (-1, 1))
CORNER = ((-1, -1), (1, -1), (1, 0), (0, 0), (0, 1), (-1, 1))
Pairs = set[tuple[int, int]]


def make_site(polygons: int, rng: np.random.Generator) -> SiteMap:
    """Scatter turned rectangles and L-shapes that overlap."""
    zones = []
    for number in range(polygons):
        half_x, half_y = rng.uniform(0.3, 1.0, 2)
        x, y = rng.uniform(2, WIDTH_M - 2), rng.uniform(2, HEIGHT_M - 2)
        turn = rng.uniform(0, math.tau)
        cos, sin = math.cos(turn), math.sin(turn)
        ring = tuple(
            (x + cos * half_x * a - sin * half_y * b, y + sin * half_x * a + cos * half_y * b)
            for a, b in (SQUARE if number % 3 else CORNER)
        )
        name = ZoneId(f"z{number}")
        zones.append(Zone(zone=name, name=name, kind=ZoneKind.SHELF, floor=0, ring=ring))
    floor = Floor(floor=0, name="0", width_m=Metre(WIDTH_M), height_m=Metre(HEIGHT_M))
    return SiteMap(
        site=SiteId("bench"), name="Bench", floors=(floor,), zones=tuple(zones), anchors=()
    )


def cpu_s(work: Callable[[], object]) -> float:
    """Return the CPU time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def pairs_of(index: ZoneIndex, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Pairs:
    """Return our hits as (point, zone)."""
    found = index.zones_at(x, y, np.zeros(x.size, np.int32))
    point = np.repeat(np.arange(x.size), np.diff(found.row_start))
    return set(zip(point.tolist(), found.zone.tolist(), strict=True))


def run() -> list[dict[str, str | float | bool]]:
    """Measure both on the same points; return the figures."""
    rng = np.random.default_rng(11)
    site = make_site(POLYGONS, rng)
    index = ZoneIndex.build(site)
    polygons = [shapely.Polygon(zone.ring) for zone in site.zones]
    tree = shapely.STRtree(polygons)
    x, y = rng.uniform(0, WIDTH_M, POINTS), rng.uniform(0, HEIGHT_M, POINTS)
    floor = np.zeros(POINTS, np.int32)
    points = shapely.points(x, y)
    outlines = [polygon.exterior for polygon in polygons]
    near = shapely.STRtree(outlines).query(points, predicate="dwithin", distance=EDGE_M)[0]
    on_edge = set(near.tolist())

    expected = set(zip(*tree.query(points, predicate="intersects").tolist(), strict=True))
    found = pairs_of(index, x, y)
    differing = {pair for pair in found ^ expected if pair[0] not in on_edge}
    blind = ZoneIndex.build(SiteMap(**_without_a_zone(site)))
    control = {pair for pair in pairs_of(blind, x, y) ^ expected if pair[0] not in on_edge}

    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(cpu_s(lambda: index.zones_at(x, y, floor)))
        theirs.append(cpu_s(lambda: tree.query(points, predicate="intersects")))
    ratio = median(theirs) / median(ours)
    return [
        {"name": "speed against STRtree bulk", "value": ratio, "unit": "times", "target": 5.0},
        {"name": "our time a point", "value": 1e9 * median(ours) / POINTS, "unit": "ns"},
        {"name": "hits compared", "value": float(len(expected)), "unit": "hits", "target": 1.0},
        {
            "name": "differing hits off the boundary",
            "value": float(len(differing)),
            "unit": "hits",
            "target": 0.0,
            "is_floor": False,
        },
        {
            "name": "control: differing hits with one zone missing",
            "value": float(len(control)),
            "unit": "hits",
            "target": 1.0,
        },
    ]


def _without_a_zone(site: SiteMap) -> dict[str, object]:
    """Return the site with its first zone drawn nowhere near any point."""
    far = Zone(
        zone=site.zones[0].zone,
        name=site.zones[0].name,
        kind=ZoneKind.SHELF,
        floor=0,
        ring=((-9.0, -9.0), (-8.0, -9.0), (-8.0, -8.0)),
    )
    zones = (far, *site.zones[1:])
    return {
        "site": site.site,
        "name": site.name,
        "floors": site.floors,
        "zones": zones,
        "anchors": (),
    }


if __name__ == "__main__":
    for figure in run():
        print(figure)
