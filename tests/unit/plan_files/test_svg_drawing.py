"""read_plan_file on SVG: shapes become lines and outlines, and nothing else of it is kept."""

import json
import math
import re
import time

import pytest

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import FeatureKind, ImportedPlan, PlanFormat, PlanUnits
from rtls.plan_files.limits import VERTICES_MAX
from rtls.plan_files.plan_json import plan_json
from rtls.plan_files.plan_reading import read_plan_file
from tests.unit.plan_files.plan_samples import request_for
from tests.unit.plan_files.svg_attacks import ATTACKS

SVG = request_for(PlanFormat.SVG, source="a.svg")
CURVES = "M40 50C40 44.477 44.477 40 50 40S60 44.477 60 50 55.523 60 50 60 40 55.523 40 50"
EXECUTABLE = re.compile(r"[<>]|\bon\w+\s*=\s*[\"']|&#|\\u003c", re.IGNORECASE)


def svg(body: str, attributes: str = "") -> bytes:
    spaces = (
        'xmlns="http://www.w3.org/2000/svg" '
        'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
    )
    return f"<svg {spaces} {attributes}>{body}</svg>".encode()


def read(body: str, attributes: str = "") -> ImportedPlan:
    return read_plan_file(svg(body, attributes), SVG)


def lines_of(body: str) -> tuple[tuple[float, ...], ...]:
    (feature,) = read(body).features
    assert feature.shape is not None
    return feature.shape.lines[0]


def test_groups_are_layers_and_their_labels_say_what_is_on_them() -> None:
    """Inkscape's layers are groups with a label; other programs write an id."""
    plan = read(
        '<g inkscape:label="Regale"><rect x="10" y="20" width="30" height="5"/></g>'
        '<g id="walls"><line x1="0" y1="0" x2="100" y2="0"/></g>'
        '<g id="x"><title>Kassen</title><polygon points="0,0 5,0 5,5"/></g>'
    )
    assert [(f.kind, f.properties["layer"]) for f in plan.features] == [
        (FeatureKind.FIXTURE, "Regale"),
        (FeatureKind.WALL, "walls"),
        (FeatureKind.ZONE, "Kassen"),
    ]
    assert plan.units is PlanUnits.PIXEL
    assert plan.features[0].shape is not None
    assert plan.features[0].shape.lines == (
        ((10.0, 20.0), (40.0, 20.0), (40.0, 25.0), (10.0, 25.0)),
    )


@pytest.mark.parametrize(
    ("data", "corners"),
    [
        ("M1 1 4 1 4 5z", ((1, 1), (4, 1), (4, 5))),
        ("m1,1l3,0 0,4Z", ((1, 1), (4, 1), (4, 5))),
        ("M1 1H4V5L1 1", ((1, 1), (4, 1), (4, 5))),
        ("M1 1h3v4h-3z", ((1, 1), (4, 1), (4, 5), (1, 5))),
        ("M.5.5L1e1-2", ((0.5, 0.5), (10, -2))),
    ],
)
def test_a_path_is_read_in_all_its_spellings(data: str, corners: object) -> None:
    """Programs leave out whatever the standard lets them: commas, blanks, zeros, commands."""
    assert lines_of(f'<path d="{data}"/>') == corners


def test_a_path_of_several_lines_is_several_features() -> None:
    """A room with a pillar in it is one path of two outlines."""
    plan = read('<path d="M0 0h9v9h-9zM3 3h1v1h-1z m5 5 l9 9"/>')
    assert [f.feature for f in plan.features] == ["fixture-1", "fixture-2", "wall-1"]
    assert plan.features[2].shape is not None
    assert plan.features[2].shape.lines == (((8.0, 8.0), (17.0, 17.0)),)


@pytest.mark.parametrize(
    "element",
    [
        '<circle cx="50" cy="50" r="10"/>',
        '<ellipse cx="50" cy="50" rx="10" ry="10"/>',
        '<path d="M40 50A10 10 0 0 1 60 50 10 10 0 0 1 40 50z"/>',
        '<path d="M40 50a10 10 0 1020 0 10 10 0 10-20 0"/>',
        f'<path d="{CURVES}"/>',
    ],
    ids=["circle", "ellipse", "arcs", "arcs with flags glued on", "curves"],
)
def test_a_round_pillar_is_round_however_it_was_drawn(element: str) -> None:
    corners = lines_of(element)
    assert len(corners) >= 24
    assert all(math.dist(corner, (50, 50)) == pytest.approx(10.0, abs=0.01) for corner in corners)


def test_a_quadratic_curve_goes_through_its_middle() -> None:
    """Half way it is a quarter of each end and half of the control point; T mirrors the control."""
    corners = lines_of('<path d="M0 0Q10 10 20 0T40 0"/>')
    assert (10.0, 5.0) in corners
    assert (30.0, -5.0) in corners


