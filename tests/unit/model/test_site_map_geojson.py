"""Read a site map from GeoJSON in local metres; an error names file, feature and remedy."""

import json
from pathlib import Path

import pytest

from rtls.api.site_map_json import render_site_map
from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import Radio, SiteMap, ZoneKind
from rtls.model.site_map_geojson import parse_site_map
from rtls.positioning.walk_grid import WalkGrid

SQUARE = [[0, 0], [2, 0], [2, 1], [0, 1], [0, 0]]


def feature(name: str, kind: str, geometry: dict[str, object], **properties: object):
    return {
        "type": "Feature",
        "id": name,
        "properties": {"kind": kind, **properties},
        "geometry": geometry,
    }


def polygon(*rings: object) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": list(rings) or [SQUARE]}


def document(*features: object, **head: object) -> dict[str, object]:
    return {
        "type": "FeatureCollection",
        "inaisle": {
            "version": 1,
            "crs": "local",
            "site": "demo",
            "name": "Demo",
            "floors": [{"floor": 0, "name": "Ground", "width_m": 60, "height_m": 40}],
            **head,
        },
        "features": list(features),
    }


def read(content: object) -> SiteMap:
    return parse_site_map(json.dumps(content).encode(), source="plan.geojson")


def test_every_kind_of_feature_becomes_its_noun() -> None:
    point = {"type": "Point", "coordinates": [3, 4, 2.5]}
    line = {"type": "LineString", "coordinates": [[0, 0], [5, 0]]}
    site = read(
        document(
            feature("tools", "zone", polygon(), zone_kind="department"),
            feature(
                "dowels",
                "zone",
                polygon(),
                zone_kind="shelf",
                parent="tools",
                rules={"min_enter_s": 1, "dwell_thresholds_s": [60, 300]},
            ),
            feature("a1", "anchor", point, radio="uwb", gateway="gw1", range_bias_m=0.18),
            feature("w1", "wall", line),
            feature("rack", "fixture", polygon()),
        )
    )
    assert [(zone.zone, zone.kind, zone.parent) for zone in site.zones] == [
        ("tools", ZoneKind.DEPARTMENT, None),
        ("dowels", ZoneKind.SHELF, "tools"),
    ]
    assert site.zones[0].ring == ((0, 0), (2, 0), (2, 1), (0, 1))
    assert (site.zones[1].rules.min_enter_s, site.zones[1].rules.exit_delay_s) == (1.0, 5.0)
    assert site.zones[1].rules.dwell_thresholds_s == (60.0, 300.0)
    (anchor,) = site.anchors
    assert (anchor.radio, anchor.gateway, anchor.z_m) == (Radio.UWB, "gw1", 2.5)
    assert anchor.range_bias_m == 0.18
    assert site.walls[0].line == ((0, 0), (5, 0))
    assert site.fixtures[0].fixture == "rack"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (document(version=2), "inaisle.version is 2"),
        (document(crs="EPSG:4326"), "coordinates in metres"),
        (document(site=""), "site is ''"),
        (document(floors="one"), "inaisle.floors is str; expected a list"),
        ({"features": []}, "member 'inaisle' is NoneType"),
        (document(feature("x", "shelf", polygon())), "feature x: kind is 'shelf'"),
        (
            document(feature("x", "zone", polygon(), zone_kind="corner")),
            "feature x: zone_kind is 'corner'",
        ),
        (
            document(feature("x", "zone", {"type": "Point"}, zone_kind="shelf")),
            "feature x: geometry is 'Point'; expected Polygon",
        ),
        (
            document(feature("x", "zone", polygon(SQUARE, SQUARE), zone_kind="shelf")),
            "2 rings; expected 1, without holes",
        ),
        (
            document(feature("x", "zone", polygon([[0, "1"], [1, 1]]), zone_kind="shelf")),
            "feature x: y is '1'; expected a finite number",
        ),
        (
            document(feature("x", "zone", polygon([[0], [1, 1]]), zone_kind="shelf")),
            "fewer than two coordinates",
        ),
        (
            document(feature("x", "zone", polygon(), zone_kind="shelf", rules={"p_entre": 1})),
            "unknown members",
        ),
        (
            document(feature("x", "anchor", {"type": "Point", "coordinates": [1, 2]})),
            r"2 coordinates; expected \[x, y, z\]",
        ),
        (document(feature("x", "anchor", polygon())), "expected Point"),
        (document(feature("x", "wall", polygon())), "expected LineString"),
        (document("x"), "feature 0 is str"),
        (document(*[{}] * 50_001), "50001 features; expected at most 50000"),
    ],
)
def test_a_map_that_cannot_be_read_is_refused_with_file_and_feature(content, message) -> None:
    """The file is written by hand or by a tool that we have never seen."""
    with pytest.raises(InvalidSiteMap, match=message) as refusal:
        read(content)
    assert str(refusal.value).startswith("plan.geojson: ")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"inaisle":{"version":NaN}}']
)
def test_bytes_that_are_no_map_are_refused(content: bytes) -> None:
    with pytest.raises(InvalidSiteMap, match=r"plan\.geojson"):
        parse_site_map(content, source="plan.geojson")


