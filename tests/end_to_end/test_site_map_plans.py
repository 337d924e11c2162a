"""inaisle site-map import and export: a plan becomes a draft, and a map goes to other programs."""

import json
from pathlib import Path

import ezdxf
import pytest
from PIL import Image

from inaisle.errors import ExitStatus
from rtls.model.site_map_geojson import parse_site_map
from tests.end_to_end.recorded_shelves import run

DEMO = Path(__file__).resolve().parents[2] / "config" / "demo" / "site.geojson"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A hall of 60 by 40 m with one rack, drawn in millimetres."""
    document = ezdxf.new(units=4)
    hall = [(0, 0), (60_000, 0), (60_000, 40_000), (0, 40_000)]
    document.modelspace().add_lwpolyline(hall, close=True, dxfattribs={"layer": "Wand"})
    rack = [(5_000, 5_000), (6_000, 5_000), (6_000, 9_000), (5_000, 9_000)]
    document.modelspace().add_lwpolyline(rack, close=True, dxfattribs={"layer": "Regal"})
    path = tmp_path / "plan.dxf"
    document.saveas(path)
    return path


def test_a_drawing_becomes_a_draft_that_the_service_can_read(
    plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The walls and shelves that somebody has drawn once need not be drawn again."""
    target = tmp_path / "draft.geojson"
    assert run("site-map", "import", plan, "--out", target, "--site", "shop") == ExitStatus.DONE
    assert "wall" in capsys.readouterr().out
    draft = parse_site_map(target.read_bytes(), source="draft")
    assert (draft.site, draft.floors[0].width_m, draft.floors[0].height_m) == ("shop", 60.0, 40.0)
    assert draft.fixtures[0].ring == ((5.0, 5.0), (6.0, 5.0), (6.0, 9.0), (5.0, 9.0))


def test_the_shop_goes_to_imdf_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a map named, the shop of the settings is meant: here that of the demo."""
    archive, returned = tmp_path / "shop.zip", tmp_path / "shop.geojson"
    assert run("site-map", "export", "--out", archive) == ExitStatus.DONE
    assert run("site-map", "import", archive, "--out", returned, "--json") == ExitStatus.DONE
    assert json.loads(capsys.readouterr().out)["problems"] == []
    assert parse_site_map(returned.read_bytes(), source="x") == parse_site_map(
        DEMO.read_bytes(), source="x"
    )


def test_the_shop_goes_out_as_geojson_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "x.geojson"
    assert run("site-map", "export", "--format", "geojson", "--out", out) == ExitStatus.DONE
    assert out.read_bytes() == DEMO.read_bytes()


def test_a_drawing_in_pixels_needs_its_scale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten units to the metre, and y runs down in an SVG: the low line is the near one."""
    path, out = tmp_path / "a.svg", tmp_path / "a.geojson"
    path.write_text(
        '<svg><g id="wall"><path d="M100 100h600"/><path d="M100 500h600v-1"/></g></svg>'
    )
    assert run("site-map", "import", path, "--out", out) == ExitStatus.USAGE
    assert "Give --m-per-unit" in capsys.readouterr().err
    assert not out.exists()
    assert run("site-map", "import", path, "--out", out, "--m-per-unit", "0.1") == ExitStatus.DONE
    draft = parse_site_map(out.read_bytes(), source="draft")
    assert [wall.line[0] for wall in draft.walls] == [(0.0, 40.0), (0.0, 0.0)]
    assert "to do: " not in capsys.readouterr().out


def test_a_picture_becomes_a_png_to_draw_over(tmp_path: Path) -> None:
    scan, out = tmp_path / "scan.jpg", tmp_path / "plan.png"
    Image.new("RGB", (300, 200)).save(scan)
    assert run("site-map", "import", scan, "--out", out) == ExitStatus.DONE
    with Image.open(out) as image:
        assert (image.format, image.size) == ("PNG", (300, 200))


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("import", "none.dxf", "--out", "x"), ExitStatus.USAGE, "none.dxf: cannot be read"),
        (("import", "plan.doc", "--out", "x"), ExitStatus.USAGE, "Give --format"),
        (("import", "plan.dxf", "--format", "dwg", "--out", "x"), ExitStatus.USAGE, "from 'dwg'"),
        (("import", "bad.dxf", "--out", "x"), ExitStatus.REFUSED, "no DXF that can be read"),
        (
            ("import", "plan.dxf", "--origin", "9", "--out", "x"),
            ExitStatus.USAGE,
            "--origin is '9'",
        ),
        (
            ("import", "a.svg", "--m-per-unit", "0", "--out", "x"),
            ExitStatus.REFUSED,
            "scale is 0.0",
        ),
        (
            ("import", "a.svg", "--origin", "999,0", "--out", "x"),
            ExitStatus.REFUSED,
            "lon is 999.0",
        ),
        (("export", "--out", "no/x"), ExitStatus.USAGE, "cannot be written"),
        (("export", "--format", "osm", "--out", "x"), ExitStatus.USAGE, "--format is 'osm'"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_the_remedy(
    arguments: tuple[str, ...],
    status: ExitStatus,
    says: str,
    plan: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(plan.parent)
    Path("bad.dxf").write_bytes(b"hello")
    Path("a.svg").write_text("<svg/>", encoding="ascii")
    assert run("site-map", *arguments) == status
    assert says in " ".join(capsys.readouterr().err.split())
