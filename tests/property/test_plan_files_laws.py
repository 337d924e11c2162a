"""Plan files: a map goes out and comes back as it was; damage gets no further than a refusal."""

import json
import random
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import PlanFormat, PlanRequest
from rtls.plan_files.imdf_writing import render_imdf
from rtls.plan_files.plan_json import plan_json
from rtls.plan_files.plan_reading import read_plan_file
from tests.property.payload_damage import damaged

CREATED = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
MILLIMETRES = st.integers(-200_000, 200_000).map(lambda mm: mm / 1000)
CORNER = st.tuples(MILLIMETRES, MILLIMETRES).map(list)
IDS = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,30}\Z")
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
FLOORS = st.integers(-1, 1)
RULES = st.fixed_dictionaries({}, optional={"p_enter": st.floats(0.5, 0.9), "grace_s": st.none()})


def ring(corners: list[list[float]]) -> list[list[float]]:
    return [*corners, corners[0]]


def shaped(kind: str, geometry: st.SearchStrategy, **properties: st.SearchStrategy):
    own = st.fixed_dictionaries({"kind": st.just(kind), **properties})
    return st.fixed_dictionaries(
        {"type": st.just("Feature"), "properties": own, "geometry": geometry}
    )


def geometry(named: str, coordinates: st.SearchStrategy):
    return st.fixed_dictionaries({"type": st.just(named), "coordinates": coordinates})


CORNERS = st.lists(CORNER, min_size=3, max_size=6, unique_by=tuple)
LINES = geometry("LineString", st.lists(CORNER, min_size=2, max_size=5, unique_by=tuple))
OUTLINES = geometry("Polygon", CORNERS.map(lambda corners: [ring(corners)]))
GROUNDS = geometry("Polygon", st.lists(CORNERS.map(ring), min_size=1, max_size=3))
POINTS = geometry("Point", st.tuples(MILLIMETRES, MILLIMETRES, MILLIMETRES).map(list))
ZONES = {"name": NAMES, "floor": FLOORS, "rules": RULES, "parent": IDS}
FEATURES = st.one_of(
    shaped("wall", LINES, floor=FLOORS),
    shaped("fixture", OUTLINES, floor=FLOORS),
    shaped("walkable", GROUNDS, floor=FLOORS),
    shaped("anchor", POINTS, floor=FLOORS, radio=st.sampled_from(["uwb", "ble"])),
    shaped("zone", OUTLINES, zone_kind=st.sampled_from(["shelf", "department"]), **ZONES),
    shaped("zone", st.none(), zone_kind=st.just("bay_pair"), pair=st.lists(IDS, max_size=2)),
    shaped("connector", st.none(), stops=st.just([{"floor": 0, "at": [1, 2]}])),
)
PLACES = st.fixed_dictionaries(
    {"lon": st.floats(-180, 180), "lat": st.floats(-85, 85), "rotation_deg": st.floats(-180, 180)}
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, object]:
    features = draw(st.lists(FEATURES, max_size=8))
    names = draw(st.lists(IDS, min_size=len(features), max_size=len(features), unique=True))
    ground = {"floor": 0, "name": draw(NAMES), "width_m": 60.0, "height_m": 40.0}
    head = {"version": 1, "crs": "local", "site": "shop", "name": draw(NAMES), "floors": [ground]}
    if draw(st.booleans()):
        head["georeference"] = draw(PLACES)
    return {
        "type": "FeatureCollection",
        "inaisle": head,
        "features": [{**each, "id": name} for each, name in zip(features, names, strict=True)],
    }


def same_way_round(feature: dict[str, object]) -> dict[str, object]:
    """Return a feature with each ring from its first corner the way its second is smaller."""
    shape = feature["geometry"]
    if not isinstance(shape, dict) or shape["type"] != "Polygon":
        return feature
    rings = [min(each, [each[0], *each[-2:0:-1], each[0]]) for each in shape["coordinates"]]
    return {**feature, "geometry": {**shape, "coordinates": rings}}


