"""read_plan_file on GeoJSON: our own maps as they are, others brought into metres."""

import json
import math
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.model.errors import InvalidPlanFile
from rtls.model.georeference import Georeference
from rtls.model.imported_plan import FeatureKind, PlanFormat, PlanRequest, PlanUnits
from rtls.plan_files.limits import VERTICES_MAX
from rtls.plan_files.plan_json import plan_json
from rtls.plan_files.plan_reading import read_plan_file
from rtls.plan_files.wgs84 import to_degrees, to_metres
from tests.unit.plan_files.plan_samples import collection, feature, request_for, site_map

GEOJSON = request_for(PlanFormat.GEOJSON, source="a.geojson")
DEMO = Path(__file__).resolve().parents[3] / "config/demo/site.geojson"


def test_a_map_of_ours_comes_in_as_it_is() -> None:
    """Whoever exports a map, edits it elsewhere and brings it back finds the same shop."""
    plan = read_plan_file(DEMO.read_bytes(), GEOJSON)
    features = plan_json(plan)["features"]
    assert json.loads(json.dumps(features)) == json.loads(DEMO.read_bytes())["features"]
    assert (plan.units, plan.extent) == (PlanUnits.METRE, (0.0, 0.0, 60.0, 40.0))
    assert plan.floors[0].width_m == 60.0


def test_a_building_in_degrees_comes_in_as_metres() -> None:
    """One thousandth of a degree is 111 m north and, at 48° north, 75 m east."""
    wall = feature("LineString", [[9.0, 48.0], [9.001, 48.0], [9.001, 48.001]], layer="Wände")
    plan = read_plan_file(collection(wall), GEOJSON)
    (read,) = plan.features
    assert read.kind is FeatureKind.WALL
    assert read.shape is not None
    assert read.shape.lines[0][0] == (0.0, 0.0)
    assert read.shape.lines[0][2] == pytest.approx((74.62, 111.19), abs=0.01)
    assert plan.georeference == Georeference(lon_deg=9.0, lat_deg=48.0)


def test_a_frame_that_is_turned_turns_what_comes_in() -> None:
    """Shops seldom stand to the north: the x axis may run along the front."""
    at = Georeference(lon_deg=9.0, lat_deg=48.0, rotation_deg=90.0)  # x runs north
    asked = PlanRequest(source="a", form=PlanFormat.GEOJSON, georeference=at)
    wall = feature("LineString", [[9.0, 48.0], [9.0, 48.001]])
    (read,) = read_plan_file(collection(wall), asked).features
    assert read.shape is not None
    assert read.shape.lines[0][1] == pytest.approx((111.19, 0.0), abs=0.01)


@given(
    st.floats(-179.0, 179.0),
    st.floats(-80.0, 80.0),
    st.floats(-180.0, 180.0),
    st.floats(-3_000.0, 3_000.0),
    st.floats(-3_000.0, 3_000.0),
)
def test_metres_to_degrees_and_back_is_where_one_began(lon, lat, turn, x, y) -> None:
    """Else a map that is exported and read again would creep."""
    at = Georeference(lon_deg=lon, lat_deg=lat, rotation_deg=turn)
    assert math.dist(to_metres(at, *to_degrees(at, x, y)), (x, y)) < 1e-6


def test_a_degree_along_the_equator_has_the_length_of_the_ellipsoid() -> None:
    """6,378,137 m times the sine of a hundredth of a degree; the plane touches at its start."""
    east, north = to_metres(Georeference(lon_deg=0.0, lat_deg=0.0), 0.01, 0.0)
    assert east == pytest.approx(6_378_137.0 * math.sin(math.radians(0.01)), abs=1e-6)
    assert north == pytest.approx(0.0, abs=1e-9)


def test_each_part_of_a_multipolygon_is_a_feature_and_points_are_left_out() -> None:
    """A row of shelves is often one MultiPolygon; an address point is none of a map's business."""
    square = [[9.0, 48.0], [9.00001, 48.0], [9.00001, 48.00001], [9.0, 48.0]]
    two = feature("MultiPolygon", [[square], [square]], layer="Regale")
    plan = read_plan_file(collection(two, feature("Point", [9.0, 48.0])), GEOJSON)
    assert [(f.feature, f.kind) for f in plan.features] == [
        ("fixture-1", FeatureKind.FIXTURE),
        ("fixture-2", FeatureKind.FIXTURE),
    ]
    assert plan.warnings == ("layer 0: 1 left out, since a map has no use for them.",)


