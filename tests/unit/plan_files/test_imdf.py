"""read_plan_file and render_imdf: a map goes out as IMDF and comes back as it was."""

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import shapely

from rtls.geofence.site_map_check import check_site_map
from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import FeatureKind, PlanFormat
from rtls.model.site_map_geojson import parse_site_map
from rtls.plan_files.imdf_writing import render_imdf
from rtls.plan_files.plan_json import site_map_json
from rtls.plan_files.plan_reading import read_plan_file
from tests.unit.plan_files.plan_samples import request_for
from tests.unit.plan_files.zip_samples import MANIFEST, imdf, zipped

IMDF = request_for(PlanFormat.IMDF, source="a.zip")
CREATED = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DEMO = Path(__file__).resolve().parents[3] / "config/demo/site.geojson"


def demo() -> dict[str, object]:
    document: dict[str, object] = json.loads(DEMO.read_bytes())
    return document


def square(lon: float, lat: float, size: float = 1e-4) -> list[list[list[float]]]:
    far_lon, far_lat = lon + size, lat + size
    return [[[lon, lat], [far_lon, lat], [far_lon, far_lat], [lon, far_lat], [lon, lat]]]


def thing(feature_type: str, coordinates: object, geometry: str = "Polygon", **properties: object):
    return {
        "id": f"id-{feature_type}",
        "type": "Feature",
        "feature_type": feature_type,
        "geometry": {"type": geometry, "coordinates": coordinates},
        "properties": properties,
    }


LEVEL = thing("level", square(9.0, 48.0, 1e-3), ordinal=1, name={"en": "Up", "de": "Oben"})
ON_LEVEL = {"level_id": "id-level"}


def test_the_demo_shop_goes_out_and_comes_back_as_the_same_map() -> None:
    """The map that the service reads afterwards is equal, zone by zone and anchor by anchor."""
    plan = read_plan_file(render_imdf(demo(), created=CREATED), IMDF)
    content = json.dumps(site_map_json(plan)).encode()
    returned = parse_site_map(content, source="returned")
    assert returned == parse_site_map(DEMO.read_bytes(), source="demo")
    check_site_map(returned)


def test_what_goes_out_is_imdf() -> None:
    """A reader of others finds the files, types and ids that OGC 20-094 asks for."""
    with zipfile.ZipFile(io.BytesIO(render_imdf(demo(), created=CREATED))) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        files = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    assert manifest["version"] == "1.0.0"
    assert manifest["created"] == "2026-11-22T10:00:00+00:00"
    needed = {"address", "venue", "building", "footprint", "level", "fixture", "detail"}
    assert needed | {"section", "geofence", "anchor_device"} <= {n.partition(".")[0] for n in files}
    ids = [feature["id"] for file in files.values() for feature in file.get("features", ())]
    assert len(ids) == len(set(ids))
    level = files["level.geojson"]["features"][0]
    assert level["properties"]["ordinal"] == 0
    fixture = files["fixture.geojson"]["features"][0]
    assert fixture["feature_type"] == "fixture"
    assert fixture["properties"]["level_id"] == level["id"]


def test_outlines_go_out_counter_clockwise_and_holes_clockwise() -> None:
    """RFC 7946 asks for it, and some maps fill what lies outside of a ring that is not so."""
    outline = [[1, 1], [1, 9], [9, 9], [9, 1], [1, 1]]
    hole = [[2, 2], [3, 2], [3, 3], [2, 3], [2, 2]]
    ground = {
        "type": "Feature",
        "id": "a",
        "properties": {"kind": "walkable", "floor": 0},
        "geometry": {"type": "Polygon", "coordinates": [outline, hole]},
    }
    content = render_imdf(demo() | {"features": [ground]}, created=CREATED)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (unit,) = json.loads(archive.read("unit.geojson"))["features"]
    rings = [shapely.LinearRing(ring) for ring in unit["geometry"]["coordinates"]]
    assert [ring.is_ccw for ring in rings] == [True, False]


def test_the_same_map_is_the_same_bytes() -> None:
    """Ids stay from one export to the next, so that others can tell what has changed."""
    assert render_imdf(demo(), created=CREATED) == render_imdf(demo(), created=CREATED)


def test_a_shelf_given_by_its_face_goes_out_as_its_strip_and_comes_back_as_its_face() -> None:
    """A geofence has an area; whoever drew a line wants his line back."""
    face = {"type": "LineString", "coordinates": [[5.0, 5.0], [8.0, 5.0]]}
    properties = {"kind": "zone", "zone_kind": "shelf", "name": "A", "floor": 0, "far_m": 1.5}
    document = demo() | {
        "features": [{"type": "Feature", "id": "a", "geometry": face, "properties": properties}]
    }
    content = render_imdf(document, created=CREATED)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (geofence,) = json.loads(archive.read("geofence.geojson"))["features"]
    assert geofence["geometry"]["type"] == "Polygon"
    (returned,) = read_plan_file(content, IMDF).features
    assert returned.shape is not None
    assert returned.shape.lines == (((5.0, 5.0), (8.0, 5.0)),)
    assert returned.properties["far_m"] == 1.5


