"""Read a site map from GeoJSON in local metres.

Layer: nouns. Takes: the bytes of a map file. Gives: a `SiteMap`, or an error with file, feature and
remedy. The file is GeoJSON in shape, but its coordinates are metres in the frame of the floor; the
member ``inaisle`` says so, since RFC 7946 knows longitude and latitude only.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import (
    Anchor,
    DwellRules,
    Fixture,
    Floor,
    Radio,
    Ring,
    SiteMap,
    Wall,
    Zone,
    ZoneKind,
)
from rtls.model.units import AnchorId, Dbm, GatewayId, Metre, Second, SiteId, ZoneId

Json = Mapping[str, object]
Choice = TypeVar("Choice", ZoneKind, Radio)
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


def _site_map(document: Json) -> SiteMap:
    head = _object(document.get("inaisle"), "member 'inaisle'")
    if head.get("version") != 1 or head.get("crs") != "local":
        raise InvalidSiteMap(
            f"inaisle.version is {head.get('version')!r} and crs {head.get('crs')!r}; expected 1 "
            "and 'local' (coordinates in metres of the floor's frame)."
        )
    features = _list(document.get("features"), "member 'features'")
    if len(features) > FEATURES_MAX:
        raise InvalidSiteMap(f"{len(features)} features; expected at most {FEATURES_MAX}.")
    found: dict[str, list[object]] = {kind: [] for kind in _READERS}
    for position, feature in enumerate(features):
        kind, noun = _read_feature(_object(feature, f"feature {position}"), position)
        found[kind].append(noun)
    floors = tuple(_floor(_object(f, "floor")) for f in _list(head.get("floors"), "inaisle.floors"))
    return SiteMap(
        site=SiteId(_text(head, "site")),
        name=_text(head, "name"),
        floors=floors,
        zones=tuple(z for z in found["zone"] if isinstance(z, Zone)),
        anchors=tuple(a for a in found["anchor"] if isinstance(a, Anchor)),
        walls=tuple(w for w in found["wall"] if isinstance(w, Wall)),
        fixtures=tuple(f for f in found["fixture"] if isinstance(f, Fixture)),
        time_zone=_text(head, "time_zone", "Europe/Berlin"),
    )


def _read_feature(feature: Json, position: int) -> tuple[str, object]:
    name = feature.get("id", f"number {position}")
    try:
        properties = _object(feature.get("properties"), "properties")
        geometry = _object(feature.get("geometry"), "geometry")
        kind = _text(properties, "kind")
        if kind not in _READERS:
            raise InvalidSiteMap(f"kind is {kind!r}; expected one of {sorted(_READERS)}.")
        return kind, _READERS[kind](str(name), properties, geometry)
    except InvalidSiteMap as error:
        raise InvalidSiteMap(f"feature {name}: {error}") from error


def _zone(name: str, properties: Json, geometry: Json) -> Zone:
    parent = properties.get("parent")
    return Zone(
        zone=ZoneId(name),
        name=_text(properties, "name", name),
        kind=_choice(ZoneKind, properties, "zone_kind"),
        floor=int(_number(properties, "floor", 0)),
        ring=_polygon(geometry),
        parent=None if parent is None else ZoneId(str(parent)),
        rules=_rules(_object(properties.get("rules", {}), "rules")),
    )


def _rules(given: Json) -> DwellRules:
    fields = DwellRules.__dataclass_fields__
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise InvalidSiteMap(f"rules has unknown members {unknown}; expected of {sorted(fields)}.")
    default = DwellRules()
    steps = given.get("dwell_thresholds_s", default.dwell_thresholds_s)
    return DwellRules(
        p_enter=_number(given, "p_enter", default.p_enter),
        p_hold=_number(given, "p_hold", default.p_hold),
        p_exit=_number(given, "p_exit", default.p_exit),
        p_dwell=_number(given, "p_dwell", default.p_dwell),
        min_enter_s=Second(_number(given, "min_enter_s", default.min_enter_s)),
        exit_delay_s=Second(_number(given, "exit_delay_s", default.exit_delay_s)),
        reset_after_s=Second(_number(given, "reset_after_s", default.reset_after_s)),
        dwell_s_min=Second(_number(given, "dwell_s_min", default.dwell_s_min)),
        dwell_thresholds_s=tuple(
            Second(_finite(step, "dwell_thresholds_s")) for step in _list(steps, "thresholds")
        ),
    )


def _wall(_name: str, properties: Json, geometry: Json) -> Wall:
    return Wall(floor=int(_number(properties, "floor", 0)), line=_line(geometry))


def _fixture(name: str, properties: Json, geometry: Json) -> Fixture:
    floor = int(_number(properties, "floor", 0))
    return Fixture(fixture=name, floor=floor, ring=_polygon(geometry))


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
    )


_READERS: dict[str, Callable[[str, Json, Json], object]] = {
    "zone": _zone,
    "wall": _wall,
    "fixture": _fixture,
    "anchor": _anchor,
}


def _floor(given: Json) -> Floor:
    return Floor(
        floor=int(_number(given, "floor")),
        name=_text(given, "name"),
        width_m=Metre(_number(given, "width_m")),
        height_m=Metre(_number(given, "height_m")),
    )


def _polygon(geometry: Json) -> Ring:
    if geometry.get("type") != "Polygon":
        raise InvalidSiteMap(f"geometry is {geometry.get('type')!r}; expected Polygon.")
    rings = _list(geometry.get("coordinates"), "coordinates")
    if len(rings) != 1:
        raise InvalidSiteMap(f"the polygon has {len(rings)} rings; expected 1, without holes.")
    ring = _points(rings[0])
    return ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring


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


def _text(given: Json, member: str, default: str | None = None) -> str:
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