def test_metres_without_our_mark_are_refused_with_the_remedy() -> None:
    """60 metres would else be 60 degrees, and the shop as large as a continent."""
    hall = feature("Polygon", [[[0, 0], [60, 0], [60, 40], [0, 0]]])
    with pytest.raises(InvalidPlanFile, match=r"a\.geojson: .*km apart.*member 'inaisle'"):
        read_plan_file(collection(hall), GEOJSON)
    with pytest.raises(InvalidPlanFile, match=r"feature number 0: .*expected longitude"):
        read_plan_file(collection(feature("LineString", [[0, 0], [500, 3]])), GEOJSON)


def named(kind: str, given: dict[str, object], **properties: object) -> dict[str, object]:
    return {"type": "Feature", "id": "x", "properties": {"kind": kind, **properties}, **given}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[1]", "the file is list"),
        (b"\xff\xfe", "not a JSON object"),
        (b"[" * 99_000, "not a JSON object"),
        (b'{"type": "Topology"}', "type is 'Topology'"),
        (collection({"type": "Feature", "geometry": {"type": "Circle"}}), "geometry is 'Circle'"),
        (collection(feature("Polygon", [[[1, 1], [1, 2]]])), "number 0: a Polygon has"),
        (collection(feature("LineString", [[1, 1], ["a", 2]])), "a coordinate is str"),
        (site_map(named("tree", {"geometry": None})), "feature x: kind is 'tree'"),
        (site_map(named("zone", {"geometry": None, "id": "A b"})), "id is 'A b'"),
        (site_map(named("wall", {"geometry": None}, name="n" * 201)), "feature x: name is"),
        (site_map(named("zone", {"geometry": None}, rules={"a": [[[1]]]})), "members within"),
        (b'{"inaisle": {"crs": "EPSG:4326"}}', "inaisle.crs is 'EPSG:4326'"),
        (b'{"inaisle": {"crs": "local"}, "features": 3}', "member 'features' is int"),
    ],
)
def test_what_cannot_be_read_is_named(content: bytes, says: str) -> None:
    """A planner sees which file, which feature and what to do, not a traceback."""
    with pytest.raises(InvalidPlanFile, match=r"\Aa\.geojson: ") as refused:
        read_plan_file(content, GEOJSON)
    assert says in str(refused.value)


@pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity", "1" + "0" * 400])
def test_numbers_that_are_none_are_refused(number: str) -> None:
    """JSON of Python reads them all, and one NaN makes every box around the plan NaN."""
    content = collection(feature("LineString", [[1, 1], [2, 77]])).replace(b"77", number.encode())
    with pytest.raises(InvalidPlanFile, match="finite number"):
        read_plan_file(content, GEOJSON)


def test_a_polygon_of_a_million_points_is_refused_before_it_is_parsed() -> None:
    """Ten megabytes of brackets become a hundred of lists."""
    content = b'{"type":"Feature","geometry":{"type":"Polygon","coordinates":[['
    content += b"[1,1]," * 1_000_000 + b"[1,1]]]}}"
    begun = time.process_time()
    with pytest.raises(InvalidPlanFile, match="1,000,003 lists"):
        read_plan_file(content, GEOJSON)
    assert time.process_time() - begun < 1.0


def test_one_vertex_too_many_is_one_too_many() -> None:
    """The bound is that of the threat model, counted over all features of a file."""
    line = feature("LineString", [[9.0, 48.0]] * (VERTICES_MAX // 2))
    read_plan_file(collection(line, line), GEOJSON)
    with pytest.raises(InvalidPlanFile, match="feature number 2: more than 20,000 vertices"):
        read_plan_file(collection(line, line, feature("Point", [9.0, 48.0])), GEOJSON)


def test_only_what_a_map_knows_is_kept_of_a_feature() -> None:
    """Foreign members could carry anything into every page that shows the map."""
    given = named("wall", {"geometry": None}, floor=0, onclick="alert(1)", name="W")
    (wall,) = read_plan_file(site_map(given), GEOJSON).features
    assert wall.properties == {"floor": 0, "name": "W"}
