"""The true length of a shortest walk: Dijkstra over all corners that see each other.

A shortest way among polygons bends only at their corners (Lozano-Pérez and Wesley, 1979), so this
is exact; it asks shapely about every pair of corners, which takes long.
"""

import heapq
import math

import shapely

from rtls.model.route import Place
from rtls.model.site_map import SiteMap

GRAZE_M = 1e-6


def blocked_by(site_map: SiteMap, floor: int, *, graze_m: float) -> shapely.Geometry:
    """Return walls, and furniture less ``graze_m`` all around."""
    walls = [shapely.LineString(wall.line) for wall in site_map.walls if wall.floor == floor]
    furniture = [
        shapely.Polygon(one.ring).buffer(-graze_m, join_style="mitre")
        for one in site_map.fixtures
        if one.floor == floor
    ]
    return shapely.union_all([*walls, *furniture])


def shortest_walk_m(site_map: SiteMap, start: Place, target: Place) -> float:
    """Return the length of the shortest walk; infinity where there is none."""
    blocked = blocked_by(site_map, start.floor, graze_m=GRAZE_M)
    corners = [(start.x_m, start.y_m), (target.x_m, target.y_m)]
    corners += [point for one in site_map.fixtures for point in one.ring]
    for wall in site_map.walls:  # one walks round the ends of a wall, not over them
        for x, y in wall.line:
            corners += [(x + dx, y + dy) for dx in (-1e-4, 1e-4) for dy in (-1e-4, 1e-4)]
    shapely.prepare(blocked)
    walked = [math.inf] * len(corners)
    walked[0] = 0.0
    heap = [(0.0, 0)]
    while heap:
        here_m, here = heapq.heappop(heap)
        if here_m > walked[here]:
            continue
        for there, corner in enumerate(corners):
            far_m = here_m + math.dist(corners[here], corner)
            if far_m < walked[there] and not blocked.intersects(
                shapely.LineString([corners[here], corner])
            ):
                walked[there] = far_m
                heapq.heappush(heap, (far_m, there))
    return walked[1]
