"""Say which zone a tag is nearest to, and with which probability, where zones do not touch.

Layer: rules. Takes: outlines of shelves or shops by floor, Gaussian fixes and beliefs on a grid.
Gives: the nearest zone and P(nearest zone) to the replay of recordings and to scoring.

The floor is divided by "which zone is nearest?" (a Voronoi diagram of polygons), so each point
belongs to one zone, the probabilities of one floor sum to 1, and "which shelf does he stand at" has
an answer also in the middle of an aisle. A point within two outlines belongs to the smaller one.

P is the share of points of equal mass that a Gaussian is made of (a sunflower: Vogel 1979, "A
better way to construct the sunflower head"); those where nobody can be, within furniture or outside
of the floor, do not count.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from rtls.model.errors import InvalidGeometry
from rtls.model.units import Metre

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

POINTS: Final = 512
CELL_M_MIN: Final = Metre(0.05)
CELLS_MAX: Final = 4_000_000
"""A larger site gets larger cells, so that the memory of what is nearest stays below 20 MB."""
MARGIN_M: Final = Metre(10.0)
"""Points farther outside than this are asked one by one."""
ZONES_MAX: Final = 30_000
UNKNOWN: Final = -2
NOBODY: Final = -1  # where nobody can be


def sunflower(count: int) -> Floats:
    """Return (count, 2) points of equal mass of the standard normal distribution.

    Examples
    --------
    >>> bool(abs(sunflower(512).mean()) < 0.01), round(float(sunflower(512).std()), 2)
    (True, 1.0)
    """
    place = np.arange(count)
    radius = np.sqrt(-2.0 * np.log1p(-(place + 0.5) / count))
    angle = place * math.pi * (3.0 - math.sqrt(5.0))
    return np.column_stack((radius * np.cos(angle), radius * np.sin(angle)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneOutlines:
    """The outlines of one floor.

    Parameters
    ----------
    zones
        Names, in the order of `shapes`.
    shapes
        Polygons or multipolygons in metres of the floor's frame.
    blocked
        Where nobody can be, such as shelves and pillars; None where nothing is known.
    within
        Where everybody is, such as the outline of the floor; None where it is not known.
    """

    zones: tuple[str, ...]
    shapes: tuple[shapely.Geometry, ...]
    blocked: shapely.Geometry | None = None
    within: shapely.Geometry | None = None

    def __post_init__(self) -> None:
        if len(self.zones) != len(self.shapes) or not 0 < len(self.zones) <= ZONES_MAX:
            raise InvalidGeometry(
                f"{len(self.zones)} names for {len(self.shapes)} outlines; expected as many, 1 to "
                f"{ZONES_MAX}."
            )
        if len(set(self.zones)) != len(self.zones):
            raise InvalidGeometry("a zone has two outlines on one floor; join them to one.")


@dataclass(slots=True)
class _Floor:
    """One floor and what has been asked of it so far: the nearest zone by cell of a lattice."""

    outlines: ZoneOutlines
    origin: Floats
    columns: int
    rows: int
    cell_m: float
    tree: shapely.STRtree
    area: Floats
    cells: Ints = field(init=False)

    def __post_init__(self) -> None:
        self.cells = np.full(self.columns * self.rows, UNKNOWN, np.int32)
        for shape in (self.outlines.blocked, self.outlines.within):
            if shape is not None:
                shapely.prepare(shape)

    def nearest(self, xy: Floats) -> Ints:
        """Return the nearest zone of (n, 2) points: within two the smaller one, else the first."""
        pairs, apart_m = self.tree.query_nearest(
            shapely.points(xy), all_matches=True, return_distance=True
        )
        size = np.where(apart_m == 0.0, self.area[pairs[1]], 0.0)
        order = np.lexsort((pairs[1], size, pairs[0]))
        point, zone = pairs[0][order], pairs[1][order]
        is_first = np.concatenate(([True], point[1:] != point[:-1]))
        return np.asarray(zone[is_first], np.int32)

    def is_free(self, xy: Floats) -> npt.NDArray[np.bool_]:
        """Tell at which of (n, 2) points somebody can be."""
        free = np.ones(len(xy), np.bool_)
        if self.outlines.blocked is not None:
            free &= ~shapely.contains_xy(self.outlines.blocked, xy)
        if self.outlines.within is not None:
            free &= shapely.contains_xy(self.outlines.within, xy)
        return free

    def looked_up(self, xy: Floats) -> Ints:
        """Return the nearest zone by the middle of each point's cell, `NOBODY` where none can be.

        A cell is asked once; so the answer is the same whatever was asked before.
        """
        place = np.floor((xy - self.origin) / self.cell_m).astype(np.int64)
        is_on = np.all((place >= 0) & (place < (self.columns, self.rows)), axis=1)
        found = np.empty(len(xy), np.int32)
        found[~is_on] = self._asked(xy[~is_on])
        cell = place[is_on, 1] * self.columns + place[is_on, 0]
        new = np.unique(cell[self.cells[cell] == UNKNOWN])
        if new.size:
            middle = np.column_stack((new % self.columns, new // self.columns)) + 0.5
            self.cells[new] = self._asked(self.origin + middle * self.cell_m)
        found[is_on] = self.cells[cell]
        return found

    def _asked(self, xy: Floats) -> Ints:
        found = np.full(len(xy), NOBODY, np.int32)
        free = self.is_free(xy)
        if free.any():
            found[free] = self.nearest(xy[free])
        return found


class NearestZones:
    """The floors of a site, divided by which zone is nearest.

    Parameters
    ----------
    floors
        The outlines by the floor's label.

    Raises
    ------
    InvalidGeometry
        If there is no floor.
    """

    def __init__(self, floors: Mapping[str, ZoneOutlines]) -> None:
        if not floors:
            raise InvalidGeometry("no floor has zones; expected outlines of one or more.")
        self._points = sunflower(POINTS)
        boxes = {label: _box(outlines) for label, outlines in floors.items()}
        area = sum(float(np.prod(box[1] - box[0])) for box in boxes.values())
        cell_m = max(float(CELL_M_MIN), math.sqrt(area / CELLS_MAX))
        self._floors = {
            label: _floor(outlines, boxes[label], cell_m) for label, outlines in floors.items()
        }

    @property
    def floors(self) -> tuple[str, ...]:
        """The labels of the floors that have zones."""
        return tuple(self._floors)

    def zone_at(self, floor: str, xy: Floats) -> list[str]:
        """Return the nearest zone of each of (n, 2) points, exactly."""
        own = self._floors[floor]
        return [own.outlines.zones[zone] for zone in own.nearest(xy).tolist()]

    def tied_at(self, floor: str, xy: Floats, *, within_m: float) -> list[frozenset[str]]:
        """Return by point the zones that are nearest, or farther by less than ``within_m``."""
        own = self._floors[floor]
        points = shapely.points(xy)
        shapes = np.array(own.outlines.shapes, dtype=object)
        reach_m = shapely.distance(points, shapes[own.nearest(xy)]) + within_m
        found: list[set[str]] = [set() for _ in range(len(xy))]
        near = own.tree.query(points, predicate="dwithin", distance=reach_m)
        for point, zone in near.T.tolist():
            found[point].add(own.outlines.zones[zone])
        return [frozenset(zones) for zones in found]

    def probabilities(
        self, floor: str, mean: tuple[float, float], cov: tuple[float, float, float]
    ) -> list[tuple[str, float]]:
        """Return (zone, P), the most probable first, of a Gaussian on one floor.

        Parameters
        ----------
        floor
            Its label; a floor without zones has no probabilities.
        mean
            x, y in metres.
        cov
            xx, xy, yy in m², positive definite.
        """
        own = self._floors.get(floor)
        if own is None:
            return []
        xy = np.array(mean) + self._points @ _factor(cov).T
        found = own.looked_up(xy)
        if (found == NOBODY).all():  # within a shelf or outside: then the nearest zone at all
            found = own.nearest(xy)
        zones, counts = np.unique(found[found != NOBODY], return_counts=True)
        shares = counts / counts.sum()
        order = np.lexsort((zones, -counts))
        return [(own.outlines.zones[zones[k]], float(shares[k])) for k in order.tolist()]


class NearestOfNodes:
    """P(nearest zone) of tags whose place is a belief on a grid, by its mass and not its moments.

    What a node counts for each zone is the Gaussian of its error around it; it is worked out when a
    belief first has mass there, for most nodes never have.

    Parameters
    ----------
    nearest
        The floors, divided by zone.
    labels
        Of each floor of the site map; a floor without one has no zones.
    node_xy, node_floor
        (n, 2) m and (n,).
    node_sd_m
        How far a tag may be from the node that a belief puts it at, one sigma an axis.
    """

    def __init__(
        self,
        nearest: NearestZones,
        labels: Mapping[int, str],
        *,
        node_xy: Floats,
        node_floor: Ints,
        node_sd_m: float,
    ) -> None:
        self._nearest = nearest
        self._labels = labels
        self._xy = node_xy
        self._floor = node_floor
        self._cov = (node_sd_m**2, 0.0, node_sd_m**2)
        self._number: dict[str, int] = {}
        self._shares: dict[int, tuple[Ints, Floats]] = {}

    def probabilities(
        self, states: Ints, masses: npt.NDArray[np.float32]
    ) -> list[tuple[str, float]]:
        """Return (zone, P), the most probable first, of one belief.

        Parameters
        ----------
        states, masses
            (k,): hypothesis times number of nodes plus node, and the mass there, in sum 1.
        """
        if not states.size:
            return []
        nodes, which = np.unique(states % len(self._xy), return_inverse=True)
        mass = np.bincount(which, weights=masses)
        shares = [self._shares_of(node) for node in nodes.tolist()]
        zones = np.concatenate([zone for zone, _ in shares])
        counts = np.concatenate([p * m for (_, p), m in zip(shares, mass.tolist(), strict=True)])
        sums = np.bincount(zones, weights=counts, minlength=len(self._number)).tolist()
        found = [(zone, min(sums[k], 1.0)) for zone, k in self._number.items() if sums[k] > 0.0]
        return sorted(found, key=lambda item: (-item[1], item[0]))

    def _shares_of(self, node: int) -> tuple[Ints, Floats]:
        found = self._shares.get(node)
        if found is None:
            label = self._labels.get(int(self._floor[node]))
            x_m, y_m = self._xy[node].tolist()
            listed = (
                [] if label is None else self._nearest.probabilities(label, (x_m, y_m), self._cov)
            )
            numbers = [self._number.setdefault(zone, len(self._number)) for zone, _ in listed]
            found = np.array(numbers, np.int32), np.array([p for _, p in listed], np.float64)
            self._shares[node] = found
        return found


def _factor(cov: Sequence[float]) -> Floats:
    xx, xy, yy = cov
    along = math.sqrt(max(xx, 1e-12))
    across = xy / along
    return np.array([[along, 0.0], [across, math.sqrt(max(yy - across * across, 1e-12))]])


def _box(outlines: ZoneOutlines) -> Floats:
    x0, y0, x1, y1 = shapely.total_bounds(np.array(outlines.shapes, dtype=object))
    return np.array([[x0 - MARGIN_M, y0 - MARGIN_M], [x1 + MARGIN_M, y1 + MARGIN_M]])


def _floor(outlines: ZoneOutlines, box: Floats, cell_m: float) -> _Floor:
    columns, rows = (np.ceil((box[1] - box[0]) / cell_m)).astype(int).tolist()
    return _Floor(
        outlines=outlines,
        origin=box[0],
        columns=columns,
        rows=rows,
        cell_m=cell_m,
        tree=shapely.STRtree(outlines.shapes),
        area=shapely.area(np.array(outlines.shapes, dtype=object)),
    )
