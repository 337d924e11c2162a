"""Replay and score: recorded readings through the public ingest path, without hindsight."""

import csv
import gzip
import json
import math
from pathlib import Path

import pytest

from inaisle.cli import app, run_guarded
from inaisle.errors import ExitStatus

ANCHORS = {"a0": (0.0, 0.0), "a1": (10.0, 0.0), "a2": (10.0, 10.0), "a3": (0.0, 10.0)}
HEADER = "session,t_s,tag,anchor,kind,value\n"
Row = dict[str, str]


def run(*arguments: str | Path) -> int:
    return run_guarded(lambda: app([str(argument) for argument in arguments], prog_name="inaisle"))


def ranges(session: str, *, x: float, until_s: float = 6.0) -> list[str]:
    """Exact ranges of a tag that stands at (x, 5), at the anchors' height, ten times a second."""
    return [
        f"{session},{tick / 10},tag,{anchor},range,{math.dist((x, 5.0), place):.4f}\n"
        for tick in range(int(until_s * 10) + 1)
        for anchor, place in ANCHORS.items()
    ]


def recording(folder: Path, lines: list[str], *, places: dict[str, float]) -> Path:
    folder.mkdir()
    anchors = "".join(f"{name},{x},{y},1.0\n" for name, (x, y) in ANCHORS.items())
    (folder / "anchors.csv").write_text("anchor,x,y,z\n" + anchors)
    (folder / "readings.csv").write_text(HEADER + "".join(lines))
    truth = "".join(f"{s},{t},tag,{x},5,1\n" for s, x in places.items() for t in (0, 6))
    (folder / "truth.csv").write_text("session,t_s,tag,x,y,z\n" + truth)
    return folder


def rows_of(path: Path) -> list[Row]:
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture
def two_stands(tmp_path: Path) -> Path:
    lines = ranges("near", x=3.0) + ranges("far", x=7.0)
    return recording(tmp_path / "stands", lines, places={"near": 3.0, "far": 7.0})