@pytest.mark.parametrize(
    ("transform", "corner"),
    [
        ("translate(10 20)", (11.0, 20.0)),
        ("scale(2)", (2.0, 0.0)),
        ("scale(2,3) translate(1)", (4.0, 0.0)),
        ("rotate(90)", (0.0, 1.0)),
        ("rotate(90 1 1)", (2.0, 1.0)),
        ("matrix(0 1 -1 0 5 6)", (5.0, 7.0)),
        ("skewY(45)", (1.0, 1.0)),
        ("skewX(45)", (1.0, 0.0)),
    ],
)
def test_transformations_are_done_in_the_order_of_svg(transform: str, corner: object) -> None:
    """Each was worked out by hand for the end (1, 0) of a line from the origin."""
    assert lines_of(f'<line x2="1" transform="{transform}"/>')[1] == corner
    assert lines_of(f'<g transform="{transform}"><line x2="1"/></g>')[1] == corner


def test_the_view_box_is_the_origin() -> None:
    """Else the shapes would not lie on the picture that a browser shows."""
    plan = read('<line x1="100" y1="200" x2="300" y2="200"/>', 'viewBox="100 200 400 300"')
    assert plan.extent == (0.0, 0.0, 200.0, 0.0)


def test_what_is_hidden_or_no_shape_is_left_out_and_said() -> None:
    plan = read(
        '<g display="none"><line x2="9"/></g><line x2="9" style="display: none"/>'
        '<text>Hall</text><image href="x.png"/><style>*{}</style><defs><path d="M0 0"/></defs>'
    )
    assert plan.features == ()
    assert plan.warnings == ("hidden: 2 left out.", "text: 1 left out.", "image: 1 left out.")


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_nothing_that_could_run_is_left_of_an_attack(attack: str) -> None:
    """Fifty ways to have an SVG run a script or fetch a page: corners and plain names remain."""
    try:
        plan = read_plan_file(attack.encode(), SVG)
    except InvalidPlanFile:
        return
    told = json.dumps(plan_json(plan), ensure_ascii=False)
    assert not EXECUTABLE.search(told.replace('\\"', '"').replace('", "', " ")), told
    texts = [str(f.properties.get(name, "")) for f in plan.features for name in ("name", "layer")]
    assert not any(re.search(r"(javascript|data|https?):", text) for text in texts), texts
    assert plan.picture is None


def laughs(levels: int) -> bytes:
    entities = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(levels)
    )
    return f"<!DOCTYPE svg [{entities}]><svg><title>&l{levels - 1};</title></svg>".encode()


@pytest.mark.parametrize(
    "content",
    [
        laughs(10),
        b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg><title>&x;</title></svg>',
        b'<!DOCTYPE svg [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]><svg/>',
    ],
    ids=["billion laughs", "a file of ours", "a page of others"],
)
def test_entities_are_refused(content: bytes) -> None:
    """They grow without end, or fetch what is none of the drawing's business."""
    begun = time.process_time()
    with pytest.raises(InvalidPlanFile, match=r"a\.svg: it declares entities"):
        read_plan_file(content, SVG)
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (svg("<g>" * 40 + '<line x2="1"/>' + "</g>" * 40), "groups lie more than 32 deep"),
        (svg("<g/>" * 100_000), "tags in the file; expected at most 100,000"),
        (svg(f'<path id="p" d="M0 0{"h1v1" * 20_000}"/>'), "feature path p: more than 20,000"),
        (svg(f'<polyline points="{"1,1 2,1 " * VERTICES_MAX}"/>'), "polyline: more than 20,000"),
        (svg('<path id="p" d="M0 0 L1"/>'), "feature path p: path data has '' at character 7"),
        (svg('<path d="L1 1"/>'), "expected the command M"),
        (svg('<path d="M0 0 1e999 0"/>'), "expected a finite number"),
        (svg('<path d="M0 0 A1 1 0 2 0 5 5"/>'), "expected a flag"),
        (svg('<path d="alert(1)"/>'), "expected a number"),
        (svg('<g transform="url(#x)"/>'), "transform has 'url'"),
        (svg(f'<g transform="{"scale(1)" * 17}"/>'), "expected at most 16"),
        (b"<html/>", "the root is 'html'; expected svg"),
        (b"<svg>", "no XML"),
        (b"\xff\xff", "no XML"),
        (b'<?xml version="1.0" encoding="utf-7"?><svg/>', "no XML"),
    ],
)
def test_what_is_no_drawing_is_refused_by_name(content: bytes, says: str) -> None:
    with pytest.raises(InvalidPlanFile, match=r"\Aa\.svg: ") as refused:
        read_plan_file(content, SVG)
    assert says in str(refused.value)
