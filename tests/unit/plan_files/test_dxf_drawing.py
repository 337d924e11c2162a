"""read_plan_file on DXF: layers become kinds, units metres, blocks what is in them."""

import io
import math
import random
import time
from itertools import pairwise

import ezdxf
import pytest
from ezdxf.document import Drawing

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import FeatureKind, ImportedPlan, PlanFormat, PlanUnits, Shape
from rtls.plan_files.limits import MARKS_MAX, VERTICES_MAX
from rtls.plan_files.plan_reading import read_plan_file
from tests.unit.plan_files.plan_samples import request_for

DXF = request_for(PlanFormat.DXF, source="a.dxf")
MILLIMETRE, METRE, NO_UNIT = 4, 6, 0


def drawing(units: int = METRE) -> Drawing:
    document = ezdxf.new(units=units)
    document.header["$INSUNITS"] = units
    return document


def read(document: Drawing) -> ImportedPlan:
    file = io.StringIO()
    document.write(file)
    return read_plan_file(file.getvalue().encode(), DXF)


def shape(plan: ImportedPlan, number: int = 0) -> Shape:
    found = plan.features[number].shape
    assert found is not None
    return found


def test_layers_become_kinds_and_millimetres_metres() -> None:
    """A German and an English office name their layers differently and mean the same."""
    document = drawing(MILLIMETRE)
    space = document.modelspace()
    space.add_line((0, 0), (60_000, 0), {"layer": "A-WALL"})
    space.add_line((0, 0), (0, 40_000), {"layer": "Außenwände"})
    box = [(5_000, 5_000), (6_000, 5_000), (6_000, 9_000), (5_000, 9_000)]
    space.add_lwpolyline(box, close=True, dxfattribs={"layer": "REGALE_HOLZ"})
    space.add_lwpolyline(box, close=True, dxfattribs={"layer": "Kassenzone"})
    space.add_lwpolyline(box, close=True, dxfattribs={"layer": "Eingang"})
    plan = read(document)
    assert [(f.feature, f.properties.get("zone_kind")) for f in plan.features] == [
        ("wall-1", None),
        ("wall-2", None),
        ("fixture-1", None),
        ("zone-1", "checkout"),
        ("zone-2", "entrance"),
    ]
    assert (plan.units, plan.extent) == (PlanUnits.METRE, (0.0, 0.0, 60.0, 40.0))
    assert shape(plan, 2).lines == (((5.0, 5.0), (6.0, 5.0), (6.0, 9.0), (5.0, 9.0)),)
    assert plan.features[2].properties == {"floor": 0, "layer": "REGALE_HOLZ"}


def test_a_block_is_opened_where_it_is_inserted_turned_and_scaled() -> None:
    """Shelves are drawn once and inserted fifty times; on layer 0 they take that of the insert."""
    document = drawing()
    rack = document.blocks.new("RACK")
    rack.add_lwpolyline([(0, 0), (2, 0), (2, 1), (0, 1)], close=True)
    places = {"layer": "Regale", "rotation": 90, "xscale": 2, "yscale": 2}
    document.modelspace().add_blockref("RACK", (10, 10), places)
    plan = read(document)
    assert plan.features[0].kind is FeatureKind.FIXTURE
    corners = {(round(x, 3), round(y, 3)) for x, y in shape(plan).lines[0]}
    assert corners == {(10.0, 10.0), (10.0, 14.0), (8.0, 14.0), (8.0, 10.0)}


def test_an_array_of_a_block_is_as_many_shelves() -> None:
    """Twelve shelves every six metres are one entity of a DXF."""
    document = drawing()
    document.blocks.new("RACK").add_lwpolyline([(0, 0), (2, 0), (2, 1)], close=True)
    attributes = {"layer": "Regale", "row_count": 3, "column_count": 4, "row_spacing": 5.0}
    document.modelspace().add_blockref("RACK", (0, 0), attributes | {"column_spacing": 6.0})
    assert len(read(document).features) == 12