def test_infinity_in_a_file_is_no_coordinate() -> None:
    """Python's json reads NaN and Infinity; a polygon with them has no area."""
    content = json.dumps(
        document(feature("x", "zone", polygon([[0, float("inf")], [1, 1]]), zone_kind="shelf"))
    )
    with pytest.raises(InvalidSiteMap, match="y is inf"):
        parse_site_map(content.encode(), source="plan.geojson")


def test_the_demo_map_passes_both_checks() -> None:
    """The first thing that anybody runs."""
    from rtls.geofence.site_map_check import faults_of

    plan = Path(__file__).parents[3] / "config" / "demo" / "site.geojson"
    site = parse_site_map(plan.read_bytes(), source=plan.name)
    assert list(faults_of(site)) == []
    assert "dowels" in site.zone_index


AISLE = feature("aisle-3", "zone", polygon([[0, 0], [9, 0], [9, 9], [0, 9]]), zone_kind="aisle")


def face(name: str, *line: list[float], **more: object):
    geometry = {"type": "LineString", "coordinates": list(line)}
    return feature(name, "zone", geometry, zone_kind="shelf", parent="aisle-3", **more)


def pair(**more: object):
    return {"type": "Feature", "id": "pair-1", "properties": {"kind": "zone", **more}}


def test_the_face_of_a_shelf_gives_the_strip_before_it() -> None:
    """Nobody should have to draw four corners; the strip lies to the left of the line."""
    zone = read(document(AISLE, face("dowels", [4, 1], [2, 1]))).zones[1]
    expected = [(4, 0.8), (2, 0.8), (2, -0.2), (4, -0.2)]
    assert [tuple(round(c, 9) for c in corner) for corner in zone.ring] == expected
    wide = read(document(AISLE, face("dowels", [2, 1], [4, 1], near_m=0, far_m=2))).zones[1]
    assert wide.ring == ((2, 1), (4, 1), (4, 3), (2, 3))


def test_a_pair_of_bays_is_drawn_around_its_two_shelves() -> None:
    """Two faces of one aisle; their parent becomes the pair, the pair's parent the aisle."""
    left, right = face("left", [2, 1], [4, 1]), face("right", [4, 5], [2, 5])
    site = read(document(pair(zone_kind="bay_pair", pair=["left", "right"]), AISLE, left, right))
    zones = {zone.zone: zone for zone in site.zones}
    assert zones["pair-1"].ring == ((2, 1.2), (4, 1.2), (4, 4.8), (2, 4.8))
    assert (zones["pair-1"].kind, zones["pair-1"].parent) == (ZoneKind.BAY_PAIR, "aisle-3")
    assert zones["left"].parent == zones["right"].parent == "pair-1"


@pytest.mark.parametrize(
    ("features", "fault"),
    [
        ([pair(zone_kind="bay_pair", pair=["left"])], "the ids of two shelves"),
        ([pair(zone_kind="bay_pair", pair=["left", "left"])], "the ids of two shelves"),
        ([pair(zone_kind="bay_pair", pair=["left", "nowhere"])], "two zones of this map"),
        ([pair(zone_kind="bay_pair", pair="left")], "expected a list"),
        ([pair(zone_kind="aisle", pair=["left", "aisle-3"])], "expected bay_pair"),
        ([pair(zone_kind="bay_pair", pair=["left", "aisle-3"])], "one parent"),
        ([face("short", [1, 1], [1, 1])], "0 m long"),
        ([face("bent", [1, 1], [2, 1], [2, 2])], "3 points"),
        ([face("flat", [1, 1], [2, 1], far_m=0.1)], "rising"),
    ],
)
def test_an_outline_that_cannot_be_drawn_is_refused(features: list[object], fault: str) -> None:
    """The feature is named, so that the planner finds it."""
    with pytest.raises(InvalidSiteMap, match=f"feature .*{fault}"):
        read(document(AISLE, face("left", [2, 1], [4, 1]), *features))


