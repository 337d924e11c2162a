"""inaisle site-map bay-pairs: the command of a retailer who has drawn shelves and no pairs."""

import json
from pathlib import Path

import pytest

from inaisle.errors import ExitStatus
from rtls.geofence.site_map_check import check_site_map
from rtls.model.site_map import ZoneKind
from rtls.model.site_map_geojson import parse_site_map
from tests.end_to_end.recorded_shelves import run

DEMO = Path(__file__).resolve().parents[2] / "config" / "demo" / "site.geojson"


@pytest.fixture
def unpaired(tmp_path: Path) -> Path:
    """The demo shop as somebody would draw it by hand."""
    document = json.loads(DEMO.read_text(encoding="utf-8"))
    document["features"] = [f for f in document["features"] if "pair" not in f["properties"]]
    path = tmp_path / "site.geojson"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_the_pairs_of_the_demo_shop_are_found_and_written(
    unpaired: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """15 pairs of 30 shelves, each with its shelves within it and its aisle around it."""
    target = tmp_path / "paired.geojson"
    assert run("site-map", "bay-pairs", unpaired, "--out", target, "--json") == ExitStatus.DONE
    assert len(json.loads(capsys.readouterr().out)["pairs"]) == 15
    grown = parse_site_map(target.read_bytes(), source="grown")
    check_site_map(grown)
    assert set(grown.zones) == set(parse_site_map(DEMO.read_bytes(), source="demo").zones)
    zones = {zone.zone: zone for zone in grown.zones}
    pair = zones[zones["dowels"].parent]
    assert (pair.kind, pair.parent) == (ZoneKind.BAY_PAIR, "aisle-2-front")
    assert zones["drill-bits"].parent == pair.zone


def test_a_second_run_adds_nothing(unpaired: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same file may be named as target, and the command be run after each change."""
    for _ in range(2):
        assert run("site-map", "bay-pairs", unpaired, "--out", unpaired) == ExitStatus.DONE
    assert "0 pairs" in capsys.readouterr().out
    assert len(json.loads(unpaired.read_bytes())["features"]) == len(
        json.loads(DEMO.read_bytes())["features"]
    )


def test_a_map_that_cannot_be_read_is_a_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("site-map", "bay-pairs", tmp_path / "none.geojson") != ExitStatus.DONE
    assert "cannot be read" in capsys.readouterr().err