def test_curves_become_lines_that_are_off_by_no_more_than_a_centimetre() -> None:
    """A round pillar of a metre, and a quarter of a round wall."""
    document = drawing()
    document.modelspace().add_circle((10, 10), 1.0, {"layer": "Stützen"})
    document.modelspace().add_arc((0, 0), 8.0, 0, 90, {"layer": "Wand"})
    plan = read(document)
    pillar, wall = shape(plan, 0).lines[0], shape(plan, 1).lines[0]
    assert all(math.dist(corner, (10, 10)) == pytest.approx(1.0, abs=0.002) for corner in pillar)
    for (x0, y0), (x1, y1) in pairwise(wall):
        assert math.hypot((x0 + x1) / 2, (y0 + y1) / 2) > 8.0 - 0.011
    assert plan.features[1].kind is FeatureKind.WALL


def test_a_shelf_of_four_lines_is_one_outline() -> None:
    """Many drawings have no closed polyline in them at all; a cross in the box is decoration."""
    document = drawing()
    corners = [(0, 0), (3, 0), (3, 1), (0, 1), (0, 0)]
    for start, end in pairwise(corners):
        document.modelspace().add_line(start, end, {"layer": "Regal"})
    document.modelspace().add_line((0, 0), (3, 1), {"layer": "Regal"})
    plan = read(document)
    assert [feature.feature for feature in plan.features] == ["fixture-1"]
    assert set(shape(plan).lines[0]) == set(corners) - {()}


def test_a_drawing_without_units_keeps_its_numbers() -> None:
    """Nobody guesses between millimetres and metres: two points on the map will say it."""
    document = drawing(NO_UNIT)
    document.modelspace().add_line((-7, 3), (60_000, 3))
    plan = read(document)
    assert plan.units is PlanUnits.UNKNOWN
    assert shape(plan).lines == (((-7.0, 3.0), (60_000.0, 3.0)),)


@pytest.mark.parametrize(("units", "length"), [(METRE, 60_000.0), (MILLIMETRE, 60.0)])
def test_units_that_cannot_be_are_not_believed(units: int, length: float) -> None:
    """Drawn in millimetres and saved as metres, or the other way: the commonest fault there is."""
    document = drawing(units)
    document.modelspace().add_line((0, 0), (length, 0))
    plan = read(document)
    assert plan.units is PlanUnits.UNKNOWN
    assert "which no building is" in plan.warnings[0]


def test_a_drawing_in_the_coordinates_of_a_country_is_moved_to_the_origin() -> None:
    """Surveyors draw 3.5 thousand kilometres from their origin; a floor begins at 0."""
    document = drawing()
    document.modelspace().add_line((3_500_000, 5_400_000), (3_500_060, 5_400_040))
    plan = read(document)
    assert plan.extent == (0.0, 0.0, 60.0, 40.0)
    assert "moved by -3,500,000.000 m and -5,400,000.000 m" in plan.warnings[0]


def test_what_no_map_needs_is_left_out_and_said() -> None:
    """Dimensions, texts, doors and hidden layers would become walls in the way."""
    document = drawing()
    document.layers.add("Alt").off()
    space = document.modelspace()
    space.add_line((0, 0), (9, 9), {"layer": "Alt"})
    space.add_line((0, 0), (9, 9), {"layer": "Bemaßung"})
    space.add_text("Hall 1")
    plan = read(document)
    assert plan.features == ()
    assert plan.warnings == (
        "layer Bemaßung: 1 left out, since a map has no use for them.",
        "hidden layer Alt: 1 left out.",
        "TEXT: 1 left out.",
    )


def test_blocks_of_blocks_of_blocks_are_not_opened_without_end() -> None:
    """Ten levels of ten inserts each are ten thousand million entities in a few kilobytes."""
    document = drawing()
    document.blocks.new("B0").add_line((0, 0), (1, 1))
    for level in range(1, 11):
        block = document.blocks.new(f"B{level}")
        for number in range(10):
            block.add_blockref(f"B{level - 1}", (number, 0))
    document.modelspace().add_blockref("B10", (0, 0))
    with pytest.raises(InvalidPlanFile, match=r"INSERT \w+: more than 100,000 things"):
        read(document)


