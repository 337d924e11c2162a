"""Find the bays that face each other across one aisle, which coarse radio cannot tell apart.

Layer: rules. Takes: a `SiteMap` with shelves and what stands around them. Gives: pairs of shelves,
to be joined to zones of kind bay_pair by whoever writes the map's file.

A shelf's zone is the strip before its face, so it looks away from the furniture, or the wall, that
is next to it. Two shelves make a pair when they look at each other, stand side by side along the
aisle for most of the shorter one, and nothing stands between them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from rtls.model.errors import InvalidGeometry
from rtls.model.site_map import SiteMap, Zone, ZoneKind
from rtls.model.units import Metre, ZoneId

Floats = npt.NDArray[np.float64]
GAP_M_MAX: Final = Metre(3.0)
"""Between two strips; an aisle of 5.4 m then, wider than any between racks."""
GAP_M_LIMIT: Final = 20.0
OVERLAP_M: Final = 0.05
"""Strips of a narrow aisle may meet, and be drawn a little carelessly."""
FACE_M_MAX: Final = 3.0
"""Whatever stands farther from the middle of a strip than this is not what it lies before."""
OPPOSITE_COS_MAX: Final = -0.9
SHARE_MIN: Final = 0.5
IN_THE_WAY_M2_MAX: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class BayPair:
    """Two shelves of one parent that face each other."""

    shelves: tuple[ZoneId, ZoneId]
    """in the order of the map"""
    name: str
    gap_m: Metre
    """between their strips"""
    shared_m: Metre
    """how long they stand opposite each other"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Face:
    """A shelf with the direction that it looks in."""

    place: int
    zone: Zone
    polygon: shapely.Polygon
    corners: Floats
    look: Floats


def bay_pairs_of(site_map: SiteMap, *, gap_m_max: Metre = GAP_M_MAX) -> tuple[BayPair, ...]:
    """Return the pairs of a map, in the order of its shelves; a shelf is in one at most.

    Shelves that are in a pair already, or that stand next to nothing, are left out.

    Parameters
    ----------
    site_map
        With fixtures or walls, which say where the faces are.
    gap_m_max
        How far apart the strips of a pair may be.

    Raises
    ------
    InvalidGeometry
        If ``gap_m_max`` is not above 0 and at most `GAP_M_LIMIT`.
    """
    if not 0.0 < gap_m_max <= GAP_M_LIMIT:
        raise InvalidGeometry(
            f"gap_m_max is {gap_m_max}; expected above 0, up to {GAP_M_LIMIT:.0f} metres between "
            "the strips of two shelves."
        )
    bodies = {floor.floor: _bodies(site_map, floor.floor) for floor in site_map.floors}
    faces = list(_faces(site_map, bodies))
    found = [
        (pair, one.place, other.place)
        for one, other in _near_each_other(faces, float(gap_m_max))
        if (pair := _pair_of(one, other, float(gap_m_max), bodies[one.zone.floor])) is not None
    ]
    found.sort(key=lambda item: (-item[0].shared_m, item[0].gap_m, item[1], item[2]))
    taken: set[ZoneId] = set()
    chosen: list[tuple[int, BayPair]] = []
    for pair, place, _ in found:
        if taken.isdisjoint(pair.shelves):
            taken.update(pair.shelves)
            chosen.append((place, pair))
    return tuple(pair for _, pair in sorted(chosen, key=lambda item: item[0]))


def _bodies(site_map: SiteMap, floor: int) -> shapely.Geometry:
    """Return all that a shelf may stand at, and that may stand between two."""
    furniture = [shapely.Polygon(f.ring) for f in site_map.fixtures if f.floor == floor]
    walls = [shapely.LineString(w.line) for w in site_map.walls if w.floor == floor]
    return shapely.union_all([*furniture, *walls])


def _faces(site_map: SiteMap, bodies: dict[int, shapely.Geometry]) -> Iterator[_Face]:
    kinds = {zone.zone: zone.kind for zone in site_map.zones}
    for place, zone in enumerate(site_map.zones):
        is_paired = zone.parent is not None and kinds[zone.parent] is ZoneKind.BAY_PAIR
        if zone.kind is not ZoneKind.SHELF or is_paired or shapely.is_empty(bodies[zone.floor]):
            continue
        polygon = shapely.Polygon(zone.ring)
        line = shapely.shortest_line(bodies[zone.floor], polygon.centroid)
        (x0, y0), (x1, y1) = shapely.get_coordinates(line)
        away = np.array([x1 - x0, y1 - y0])
        length = float(np.hypot(*away))
        if 0.0 < length <= FACE_M_MAX:
            corners = np.array(zone.ring, np.float64)
            yield _Face(
                place=place, zone=zone, polygon=polygon, corners=corners, look=away / length
            )


def _near_each_other(faces: Sequence[_Face], reach_m: float) -> Iterator[tuple[_Face, _Face]]:
    """Yield shelves of one floor and parent with at most so much between them, each two once."""
    if not faces:
        return
    shapes = [face.polygon for face in faces]
    near = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=reach_m)
    for first, second in sorted(near.T.tolist()):
        one, other = faces[first], faces[second]
        same = (one.zone.floor, one.zone.parent) == (other.zone.floor, other.zone.parent)
        if first < second and same:
            yield one, other


def _pair_of(
    one: _Face, other: _Face, gap_m_max: float, bodies: shapely.Geometry
) -> BayPair | None:
    if float(one.look @ other.look) > OPPOSITE_COS_MAX:
        return None
    gap_m = float((other.corners @ one.look).min() - (one.corners @ one.look).max())
    if not -OVERLAP_M <= gap_m <= gap_m_max:
        return None
    along = np.array([-one.look[1], one.look[0]])
    mine, theirs = one.corners @ along, other.corners @ along
    shared_m = float(min(mine.max(), theirs.max()) - max(mine.min(), theirs.min()))
    if shared_m < SHARE_MIN * min(np.ptp(mine), np.ptp(theirs)):
        return None
    between = shapely.union(one.polygon, other.polygon).convex_hull
    if _is_in_the_way(bodies, between):
        return None
    return BayPair(
        shelves=(one.zone.zone, other.zone.zone),
        name=f"{one.zone.name} | {other.zone.name}",
        gap_m=Metre(max(gap_m, 0.0)),
        shared_m=Metre(shared_m),
    )


def _is_in_the_way(bodies: shapely.Geometry, between: shapely.Geometry) -> bool:
    """Tell whether furniture or a wall reaches well into the ground of a pair."""
    within = shapely.intersection(bodies, shapely.buffer(between, -OVERLAP_M))
    return bool(within.area > IN_THE_WAY_M2_MAX or within.length > 0.0)
