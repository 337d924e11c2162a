"""Refuse a site map that cannot work as geometry, before anything is built on it.

Layer: rules. Takes: a `SiteMap` whose nouns have checked themselves. Gives: nothing, or one error
that lists every fault with the feature, what is wrong with it and the remedy.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import shapely

from rtls.model.errors import InvalidSiteMap
from rtls.model.map_problem import MapProblem
from rtls.model.site_map import NESTING, Anchor, Fixture, Floor, SiteMap, Zone, ZoneKind
from rtls.model.units import ZoneId

AREA_M2_MIN: Final = 0.01
OVERLAP_M2_MAX: Final = 0.01
"""Neighbours may share an edge that was drawn a little carelessly."""
EDGE_M: Final = 0.05
"""How far a zone may stick out of its floor or its parent."""
ANCHOR_OUTSIDE_M_MAX: Final = 20.0
ANCHOR_APART_M_MIN: Final = 0.05
ANCHORS_MIN: Final = 3
FAULTS_SHOWN_MAX: Final = 20
PLACE: Final = re.compile(r"\[(-?[\d.e+-]+) (-?[\d.e+-]+)\]")
BAYS_A_PAIR: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shapes:
    """The map as shapely sees it; only of zones that are sound polygons."""

    floors: dict[int, shapely.Polygon]
    zones: dict[ZoneId, shapely.Polygon]


def check_site_map(site_map: SiteMap, *, source: str = "site map") -> None:
    """Refuse a map whose zones, fixtures or anchors cannot work.

    Parameters
    ----------
    site_map
        The map.
    source
        The file's name, for the message.

    Raises
    ------
    InvalidSiteMap
        If there is a fault; the message lists the first `FAULTS_SHOWN_MAX`.
    """
    faults = list(faults_of(site_map))
    if not faults:
        return
    shown = [str(fault) for fault in faults[:FAULTS_SHOWN_MAX]]
    if len(faults) > len(shown):
        shown.append(f"… and {len(faults) - len(shown)} more.")
    raise InvalidSiteMap("\n".join(f"{source}: {fault}" for fault in shown))


def faults_of(site_map: SiteMap) -> Iterator[MapProblem]:
    """Yield what is wrong with a map, each with the thing, the remedy and, where known, a place."""
    shapes = _Shapes(
        floors={f.floor: shapely.box(0.0, 0.0, f.width_m, f.height_m) for f in site_map.floors},
        zones={
            zone.zone: polygon
            for zone in site_map.zones
            if (polygon := shapely.Polygon(zone.ring)).is_valid and polygon.area >= AREA_M2_MIN
        },
    )
    for zone in site_map.zones:
        yield from _polygon_faults(f"zone {zone.zone}", zone.ring)
        yield from _place_faults(zone, site_map, shapes)
    for fixture in site_map.fixtures:
        yield from _polygon_faults(f"fixture {fixture.fixture}", fixture.ring)
    yield from _nesting_faults(site_map)
    yield from _floor_faults(site_map)
    yield from _overlap_faults(site_map, shapes)
    yield from _buried_faults(site_map, shapes)
    yield from _walkable_faults(site_map, shapes)
    yield from _anchor_faults(site_map)
    yield from _connector_faults(site_map, shapes)


def _polygon_faults(what: str, ring: tuple[tuple[float, float], ...]) -> Iterator[MapProblem]:
    polygon = shapely.Polygon(ring)
    if not polygon.is_valid:
        reason = shapely.is_valid_reason(polygon)
        yield MapProblem(
            what=what,
            message=f"the outline crosses or touches itself ({reason}).",
            remedy="Draw it in one round.",
            field="geometry",
            at=_place_in(reason),
        )
    elif polygon.area < AREA_M2_MIN:
        yield MapProblem(
            what=what,
            message=f"its area is {polygon.area:.4f} m²; expected {AREA_M2_MIN} or more.",
            remedy="Check that the corners are in metres and not on one line.",
            field="geometry",
        )


def _place_faults(zone: Zone, site_map: SiteMap, shapes: _Shapes) -> Iterator[MapProblem]:
    polygon = shapes.zones.get(zone.zone)
    if polygon is None:
        return
    if not shapes.floors[zone.floor].buffer(EDGE_M).covers(polygon):
        x0, y0, x1, y1 = polygon.bounds
        yield MapProblem(
            what=f"zone {zone.zone}",
            message=f"it reaches from ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}), outside of floor "
            f"{zone.floor}.",
            remedy="Move it, or correct the size of the floor.",
            field="geometry",
            at=_middle(polygon.difference(shapes.floors[zone.floor])),
        )
    if zone.parent is None:
        return
    parent = site_map.zones[site_map.zone_index[zone.parent]]
    if parent.floor != zone.floor:
        yield MapProblem(
            what=f"zone {zone.zone}",
            message=f"it is on floor {zone.floor}, its parent {parent.zone} on floor "
            f"{parent.floor}.",
            remedy="A zone lies within its parent: choose a parent on the same floor.",
            field="parent",
        )
    elif (outer := shapes.zones.get(parent.zone)) and not outer.buffer(EDGE_M).covers(polygon):
        beyond = polygon.difference(outer)
        yield MapProblem(
            what=f"zone {zone.zone}",
            message=f"{beyond.area:.2f} m² of it lie outside of its parent {parent.zone}.",
            remedy="Extend the parent, or name another one.",
            field="parent",
            at=_middle(beyond),
        )


def _nesting_faults(site_map: SiteMap) -> Iterator[MapProblem]:
    """Yield parents that are no coarser statement, to which their zones could not back off."""
    kinds = {zone.zone: zone.kind for zone in site_map.zones}
    rank = {kind: number for number, kind in enumerate(NESTING)}
    shelves: Counter[ZoneId] = Counter()
    for zone in site_map.zones:
        if zone.parent is None:
            continue
        above = kinds[zone.parent]
        shelves[zone.parent] += zone.kind is ZoneKind.SHELF
        if above not in rank or rank.get(zone.kind, 0) > rank[above]:
            yield MapProblem(
                what=f"zone {zone.zone}",
                message=f"it is of kind {zone.kind.value}, its parent {zone.parent} of kind "
                f"{above.value}.",
                remedy="Expected a parent as coarse or coarser in "
                f"{' < '.join(kind.value for kind in NESTING)}.",
                field="parent",
            )
    for pair, kind in kinds.items():
        if kind is ZoneKind.BAY_PAIR and shelves[pair] != BAYS_A_PAIR:
            yield MapProblem(
                what=f"zone {pair}",
                message=f"{shelves[pair]} shelves name this bay_pair as their parent; expected "
                f"{BAYS_A_PAIR}.",
                remedy="Name as its shelves the two that face each other over the aisle.",
                field="pair",
            )


def _floor_faults(site_map: SiteMap) -> Iterator[MapProblem]:
    known = {floor.floor for floor in site_map.floors}
    placed = [(f"fixture {fixture.fixture}", fixture.floor) for fixture in site_map.fixtures]
    placed += [(f"wall {number}", wall.floor) for number, wall in enumerate(site_map.walls)]
    placed += [(f"walkable {k}", ground.floor) for k, ground in enumerate(site_map.walkable)]
    for what, floor in placed:
        if floor not in known:
            yield MapProblem(
                what=what,
                message=f"floor {floor} is not among the floors {sorted(known)}.",
                remedy="Add the floor.",
                field="floor",
            )
    for number, wall in enumerate(site_map.walls):
        if len(wall.line) < 2:  # noqa: PLR2004  a line
            yield MapProblem(
                what=f"wall {number}",
                message=f"it has {len(wall.line)} point; expected a line of 2 or more.",
                remedy="Draw it on, or remove it.",
                field="geometry",
            )


def _overlap_faults(site_map: SiteMap, shapes: _Shapes) -> Iterator[MapProblem]:
    """Zones of one kind divide the floor between them; only ancestors may share it."""
    zones = [zone for zone in site_map.zones if zone.zone in shapes.zones]
    polygons = [shapes.zones[zone.zone] for zone in zones]
    above = {zone.zone: set(_ancestors(zone, site_map)) for zone in zones}
    if not polygons:  # shapely takes no empty list
        return
    pairs = shapely.STRtree(polygons).query(polygons, predicate="intersects").T
    for first, second in pairs.tolist():
        one, other = zones[first], zones[second]
        if first >= second or (one.kind, one.floor) != (other.kind, other.floor):
            continue
        if one.zone in above[other.zone] or other.zone in above[one.zone]:
            continue
        shared = polygons[first].intersection(polygons[second])
        if shared.area > OVERLAP_M2_MAX:
            yield MapProblem(
                what=f"zone {other.zone}",
                message=f"it shares {shared.area:.2f} m² with zone {one.zone} of the same kind "
                f"{one.kind.value}.",
                remedy="Draw them side by side, or make one the other's parent.",
                field="geometry",
                at=_middle(shared),
            )


def _ancestors(zone: Zone, site_map: SiteMap) -> Iterator[ZoneId]:
    index = site_map.zone_index
    above = zone.parent
    while above is not None:  # ends: SiteMap refuses a circle of parents
        yield above
        above = site_map.zones[index[above]].parent


def _buried_faults(site_map: SiteMap, shapes: _Shapes) -> Iterator[MapProblem]:
    """Nobody can stand in a zone that furniture fills."""
    fixtures = [fixture for fixture in site_map.fixtures if _is_sound(fixture)]
    tree = shapely.STRtree([shapely.Polygon(fixture.ring) for fixture in fixtures])
    for zone in site_map.zones:
        polygon = shapes.zones.get(zone.zone)
        if polygon is None:
            continue
        for number in tree.query(polygon, predicate="covered_by").tolist():
            if fixtures[number].floor == zone.floor:
                yield MapProblem(
                    what=f"zone {zone.zone}",
                    message=f"it lies wholly within fixture {fixtures[number].fixture}, where "
                    "nobody can stand.",
                    remedy="A shelf's zone is the strip in front of its face.",
                    field="geometry",
                )


def _walkable_faults(site_map: SiteMap, shapes: _Shapes) -> Iterator[MapProblem]:
    """Yield ground that is none, and zones that nobody could walk into."""
    grounds: dict[int, list[shapely.Polygon]] = {}
    for number, ground in enumerate(site_map.walkable):
        polygon = shapely.Polygon(ground.ring, ground.holes)
        if not polygon.is_valid or polygon.area < AREA_M2_MIN:
            reason = shapely.is_valid_reason(polygon)
            yield MapProblem(
                what=f"walkable {number}",
                message="the outline or a hole crosses or touches itself, or there is no ground "
                f"({reason}).",
                remedy="Draw it in one round, its holes within.",
                field="geometry",
                at=_place_in(reason),
            )
        elif ground.floor in shapes.floors:
            grounds.setdefault(ground.floor, []).append(polygon)
            if not shapes.floors[ground.floor].buffer(EDGE_M).covers(polygon):
                yield MapProblem(
                    what=f"walkable {number}",
                    message=f"it reaches outside of floor {ground.floor}.",
                    remedy="Move it, or correct the size of the floor.",
                    field="geometry",
                    at=_middle(polygon.difference(shapes.floors[ground.floor])),
                )
    for floor, polygons in grounds.items():
        yield from _unreachable(site_map, shapes, floor, shapely.union_all(polygons))


def _unreachable(
    site_map: SiteMap, shapes: _Shapes, floor: int, ground: shapely.Geometry
) -> Iterator[MapProblem]:
    for zone in site_map.zones:
        own = shapes.zones.get(zone.zone)
        if zone.floor != floor or own is None:
            continue
        if shapely.intersection(own, ground).area < AREA_M2_MIN:
            yield MapProblem(
                what=f"zone {zone.zone}",
                message="none of it is walkable, so nobody could ever be in it.",
                remedy="Extend the walkable ground of its floor, or leave that out.",
                field="geometry",
            )


def _connector_faults(site_map: SiteMap, shapes: _Shapes) -> Iterator[MapProblem]:
    """Yield stops that nobody could get to."""
    for connector in site_map.connectors:
        for stop in connector.stops:
            point = shapely.Point(stop.x_m, stop.y_m)
            if not shapes.floors[stop.floor].buffer(EDGE_M).covers(point):
                yield MapProblem(
                    what=f"connector {connector.connector}",
                    message=f"its stop ({stop.x_m:g}, {stop.y_m:g}) is outside of floor "
                    f"{stop.floor}.",
                    remedy="Give its place in metres of that floor's frame, where people get on "
                    "and off.",
                    floor=stop.floor,
                    at=(stop.x_m, stop.y_m),
                    field="stops",
                )


def _is_sound(fixture: Fixture) -> bool:
    return bool(shapely.Polygon(fixture.ring).is_valid)


def _anchor_faults(site_map: SiteMap) -> Iterator[MapProblem]:
    floors = {floor.floor: floor for floor in site_map.floors}
    for floor in sorted({zone.floor for zone in site_map.zones}):
        count = sum(anchor.floor == floor for anchor in site_map.anchors)
        if count < ANCHORS_MIN:
            yield MapProblem(
                what=f"floor {floor}",
                message=f"it has zones but {count} anchors; expected {ANCHORS_MIN} or more, since "
                "fewer cannot tell a place.",
                remedy="Add anchors, or remove its zones.",
                floor=floor,
            )
    for anchor in site_map.anchors:
        if _metres_outside(anchor, floors[anchor.floor]) > ANCHOR_OUTSIDE_M_MAX:
            yield MapProblem(
                what=f"anchor {anchor.anchor}",
                message=f"({anchor.x_m:g}, {anchor.y_m:g}) is more than {ANCHOR_OUTSIDE_M_MAX:g} m "
                f"outside of floor {anchor.floor}.",
                remedy="Give its place in metres of the floor's frame.",
                field="geometry",
            )
    yield from _same_place_faults(site_map.anchors)


def _metres_outside(anchor: Anchor, floor: Floor) -> float:
    across = max(-anchor.x_m, anchor.x_m - floor.width_m, 0.0)
    up = max(-anchor.y_m, anchor.y_m - floor.height_m, 0.0)
    return float(max(across, up))


def _same_place_faults(anchors: tuple[Anchor, ...]) -> Iterator[MapProblem]:
    seen: dict[tuple[str, int, int, int, int], Anchor] = {}
    for anchor in anchors:
        place = [round(c / ANCHOR_APART_M_MIN) for c in (anchor.x_m, anchor.y_m, anchor.z_m)]
        key = (anchor.radio.value, anchor.floor, place[0], place[1], place[2])
        twin = seen.setdefault(key, anchor)
        if twin is not anchor:
            yield MapProblem(
                what=f"anchor {anchor.anchor}",
                message=f"it is at the place of anchor {twin.anchor}, ({anchor.x_m:g}, "
                f"{anchor.y_m:g}, {anchor.z_m:g}).",
                remedy="Measure where it hangs.",
                field="geometry",
            )


def _middle(shape: shapely.Geometry) -> tuple[float, float] | None:
    """Return a place within a shape; None of one without extent."""
    if shapely.is_empty(shape):
        return None
    (x, y), *_ = shapely.get_coordinates(shapely.point_on_surface(shape)).round(3).tolist()
    return x, y


def _place_in(reason: str) -> tuple[float, float] | None:
    """Return the place that shapely names at the end of a reason: ``Self-intersection[5 5]``."""
    found = PLACE.search(reason)
    return None if found is None else (float(found[1]), float(found[2]))