def test_a_map_that_says_where_it_lies_goes_out_there() -> None:
    """Else it would be drawn in the Gulf of Guinea."""
    document = demo()
    head = document["inaisle"]
    assert isinstance(head, dict)
    head["georeference"] = {"lon": 9.18, "lat": 48.78, "rotation_deg": 30.0}
    content = render_imdf(document, created=CREATED)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (venue,) = json.loads(archive.read("venue.geojson"))["features"]
    assert venue["geometry"]["coordinates"][0][0] == [9.18, 48.78]
    plan = read_plan_file(content, IMDF)
    assert plan.georeference is not None
    assert plan.georeference.rotation_deg == 30.0
    assert plan.extent == (0.0, 0.0, 60.0, 40.0)


def test_an_archive_of_others_becomes_a_suggestion() -> None:
    """A mall has its map for the phones already; the floor studio begins with that."""
    content = imdf(
        level=[LEVEL],
        fixture=[thing("fixture", square(9.0, 48.0), **ON_LEVEL)],
        section=[thing("section", square(9.0, 48.0), **ON_LEVEL, name={"fr": "Outils"})],
        unit=[
            thing("unit", square(9.0, 48.0), category="walkway", **ON_LEVEL),
            thing("unit", square(9.0, 48.0), category="stairs", **ON_LEVEL),
        ],
        geofence=[thing("geofence", square(9.0, 48.0), level_ids=["id-level"])],
        opening=[
            thing(
                "opening",
                [[9.0005, 48.0], [9.0006, 48.0]],
                "LineString",
                category="pedestrian.principal",
                **ON_LEVEL,
            )
        ],
        detail=[thing("detail", [[9.0, 48.0], [9.001, 48.0]], "LineString", **ON_LEVEL)],
    )
    plan = read_plan_file(content, IMDF)
    told = {
        f.feature: (f.properties.get("zone_kind"), f.properties["floor"]) for f in plan.features
    }
    assert told == {
        "zone-1": ("department", 1),
        "zone-2": ("department", 1),
        "zone-3": ("entrance", 1),
        "walkable-1": (None, 1),
        "fixture-1": (None, 1),
        "wall-1": (None, 1),
    }
    assert plan.features[0].properties["name"] == "Outils"
    (floor,) = plan.floors
    assert (floor.floor, floor.name) == (1, "Oben")
    assert floor.width_m == pytest.approx(74.6, abs=0.1)
    assert plan.warnings == ("layer unit: 1 left out, since a map has no use for them.",)


def test_a_door_becomes_the_ground_on_both_sides_of_it() -> None:
    """An entrance is a zone to stand in, and a door a line: a metre before and behind it."""
    door = thing(
        "opening", [[9.0, 48.0], [9.0001, 48.0]], "LineString", category="pedestrian", **ON_LEVEL
    )
    (entrance,) = read_plan_file(imdf(level=[LEVEL], opening=[door]), IMDF).features
    assert entrance.kind is FeatureKind.ZONE
    assert entrance.shape is not None
    ys = sorted(corner[1] for corner in entrance.shape.lines[0])
    assert ys == [-1.0, -1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped({"level.geojson": {}}), "manifest.json is not in the zip"),
        (zipped({"manifest.json": {**MANIFEST, "version": "2.0"}}), "version is '2.0'"),
        (zipped({"manifest.json": b"{"}), "manifest.json: not a JSON object"),
        (imdf(level=[{"properties": {}}]), "level: ordinal is missing"),
        (imdf(level={}), "level: features is dict"),
        (imdf(level=[LEVEL], unit=[thing("unit", [[[0]]])]), "unit.geojson, feature id-unit"),
        (imdf(level=[LEVEL], unit=[thing("unit", square(500.0, 48.0))]), "expected longitude"),
        (imdf(venue=[{"properties": {"inaisle": 1}}]), "venue: inaisle is int"),
    ],
)
def test_what_is_no_imdf_is_refused_by_name(content: bytes, says: str) -> None:
    with pytest.raises(InvalidPlanFile, match=r"\Aa\.zip: ") as refused:
        read_plan_file(content, IMDF)
    assert says in str(refused.value)


def test_a_map_without_a_floor_cannot_go_out() -> None:
    head = {"crs": "local", "site": "x", "name": "X", "floors": []}
    with pytest.raises(InvalidPlanFile, match=r"inaisle\.floors is empty"):
        render_imdf({"inaisle": head, "features": []}, created=CREATED)
