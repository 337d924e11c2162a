"""Lay a lattice over the ground that people walk on, and say where one can step from each node.

Layer: rules. Takes: the plan of a `SiteMap`, or the places that a survey walked. Gives: `WalkGrid`
to the radio map, which is stated over its nodes, and to the map filter, which moves over them.

Built once a site, by shapely. A node stands in the middle of the free part of its cell, not in the
middle of the cell, so that an aisle narrower than a cell still has nodes in a row. A step leads to
one of the eight cells around, and only where the straight line crosses no wall, no furniture and no
ground that is not walkable.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from rtls.model.errors import InvalidGeometry
from rtls.model.site_map import SiteMap
from rtls.model.units import Metre
from rtls.positioning.walk_ground import Ground, boxes_around, grounds_of

CELL_M: Final = Metre(0.5)
"""Half of what the best RSSI resolves; a step of a slow walk."""
CELL_WIDE_M: Final = Metre(1.0)
"""What large sites get: a quarter of the nodes, and on recordings no more than 0.1 m worse."""
NODES_USUAL: Final = 2_000
NODES_MAX: Final = 200_000
SAMPLES: Final = 5
"""along each side of a cell, to find its free part"""
FREE_SHARE_MIN: Final = 0.2
"""Less than this of a cell is an edge, not a place to stand."""
COMPONENT_M2_MIN: Final = 2.0
"""Ground cut off from all other that is smaller than this is a gap between furniture."""
STAIRS_M: Final = Metre(1.5)
"""How far apart, seen from above, two nodes of neighbouring floors may be and still be linked."""
STEPS: Final = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))
"""Columns and rows of the eight neighbours; the opposite of step k is step (k + 4) % 8."""
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkGrid:
    """The nodes that a tag may be at, and the steps between them; immutable.

    Parameters
    ----------
    cell_m
        Side of a cell.
    node_xy
        (n, 2) m, in the frame of the node's floor.
    node_floor
        (n,)
    neighbours
        (n, 8) nodes one step away, in the order of `STEPS`; -1 where one cannot step. A step
        that leads there leads back.
    between_floors
        (n, 2) the node below and above on the neighbouring floors; -1 where there is none. Lifts
        and stairs are not on the map, so a tag may change floors anywhere, though seldom.
    """

    cell_m: Metre
    node_xy: Floats
    node_floor: Ints
    neighbours: Ints
    between_floors: Ints

    def __post_init__(self) -> None:
        n = len(self.node_xy)
        if not 0 < n <= NODES_MAX:
            raise InvalidGeometry(
                f"the grid has {n} nodes; expected 1 to {NODES_MAX}. Check that the plan leaves "
                "ground to walk on, or take larger cells."
            )
        shapes = (self.node_floor.shape, self.neighbours.shape, self.between_floors.shape)
        if shapes != ((n,), (n, len(STEPS)), (n, 2)):
            raise InvalidGeometry(f"columns of the grid are shaped {shapes}; expected {n} rows.")
        for array in (self.node_xy, self.node_floor, self.neighbours, self.between_floors):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.node_xy)

    @classmethod
    def of_plan(cls, site_map: SiteMap, *, cell_m: Metre | None = None) -> "WalkGrid":
        """Lay the grid over the ground of all floors, as walls, furniture and walkable areas say.

        Parameters
        ----------
        site_map
            The plan. A floor without walkable areas is its rectangle, or the box around what
            stands on it where that reaches beyond.
        cell_m
            Side of a cell; by default `CELL_M` on a small site and up to `CELL_WIDE_M` on a large
            one. A site too large for `NODES_MAX` gets larger ones. Beyond 0.1 to 10 m it is
            refused with `InvalidGeometry`, as is a plan that leaves no ground.
        """
        grounds = grounds_of(site_map)
        area_m2 = sum(ground.area_m2 for ground in grounds)
        cell = cell_for(area_m2, usual_cell(area_m2) if cell_m is None else cell_m)
        return _joined([_cells_of(ground, cell) for ground in grounds], cell)

    @classmethod
    def around(
        cls, points: Floats, floors: Ints, *, reach_m: Metre, cell_m: Metre = CELL_M
    ) -> "WalkGrid":
        """Lay the grid over all that is near places where somebody walked.

        Parameters
        ----------
        points, floors
            (n, 2) m and (n,): where, and on which floor.
        reach_m
            How far from a place there is still ground.
        cell_m
            Side of a cell; it grows as for a plan.

        Raises
        ------
        InvalidGeometry
            If there is no place, or a length is not above 0.
        """
        if not (len(points) and math.isfinite(reach_m) and reach_m > 0.0):
            raise InvalidGeometry(
                f"{len(points)} places, reach_m {reach_m}; expected one or more and a length "
                "above 0."
            )
        grounds = boxes_around(points, floors, reach_m)
        cell = cell_for(sum(ground.area_m2 for ground in grounds), cell_m)
        return _joined([_cells_of(ground, cell) for ground in grounds], cell)


def usual_cell(area_m2: float) -> Metre:
    """Return the side of a cell with which ``area_m2`` is about `NODES_USUAL` nodes.

    Examples
    --------
    >>> usual_cell(200.0), usual_cell(1_125.0), usual_cell(20_000.0)
    (0.5, 0.75, 1.0)
    """
    return Metre(min(max(CELL_M, math.sqrt(area_m2 / NODES_USUAL)), CELL_WIDE_M))


def cell_for(area_m2: float, cell_m: float) -> Metre:
    """Return the side of a cell with which ``area_m2`` stays below `NODES_MAX` nodes.

    Raises
    ------
    InvalidGeometry
        If the side asked for is not 0.1 to 10 m.
    """
    if not 0.1 <= cell_m <= 10.0:  # noqa: PLR2004
        raise InvalidGeometry(f"cell_m is {cell_m}; expected 0.1 to 10 m.")
    # Cells at the edge are nodes as well, hence half of the bound.
    return Metre(max(cell_m, math.sqrt(2.0 * area_m2 / NODES_MAX)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """The nodes of one floor: their place, their column and row, and their steps."""

    floor: int
    xy: Floats
    column_row: Whole
    neighbours: Whole


def _cells_of(ground: Ground, cell_m: float) -> _Cells:
    xy, column_row = _free_cells(ground, cell_m)
    neighbours = _steps(ground, xy, column_row)
    part = _component(neighbours)
    keep = _is_ground(ground, part, xy, column_row, cell_m)
    number = np.where(keep, np.cumsum(keep) - 1, -1)
    kept = neighbours[keep]
    return _Cells(
        floor=ground.floor,
        xy=xy[keep],
        column_row=column_row[keep],
        neighbours=np.where(kept >= 0, number[kept], -1),
    )


def _free_cells(ground: Ground, cell_m: float) -> tuple[Floats, Whole]:
    """Return the middle of the free part of each cell that has one, and its column and row."""
    left, low, right, high = ground.box
    columns = np.arange(math.floor(left / cell_m), math.ceil(right / cell_m))
    rows = np.arange(math.floor(low / cell_m), math.ceil(high / cell_m))
    column_row = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    within = (np.arange(SAMPLES) + 0.5) / SAMPLES
    inside = np.stack(np.meshgrid(within, within), axis=-1).reshape(-1, 2)
    samples = (column_row[:, None, :] + inside) * cell_m
    is_free = ground.is_free(samples.reshape(-1, 2)).reshape(len(column_row), -1)
    share = is_free.mean(axis=1)
    is_node = share >= FREE_SHARE_MIN
    middle = (samples * is_free[:, :, None]).sum(axis=1)[is_node]
    middle /= is_free.sum(axis=1)[is_node, None]
    return middle, column_row[is_node]


def _steps(ground: Ground, xy: Floats, column_row: Whole) -> Whole:
    """Return (n, 8) the neighbour that each step leads to, -1 where something is between."""
    neighbours = np.full((len(xy), len(STEPS)), -1, np.int64)
    if not len(xy):
        return neighbours
    half = len(STEPS) // 2
    for k in range(half):
        source, target = _pairs(column_row, STEPS[k])
        is_open = ground.is_open(xy[source], xy[target])
        neighbours[source[is_open], k] = target[is_open]
        neighbours[target[is_open], k + half] = source[is_open]
    return neighbours


def _pairs(column_row: Whole, step: Sequence[int]) -> tuple[Whole, Whole]:
    """Return the pairs of nodes whose cells are ``step`` apart."""
    low = column_row.min(axis=0) - 1
    width = int(np.ptp(column_row[:, 0])) + 3
    key = (column_row[:, 1] - low[1]) * width + column_row[:, 0] - low[0]
    order = np.argsort(key)
    wanted = key + step[1] * width + step[0]
    place = np.searchsorted(key[order], wanted)
    found = order[np.minimum(place, len(key) - 1)]
    is_there = key[found] == wanted
    return np.flatnonzero(is_there), found[is_there]


def _component(neighbours: Whole) -> Whole:
    """Return a number for each node, the same for all that can be walked to from each other."""
    label = np.arange(len(neighbours))
    while True:
        beside = np.where(neighbours >= 0, label[neighbours], label[:, None])
        lowest = np.minimum(label, beside.min(axis=1, initial=len(label)))
        lowest = lowest[lowest]  # a label is a node: jumping to its own halves the way
        if np.array_equal(lowest, label):
            return label
        label = lowest


def _is_ground(
    ground: Ground, part: Whole, xy: Floats, column_row: Whole, cell_m: float
) -> npt.NDArray[np.bool_]:
    """Return which nodes stay: no gaps between furniture, nothing outside the outer walls."""
    size = np.bincount(part, minlength=len(part))[part] * cell_m * cell_m
    keep = size >= COMPONENT_M2_MIN
    if not ground.has_outside or not keep.any():
        return keep
    edge = (column_row == column_row.min(axis=0)) | (column_row == column_row.max(axis=0))
    outside = np.isin(part, np.unique(part[edge.any(axis=1)]))
    # Anchors hang indoors. Where most of them are nearest to ground that does not reach the edge
    # of the plan, what does reach it is the street.
    candidates = np.flatnonzero(keep)
    near = [
        candidates[np.argmin(((xy[candidates] - anchor) ** 2).sum(axis=1))]
        for anchor in ground.anchors
    ]
    if near and np.mean(~outside[near]) > 0.5:  # noqa: PLR2004
        keep &= ~outside
    return keep


def _joined(floors: Sequence[_Cells], cell_m: Metre) -> WalkGrid:
    starts = np.cumsum([0, *(len(cells.xy) for cells in floors)])
    neighbours = [
        np.where(cells.neighbours >= 0, cells.neighbours + start, -1)
        for cells, start in zip(floors, starts, strict=False)
    ]
    xy = np.concatenate([cells.xy for cells in floors])
    floor = np.repeat([cells.floor for cells in floors], [len(cells.xy) for cells in floors])
    return WalkGrid(
        cell_m=cell_m,
        node_xy=xy,
        node_floor=floor.astype(np.int32),
        neighbours=np.concatenate(neighbours).astype(np.int32),
        between_floors=_between_floors(xy, floor, max(STAIRS_M, cell_m)),
    )


def _between_floors(xy: Floats, floor: Whole, reach_m: float) -> Ints:
    """Return (n, 2) the nearest node on the floor below and above, -1 where none is near."""
    links = np.full((len(xy), 2), -1, np.int32)
    for low in np.unique(floor)[:-1]:
        below, above = np.flatnonzero(floor == low), np.flatnonzero(floor == low + 1)
        for column, here, there in ((1, below, above), (0, above, below)):
            if not len(there):
                continue
            tree = shapely.STRtree([shapely.Point(place) for place in xy[there]])
            source, target = tree.query_nearest(
                shapely.points(xy[here]), max_distance=reach_m, all_matches=False
            )
            links[here[source], column] = there[target]
    return links