def test_a_block_that_holds_itself_is_refused() -> None:
    document = drawing()
    block = document.blocks.new("SELF")
    block.add_line((0, 0), (1, 1))
    block.add_blockref("SELF", (1, 0))
    document.modelspace().add_blockref("SELF", (0, 0))
    with pytest.raises(InvalidPlanFile, match="block 'SELF' holds itself"):
        read(document)


def test_an_array_without_end_is_refused() -> None:
    """32,767 rows by as many columns is the largest that DXF can say."""
    document = drawing()
    document.blocks.new("RACK").add_point((0, 0))
    rows = {"row_count": 32_767, "row_spacing": 1.0}
    columns = {"column_count": 32_767, "column_spacing": 1.0}
    document.modelspace().add_blockref("RACK", (0, 0), rows | columns)
    with pytest.raises(InvalidPlanFile, match=r"INSERT \w+: more than 100,000 things"):
        read(document)


def test_one_vertex_too_many_is_one_too_many() -> None:
    document = drawing()
    line = [(k % 100, k // 100) for k in range(VERTICES_MAX)]
    document.modelspace().add_lwpolyline(line)
    document.modelspace().add_line((0, 0), (1, 1))
    with pytest.raises(InvalidPlanFile, match=r"feature LINE \w+: more than 20,000 vertices"):
        read(document)


def test_a_polyline_of_a_million_points_is_refused_unread() -> None:
    """Ten megabytes of points take ezdxf ten seconds, and us half a one to count."""
    head = b"0\nSECTION\n2\nENTITIES\n0\nLWPOLYLINE\n8\n0\n90\n1000000\n"
    content = head + b"10\n1\n20\n1\n" * 1_000_000
    begun = time.process_time()
    with pytest.raises(InvalidPlanFile, match=f"1,000,000 points .*most {MARKS_MAX:,}"):
        read_plan_file(content, DXF)
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"AC1032\0\0", "a DWG or a binary DXF"),
        (b"AutoCAD Binary DXF\r\n\x1a\0", "a DWG or a binary DXF"),
        (b"hello", "no DXF that can be read"),
        (b"\0" * 1000, "no DXF that can be read"),
    ],
)
def test_what_is_no_dxf_is_refused_by_name(content: bytes, says: str) -> None:
    with pytest.raises(InvalidPlanFile, match=rf"a\.dxf: {says}"):
        read_plan_file(content, DXF)


def test_a_circle_as_large_as_the_world_is_drawn_in_no_time() -> None:
    """To a centimetre it would have more pieces than there is memory; damage is left out."""
    document = drawing()
    document.modelspace().add_circle((0, 0), 1e9)
    document.modelspace().add_circle((0, 0), 1e40)
    begun = time.process_time()
    plan = read(document)
    assert time.process_time() - begun < 2.0
    assert len(shape(plan).lines[0]) < 500
    assert "beyond all bounds: 1 left out." in plan.warnings


def test_lines_that_cross_without_end_are_left_out_and_said() -> None:
    """A thousand lines on a layer of shelves, all across the hall: half a million corners."""
    document = drawing()
    chance = random.Random(1)
    for _ in range(1_000):
        start, end = (0.0, chance.uniform(0, 40)), (60.0, chance.uniform(0, 40))
        document.modelspace().add_line(start, end, {"layer": "Regal"})
    plan = read(document)
    assert plan.features == ()
    assert "layer Regal (lines that cross too often): 1000 left out" in plan.warnings[0]


def test_a_drawing_of_nothing_says_so() -> None:
    """The plan may lie in a layout, where nobody can say its scale."""
    assert read(drawing()).warnings == ("nothing is drawn in the model space.",)