def test_a_recorded_stand_is_found_and_scored(
    two_stands: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The two commands of the README, on numbers that anybody can check."""
    emitted = tmp_path / "fixes.csv"
    assert run("replay", two_stands, "--emit", emitted, "--json") == ExitStatus.DONE
    summary = json.loads(capsys.readouterr().out)
    assert (summary["sessions"], summary["readings"], summary["quarantined"]) == (2, 2 * 61 * 4, 0)
    assert run("score", two_stands, emitted, "--json") == ExitStatus.DONE
    score = json.loads(capsys.readouterr().out)
    assert score["overall"]["instants"] == 2 * 13
    assert score["overall"]["located_share"] == 1.0
    assert score["overall"]["p90_m"] < 0.25


def test_a_row_uses_no_reading_of_the_future(two_stands: Path, tmp_path: Path) -> None:
    """Cut at any second, the rows up to it stay as they were, to the last digit."""
    assert run("replay", two_stands, "--emit", tmp_path / "all.csv") == ExitStatus.DONE
    assert run("replay", two_stands, "--emit", tmp_path / "cut.csv", "--until", "2.5") == 0
    everything, cut = rows_of(tmp_path / "all.csv"), rows_of(tmp_path / "cut.csv")
    assert cut == [row for row in everything if float(row["emitted_t_s"]) <= 2.5]
    assert 0 < len(cut) < len(everything)
    assert all(float(row["t_s"]) <= float(row["emitted_t_s"]) for row in everything)


@pytest.mark.parametrize("until_s", ["2.0", "2.95", "3.0", "3.5", "4.0"])
def test_a_cut_in_the_middle_of_a_silence_gives_what_was_known_by_then(
    tmp_path: Path, until_s: str
) -> None:
    """At whole seconds a silent tag's fix is predicted; live, nobody waits for the next reading."""
    lines = [line for line in ranges("s", x=3.0) if not 2.0 < float(line.split(",")[1]) < 4.5]
    folder = recording(tmp_path / "gap", lines, places={"s": 3.0})
    assert run("replay", folder, "--emit", tmp_path / "all.csv") == ExitStatus.DONE
    assert run("replay", folder, "--emit", tmp_path / "cut.csv", "--until", until_s) == 0
    known = [r for r in rows_of(tmp_path / "all.csv") if float(r["emitted_t_s"]) <= float(until_s)]
    assert rows_of(tmp_path / "cut.csv") == known
    assert [r["t_s"] for r in rows_of(tmp_path / "all.csv") if 2.0 < float(r["t_s"]) < 4.5] == [
        "3.000",
        "4.000",
    ]


def test_another_future_leaves_the_past_as_it_was(tmp_path: Path) -> None:
    """The negative control of the test above: the readings themselves differ after 3 s."""
    calm = recording(tmp_path / "calm", ranges("s", x=3.0), places={"s": 3.0})
    jump = [line for line in ranges("s", x=3.0) if float(line.split(",")[1]) <= 3.0]
    jump += [line for line in ranges("s", x=8.0) if float(line.split(",")[1]) > 3.0]
    moved = recording(tmp_path / "moved", jump, places={"s": 3.0})
    emitted = {}
    for folder in (calm, moved):
        path = tmp_path / f"{folder.name}.csv"
        assert run("replay", folder, "--emit", path) == ExitStatus.DONE
        emitted[folder.name] = rows_of(path)
    until_3 = [[r for r in rows if float(r["t_s"]) <= 3.0] for rows in emitted.values()]
    assert until_3[0] == until_3[1]
    assert emitted["calm"] != emitted["moved"]


def test_sessions_do_not_know_each_other(two_stands: Path, tmp_path: Path) -> None:
    """Else the second session would begin where the first one ended."""
    alone = recording(tmp_path / "alone", ranges("far", x=7.0), places={"far": 7.0})
    for folder in (two_stands, alone):
        assert run("replay", folder, "--emit", tmp_path / f"{folder.name}.csv") == ExitStatus.DONE
    together = [r for r in rows_of(tmp_path / "stands.csv") if r["session"] == "far"]
    assert together == rows_of(tmp_path / "alone.csv")


def test_calibration_is_used_unless_switched_off(tmp_path: Path) -> None:
    """Ranges half a metre too long from the left move the fix to the right until they are known."""
    folder = recording(tmp_path / "biased", ranges("s", x=5.0), places={"s": 5.0})
    lines = (folder / "readings.csv").read_text().splitlines(keepends=True)
    for number, line in enumerate(lines[1:], start=1):
        *front, value = line.strip().split(",")
        bias = 0.5 if front[3] in {"a0", "a3"} else 0.0
        lines[number] = ",".join([*front, f"{float(value) + bias:.4f}\n"])
    (folder / "readings.csv").write_text("".join(lines))
    links = "tag,anchor,bias_m,slope\ntag,a0,0.5,0\ntag,a3,0.5,0\ntag,a1,0,0\ntag,a2,0,0\n"
    (folder / "calib.csv").write_text(links)
    last = {}
    for flag in ((), ("--no-calibration",)):
        assert run("replay", folder, "--emit", tmp_path / "f.csv", *flag) == ExitStatus.DONE
        last[flag] = float(rows_of(tmp_path / "f.csv")[-1]["x"])
    assert last[()] == pytest.approx(5.0, abs=0.05)
    assert last["--no-calibration",] > 5.1


def test_a_broken_line_is_refused_by_file_and_line(
    two_stands: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever converts his own recording finds his mistake from this line."""
    (two_stands / "readings.csv").write_text(HEADER + "near,0,tag,a0,range,far\n")
    status = run("replay", two_stands, "--emit", tmp_path / "fixes.csv")
    assert status == ExitStatus.REFUSED
    assert "line 2: value is 'far'" in capsys.readouterr().err


def excerpt(source: Path, folder: Path, *, session: str) -> Path:
    """Copy one session of a recording, so that the test takes a second and not ten."""
    folder.mkdir()
    for table in ("readings", "truth"):
        with gzip.open(source / f"{table}.csv.gz", "rt") as file:
            lines = [line for line in file if line.startswith((f"{session},", "session,"))]
        (folder / f"{table}.csv").write_text("".join(lines))
    for table in ("anchors.csv", "calib.csv"):
        (folder / table).write_bytes((source / table).read_bytes())
    return folder


@pytest.mark.slow
def test_real_uwb_ranges_of_a_moving_trolley_are_located_to_centimetres(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The promise of the README: p50 within 7 cm and p90 within 12 cm, calibrated."""
    folder = excerpt(shared_data / "uwb_trolley", tmp_path / "dyn", session="dyn_mid")
    assert run("replay", folder, "--emit", tmp_path / "fixes.csv") == ExitStatus.DONE
    capsys.readouterr()
    assert run("score", folder, tmp_path / "fixes.csv", "--json") == ExitStatus.DONE
    moving = json.loads(capsys.readouterr().out)["groups"]["moving"]
    assert moving["instants"] == 777
    assert moving["located_share"] >= 0.98
    assert moving["p50_m"] <= 0.07
    assert moving["p90_m"] <= 0.12
    assert moving["inside_ellipse_90"] >= 0.85


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ble_office", "ble_library", "ble_flat"])
def test_every_recording_with_anchor_places_is_taken(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """One format for all; the figures are those of the next step, a constant guess is beaten."""
    assert run("replay", shared_data / name, "--emit", tmp_path / "fixes.csv") == ExitStatus.DONE
    capsys.readouterr()
    assert run("score", shared_data / name, tmp_path / "fixes.csv", "--json") == ExitStatus.DONE
    overall = json.loads(capsys.readouterr().out)["overall"]
    assert overall["located_share"] > 0.85
    assert overall["p50_m"] < 4.0
