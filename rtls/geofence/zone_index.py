"""Index a site's zones, so that the zones over a point are found without asking every polygon.

Layer: rules. Takes: a checked `SiteMap`. Gives: `ZoneIndex` to containment and dwell, and the zones
over points to whoever asks. Built by shapely once a map; the questions are answered by kernels.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from rtls.geofence.kernels.point_in_zone import ZoneGrid, ZoneShapes, zones_at_points
from rtls.model.errors import InvalidGeometry
from rtls.model.site_map import SiteMap, Zone
from rtls.model.units import Metre, ZoneId

CELL_M: Final = Metre(0.15)
"""A fifth faster than 0.25 m at 10,000 polygons, since more cells lie wholly inside; for that the
index takes 2.4 times the memory (6 MB there)."""
COARSE_CELL_M: Final = Metre(4.0)
CELLS_MAX: Final = 2_000_000
"""A larger site gets larger cells: the answer is the same, only more polygons are asked."""
HALO_SEGMENTS: Final = 2
"""Corners of a halo's quarter circle, less one: its edge is off by less than a tenth."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonesAtPoints:
    """The zones over each of n points, as CSR.

    Parameters
    ----------
    row_start
        (n + 1,) into `zone`.
    zone
        Indices of zones in the site map.
    """

    row_start: npt.NDArray[np.int32]
    zone: npt.NDArray[np.int32]

    def of(self, point: int) -> list[int]:
        """Return the zones over one point."""
        return [int(z) for z in self.zone[self.row_start[point] : self.row_start[point + 1]]]


