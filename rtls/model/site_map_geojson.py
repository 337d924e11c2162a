"""Read a site map from GeoJSON in local metres.

Layer: nouns. Takes: the bytes of a map file. Gives: a `SiteMap`, or an error with file, feature and
remedy. The file is GeoJSON in shape, but its coordinates are metres in the frame of the floor; the
member ``inaisle`` says so, since RFC 7946 knows longitude and latitude only.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from rtls.model.connector import Connector, ConnectorDirection, ConnectorKind
from rtls.model.errors import InvalidSiteMap
from rtls.model.place import Place
from rtls.model.site_map import (
    Anchor,
    DwellRules,
    Fixture,
    Floor,
    Radio,
    Ring,
    SiteMap,
    Walkable,
    Wall,
    Zone,
    ZoneKind,
)
from rtls.model.units import AnchorId, Dbm, GatewayId, Metre, SiteId, ZoneId
from rtls.model.zone_outline import FAR_M, NEAR_M, hull_around, strip_before
from rtls.model.zone_rules_json import parse_rules

Json = Mapping[str, object]
Choice = TypeVar("Choice", ZoneKind, Radio, ConnectorKind, ConnectorDirection)
FEATURES_MAX = 50_000


def parse_site_map(content: bytes, *, source: str) -> SiteMap:
    """Read a site map.

    Parameters
    ----------
    content
        The bytes of the file, UTF-8 JSON.
    source
        The file's name, for error messages.

    Raises
    ------
    InvalidSiteMap
        If the file cannot be read or the map cannot work; names file, feature and remedy.
    """
    try:
        document = _object(json.loads(content), "the file")
    except (ValueError, RecursionError) as error:
        raise InvalidSiteMap(f"{source}: not a JSON object ({error}).") from error
    try:
        return _site_map(document)
    except InvalidSiteMap as error:
        raise InvalidSiteMap(f"{source}: {error}") from error


def read_head(document: Json) -> tuple[Json, Sequence[object]]:
    """Return the member ``inaisle`` and the features of a document that can be read at all.

    Raises
    ------
    InvalidSiteMap
        If it is no map of ours, or has too many features.
    """
    head = _object(document.get("inaisle"), "member 'inaisle'")
    if head.get("version") != 1 or head.get("crs") != "local":
        raise InvalidSiteMap(
            f"inaisle.version is {head.get('version')!r} and crs {head.get('crs')!r}; expected 1 "
            "and 'local' (coordinates in metres of the floor's frame)."
        )
    features = _list(document.get("features"), "member 'features'")
    if len(features) > FEATURES_MAX:
        raise InvalidSiteMap(f"{len(features)} features; expected at most {FEATURES_MAX}.")
    return head, features


def _site_map(document: Json) -> SiteMap:
    head, features = read_head(document)
    found: dict[str, list[object]] = {kind: [] for kind in _READERS}
    for position, feature in enumerate(features):
        kind, noun = read_feature(feature, position)
        found[kind].append(noun)
    return SiteMap(
        site=SiteId(read_text(head, "site")),
        name=read_text(head, "name"),
        floors=tuple(read_floor(floor) for floor in floors_in(head)),
        zones=_zones(found["zone"]),
        anchors=tuple(a for a in found["anchor"] if isinstance(a, Anchor)),
        walls=tuple(w for w in found["wall"] if isinstance(w, Wall)),
        fixtures=tuple(f for f in found["fixture"] if isinstance(f, Fixture)),
        walkable=tuple(w for w in found["walkable"] if isinstance(w, Walkable)),
        connectors=tuple(c for c in found["connector"] if isinstance(c, Connector)),
        time_zone=read_text(head, "time_zone", "Europe/Berlin"),
    )


def read_feature(given: object, position: int) -> tuple[str, object]:
    """Return a feature's kind, and the feature as a noun: `Zone`, `BayPair`, `Wall` and so on.

    Parameters
    ----------
    given
        The feature as the file has it.
    position
        Its place in the file, which names it where it has no id.

    Raises
    ------
    InvalidSiteMap
        If it cannot be read; names the feature.
    """
    feature = _object(given, f"feature {position}")
    name = feature.get("id", f"number {position}")
    try:
        properties = _object(feature.get("properties"), "properties")
        kind = read_text(properties, "kind")
        # A pair lies around its shelves, a connector on several floors at once.
        has_none = kind == "connector" or (kind == "zone" and "pair" in properties)
        geometry = {} if has_none else _object(feature.get("geometry"), "geometry")
        if kind not in _READERS:
            raise InvalidSiteMap(f"kind is {kind!r}; expected one of {sorted(_READERS)}.")
        return kind, _READERS[kind](str(name), properties, geometry)
    except InvalidSiteMap as error:
        raise InvalidSiteMap(f"feature {name}: {error}") from error


def _zone(name: str, properties: Json, geometry: Json) -> "Zone | BayPair":
    if "pair" in properties:
        return _pair(name, properties)
    parent = properties.get("parent")
    return Zone(
        zone=ZoneId(name),
        name=read_text(properties, "name", name),
        kind=_choice(ZoneKind, properties, "zone_kind"),
        floor=int(_number(properties, "floor", 0)),
        ring=_strip(properties, geometry)
        if geometry.get("type") == "LineString"
        else _polygon(geometry),
        parent=None if parent is None else ZoneId(str(parent)),
        rules=parse_rules(_object(properties.get("rules", {}), "rules")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BayPair:
    """A pair of bays before its two shelves are known."""

    zone: ZoneId
    name: str
    shelves: tuple[ZoneId, ZoneId]
    rules: DwellRules


def _pair(name: str, properties: Json) -> BayPair:
    if _choice(ZoneKind, properties, "zone_kind") is not ZoneKind.BAY_PAIR:
        raise InvalidSiteMap(
            f"zone_kind is {properties.get('zone_kind')!r}; expected bay_pair, since it has a pair."
        )
    shelves = [ZoneId(str(shelf)) for shelf in _list(properties["pair"], "pair")]
    if len(shelves) != 2 or shelves[0] == shelves[1]:
        raise InvalidSiteMap(f"pair is {shelves}; expected the ids of two shelves.")
    return BayPair(
        zone=ZoneId(name),
        name=read_text(properties, "name", name),
        shelves=(shelves[0], shelves[1]),
        rules=parse_rules(_object(properties.get("rules", {}), "rules")),
    )


def _zones(found: Sequence[object]) -> tuple[Zone, ...]:
    """Return the zones, with a zone around each pair of shelves as their parent."""
    zones = {zone.zone: zone for zone in found if isinstance(zone, Zone)}
    if len(zones) < sum(isinstance(zone, Zone) for zone in found):
        return tuple(zone for zone in found if isinstance(zone, Zone))  # refused by SiteMap
    for pair in found:
        if isinstance(pair, BayPair):
            zones |= {zone.zone: zone for zone in join_pair(pair, zones)}
    return tuple(zones.values())


def join_pair(pair: BayPair, zones: Mapping[ZoneId, Zone]) -> Iterator[Zone]:
    """Yield the zone around a pair, and its two shelves with the pair as their parent.

    Raises
    ------
    InvalidSiteMap
        If these are not two shelves beside each other in the same zone.
    """
    shelves = [zones[shelf] for shelf in pair.shelves if shelf in zones]
    places = {(shelf.kind, shelf.floor, shelf.parent) for shelf in shelves}
    if pair.zone in zones or len(shelves) != 2 or len(places) != 1:
        raise InvalidSiteMap(
            f"feature {pair.zone}: pair is {list(pair.shelves)}; expected two zones of this map on "
            "one floor, with one parent, and an id of its own."
        )
    kind, floor, parent = places.pop()
    if kind is not ZoneKind.SHELF:
        raise InvalidSiteMap(f"feature {pair.zone}: pair is of kind {kind}; expected shelves.")
    yield Zone(
        zone=pair.zone,
        name=pair.name,
        kind=ZoneKind.BAY_PAIR,
        floor=floor,
        ring=hull_around(point for shelf in shelves for point in shelf.ring),
        parent=parent,
        rules=pair.rules,
    )
    yield from (replace(shelf, parent=pair.zone) for shelf in shelves)


def _strip(properties: Json, geometry: Json) -> Ring:
    return strip_before(
        _line(geometry),
        near_m=_number(properties, "near_m", NEAR_M),
        far_m=_number(properties, "far_m", FAR_M),
    )


def _wall(_name: str, properties: Json, geometry: Json) -> Wall:
    return Wall(floor=int(_number(properties, "floor", 0)), line=_line(geometry))


def _fixture(name: str, properties: Json, geometry: Json) -> Fixture:
    floor = int(_number(properties, "floor", 0))
    return Fixture(fixture=name, floor=floor, ring=_polygon(geometry))


def _walkable(_name: str, properties: Json, geometry: Json) -> Walkable:
    ring, *holes = _rings(geometry)
    return Walkable(floor=int(_number(properties, "floor", 0)), ring=ring, holes=tuple(holes))


def _anchor(name: str, properties: Json, geometry: Json) -> Anchor:
    if geometry.get("type") != "Point":
        raise InvalidSiteMap(f"geometry is {geometry.get('type')!r}; expected Point [x, y, z].")
    place = _list(geometry.get("coordinates"), "coordinates")
    if len(place) != 3:
        raise InvalidSiteMap(
            f"the point has {len(place)} coordinates; expected [x, y, z] in metres."
        )
    x_m, y_m, z_m = (Metre(_finite(c, "coordinates")) for c in place)
    gateway = properties.get("gateway")
    return Anchor(
        anchor=AnchorId(name),
        radio=_choice(Radio, properties, "radio"),
        floor=int(_number(properties, "floor", 0)),
        x_m=x_m,
        y_m=y_m,
        z_m=z_m,
        gateway=None if gateway is None else GatewayId(str(gateway)),
        rssi_at_1m=Dbm(_number(properties, "rssi_at_1m", -61.0)),
        exponent=_number(properties, "exponent", 2.0),
        range_bias_m=Metre(_number(properties, "range_bias_m", 0.0)),
        range_slope=_number(properties, "range_slope", 0.0),
        yaw_deg=_number(properties, "yaw_deg", 0.0),
    )


def _connector(name: str, properties: Json, _geometry: Json) -> Connector:
    stops = (_stop(_object(stop, "stop")) for stop in _list(properties.get("stops"), "stops"))
    has_direction = "direction" in properties
    return Connector(
        connector=name,
        name=read_text(properties, "name", name),
        kind=_choice(ConnectorKind, properties, "connector_kind"),
        stops=tuple(sorted(stops, key=lambda stop: stop.floor)),
        direction=_choice(ConnectorDirection, properties, "direction")
        if has_direction
        else ConnectorDirection.BOTH,
    )


def _stop(given: Json) -> Place:
    at = _list(given.get("at"), "at")
    if len(at) != 2:
        raise InvalidSiteMap(f"at has {len(at)} coordinates; expected [x, y] in metres.")
    x_m, y_m = (Metre(_finite(c, "at")) for c in at)
    return Place(floor=int(_number(given, "floor")), x_m=x_m, y_m=y_m)


_READERS: dict[str, Callable[[str, Json, Json], object]] = {
    "zone": _zone,
    "wall": _wall,
    "fixture": _fixture,
    "walkable": _walkable,
    "anchor": _anchor,
    "connector": _connector,
}


def floors_in(head: Json) -> Sequence[object]:
    """Return the floors as the file has them; `InvalidSiteMap` if they are no list."""
    return _list(head.get("floors"), "inaisle.floors")


def read_floor(floor: object) -> Floor:
    """Return a floor; `InvalidSiteMap` names what of it cannot be read."""
    given = _object(floor, "floor")
    return Floor(
        floor=int(_number(given, "floor")),
        name=read_text(given, "name"),
        width_m=Metre(_number(given, "width_m")),
        height_m=Metre(_number(given, "height_m")),
    )


def _polygon(geometry: Json) -> Ring:
    rings = _rings(geometry)
    if len(rings) != 1:
        raise InvalidSiteMap(f"the polygon has {len(rings)} rings; expected 1, without holes.")
    return rings[0]


def _rings(geometry: Json) -> Sequence[Ring]:
    """Return the outline of a polygon and its holes, none of them closed twice.

    Raises
    ------
    InvalidSiteMap
        If it is no polygon, or has no outline.
    """
    if geometry.get("type") != "Polygon":
        raise InvalidSiteMap(f"geometry is {geometry.get('type')!r}; expected Polygon.")
    given = _list(geometry.get("coordinates"), "coordinates")
    if not given:
        raise InvalidSiteMap("the polygon has no ring; expected its outline, then its holes.")
    rings = [_points(ring) for ring in given]
    return [ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring for ring in rings]


def _line(geometry: Json) -> Ring:
    if geometry.get("type") != "LineString":
        raise InvalidSiteMap(f"geometry is {geometry.get('type')!r}; expected LineString.")
    return _points(geometry.get("coordinates"))


def _points(given: object) -> Ring:
    pairs = (_list(point, "point") for point in _list(given, "coordinates"))
    return tuple((_finite(p[0], "x"), _finite(p[1], "y")) for p in pairs if _is_pair(p))


def _is_pair(point: Sequence[object]) -> bool:
    if len(point) < 2:
        raise InvalidSiteMap(f"point {list(point)} has fewer than two coordinates.")
    return True


def _object(given: object, what: str) -> Json:
    if not isinstance(given, dict):
        raise InvalidSiteMap(f"{what} is {type(given).__name__}; expected an object.")
    return given


def _list(given: object, what: str) -> Sequence[object]:
    if not isinstance(given, list | tuple):
        raise InvalidSiteMap(f"{what} is {type(given).__name__}; expected a list.")
    return given


def read_text(given: Json, member: str, default: str | None = None) -> str:
    """Return a member that is a text.

    Raises
    ------
    InvalidSiteMap
        If it is none, or too long.
    """
    text = given.get(member, default)
    if not isinstance(text, str) or not text or len(text) > 200:
        raise InvalidSiteMap(f"{member} is {text!r}; expected a text of 1 to 200 characters.")
    return text


def _number(given: Json, member: str, default: float | None = None) -> float:
    return _finite(given.get(member, default), member)


def _finite(number: object, what: str) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise InvalidSiteMap(f"{what} is {number!r}; expected a finite number.")
    return float(number)


def _choice(choices: type[Choice], given: Json, member: str) -> Choice:
    try:
        return choices(str(given.get(member)))
    except ValueError as error:
        expected = [choice.value for choice in choices]
        raise InvalidSiteMap(
            f"{member} is {given.get(member)!r}; expected of {expected}."
        ) from error
