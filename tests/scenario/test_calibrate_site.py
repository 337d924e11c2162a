"""inaisle calibrate: a surveyed shop gets its parameters, and an honest word about them."""

import csv
import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from inaisle.cli import app, run_guarded
from inaisle.errors import ExitStatus
from rtls.model.units import AnchorId
from tests.reference.radio_site import OCTAGON

# Whichever test is first may have to compile all kernels, for a minute and more.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

BIAS_M = np.array([0.12, 0.25, 0.18, 0.10, 0.22, 0.16, 0.30, 0.14])
DELAY_M = BIAS_M / 2.0
POINTS = [(1.0 + 2.6 * i, 1.0 + 2.6 * j) for i in range(4) for j in range(4)]
STAY_S = 8.0
HEADER = ["session", "t_s", "tag", "anchor", "kind", "value"]
SMALL_HALL = {
    "type": "FeatureCollection",
    "inaisle": {
        "version": 1,
        "crs": "local",
        "site": "hall",
        "name": "Hall",
        "time_zone": "Europe/Berlin",
        "floors": [{"floor": 0, "name": "0", "width_m": 14, "height_m": 14}],
    },
    "features": [
        {
            "type": "Feature",
            "id": f"a{index}",
            "geometry": {"type": "Point", "coordinates": [x + 2.0, y + 2.0, z]},
            "properties": {"kind": "anchor", "radio": "uwb", "floor": 0, "gateway": "g"},
        }
        for index, (x, y, z) in enumerate(OCTAGON)
    ],
}
PLACE = np.array(OCTAGON) + np.array([2.0, 2.0, 0.0])


def run(*arguments: str) -> int:
    return run_guarded(lambda: app(list(arguments), prog_name="inaisle"))


def write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def survey(folder: Path, *, shuffled: bool = False, seed: int = 1) -> Path:
    """Stand at sixteen points for eight seconds each with a UWB tag."""
    draw = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    (folder / "site.geojson").write_text(json.dumps(SMALL_HALL))
    readings: list[list[object]] = []
    points: list[list[object]] = []
    told = draw.permutation(len(POINTS)) if shuffled else np.arange(len(POINTS))
    for number, (x, y) in enumerate(POINTS):
        begin = 20.0 * number
        for t in np.arange(begin, begin + STAY_S, 0.25):
            ranges = np.linalg.norm(PLACE - (x + 2.0, y + 2.0, 1.0), axis=1)
            ranges += BIAS_M + draw.normal(0.0, 0.05, 8)
            readings += [["s", round(t, 3), "staff", f"a{a}", "range", round(r, 3)]
                         for a, r in enumerate(ranges)]  # fmt: skip
        px, py = POINTS[told[number]]
        points.append([px + 2.0, py + 2.0, 0, begin, begin + STAY_S])
    write(folder / "readings.csv", HEADER, readings)
    write(folder / "points.csv", ["x", "y", "floor", "from", "to"], points)
    write(folder / "anchors.csv", ["anchor", "x", "y", "z"],
          [[f"a{i}", *map(float, place)] for i, place in enumerate(PLACE)])  # fmt: skip
    return folder


