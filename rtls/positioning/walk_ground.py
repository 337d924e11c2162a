"""Say where on one floor somebody can stand, and from where to where he can step.

Layer: rules. Takes: the plan of a `SiteMap`, or places that a survey walked. Gives: a `Ground` a
floor to rtls.positioning.walk_grid. All questions are asked of many points at once, by shapely.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from rtls.model.site_map import SiteMap
from rtls.model.units import Metre

MARGIN_M: Final = Metre(1.0)
"""around what stands on a floor whose rectangle does not hold it"""
CORNER_M: Final = 0.05
"""Plans are drawn a little carelessly; a step may graze furniture by as much."""
WAY_SAMPLES: Final = 6
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]
Area = shapely.Polygon | shapely.MultiPolygon


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The ground of one floor.

    Parameters
    ----------
    floor
        Its number.
    box
        Low x, low y, high x, high y: nobody walks beyond.
    area_m2
        What there is at most.
    free, way
        Prepared area that one can stand on, and the same a little wider for the ways between;
        None where all of the box is walkable.
    barriers
        Walls and furniture.
    anchors
        (n, 2) m, where anchors hang.
    has_outside
        Whether the box may reach beyond the outer walls.
    """

    floor: int
    box: Box
    area_m2: float
    free: Area | None
    way: Area | None
    barriers: shapely.STRtree
    anchors: Floats
    has_outside: bool

    def is_free(self, points: Floats) -> Bools:
        """Return (n,) whether one can stand at each of (n, 2) points."""
        x, y = points[:, 0], points[:, 1]
        left, low, right, high = self.box
        is_free = (x >= left) & (x <= right) & (y >= low) & (y <= high)
        if self.free is not None:
            is_free &= shapely.contains_xy(self.free, x, y)
        blocked, _ = self.barriers.query(shapely.points(points), predicate="within")
        is_free[blocked] = False
        return is_free

    def is_open(self, sources: Floats, targets: Floats) -> Bools:
        """Return (n,) whether one can walk straight from each source to its target."""
        ways = shapely.linestrings(np.stack((sources, targets), axis=1))
        blocked, _ = self.barriers.query(ways, predicate="intersects")
        is_open = np.ones(len(sources), np.bool_)
        is_open[blocked] = False
        if self.way is not None:
            for part in np.linspace(0.0, 1.0, WAY_SAMPLES):
                between = sources + part * (targets - sources)
                is_open &= shapely.contains_xy(self.way, between[:, 0], between[:, 1])
        return is_open


def grounds_of(site_map: SiteMap) -> list[Ground]:
    """Return the ground of each floor of a plan, in the order of the floors' numbers."""
    return [_ground_of(site_map, floor) for floor in sorted(f.floor for f in site_map.floors)]


def _ground_of(site_map: SiteMap, floor: int) -> Ground:
    areas = [
        shapely.Polygon(area.ring, area.holes).buffer(0.0)
        for area in site_map.walkable
        if area.floor == floor
    ]
    free, way = _prepared(shapely.union_all(areas)) if areas else (None, None)
    furniture = [
        shapely.Polygon(fixture.ring).buffer(-CORNER_M)
        for fixture in site_map.fixtures
        if fixture.floor == floor
    ]
    walls = [shapely.LineString(wall.line) for wall in site_map.walls if wall.floor == floor]
    box = _box_of(site_map, floor, free)
    has_outside = free is None and bool(walls)
    if has_outside:  # so that what is outside the outer walls hangs together all around
        box = box[0] - MARGIN_M, box[1] - MARGIN_M, box[2] + MARGIN_M, box[3] + MARGIN_M
    return Ground(
        floor=floor,
        box=box,
        area_m2=free.area if free is not None else (box[2] - box[0]) * (box[3] - box[1]),
        free=free,
        way=way,
        barriers=shapely.STRtree([*furniture, *walls]),
        anchors=_anchors_on(site_map, floor),
        has_outside=has_outside,
    )


def _prepared(area: shapely.Geometry) -> tuple[Area, Area]:
    """Return an area and the same a little wider, both ready for many questions."""
    assert isinstance(area, shapely.Polygon | shapely.MultiPolygon)
    wider = area.buffer(CORNER_M)
    assert isinstance(wider, shapely.Polygon | shapely.MultiPolygon)
    shapely.prepare(area)
    shapely.prepare(wider)
    return area, wider


def _anchors_on(site_map: SiteMap, floor: int) -> Floats:
    places = [(a.x_m, a.y_m) for a in site_map.anchors if a.floor == floor and a.is_placed]
    return np.array(places, np.float64).reshape(-1, 2)


def _box_of(site_map: SiteMap, floor: int, free: Area | None) -> Box:
    """Return the floor's rectangle, or the box around what stands on it where that is beyond."""
    if free is not None:
        return free.bounds
    size = next(f for f in site_map.floors if f.floor == floor)
    points = [
        *map(tuple, _anchors_on(site_map, floor).tolist()),
        *(point for wall in site_map.walls if wall.floor == floor for point in wall.line),
        *(point for item in site_map.fixtures if item.floor == floor for point in item.ring),
    ]
    if not points:
        return 0.0, 0.0, float(size.width_m), float(size.height_m)
    x, y = np.array(points).T
    around = x.min() - MARGIN_M, y.min() - MARGIN_M, x.max() + MARGIN_M, y.max() + MARGIN_M
    if (
        around[0] >= -2 * MARGIN_M
        and around[1] >= -2 * MARGIN_M
        and (around[2] <= size.width_m + 2 * MARGIN_M and around[3] <= size.height_m + 2 * MARGIN_M)
    ):
        return 0.0, 0.0, float(size.width_m), float(size.height_m)
    left, low, right, high = (float(edge) for edge in around)
    return left, low, right, high


def boxes_around(points: Floats, floors: npt.NDArray[np.int32], reach_m: Metre) -> list[Ground]:
    """Return ground that is all within ``reach_m`` of places, floor by floor."""
    grounds = []
    for floor in np.unique(floors):
        here = points[floors == floor]
        free, way = _prepared(shapely.union_all(shapely.buffer(shapely.points(here), reach_m)))
        left, low, right, high = (float(edge) for edge in free.bounds)
        grounds.append(
            Ground(
                floor=int(floor),
                box=(left, low, right, high),
                area_m2=free.area,
                free=free,
                way=way,
                barriers=shapely.STRtree([]),
                anchors=np.empty((0, 2)),
                has_outside=False,
            )
        )
    return grounds