def read(content: bytes, form: PlanFormat) -> dict[str, object]:
    return plan_json(read_plan_file(content, PlanRequest(source="x", form=form)))


@given(documents())
def test_a_map_comes_back_from_imdf_as_it_went_out(document: dict[str, object]) -> None:
    """Ids, order, rules, holes and every millimetre: whoever moves to another system moves back.

    Only the direction of a ring is not ours to keep: RFC 7946 has outlines counter-clockwise.
    """
    content = render_imdf(document, created=CREATED)
    returned = json.loads(json.dumps(read(content, PlanFormat.IMDF)))
    sent = json.loads(json.dumps(document))
    assert [same_way_round(each) for each in returned["features"]] == [
        same_way_round(each) for each in sent["features"]
    ]
    assert returned["floors"] == sent["inaisle"]["floors"]
    assert returned["georeference"] == sent["inaisle"].get("georeference")


@given(documents())
def test_a_map_comes_back_from_geojson_as_it_went_out(document: dict[str, object]) -> None:
    """What is exported as it is, is imported as it was."""
    content = json.dumps(document).encode()
    returned = json.loads(json.dumps(read(content, PlanFormat.GEOJSON)))
    assert returned["features"] == json.loads(content)["features"]


DXF = b"""0 SECTION 2 HEADER 9 $ACADVER 1 AC1009 9 $INSUNITS 70 6 0 ENDSEC
0 SECTION 2 BLOCKS 0 BLOCK 8 0 2 B 70 0 10 0 20 0 30 0 3 B
0 POLYLINE 8 0 66 1 70 1 0 VERTEX 8 0 10 0 20 0 0 VERTEX 8 0 10 2 20 0 0 VERTEX 8 0 10 2 20 1
0 SEQEND 0 ENDBLK 8 0 0 ENDSEC
0 SECTION 2 ENTITIES 0 INSERT 8 Regal 2 B 10 5 20 5 41 2 42 2 50 90 70 2 71 2 44 3 45 4
0 LINE 8 Wand 10 0 20 0 11 9 21 0 0 ARC 8 Wand 10 0 20 0 40 3 50 0 51 90 0 CIRCLE 8 0 10 4 20 4 40 1
0 ENDSEC 0 EOF
"""
HEAD = {"version": 1, "crs": "local", "site": "s", "name": "S"}
DOCUMENT = {
    "inaisle": {**HEAD, "floors": [{"floor": 0, "name": "G", "width_m": 6, "height_m": 4}]},
    "features": [
        {
            "type": "Feature",
            "id": "a",
            "properties": {"kind": "wall", "floor": 0},
            "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]},
        }
    ],
}
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><g id="wall" transform="scale(2)">'
    b'<path d="M1 1h3v4a1 1 0 01 2 2q1 1 2 2z"/><rect width="3" height="4"/></g></svg>'
)
SAMPLES = {
    PlanFormat.GEOJSON: json.dumps(DOCUMENT).encode(),
    PlanFormat.IMDF: render_imdf(DOCUMENT, created=CREATED),
    PlanFormat.SVG: SVG,
    PlanFormat.DXF: DXF.replace(b" ", b"\n"),
}


@pytest.mark.parametrize("form", SAMPLES)
def test_the_samples_are_sound(form: PlanFormat) -> None:
    """Else the law below would say nothing."""
    assert read(SAMPLES[form], form)["features"]


@pytest.mark.parametrize("form", SAMPLES)
@given(st.randoms(use_true_random=False))
def test_no_damage_gets_further_than_a_refusal(form: PlanFormat, chance: random.Random) -> None:
    """Files are cut off and changed on their way; nobody may see a traceback for it."""
    with suppress(InvalidPlanFile):
        read(damaged(SAMPLES[form], chance), form)
