"""List everything that is wrong with a site map that is being drawn, each with its place.

Layer: rules. Takes: a document as the floor plan edits it. Gives: `MapProblem`s to the draft of the
map; none means that `parse_site_map` and `check_site_map` take it. These two stop at the first
fault, as somebody who loads a map must; here what is faulty is noted and left out, and the rest is
looked at further.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, TypeGuard, TypeVar, assert_never

from rtls.geofence.site_map_check import faults_of
from rtls.model.connector import Connector
from rtls.model.errors import InvalidSiteMap
from rtls.model.map_problem import MapProblem, problem_in_words
from rtls.model.site_map import (
    CONNECTORS_MAX,
    Anchor,
    Fixture,
    Floor,
    SiteMap,
    Walkable,
    Wall,
    Zone,
    check_id,
    check_parents,
)
from rtls.model.site_map_geojson import (
    BayPair,
    floors_in,
    join_pair,
    read_feature,
    read_floor,
    read_head,
    read_text,
)
from rtls.model.units import SiteId, ZoneId

Json = Mapping[str, object]
Point = tuple[float, float]
Noun = Zone | BayPair | Wall | Fixture | Walkable | Anchor | Connector
Kind = TypeVar("Kind", Zone, BayPair, Wall, Fixture, Walkable, Anchor, Connector)
UNNAMED: Final = "unnamed"
NAMES: Final = (("site", None), ("name", None), ("time_zone", "Europe/Berlin"))
POINTS_LOOKED_AT: Final = 1_000
PROBLEMS_MAX: Final = 200
"""Nobody corrects more at a sitting, and each takes room in an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """Where a thing of the map lies."""

    feature: str | None
    floor: int | None = None
    at: Point | None = None


@dataclass(slots=True, kw_only=True)
class _Sorted:
    """What of a document can be read, and what is wrong with the rest."""

    problems: list[MapProblem] = field(default_factory=list)
    floors: dict[int, Floor] = field(default_factory=dict)
    nouns: list[Noun] = field(default_factory=list)
    spots: dict[str, _Spot] = field(default_factory=dict)
    """by what a problem calls the thing"""

    def of(self, kind: type[Kind]) -> tuple[Kind, ...]:
        """Return the nouns of a kind, in the order of the document."""
        return tuple(noun for noun in self.nouns if isinstance(noun, kind))

    def note(self, error: InvalidSiteMap, what: str, spot: _Spot | None = None) -> None:
        """Take down what an error says of a thing."""
        text = str(error)
        while text.startswith((f"{what}: ", f"feature {what.partition(' ')[2]}: ")):
            text = text.partition(": ")[2]
        self.add(replace(problem_in_words(text, what=what), feature=None), spot)

    def add(self, problem: MapProblem, spot: _Spot | None = None) -> None:
        """Take down a problem, with the place of its thing where it has none of its own."""
        found = spot or self.spots.get(problem.what) or _Spot(feature=None)
        self.problems.append(
            replace(
                problem,
                feature=problem.feature or found.feature,
                floor=found.floor if problem.floor is None else problem.floor,
                at=problem.at or found.at,
            )
        )


def problems_of(document: Json) -> tuple[MapProblem, ...]:
    """Return what stands against a map, up to `PROBLEMS_MAX`.

    A document that cannot be read as a map at all is refused with `InvalidSiteMap`.
    """
    found = _Sorted()
    site_map = _map_of(document, found)
    if site_map is not None:
        for fault in islice(faults_of(site_map), PROBLEMS_MAX):
            found.add(fault)
    return tuple(found.problems[:PROBLEMS_MAX])


def readable_part(document: Json) -> SiteMap:
    """Return the map of all that can be read, for who looks at anchors while a zone is half drawn.

    Raises
    ------
    InvalidSiteMap
        If nothing can be, or there is no floor.
    """
    found = _Sorted()
    site_map = _map_of(document, found)
    if site_map is None:
        raise InvalidSiteMap(str(found.problems[0]))
    return site_map


def _map_of(document: Json, found: _Sorted) -> SiteMap | None:
    head, features = read_head(document)
    _read_floors(head, found)
    for position, feature in enumerate(features):
        _read(feature, position, found)
    return _assembled(head, found)


def _read_floors(head: Json, found: _Sorted) -> None:
    try:
        given = floors_in(head)
    except InvalidSiteMap as error:
        found.note(error, "")
        return
    for position, floor in enumerate(given):
        try:
            read = read_floor(floor)
        except InvalidSiteMap as error:
            found.note(error, f"floor number {position}")
            continue
        if read.floor in found.floors:
            twice = f"floor {read.floor} is defined twice; rename or remove one."
            found.note(InvalidSiteMap(twice), f"floor {read.floor}")
            continue
        found.floors[read.floor] = read


