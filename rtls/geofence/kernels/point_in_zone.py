"""Find the zones over many points by a uniform grid and exact point-in-polygon.

Layer: kernels. Takes: the arrays of rtls.geofence.zone_index. Gives: pairs of point and zone.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

BLOCK = 256  # points looked up at a time


class ZoneShapes(NamedTuple):
    """Every zone's ring, box and area. Rings are closed: the first corner stands again at the end.

    ``ring_start`` (n_zones + 1,) into ``corner`` (n_corners, 2), x and y side by side in memory;
    ``box`` (n_zones, 4) as x_min, y_min, x_max, y_max; ``area`` (n_zones,) in m².
    """

    ring_start: Ints
    corner: Floats
    box: Floats
    area: Floats


class ZoneGrid(NamedTuple):
    """Which zones may lie in each cell, floor after floor.

    ``floor`` (n_floors,) floor numbers; ``origin`` (n_floors, 2); ``columns``, ``rows``,
    ``first_cell`` (n_floors,); ``cells_a_m`` cells a metre; ``cell_start`` (n_cells + 1,) into
    ``cell_zone``, which holds a zone z as z, or as ~z where it covers the whole cell: one word to
    fetch instead of two, since fetching is what a look-up costs.
    """

    floor: Ints
    origin: Floats
    columns: Ints
    rows: Ints
    first_cell: Ints
    cells_a_m: float
    cell_start: Ints
    cell_zone: Ints


@njit(cache=True, nogil=True, error_model="numpy")
def floor_position(floors: Ints, floor: int) -> int:
    """Return where ``floor`` stands among ``floors``, -1 if nowhere."""
    for position in range(floors.size):
        if floors[position] == floor:
            return position
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def is_in_ring(shapes: ZoneShapes, zone: int, x: float, y: float) -> bool:
    """Tell whether the point is in the zone's polygon, by crossings of a ray to the right."""
    inside = False
    start = shapes.ring_start[zone]
    x0 = shapes.corner[start, 0]
    y0 = shapes.corner[start, 1]
    for place in range(start + 1, shapes.ring_start[zone + 1]):
        x1 = shapes.corner[place, 0]
        y1 = shapes.corner[place, 1]
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
        x0 = x1
        y0 = y1
    return inside


@njit(cache=True, nogil=True, error_model="numpy")
def find_cells(grid: ZoneGrid, x: Floats, y: Floats, floor: Ints, begin: Ints, end: Ints) -> None:
    """Write where the entries of each point's cell begin and end; none for a point off the grid.

    A loop of its own: without the tests of polygons in between, the memory answers many points at
    a time.
    """
    position = -1
    known_floor = 0
    for point in range(x.size):
        if position < 0 or floor[point] != known_floor:
            known_floor = floor[point]
            position = floor_position(grid.floor, known_floor)
        begin[point] = 0
        end[point] = 0
        if position >= 0:
            across = (x[point] - grid.origin[position, 0]) * grid.cells_a_m
            up = (y[point] - grid.origin[position, 1]) * grid.cells_a_m
            # Written so that NaN fails too.
            if 0.0 <= across < grid.columns[position] and 0.0 <= up < grid.rows[position]:
                cell = grid.first_cell[position] + int(up) * grid.columns[position] + int(across)
                begin[point] = grid.cell_start[cell]
                end[point] = grid.cell_start[cell + 1]


@njit(cache=True, nogil=True, error_model="numpy")
def zones_at_points(
    grid: ZoneGrid,
    shapes: ZoneShapes,
    x: Floats,
    y: Floats,
    floor: Ints,
    row_start: Ints,
    zone: Ints,
) -> int:
    """Write the zones over each point as CSR; return how many pairs there are.

    Parameters
    ----------
    grid, shapes
        The index.
    x, y, floor
        (n,) points; one that is not finite lies in no zone.
    row_start
        (n + 1,) written.
    zone
        Written; must hold n × the largest number of zones in a cell.
    """
    begin = np.empty(BLOCK, np.int32)
    end = np.empty(BLOCK, np.int32)
    found = 0
    row_start[0] = 0
    for first in range(0, x.size, BLOCK):
        last = min(first + BLOCK, x.size)
        find_cells(grid, x[first:last], y[first:last], floor[first:last], begin, end)
        for point in range(first, last):
            for entry in range(begin[point - first], end[point - first]):
                candidate = grid.cell_zone[entry]
                if candidate < 0:
                    zone[found] = ~candidate
                    found += 1
                elif is_in_ring(shapes, candidate, x[point], y[point]):
                    zone[found] = candidate
                    found += 1
            row_start[point + 1] = found
    return found
