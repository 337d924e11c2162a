"""The true length of a shortest walk: Dijkstra over all corners that see each other.

A shortest way among polygons bends only at their corners (Lozano-Pérez and Wesley, 1979), so this
is exact; it asks shapely about every pair of corners, which takes long.
"""

import heapq
import math
from collections.abc import Callable, Sequence

import shapely

from rtls.model.connector import Connector
from rtls.model.place import Place
from rtls.model.route import WALKING_M_PER_S
from rtls.model.site_map import SiteMap

GRAZE_M = 1e-6
TOUCH_M = 1e-5


def blocked_by(site_map: SiteMap, floor: int, *, graze_m: float) -> shapely.Geometry:
    """Return walls, and furniture less ``graze_m`` all around."""
    walls = [shapely.LineString(wall.line) for wall in site_map.walls if wall.floor == floor]
    furniture = [
        shapely.Polygon(one.ring).buffer(-graze_m, join_style="mitre")
        for one in site_map.fixtures
        if one.floor == floor
    ]
    return shapely.union_all([*walls, *furniture])


def quickest_s(
    start: Place,
    target: Place,
    connectors: Sequence[Connector],
    walk_m: Callable[[Place, Place], float],
) -> float:
    """Return how long the quickest way takes: on the floor, or by any connector and then on.

    No connector helps twice: from where one first got on, it leads everywhere that it leads at all.
    """
    best_s = math.inf
    if start.floor == target.floor:
        best_s = walk_m(start, target) / WALKING_M_PER_S
    for connector in connectors:
        others = [one for one in connectors if one is not connector]
        for on in connector.stops:
            if on.floor != start.floor:
                continue
            walked_s = walk_m(start, on) / WALKING_M_PER_S
            for off in connector.stops:
                if connector.leads(on.floor, off.floor):
                    ride_s = connector.ride_s(on.floor, off.floor)
                    rest_s = quickest_s(off, target, others, walk_m)
                    best_s = min(best_s, walked_s + ride_s + rest_s)
    return best_s


def closed_by(site_map: SiteMap, floor: int) -> shapely.Geometry:
    """Return the same, and what touches grown together: nobody slips between a shelf and a wall."""
    walls = [
        shapely.LineString(wall.line).buffer(TOUCH_M, cap_style="flat", join_style="mitre")
        for wall in site_map.walls
        if wall.floor == floor
    ]
    furniture = [shapely.Polygon(f.ring) for f in site_map.fixtures if f.floor == floor]
    grown = shapely.union_all([*walls, *furniture]).buffer(TOUCH_M, join_style="mitre")
    return grown.buffer(-TOUCH_M - GRAZE_M, join_style="mitre")


def shortest_walk_m(
    site_map: SiteMap, start: Place, target: Place, *, graze_m: float | None = None
) -> float:
    """Return the length of the shortest walk; infinity where there is none.

    It may lead ``graze_m`` into furniture, also between pieces that touch; without it neither.
    """
    blocked = (
        closed_by(site_map, start.floor)
        if graze_m is None
        else blocked_by(site_map, start.floor, graze_m=graze_m + GRAZE_M)
    )
    corners = [(start.x_m, start.y_m), (target.x_m, target.y_m)]
    for one in site_map.fixtures:
        left = shapely.Polygon(one.ring).buffer(-(graze_m or 0.0), join_style="mitre")
        corners += [(x, y) for x, y in shapely.get_coordinates(left).tolist()]
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