def _read(feature: object, position: int, found: _Sorted) -> None:
    """Sort one feature in, or note why it cannot be."""
    spot = _spot_of(feature)
    name = f"number {position}" if spot.feature is None else spot.feature
    try:
        _, noun = read_feature(feature, position)
    except InvalidSiteMap as error:
        found.note(error, f"feature {name}", spot)
        return
    assert isinstance(noun, Noun)  # the readers give no others
    what, floors = _called(noun, found)
    for floor in floors:
        if floor not in found.floors:
            known = sorted(found.floors)
            found.add(
                MapProblem(
                    what=what,
                    message=f"floor {floor} is not among the floors {known}.",
                    remedy="Add the floor, or move it to another one.",
                    field="floor",
                ),
                spot,
            )
            return
    if what in found.spots and not isinstance(noun, Fixture):
        found.add(
            MapProblem(
                what=what,
                message=f"{what} is defined twice.",
                remedy="Rename or remove one.",
                field="id",
            ),
            spot,
        )
        return
    found.nouns.append(noun)
    found.spots[what] = spot


def _called(noun: Noun, found: _Sorted) -> tuple[str, tuple[int, ...]]:
    """Return what problems call a thing, and the floors that must be there for it."""
    floors: tuple[int, ...] = ()
    match noun:
        case Zone():
            what, floors = f"zone {noun.zone}", (noun.floor,)
        case BayPair():
            what = f"zone {noun.zone}"
        case Anchor():
            what, floors = f"anchor {noun.anchor}", (noun.floor,)
        case Connector():
            what, floors = f"connector {noun.connector}", tuple(at.floor for at in noun.stops)
        case Fixture():
            what, floors = f"fixture {noun.fixture}", (noun.floor,)
        case Wall():
            what, floors = f"wall {len(found.of(Wall))}", (noun.floor,)
        case Walkable():
            what, floors = f"walkable {len(found.of(Walkable))}", (noun.floor,)
        case _:
            assert_never(noun)
    return what, floors


def _spot_of(feature: object) -> _Spot:
    """Return where a feature lies, as far as that can be told of one that is faulty."""
    if not isinstance(feature, Mapping):
        return _Spot(feature=None)
    name, properties = feature.get("id"), feature.get("properties")
    floor = properties.get("floor", 0) if isinstance(properties, Mapping) else None
    geometry = feature.get("geometry")
    points = list(islice(_points(geometry), POINTS_LOOKED_AT))
    middle = [round(sum(axis) / len(points), 3) for axis in zip(*points, strict=True)]
    return _Spot(
        feature=None if name is None else str(name)[:200],
        floor=floor if isinstance(floor, int) else None,
        at=(middle[0], middle[1]) if points else None,
    )


def _points(geometry: object) -> Iterator[Point]:
    """Yield the corners of a geometry, none of them twice."""
    if not isinstance(geometry, Mapping):
        return
    given = geometry.get("coordinates")
    rows = given[0] if geometry.get("type") == "Polygon" and _has_some(given) else given
    rows = [given] if geometry.get("type") == "Point" else rows
    if not isinstance(rows, Sequence):
        return
    is_closed = len(rows) > 1 and rows[0] == rows[-1]
    for row in rows[: -1 if is_closed else None]:
        x, y = row[:2] if _has_some(row) and len(row) > 1 else (None, None)
        if _is_finite(x) and _is_finite(y):
            yield x, y


def _has_some(given: object) -> TypeGuard[Sequence[object]]:
    return isinstance(given, list | tuple) and len(given) > 0


def _is_finite(given: object) -> TypeGuard[float]:
    return isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)


def _zones(found: _Sorted) -> dict[ZoneId, Zone]:
    """Return the zones with the pairs around theirs and with parents that can be followed."""
    zones = {zone.zone: zone for zone in found.of(Zone)}
    for pair in found.of(BayPair):
        try:
            zones |= {zone.zone: zone for zone in join_pair(pair, zones)}
        except InvalidSiteMap as error:
            found.note(error, f"zone {pair.zone}")
    for zone in tuple(zones):
        try:
            check_parents(zone, {name: one.parent for name, one in zones.items()})
        except InvalidSiteMap as error:
            found.note(error, f"zone {zone}")
            zones[zone] = replace(zones[zone], parent=None)
    return zones


def _assembled(head: Json, found: _Sorted) -> SiteMap | None:
    """Return the map of what can be read; None where there is no floor to look at."""
    names = [_name(head, member, default, found) for member, default in NAMES]
    if not found.floors:
        if not found.problems:
            found.add(MapProblem(message="There is no floor.", remedy="Add a floor with its size."))
        return None
    connectors = found.of(Connector)
    if len(connectors) > CONNECTORS_MAX:
        found.add(
            MapProblem(
                message=f"{len(connectors)} connectors; expected at most {CONNECTORS_MAX}.",
                remedy="Draw those that shoppers use.",
            )
        )
    try:
        check_id("site", names[0])
    except InvalidSiteMap as error:
        found.note(error, "")
        names[0] = UNNAMED
    try:
        return SiteMap(
            site=SiteId(names[0]),
            name=names[1],
            floors=tuple(found.floors.values()),
            zones=tuple(_zones(found).values()),
            anchors=found.of(Anchor),
            walls=found.of(Wall),
            fixtures=found.of(Fixture),
            walkable=found.of(Walkable),
            connectors=connectors[:CONNECTORS_MAX],
            time_zone=names[2],
        )
    except InvalidSiteMap as error:  # what is only seen when all is together
        found.note(error, "")
        return None


def _name(head: Json, member: str, default: str | None, found: _Sorted) -> str:
    try:
        return read_text(head, member, default)
    except InvalidSiteMap as error:
        found.note(error, "")
        return UNNAMED
