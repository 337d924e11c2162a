"""Say what reports are drawn on: floors, zones, walls and furniture, and where nobody can stand.

Layer: edges. Takes: the plan and the ground of its cells. Gives: one document to the footfall
routes. It knows no anchor and no shopper, so that whoever reads reports may read it; a cell with
ground and without a row in a heatmap is one that is withheld.
"""

import datetime as dt
from collections.abc import Sequence

import numpy as np
from typing_extensions import TypedDict

from rtls.footfall.cell_ground import CellGround
from rtls.footfall_reports import FootfallReports
from rtls.model.footfall import Bools, site_clock
from rtls.model.site_map import Floor, SiteMap, Zone
from rtls.model.units import UnixMs

Point = list[float]


class FloorDocument(TypedDict):
    """One floor, with the cells of its heatmap from the corner of its frame on."""

    floor: int
    name: str
    width_m: float
    height_m: float
    cell_m: float
    columns: int
    rows: int
    ground_runs: list[int]
    """row by row from y = 0 up: so many cells without ground, so many with, and so on"""


class PlanZoneDocument(TypedDict):
    """One zone: what reports and campaigns refer to."""

    zone: str
    name: str
    kind: str
    floor: int
    parent: str | None
    ring: list[Point]
    dwell_s: list[float]
    """the stays after which a campaign of this zone can fire"""


class LineDocument(TypedDict):
    """A wall, or the outline of a piece of furniture."""

    floor: int
    points: list[Point]


class PlanDocument(TypedDict):
    """The plan that reports are drawn on, in metres of each floor's frame, y up."""

    site: str
    name: str
    time_zone: str
    today: str
    """by the clocks of the site; days before it can be asked for"""
    floors: list[FloorDocument]
    zones: list[PlanZoneDocument]
    walls: list[LineDocument]
    fixtures: list[LineDocument]


def plan_document(reports: FootfallReports, *, now_ms: UnixMs) -> PlanDocument:
    """Return the plan of the site that the reports are of."""
    site_map = reports.site_map
    clock = site_clock(site_map.time_zone)
    return PlanDocument(
        site=site_map.site,
        name=site_map.name,
        time_zone=site_map.time_zone,
        today=dt.datetime.fromtimestamp(now_ms / 1000, clock).date().isoformat(),
        floors=_floors(site_map, reports.grounds),
        zones=[_zone(zone) for zone in site_map.zones],
        walls=[LineDocument(floor=one.floor, points=_points(one.line)) for one in site_map.walls],
        fixtures=[
            LineDocument(floor=one.floor, points=_points(one.ring)) for one in site_map.fixtures
        ],
    )


def ground_runs(has_ground: Bools) -> list[int]:
    """Return the lengths of the runs of equal cells; the first is without ground and may be 0.

    Examples
    --------
    >>> ground_runs(np.array([[True, True], [False, True]]))
    [0, 2, 1, 1]
    """
    cells = has_ground.ravel()
    edges = np.flatnonzero(np.diff(cells)) + 1
    runs: list[int] = np.diff([0, *edges.tolist(), cells.size]).tolist()
    return [0, *runs] if cells[0] else runs


def _floors(site_map: SiteMap, grounds: Sequence[CellGround]) -> list[FloorDocument]:
    pairs = zip(site_map.floors, grounds, strict=True)
    return [_floor(floor, ground) for floor, ground in pairs]


def _floor(floor: Floor, ground: CellGround) -> FloorDocument:
    rows, columns = ground.area_m2.shape
    return FloorDocument(
        floor=floor.floor,
        name=floor.name,
        width_m=floor.width_m,
        height_m=floor.height_m,
        cell_m=ground.cell_m,
        columns=columns,
        rows=rows,
        ground_runs=ground_runs(ground.area_m2 > 0.0),
    )


def _zone(zone: Zone) -> PlanZoneDocument:
    return PlanZoneDocument(
        zone=zone.zone,
        name=zone.name,
        kind=zone.kind.value,
        floor=zone.floor,
        parent=zone.parent,
        ring=_points(zone.ring),
        dwell_s=[float(step) for step in zone.rules.dwell_thresholds_s],
    )


def _points(line: Sequence[tuple[float, float]]) -> list[Point]:
    return [[float(x), float(y)] for x, y in line]