def test_walkable_ground_may_have_holes() -> None:
    """A block of shelves in the middle of a hall is a hole, not a second polygon."""
    hall, block = [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]], [[3, 3], [4, 3], [4, 4], [3, 4]]
    (ground,) = read(document(feature("hall", "walkable", polygon(hall, block)))).walkable
    assert (ground.floor, ground.ring) == (0, ((0, 0), (9, 0), (9, 9), (0, 9)))
    assert ground.holes == (((3, 3), (4, 3), (4, 4), (3, 4)),)


@pytest.mark.parametrize(
    ("geometry", "fault"),
    [
        ({"type": "Polygon", "coordinates": []}, "has no ring"),
        ({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, "expected Polygon"),
        (polygon([[0, 0], [1, 1]]), "2 corners; expected 3 or more"),
        (polygon(SQUARE, [[0, 0]]), "1 corners; expected 3 or more"),
        (polygon([[0, 0], [1e9, 0], [0, 1]]), "local metres"),
    ],
)
def test_ground_that_is_none_is_refused(geometry: dict[str, object], fault: str) -> None:
    """The feature is named, so that the planner finds it."""
    with pytest.raises(InvalidSiteMap, match=f"feature hall: .*{fault}"):
        read(document(feature("hall", "walkable", geometry)))


def test_the_grid_of_a_map_file_keeps_to_its_walkable_ground() -> None:
    """A phone was else sought in the warehouse behind the wall as well."""
    half = [[0, 0], [30, 0], [30, 40], [0, 40], [0, 0]]
    whole = read(document())
    limited = read(document(feature("shop", "walkable", polygon(half))))
    assert WalkGrid.of_plan(whole).node_xy[:, 0].max() > 59.0
    assert 29.0 < WalkGrid.of_plan(limited).node_xy[:, 0].max() < 30.0


STOPS = [{"floor": 1, "at": [5, 6]}, {"floor": 0, "at": [3, 4]}]
TWO_FLOORS = [{"floor": n, "name": f"Floor {n}", "width_m": 60, "height_m": 40} for n in range(2)]


def stairs(**properties: object) -> dict[str, object]:
    given = {"connector_kind": "stairs", "stops": STOPS} | properties
    return {"type": "Feature", "id": "s", "properties": {"kind": "connector", **given}}


def test_a_connector_needs_no_geometry_and_its_stops_no_order() -> None:
    """It stands on several floors at once, each with a frame of its own."""
    site = read(document(stairs(name="Main stairs"), floors=TWO_FLOORS))
    (found,) = site.connectors
    assert (found.connector, found.name, found.kind.value) == ("s", "Main stairs", "stairs")
    assert [(stop.floor, stop.x_m, stop.y_m) for stop in found.stops] == [(0, 3, 4), (1, 5, 6)]
    assert found.direction.value == "both"
    assert parse_site_map(render_site_map(site), source="answer") == site


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"connector_kind": "ladder"}, "connector_kind is 'ladder'; expected of"),
        ({"direction": "sideways"}, "direction is 'sideways'; expected of"),
        ({"direction": "up"}, "only an escalator runs one way"),
        ({"stops": STOPS[:1]}, "stops on floors .1.; expected 2"),
        ({"stops": "here"}, "stops is str; expected a list"),
        ({"stops": [{"floor": 0, "at": [1]}, STOPS[0]]}, "at has 1 coordinates"),
        ({"stops": [{"at": [1, 2]}, STOPS[0]]}, "floor is None; expected a finite number"),
        ({"stops": [{"floor": 0, "at": [1e9, 2]}, STOPS[0]]}, "not longitude and latitude"),
        ({"stops": [{"floor": 4, "at": [1, 2]}, STOPS[0]]}, "floor 4 is not among the floors"),
    ],
)
def test_a_connector_that_cannot_be_is_named(properties: dict[str, object], said: str) -> None:
    """With the feature, so that it is found in the file."""
    with pytest.raises(InvalidSiteMap, match=f"plan.geojson: .*(feature|connector) s.*{said}"):
        read(document(stairs(**properties), floors=TWO_FLOORS))