def calibrated(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[int, dict[str, object], Path]:
    out = tmp_path / "out" / "calibration.json"
    status = run("calibrate", str(folder), "--out", str(out), "--json", *more)
    return status, json.loads(capsys.readouterr().out), out


def test_a_survey_of_sixteen_points_finds_the_biases_and_says_how_good_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole promise: ten minutes of standing, then decimetres, and a number for it."""
    folder = survey(tmp_path / "survey")
    status, told, out = calibrated(folder, tmp_path, capsys)
    assert status == ExitStatus.DONE
    assert told["verdict"] == "good"
    written = json.loads(out.read_text())
    for row in written["ranges"]:
        index = int(row["anchor"][1:])
        at_6m = row["bias_m"] + 6.0 * row["slope"]
        assert at_6m == pytest.approx(BIAS_M[index], abs=0.03), row
    assert told["tag_never_seen"]["range"]["p90_m"] < 0.2
    assert told["tag_never_seen"]["range"]["located_share"] == 1.0
    assert told["tag_never_seen"]["range"]["zone_size_m"] == 1.25
    assert written["made_from"]["points"] == 16


def test_points_that_were_mixed_up_make_the_report_say_bad_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Control: the same readings with the points shuffled. A tool that is content is useless."""
    folder = survey(tmp_path / "survey", shuffled=True)
    status, told, out = calibrated(folder, tmp_path, capsys)
    assert status == ExitStatus.REFUSED
    assert told["verdict"] == "bad"
    assert told["reasons"]
    assert not out.exists()


def test_anchors_that_hear_each_other_calibrate_without_anybody_walking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A site that was never surveyed gets its anchors' delays over night."""
    folder = survey(tmp_path / "survey")
    (folder / "points.csv").unlink()
    draw = np.random.default_rng(3)
    rows: list[list[object]] = []
    for i in range(8):
        for j in range(8):
            if i != j:
                apart = np.linalg.norm(PLACE[i] - PLACE[j]) + DELAY_M[i] + DELAY_M[j]
                rows += [["s", t, f"a{j}", f"a{i}", "range", apart + draw.normal(0.0, 0.05)]
                         for t in range(10)]  # fmt: skip
    write(folder / "readings.csv", HEADER, rows)
    status, told, out = calibrated(folder, tmp_path, capsys)
    assert status == ExitStatus.DONE
    assert told["verdict"] == "fair", "nobody tested it"
    assert told["anchor_links"] == 560
    for row in json.loads(out.read_text())["ranges"]:
        expected = DELAY_M[int(row["anchor"][1:])] + DELAY_M.mean()
        assert row["bias_m"] == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ([55.0, 3.0, 0, 0, 8], "41.0 m outside floor 0"),
        ([5.0, 3.0, 7, 0, 8], "floor is '7'"),
        ([5.0, 3.0, 0, 9, 8], "expected from below to"),
        ([5.0, 3.0, 0, 5000, 5008], "nothing was heard"),
        (["x", 3.0, 0, 0, 8], "x is 'x'"),
    ],
)
def test_a_wrong_line_of_the_table_is_named(
    point: list[object], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table is written by hand, on a phone, in an aisle."""
    folder = survey(tmp_path / "survey")
    write(folder / "points.csv", ["x", "y", "floor", "from", "to"], [point])
    assert run("calibrate", str(folder)) == ExitStatus.REFUSED
    shown = capsys.readouterr().err
    assert "points.csv:2" in shown
    assert told in shown


def test_an_anchor_that_is_not_on_the_map_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new anchor was hung and not drawn; its readings must not be guessed about."""
    folder = survey(tmp_path / "survey")
    with (folder / "readings.csv").open("a") as file:
        file.write("s,1.0,staff,a99,range,3.0\n")
    assert run("calibrate", str(folder)) == ExitStatus.REFUSED
    assert "a99 is heard 1 times but not on the map of hall" in capsys.readouterr().err


def test_waypoints_that_nobody_can_have_walked_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tap forgotten shifts all that follow."""
    folder = survey(tmp_path / "survey")
    (folder / "points.csv").unlink()
    write(folder / "waypoints.csv", ["x", "y", "floor", "at"], [[3, 3, 0, 1], [12, 3, 0, 2]])
    assert run("calibrate", str(folder)) == ExitStatus.REFUSED
    assert "9.0 m in 1.0 s" in capsys.readouterr().err


def test_the_report_for_people_says_what_the_one_for_machines_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The manager reads this one."""
    folder = survey(tmp_path / "survey")
    out = tmp_path / "calibration.json"
    assert run("calibrate", str(folder), "--out", str(out)) == ExitStatus.DONE
    shown = capsys.readouterr().out
    assert "Good: use it." in shown
    assert "Zones of 1.25 m and more can be named" in shown
    assert f"Written to {out}" in shown


def trolley_with_waypoints(source: Path, folder: Path, seconds: float) -> Path:
    """A real walk: its truth, thinned to a tap every four seconds."""
    if not source.is_dir():
        pytest.skip(f"no recording at {source}: put it there to run this test")
    folder.mkdir()
    shutil.copy(source / "anchors.csv", folder / "anchors.csv")

    def rows(name: str) -> list[dict[str, str]]:
        with gzip.open(source / name, "rt") as file:
            return [row for row in csv.DictReader(file)
                    if (row["session"], row["tag"]) == ("dyn_mid", "tag1")
                    and float(row["t_s"]) <= seconds]  # fmt: skip

    heard = [[row[name] for name in HEADER] for row in rows("readings.csv.gz")]
    write(folder / "readings.csv", HEADER, heard)
    taps, last = [], -9.0
    for row in rows("truth.csv.gz"):
        if float(row["t_s"]) >= last + 4.0:
            last = float(row["t_s"])
            taps.append([row["x"], row["y"], 0, row["t_s"]])
    write(folder / "waypoints.csv", ["x", "y", "floor", "at"], taps)
    return folder


def test_two_minutes_of_a_real_walk_with_waypoints_find_the_makers_calibration(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tapped every 4 s, against the authors' calibration of that tag by motion capture."""
    source = shared_data / "uwb_trolley"
    folder = trolley_with_waypoints(source, tmp_path / "walk", 90.0)
    status, told, out = calibrated(folder, tmp_path, capsys, "--height", "0.965")
    assert status == ExitStatus.DONE
    assert told["surveyors_tag"]["range"]["p90_m"] < 0.25
    links = {AnchorId(row["anchor"]): row for row in json.loads(out.read_text())["links"]}
    with (source / "calib.csv").open() as file:
        theirs = [row for row in csv.DictReader(file) if row["tag"] == "tag1"]
    off = [
        links[AnchorId(row["anchor"])]["bias_m"] + 3.0 * links[AnchorId(row["anchor"])]["slope"]
        - float(row["bias_m"]) - 3.0 * float(row["slope"])
        for row in theirs
    ]  # fmt: skip
    assert np.abs(off).max() < 0.08
    assert np.sqrt(np.mean(np.square(off))) < 0.04


def office_points(source: Path, folder: Path, *, shuffled: bool) -> Path:
    """Every third point of a real Bluetooth survey."""
    if not source.is_dir():
        pytest.skip(f"no recording at {source}: put it there to run this test")
    folder.mkdir()
    shutil.copy(source / "anchors.csv", folder / "anchors.csv")
    with (source / "anchors.csv").open() as file:
        first = next(csv.DictReader(file))["anchor"]
    write(folder / "readings.csv", HEADER, [["s", 0.0, "t", first, "rssi", -60]])
    with gzip.open(source / "survey.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row["point"] for row in rows})[::3]
    place = {row["point"]: [row["x"], row["y"], row["z"]] for row in rows}
    mixed = np.random.default_rng(1).permutation(len(names)) if shuffled else range(len(names))
    of = {name: place[names[other]] for name, other in zip(names, mixed, strict=True)}
    write(folder / "survey.csv", ["point", "x", "y", "z", "anchor", "n", "mean", "std"],
          [[row["point"], *of[row["point"]], row["anchor"], row["n"], row["mean"], row["std"]]
           for row in rows if row["point"] in of])  # fmt: skip
    return folder


def test_a_real_bluetooth_survey_is_no_good_when_its_points_are_mixed_up(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pair: the survey as it was is usable, the same numbers at other points are not."""
    source = shared_data / "ble_office"
    sound = office_points(source, tmp_path / "sound", shuffled=False)
    status, told, _ = calibrated(sound, tmp_path, capsys)
    assert status == ExitStatus.DONE
    assert told["surveyors_tag"]["rssi"]["p50_m"] < 3.5
    mixed = office_points(source, tmp_path / "mixed", shuffled=True)
    status, told, _ = calibrated(mixed, tmp_path, capsys)
    assert status == ExitStatus.REFUSED
    assert told["verdict"] == "bad"