def halo_numbers(site_map: SiteMap) -> dict[ZoneId, int]:
    """Return the numbers of zones widened by their exit tolerance, which follow all others."""
    wide = [zone.zone for zone in site_map.zones if zone.rules.exit_tolerance_m > 0.0]
    return {zone: len(site_map.zones) + number for number, zone in enumerate(wide)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneIndex:
    """The zones of one site, ready for questions. Zone numbers are indices in the site map.

    Ellipses also meet halos: zones widened by their exit tolerance (`halo_numbers`).
    """

    zones: tuple[ZoneId, ...]
    shapes: ZoneShapes
    fine: ZoneGrid
    """by polygon, with the flag "cell fully inside": for points"""
    coarse: ZoneGrid
    """by bounding box: for ellipses"""
    zones_a_cell_max: int

    @staticmethod
    def build(site_map: SiteMap, *, cell_m: Metre = CELL_M) -> "ZoneIndex":
        """Index the zones of ``site_map``; it should have passed `check_site_map`.

        Raises
        ------
        InvalidGeometry
            If ``cell_m`` is not above 0.
        """
        if not cell_m > 0.0:
            raise InvalidGeometry(f"cell_m is {cell_m}; expected above 0, such as {CELL_M}.")
        with_halos = [*site_map.zones, *_halos(site_map)]
        shapes = _shapes(with_halos)
        fine = _grid(site_map.zones, shapes, cell_m=cell_m, by_polygon=True)
        coarse = _grid(with_halos, shapes, cell_m=COARSE_CELL_M, by_polygon=False)
        return ZoneIndex(
            zones=tuple(zone.zone for zone in site_map.zones),
            shapes=shapes,
            fine=fine,
            coarse=coarse,
            zones_a_cell_max=int(np.diff(fine.cell_start).max(initial=0)),
        )

    def zones_at(
        self,
        x_m: npt.NDArray[np.float64],
        y_m: npt.NDArray[np.float64],
        floor: npt.NDArray[np.int32],
    ) -> ZonesAtPoints:
        """Return the zones over points; a point on a boundary is in one side's zone only.

        Parameters
        ----------
        x_m, y_m, floor
            (n,) contiguous points.
        """
        row_start = np.empty(x_m.size + 1, np.int32)
        zone = np.empty(x_m.size * self.zones_a_cell_max, np.int32)
        found = zones_at_points(self.fine, self.shapes, x_m, y_m, floor, row_start, zone)
        return ZonesAtPoints(row_start=row_start, zone=zone[:found].copy())


def _halos(site_map: SiteMap) -> Iterator[Zone]:
    for zone in site_map.zones:
        tolerance_m = zone.rules.exit_tolerance_m
        if tolerance_m > 0.0:
            wide = shapely.buffer(shapely.Polygon(zone.ring), tolerance_m, quad_segs=HALO_SEGMENTS)
            corners = shapely.get_coordinates(wide.exterior)[:-1].tolist()
            yield replace(zone, ring=tuple((x, y) for x, y in corners))


def _shapes(zones: Sequence[Zone]) -> ZoneShapes:
    rings = [np.array([*zone.ring, zone.ring[0]], np.float64) for zone in zones]
    corners = np.concatenate(rings) if rings else np.empty((0, 2))
    sizes = [len(ring) for ring in rings]
    return ZoneShapes(
        ring_start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
        corner=corners,
        box=np.array([[*r.min(axis=0), *r.max(axis=0)] for r in rings]).reshape(-1, 4),
        area=np.array([shapely.Polygon(r).area for r in rings], np.float64),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _FloorCells:
    """The cells of one floor with their zones: `cell` rising, `zone` rising within a cell."""

    floor: int
    origin: tuple[float, float]
    columns: int
    rows: int
    cell: npt.NDArray[np.int64]
    zone: npt.NDArray[np.int64]
    is_inside: npt.NDArray[np.bool_]


def _grid(
    zones: Sequence[Zone], shapes: ZoneShapes, *, cell_m: float, by_polygon: bool
) -> ZoneGrid:
    floors = sorted({zone.floor for zone in zones})
    boxes = {floor: _bounds(zones, shapes, floor) for floor in floors}
    size = _cell_size(cell_m, list(boxes.values()))
    parts = [
        _floor_cells(zones, shapes, floor=floor, box=boxes[floor], cell_m=size, exact=by_polygon)
        for floor in floors
    ]
    zone = _joined([part.zone for part in parts])
    is_inside = _joined([part.is_inside for part in parts]).astype(np.bool_)
    counts = [np.bincount(part.cell, minlength=part.columns * part.rows) for part in parts]
    return ZoneGrid(
        floor=np.array(floors, np.int32),
        origin=np.array([part.origin for part in parts], np.float64).reshape(-1, 2),
        columns=np.array([part.columns for part in parts], np.int32),
        rows=np.array([part.rows for part in parts], np.int32),
        first_cell=np.cumsum([0, *(count.size for count in counts)])[:-1].astype(np.int32),
        cells_a_m=1.0 / size,
        cell_start=np.cumsum(np.concatenate([[0], *counts])).astype(np.int32),
        cell_zone=np.where(is_inside, ~zone, zone).astype(np.int32),
    )


def _joined(
    parts: Sequence[npt.NDArray[np.int64] | npt.NDArray[np.bool_]],
) -> npt.NDArray[np.int64 | np.bool_]:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _bounds(zones: Sequence[Zone], shapes: ZoneShapes, floor: int) -> Box:
    box = shapes.box[[number for number, zone in enumerate(zones) if zone.floor == floor]]
    x_min, y_min = box[:, :2].min(axis=0)
    x_max, y_max = box[:, 2:].max(axis=0)
    return float(x_min), float(y_min), float(x_max), float(y_max)


def _cell_size(cell_m: float, boxes: Sequence[Box]) -> float:
    area = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes)
    return max(float(cell_m), math.sqrt(area / CELLS_MAX))


def _floor_cells(
    zones: Sequence[Zone],
    shapes: ZoneShapes,
    *,
    floor: int,
    box: Box,
    cell_m: float,
    exact: bool,
) -> _FloorCells:
    x0, y0, x1, y1 = box
    columns = int((x1 - x0) / cell_m) + 1
    rows = int((y1 - y0) / cell_m) + 1
    here = [number for number, zone in enumerate(zones) if zone.floor == floor]
    found = [
        _zone_cells(zones[n], shapes.box[n], box=box, columns=columns, cell_m=cell_m, exact=exact)
        for n in here
    ]
    cell = np.concatenate([cells for cells, _ in found])
    zone = np.repeat(np.array(here), [cells.size for cells, _ in found])
    is_inside = np.concatenate([inside for _, inside in found])
    order = np.lexsort((zone, cell))
    return _FloorCells(
        floor=floor,
        origin=(x0, y0),
        columns=columns,
        rows=rows,
        cell=cell[order],
        zone=zone[order],
        is_inside=is_inside[order],
    )


def _zone_cells(
    zone: Zone,
    zone_box: npt.NDArray[np.float64],
    *,
    box: Box,
    columns: int,
    cell_m: float,
    exact: bool,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the cells that a zone may touch, and which of them it covers whole."""
    left, low, right, high = (
        int((edge - start) / cell_m)
        for edge, start in zip(zone_box, (*box[:2], *box[:2]), strict=True)
    )
    column, row = (
        part.ravel() for part in np.meshgrid(np.arange(left, right + 1), np.arange(low, high + 1))
    )
    cells = row * columns + column
    if not exact:
        return cells, np.zeros(cells.size, np.bool_)
    x = box[0] + column * cell_m
    y = box[1] + row * cell_m
    squares = shapely.box(x, y, x + cell_m, y + cell_m)
    polygon = shapely.Polygon(zone.ring)
    shapely.prepare(polygon)
    touched = shapely.intersects(polygon, squares)
    inside = shapely.contains_properly(polygon, squares)
    return cells[touched], inside[touched]
