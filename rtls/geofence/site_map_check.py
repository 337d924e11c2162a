"""Refuse a site map that cannot work as geometry, before anything is built on it.

Layer: rules. Takes: a `SiteMap` whose nouns have checked themselves. Gives: nothing, or one error
that lists every fault with the feature, what is wrong with it and the remedy.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import shapely

from rtls.model.errors import InvalidSiteMap
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
    shown = faults[:FAULTS_SHOWN_MAX]
    if len(faults) > len(shown):
        shown.append(f"… and {len(faults) - len(shown)} more.")
    raise InvalidSiteMap("\n".join(f"{source}: {fault}" for fault in shown))


def faults_of(site_map: SiteMap) -> Iterator[str]:
    """Yield what is wrong with a map, each with feature and remedy."""
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


def _polygon_faults(what: str, ring: tuple[tuple[float, float], ...]) -> Iterator[str]:
    polygon = shapely.Polygon(ring)
    if not polygon.is_valid:
        reason = shapely.is_valid_reason(polygon)
        yield f"{what}: the outline crosses or touches itself ({reason}). Draw it in one round."
    elif polygon.area < AREA_M2_MIN:
        yield (
            f"{what}: its area is {polygon.area:.4f} m²; expected {AREA_M2_MIN} or more. Check "
            "that the corners are in metres and not on one line."
        )


def _place_faults(zone: Zone, site_map: SiteMap, shapes: _Shapes) -> Iterator[str]:
    polygon = shapes.zones.get(zone.zone)
    if polygon is None:
        return
    if not shapes.floors[zone.floor].buffer(EDGE_M).covers(polygon):
        x0, y0, x1, y1 = polygon.bounds
        yield (
            f"zone {zone.zone}: it reaches from ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}), outside of "
            f"floor {zone.floor}. Move it, or correct the size of the floor."
        )
    if zone.parent is None:
        return
    parent = site_map.zones[site_map.zone_index[zone.parent]]
    if parent.floor != zone.floor:
        yield (
            f"zone {zone.zone}: it is on floor {zone.floor}, its parent {parent.zone} on floor "
            f"{parent.floor}. A zone lies within its parent: choose a parent on the same floor."
        )
    elif (outer := shapes.zones.get(parent.zone)) and not outer.buffer(EDGE_M).covers(polygon):
        yield (
            f"zone {zone.zone}: {polygon.difference(outer).area:.2f} m² of it lie outside of its "
            f"parent {parent.zone}. Extend the parent, or name another one."
        )


def _nesting_faults(site_map: SiteMap) -> Iterator[str]:
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
            yield (
                f"zone {zone.zone}: it is of kind {zone.kind.value}, its parent {zone.parent} of "
                f"kind {above.value}. Expected a parent as coarse or coarser in "
                f"{' < '.join(kind.value for kind in NESTING)}."
            )
    for pair, kind in kinds.items():
        if kind is ZoneKind.BAY_PAIR and shelves[pair] != BAYS_A_PAIR:
            yield (
                f"zone {pair}: {shelves[pair]} shelves name this bay_pair as their parent; "
                f"expected {BAYS_A_PAIR}, the two that face each other over the aisle."
            )


def _floor_faults(site_map: SiteMap) -> Iterator[str]:
    known = {floor.floor for floor in site_map.floors}
    placed = [(f"fixture {fixture.fixture}", fixture.floor) for fixture in site_map.fixtures]
    placed += [(f"wall {number}", wall.floor) for number, wall in enumerate(site_map.walls)]
    placed += [(f"walkable {k}", ground.floor) for k, ground in enumerate(site_map.walkable)]
    for what, floor in placed:
        if floor not in known:
            yield f"{what}: floor {floor} is not among the floors {sorted(known)}. Add the floor."
    for number, wall in enumerate(site_map.walls):
        if len(wall.line) < 2:  # noqa: PLR2004  a line
            yield f"wall {number}: it has {len(wall.line)} point; expected a line of 2 or more."


def _overlap_faults(site_map: SiteMap, shapes: _Shapes) -> Iterator[str]:
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
        shared = polygons[first].intersection(polygons[second]).area
        if shared > OVERLAP_M2_MAX:
            yield (
                f"zone {other.zone}: it shares {shared:.2f} m² with zone {one.zone} of the same "
                f"kind {one.kind.value}. Draw them side by side, or make one the other's parent."
            )


def _ancestors(zone: Zone, site_map: SiteMap) -> Iterator[ZoneId]:
    index = site_map.zone_index
    above = zone.parent
    while above is not None:  # ends: SiteMap refuses a circle of parents
        yield above
        above = site_map.zones[index[above]].parent


def _buried_faults(site_map: SiteMap, shapes: _Shapes) -> Iterator[str]:
    """Nobody can stand in a zone that furniture fills."""
    fixtures = [fixture for fixture in site_map.fixtures if _is_sound(fixture)]
    tree = shapely.STRtree([shapely.Polygon(fixture.ring) for fixture in fixtures])
    for zone in site_map.zones:
        polygon = shapes.zones.get(zone.zone)
        if polygon is None:
            continue
        for number in tree.query(polygon, predicate="covered_by").tolist():
            if fixtures[number].floor == zone.floor:
                yield (
                    f"zone {zone.zone}: it lies wholly within fixture {fixtures[number].fixture}, "
                    "where nobody can stand. A shelf's zone is the strip in front of its face."
                )


def _walkable_faults(site_map: SiteMap, shapes: _Shapes) -> Iterator[str]:
    """Yield ground that is none, and zones that nobody could walk into."""
    grounds: dict[int, list[shapely.Polygon]] = {}
    for number, ground in enumerate(site_map.walkable):
        polygon = shapely.Polygon(ground.ring, ground.holes)
        if not polygon.is_valid or polygon.area < AREA_M2_MIN:
            yield (
                f"walkable {number}: the outline or a hole crosses or touches itself, or there is "
                f"no ground ({shapely.is_valid_reason(polygon)}). Draw it in one round, its holes "
                "within."
            )
        elif ground.floor in shapes.floors:
            grounds.setdefault(ground.floor, []).append(polygon)
            if not shapes.floors[ground.floor].buffer(EDGE_M).covers(polygon):
                yield (
                    f"walkable {number}: it reaches outside of floor {ground.floor}. Move it, or "
                    "correct the size of the floor."
                )
    for floor, polygons in grounds.items():
        yield from _unreachable(site_map, shapes, floor, shapely.union_all(polygons))


def _unreachable(
    site_map: SiteMap, shapes: _Shapes, floor: int, ground: shapely.Geometry
) -> Iterator[str]:
    for zone in site_map.zones:
        own = shapes.zones.get(zone.zone)
        if zone.floor != floor or own is None:
            continue
        if shapely.intersection(own, ground).area < AREA_M2_MIN:
            yield (
                f"zone {zone.zone}: none of it is walkable, so nobody could ever be in it. "
                "Extend the walkable ground of its floor, or leave that out."
            )


def _connector_faults(site_map: SiteMap, shapes: _Shapes) -> Iterator[str]:
    """Yield stops that nobody could get to."""
    for connector in site_map.connectors:
        for stop in connector.stops:
            point = shapely.Point(stop.x_m, stop.y_m)
            if not shapes.floors[stop.floor].buffer(EDGE_M).covers(point):
                yield (
                    f"connector {connector.connector}: its stop ({stop.x_m:g}, {stop.y_m:g}) is "
                    f"outside of floor {stop.floor}. Give its place in metres of that floor's "
                    "frame, where people get on and off."
                )


def _is_sound(fixture: Fixture) -> bool:
    return bool(shapely.Polygon(fixture.ring).is_valid)


def _anchor_faults(site_map: SiteMap) -> Iterator[str]:
    floors = {floor.floor: floor for floor in site_map.floors}
    for floor in sorted({zone.floor for zone in site_map.zones}):
        count = sum(anchor.floor == floor for anchor in site_map.anchors)
        if count < ANCHORS_MIN:
            yield (
                f"floor {floor}: it has zones but {count} anchors; expected {ANCHORS_MIN} or more, "
                "since fewer cannot tell a place. Add anchors, or remove its zones."
            )
    for anchor in site_map.anchors:
        if _metres_outside(anchor, floors[anchor.floor]) > ANCHOR_OUTSIDE_M_MAX:
            yield (
                f"anchor {anchor.anchor}: ({anchor.x_m:g}, {anchor.y_m:g}) is more than "
                f"{ANCHOR_OUTSIDE_M_MAX:g} m outside of floor {anchor.floor}. Give its place in "
                "metres of the floor's frame."
            )
    yield from _same_place_faults(site_map.anchors)


def _metres_outside(anchor: Anchor, floor: Floor) -> float:
    across = max(-anchor.x_m, anchor.x_m - floor.width_m, 0.0)
    up = max(-anchor.y_m, anchor.y_m - floor.height_m, 0.0)
    return float(max(across, up))


def _same_place_faults(anchors: tuple[Anchor, ...]) -> Iterator[str]:
    seen: dict[tuple[str, int, int, int, int], Anchor] = {}
    for anchor in anchors:
        place = [round(c / ANCHOR_APART_M_MIN) for c in (anchor.x_m, anchor.y_m, anchor.z_m)]
        key = (anchor.radio.value, anchor.floor, place[0], place[1], place[2])
        twin = seen.setdefault(key, anchor)
        if twin is not anchor:
            yield (
                f"anchor {anchor.anchor}: it is at the place of anchor {twin.anchor}, "
                f"({anchor.x_m:g}, {anchor.y_m:g}, {anchor.z_m:g}). Measure where it hangs."
            )
