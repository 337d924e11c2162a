"""Say how much of each cell of a floor somebody can stand on.

Layer: rules. Takes: the plan of a `SiteMap`. Gives: the area of each cell to the heatmap, which
divides by it, and shows nothing where nobody can stand.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from rtls.model.errors import InvalidReport
from rtls.model.footfall import Float64s, check_cell
from rtls.model.site_map import SiteMap
from rtls.model.units import Metre

CELLS_MAX: Final = 1_000_000
SHARE_MIN: Final = 0.25
"""A sliver of a cell beside a shelf would turn one second into a crowd."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellGround:
    """The cells of one floor, from the corner of its frame on.

    Parameters
    ----------
    area_m2
        (rows, columns) Ground in each cell; 0 where there is too little of it.
    """

    floor: int
    cell_m: Metre
    area_m2: Float64s


def cell_grounds(site_map: SiteMap, cell_m: Metre) -> tuple[CellGround, ...]:
    """Return the cells of each floor, in the order of the map; refuse them if they are too many."""
    check_cell(cell_m)
    return tuple(_ground_of(site_map, floor.floor, cell_m) for floor in site_map.floors)


def _ground_of(site_map: SiteMap, number: int, cell_m: Metre) -> CellGround:
    floor = next(one for one in site_map.floors if one.floor == number)
    columns, rows = math.ceil(floor.width_m / cell_m), math.ceil(floor.height_m / cell_m)
    if columns * rows > CELLS_MAX:
        raise InvalidReport(
            f"floor {number} has {columns * rows} cells of {cell_m} m; expected at most "
            f"{CELLS_MAX}. Choose larger cells."
        )
    x, y = np.meshgrid(np.arange(columns) * cell_m, np.arange(rows) * cell_m)
    cells = shapely.box(x, y, x + cell_m, y + cell_m)
    free = _free_area(site_map, number, floor.width_m, floor.height_m)
    shapely.prepare(free)
    area = np.asarray(shapely.area(shapely.intersection(cells, free)), np.float64)
    area[area < SHARE_MIN * cell_m * cell_m] = 0.0
    return CellGround(floor=number, cell_m=cell_m, area_m2=area)


def _free_area(site_map: SiteMap, floor: int, width_m: float, height_m: float) -> shapely.Geometry:
    """Return the ground that the map draws, or the whole floor, less what stands on it."""
    box = shapely.box(0.0, 0.0, width_m, height_m)
    drawn = [
        shapely.Polygon(one.ring, one.holes).buffer(0.0)
        for one in site_map.walkable
        if one.floor == floor
    ]
    furniture = [
        shapely.Polygon(one.ring).buffer(0.0) for one in site_map.fixtures if one.floor == floor
    ]
    ground = shapely.intersection(shapely.union_all(drawn), box) if drawn else box
    return shapely.difference(ground, shapely.union_all(furniture))
