"""Everything that is wrong with a map that is being drawn, each with its place and remedy."""

import copy
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inaisle.config_files import demo_site_map_file
from rtls.geofence.site_map_check import check_site_map
from rtls.geofence.site_map_problems import PROBLEMS_MAX, problems_of, readable_part
from rtls.model.errors import InvalidSiteMap
from rtls.model.map_problem import MapProblem
from rtls.model.site_map_geojson import parse_site_map

DEMO = json.loads(demo_site_map_file().read_bytes())
Edit = Callable[[dict], object]
BOW_TIE = [[[20, 2], [22, 4], [22, 2], [20, 4], [20, 2]]]


def drawn(edit: Edit) -> dict:
    document = copy.deepcopy(DEMO)
    edit(document)
    return document


def feature(document: dict, name: str) -> dict:
    (found,) = [one for one in document["features"] if one.get("id") == name]
    return found


def add(kind: str, geometry: object, *, name: str = "new", **properties: object) -> Edit:
    def edit(document: dict) -> None:
        document["features"].append({
            "type": "Feature",
            "id": name,
            "geometry": geometry,
            "properties": {"kind": kind, "floor": 0, **properties},
        })  # fmt: skip

    return edit


def polygon(*rings: list) -> dict:
    return {"type": "Polygon", "coordinates": list(rings)}


SQUARE = [[20, 2], [21, 2], [21, 3], [20, 3], [20, 2]]
SHELF = {"zone_kind": "shelf"}


def test_a_sound_map_has_no_problem() -> None:
    """Else the console would cry wolf over the map in force."""
    assert problems_of(DEMO) == ()


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            add("zone", {"type": "Polygon", "coordinates": BOW_TIE}, **SHELF),
            {"feature": "new", "floor": 0, "at": (21.0, 3.0), "field": "geometry"},
        ),
        (
            add("zone", polygon([[70, 2], [71, 2], [71, 3], [70, 3], [70, 2]]), **SHELF),
            {"feature": "new", "floor": 0, "at": (70.5, 2.5), "field": "geometry"},
        ),
        (
            add("zone", polygon(SQUARE), zone_kind="shelf", parent="nowhere"),
            {"feature": "new", "floor": 0, "at": (20.5, 2.5)},
        ),
        (
            add("zone", polygon(SQUARE), zone_kind="shelf", floor=3),
            {"feature": "new", "floor": 3, "at": (20.5, 2.5), "field": "floor"},
        ),
        (
            add("zone", polygon(SQUARE), zone_kind="palace"),
            {"feature": "new", "at": (20.5, 2.5), "field": "zone_kind"},
        ),
        (
            add("zone", polygon(SQUARE), **SHELF, rules={"p_enter": 0.1}),
            {"feature": "new", "at": (20.5, 2.5), "field": "p_exit"},
        ),
        (
            add("zone", polygon(SQUARE), name="dowels", **SHELF),
            {"feature": "dowels", "field": "id"},
        ),
        (add("zone", polygon(SQUARE), name="Déjà vu", **SHELF), {"feature": "Déjà vu"}),
        (
            add("anchor", {"type": "Point", "coordinates": [5, 5]}, radio="uwb"),
            {"feature": "new", "at": (5.0, 5.0)},
        ),
        (
            add("anchor", {"type": "Point", "coordinates": [5, 5, 3]}, radio="sonar"),
            {"feature": "new", "at": (5.0, 5.0), "field": "radio"},
        ),
        (
            add("anchor", {"type": "Point", "coordinates": [500, 5, 3]}, radio="uwb"),
            {"feature": "new", "at": (500.0, 5.0), "field": "geometry"},
        ),
        (add("wall", {"type": "LineString", "coordinates": [[1, 1]]}), {"feature": "new"}),
        (
            add("walkable", {"type": "Polygon", "coordinates": BOW_TIE}),
            {"feature": "new", "at": (21.0, 3.0), "field": "geometry"},
        ),
        (add("fixture", polygon(SQUARE, SQUARE)), {"feature": "new", "at": (20.5, 2.5)}),
        (add("staircase", polygon(SQUARE)), {"feature": "new", "field": "kind"}),
        (lambda document: document["features"].append(7), {"feature": None}),
        (
            lambda document: feature(document, "dowels")["properties"].update(floor="ground"),
            {"feature": "dowels", "field": "floor"},
        ),
        (lambda document: document["inaisle"].update(name=""), {"field": "name"}),
        (lambda document: document["inaisle"].update(site="No Id"), {"feature": None}),
        (lambda document: document["inaisle"].update(floors=7), {"field": "floors"}),
        (
            lambda document: document["inaisle"]["floors"].append(document["inaisle"]["floors"][0]),
            {"feature": None},
        ),
        (
            lambda document: document.update(
                features=[f for f in document["features"] if f["properties"]["kind"] != "anchor"]
            ),
            {"floor": 0},
        ),
    ],
)
def test_each_kind_of_fault_is_found_where_it_is(edit: Edit, expected: dict[str, object]) -> None:
    """The planner sees a mark on the map and a sentence that helps, not a refusal of the whole."""
    found = problems_of(drawn(edit))
    assert any(
        all(getattr(one, name) == wanted for name, wanted in expected.items()) for one in found
    ), found
    assert all(one.message and one.remedy for one in found)


def test_all_faults_are_told_at_once_and_not_the_first_alone() -> None:
    """One by one, ten faults would take ten evenings."""
    document = drawn(add("zone", {"type": "Polygon", "coordinates": BOW_TIE}, **SHELF))
    add("anchor", {"type": "Point", "coordinates": [5, 5, 3]}, name="deaf", radio="sonar")(document)
    feature(document, "dowels")["properties"]["parent"] = "nowhere"
    assert {one.feature for one in problems_of(document)} >= {"new", "deaf", "dowels"}


def test_a_thousand_faults_are_cut_off() -> None:
    document = drawn(lambda _: None)
    for number in range(1_000):
        add("staircase", None, name=f"s-{number}")(document)
    assert len(problems_of(document)) == PROBLEMS_MAX


@pytest.mark.parametrize("document", [{}, {"inaisle": []}, {"inaisle": DEMO["inaisle"]}])
def test_what_is_no_map_is_refused(document: dict) -> None:
    with pytest.raises(InvalidSiteMap):
        problems_of(document)


def test_what_can_be_read_of_a_faulty_map_is_a_map() -> None:
    """Coverage is asked while half a zone hangs in the air."""
    document = drawn(add("zone", {"type": "Polygon", "coordinates": BOW_TIE}, **SHELF))
    add("staircase", None)(document)
    assert len(readable_part(document).anchors) == sum(
        one["properties"]["kind"] == "anchor" for one in DEMO["features"]
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 99) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["kind", "floor", "type", "coordinates", "id"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, len(DEMO["features"]) - 1),
    st.sampled_from(["id", "geometry", "properties"]),
    JSON,
)
def test_no_problem_means_that_the_map_loads_and_a_problem_that_it_does_not(
    number: int, member: str, garbage: object
) -> None:
    """The two ways to look at a map must agree, or a published map could not be started on."""
    document = copy.deepcopy(DEMO)
    document["features"][number][member] = garbage
    found: tuple[MapProblem, ...] = problems_of(document)
    try:
        check_site_map(parse_site_map(json.dumps(document).encode(), source="drawn"))
    except InvalidSiteMap:
        assert found
    else:
        assert not found
