"""Replay of visits: how long somebody stood at which shelf, live and in hindsight."""

import csv
import datetime as dt
import json
import math
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from inaisle.errors import ExitStatus
from rtls.model.footfall import ReportWindow
from rtls.storage.history.history_reader import HistoryReader
from tests.end_to_end.recorded_shelves import run, shelf

ANCHORS = {"a0": (0.0, 0.0), "a1": (12.0, 0.0), "a2": (12.0, 10.0), "a3": (0.0, 10.0)}
LEFT, RIGHT, MIDDLE = (2.6, 5.0), (9.4, 5.0), (6.0, 5.0)
WALK = (*[LEFT] * 60, *[MIDDLE] * 30, *[RIGHT] * 40, *[MIDDLE] * 30)
"""twice a second: 30 s at the left shelf, 20 s at the right one"""


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """Exact ranges of one tag that stands at one shelf and then at the other."""
    folder = tmp_path / "walk"
    folder.mkdir()
    lines = [
        f"one,{tick / 2},tag,{anchor},range,{math.dist(place, hung):.4f}\n"
        for tick, place in enumerate(WALK)
        for anchor, hung in ANCHORS.items()
    ]
    places = "".join(f"{name},{x},{y},1.0\n" for name, (x, y) in ANCHORS.items())
    features = [shelf("Left_1", 1.0), shelf("Right_1", 10.0)]
    (folder / "anchors.csv").write_text("anchor,x,y,z\n" + places)
    (folder / "readings.csv").write_text("session,t_s,tag,anchor,kind,value\n" + "".join(lines))
    (folder / "shelves.geojson").write_text(json.dumps({"features": features}))
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_stands_at_two_shelves_are_two_visits_with_their_dwell(
    walk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table that an analyst opens; the ids are those of the file, letter by letter."""
    fixes, visits = tmp_path / "fixes.csv", tmp_path / "visits.csv"
    assert run("replay", walk, "--emit", fixes, "--emit-visits", visits, "--json") == 0
    assert json.loads(capsys.readouterr().out)["visit_rows"] == 2
    left, right = rows_of(visits)
    assert (left["what"], left["zone"], right["zone"]) == ("visit", "Left_1", "Right_1")
    assert float(left["dwell_s"]) == pytest.approx(30.0, abs=2.0)
    assert float(right["dwell_s"]) == pytest.approx(20.0, abs=2.0)
    assert float(left["dwell_live_s"]) > 0.0
    assert all(float(row["emitted_t_s"]) > float(row["left_t_s"]) for row in (left, right))


def test_the_history_of_a_recording_is_read_as_that_of_a_shop(
    walk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recorded walk becomes a day that every report can be made of; its tag is not in it."""
    history = tmp_path / "history"
    assert run("replay", walk, "--emit", tmp_path / "f.csv", "--history", history, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    files = sorted(history.rglob("*.parquet"))
    assert [path.name[:6] for path in files] == ["fixes-", "visits"]
    day = dt.date.fromisoformat(files[0].parent.name.removeprefix("day="))
    begin = dt.datetime.combine(day, dt.time(), ZoneInfo("Europe/Berlin"))
    window = ReportWindow(
        site=files[0].parent.parent.name.removeprefix("site="),
        time_zone="Europe/Berlin",
        start_ms=int(begin.timestamp() * 1000),
        end_ms=int((begin + dt.timedelta(days=1)).timestamp() * 1000),
    )
    reader = HistoryReader(history, report=pytest.fail)
    fixes, visits = reader.fixes(window), reader.visits(window)
    assert summary["history_rows"] == len(fixes.at_ms) + len(visits.visitor)
    assert len(set(fixes.visitor.tolist()) | set(visits.visitor.tolist())) == 1
    seconds = len(WALK) / 2
    assert float(fixes.weight_s.sum()) == pytest.approx(seconds, abs=17.0)  # and who falls silent
    assert sorted(visits.dwell_s.tolist()) == pytest.approx([20.0, 30.0], abs=2.0)


@pytest.mark.parametrize("is_by_strength", [False, True])
def test_asking_for_visits_changes_no_fix(
    walk: Path, tmp_path: Path, *, is_by_strength: bool
) -> None:
    """Looking back must not feed back, nor may a zone be ground that nobody has drawn."""
    if is_by_strength:
        header, *lines = (walk / "readings.csv").read_text().splitlines()
        rows = [line.split(",") for line in lines]
        heard = [
            ",".join((*row[:4], "rssi", f"{-60.0 - 20.0 * math.log10(float(row[5]) + 1.0):.1f}"))
            for row in rows
        ]
        (walk / "readings.csv").write_text("\n".join((header, *heard)) + "\n")
        features = [shelf("Left_1", -4.0), shelf("Right_1", 10.0)]
        (walk / "shelves.geojson").write_text(json.dumps({"features": features}))
    plain, watched = tmp_path / "plain.csv", tmp_path / "watched.csv"
    assert run("replay", walk, "--emit", plain) == ExitStatus.DONE
    assert run("replay", walk, "--emit", watched, "--emit-visits", tmp_path / "v") == 0
    assert plain.read_bytes() == watched.read_bytes()


@pytest.mark.parametrize("until", [20.0, 55.5, 84.0])
def test_the_visits_of_a_replay_cut_short_are_a_prefix_byte_by_byte(
    walk: Path, tmp_path: Path, until: float
) -> None:
    """A row is there as soon as its instant is, and says what was known by then."""
    whole, cut = tmp_path / "whole.csv", tmp_path / "cut.csv"
    for visits, more in ((whole, []), (cut, ["--until", str(until)])):
        assert run("replay", walk, "--emit", tmp_path / "f", "--emit-visits", visits, *more) == 0
    head, *rows = whole.read_bytes().splitlines()
    known = [row for row in rows if float(row.split(b",")[1]) <= until]
    assert cut.read_bytes().splitlines() == [head, *known]


def test_visits_are_refused_for_a_recording_without_shelves(
    walk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty table would look like an empty shop."""
    (walk / "shelves.geojson").unlink()
    target = tmp_path / "visits.csv"
    assert run("replay", walk, "--emit", tmp_path / "f", "--emit-visits", target) == 3
    assert "no zones" in capsys.readouterr().err
    assert not target.exists()
