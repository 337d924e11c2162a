"""Replay and score of zones: P(shelf) of a recording, without hindsight."""

import csv
import json
import math
from pathlib import Path

import pytest

from inaisle.errors import ExitStatus
from tests.end_to_end.recorded_shelves import run, shelf

ANCHORS = {"a0": (0.0, 0.0), "a1": (10.0, 0.0), "a2": (10.0, 10.0), "a3": (0.0, 10.0)}
STANDS = {"at-left": 3.0, "at-right": 7.0}  # 1 m before the face of either shelf


@pytest.fixture
def stands(tmp_path: Path) -> Path:
    """Exact ranges of two stands, ten times a second for 6 s, between two shelves."""
    folder = tmp_path / "stands"
    folder.mkdir()
    lines = [
        f"{session},{tick / 10},tag,{anchor},range,{math.dist((x, 5.0), place):.4f}\n"
        for session, x in STANDS.items()
        for tick in range(61)
        for anchor, place in ANCHORS.items()
    ]
    places = "".join(f"{name},{x},{y},1.0\n" for name, (x, y) in ANCHORS.items())
    truth = "".join(f"{session},{t},tag,{x},5,1\n" for session, x in STANDS.items() for t in (0, 6))
    features = [shelf("Left_1", 1.0), shelf("Right_1", 8.0)]
    (folder / "anchors.csv").write_text("anchor,x,y,z\n" + places)
    (folder / "readings.csv").write_text("session,t_s,tag,anchor,kind,value\n" + "".join(lines))
    (folder / "truth.csv").write_text("session,t_s,tag,x,y,z\n" + truth)
    (folder / "shelves.geojson").write_text(json.dumps({"features": features}))
    return folder


def test_the_shelf_of_a_stand_is_named_surely_and_scored(
    stands: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exact ranges there is no doubt; the ids are those of the file, letter by letter."""
    fixes, zones = tmp_path / "fixes.csv", tmp_path / "zones.csv"
    assert run("replay", stands, "--emit", fixes, "--emit-zones", zones, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    with zones.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == summary["zone_rows"] >= summary["fixes"]
    assert list(rows[0]) == ["session", "t_s", "emitted_t_s", "tag", "zone", "p"]
    assert {row["zone"] for row in rows} <= {"Left_1", "Right_1"}
    assert run("score", stands, fixes, "--zones", zones, "--json") == ExitStatus.DONE
    score = json.loads(capsys.readouterr().out)["zones"]
    assert score["instants"] == 26
    assert score["hit_rate"] == score["sure_share"] == score["sure_hit_rate"] == 1.0
    assert score["ece"] < 0.01
    assert len(score["reliability"]) == 10
    assert run("score", stands, fixes, "--zones", zones) == ExitStatus.DONE
    assert "ECE" in capsys.readouterr().out


def test_the_zones_of_a_replay_cut_short_are_a_prefix_byte_by_byte(
    stands: Path, tmp_path: Path
) -> None:
    """Else a P(zone) would know the future."""
    whole, cut = tmp_path / "whole.csv", tmp_path / "cut.csv"
    for zones, more in ((whole, []), (cut, ["--until", "2.5"])):
        assert run("replay", stands, "--emit", tmp_path / "f", "--emit-zones", zones, *more) == 0
    head, *rows = whole.read_bytes().splitlines()
    known = [row for row in rows if float(row.split(b",")[2]) <= 2.5]
    assert cut.read_bytes().splitlines() == [head, *known]
    assert 0 < len(known) < len(rows)


def test_a_tag_on_the_grid_is_at_the_shelves_where_its_mass_is(tmp_path: Path) -> None:
    """All anchors hang in one line, so a tag beside it may as well be on the other side.

    The mean of both places is below the line, at a shelf where the tag is for certain not.
    """
    folder = tmp_path / "mirrored"
    folder.mkdir()
    hung = {f"a{k}": (15.0, 2.0 * k) for k in range(11)}
    lines = [
        f"stand,{tick / 5},tag,{name},rssi,{-60.0 - 20.0 * math.log10(math.dist((4, 10), place))}\n"
        for tick in range(50)
        for name, place in hung.items()
    ]
    places = "".join(f"{name},{x},{y},2.0\n" for name, (x, y) in hung.items())
    shelves = [shelf("Left_1", 2.0), shelf("Middle_1", 14.5), shelf("Right_1", 27.0)]
    (folder / "anchors.csv").write_text("anchor,x,y,z\n" + places)
    (folder / "readings.csv").write_text("session,t_s,tag,anchor,kind,value\n" + "".join(lines))
    (folder / "shelves.geojson").write_text(json.dumps({"features": shelves}))
    zones, fixes = tmp_path / "zones.csv", tmp_path / "fixes.csv"
    assert run("replay", folder, "--emit", fixes, "--emit-zones", zones) == ExitStatus.DONE
    with fixes.open() as file:
        x_m = [float(row["x"]) for row in csv.DictReader(file)][-1]
    with zones.open() as file:
        rows = list(csv.DictReader(file))
    last = {row["zone"]: float(row["p"]) for row in rows if row["t_s"] == rows[-1]["t_s"]}
    assert 9.0 < x_m < 21.0
    assert last.get("Middle_1", 0.0) < 0.05  # the Gaussian of both sides has its top there
    assert min(last["Left_1"], last["Right_1"]) > 0.3


def test_zones_are_refused_for_a_recording_without_any(
    stands: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty table would look like an answer."""
    (stands / "shelves.geojson").unlink()
    target = tmp_path / "zones.csv"
    status = run("replay", stands, "--emit", tmp_path / "f", "--emit-zones", target)
    assert status == ExitStatus.REFUSED
    assert "no zones" in capsys.readouterr().err
    assert not target.exists()


def test_a_table_that_cannot_be_written_is_a_clear_error(
    stands: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped folder must not end in a trace."""
    target = tmp_path / "nowhere" / "zones.csv"
    status = run("replay", stands, "--emit", tmp_path / "f", "--emit-zones", target)
    assert status == ExitStatus.REFUSED
    assert "cannot be written" in capsys.readouterr().err
