"""Real walks where no anchor has a known place: located by the radio map of their survey alone."""

import csv
import gzip
import json
from pathlib import Path

import pytest

from inaisle.cli import app, run_guarded
from inaisle.errors import ExitStatus


def run(*arguments: str | Path) -> int:
    return run_guarded(lambda: app([str(argument) for argument in arguments], prog_name="inaisle"))


def some_walks(source: Path, folder: Path, *, every: int) -> Path:
    """Copy every so manieth walk of a recording, and its survey whole."""
    folder.mkdir()
    with gzip.open(source / "truth.csv.gz", "rt") as file:
        names = list(dict.fromkeys(row["session"] for row in csv.DictReader(file)))[::every]
    kept = {"session", *names}
    for table in ("readings", "truth"):
        with gzip.open(source / f"{table}.csv.gz", "rt") as file:
            lines = [line for line in file if line.partition(",")[0] in kept]
        (folder / f"{table}.csv").write_text("".join(lines))
    for table in ("survey_scans.csv.gz", "survey_truth.csv.gz"):
        (folder / table).write_bytes((source / table).read_bytes())
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "p50_m", "p90_m", "floor_hit"),
    [("wifi_floors", 1.9, 5.0, 0.96), ("mall_walks", 7.5, 19.0, 0.85)],
)
def test_walks_are_located_by_what_a_survey_heard(
    shared_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    name: str,
    p50_m: float,
    p90_m: float,
    floor_hit: float,
) -> None:
    """Every tenth walk only, so with room: one walk on a wrong floor is a tenth of them."""
    folder = some_walks(shared_data / name, tmp_path / name, every=10)
    assert run("replay", folder, "--emit", tmp_path / "fixes.csv") == ExitStatus.DONE
    capsys.readouterr()
    assert run("score", folder, tmp_path / "fixes.csv", "--json") == ExitStatus.DONE
    overall = json.loads(capsys.readouterr().out)["overall"]
    assert overall["located_share"] >= 0.98
    assert overall["p50_m"] <= p50_m
    assert overall["p90_m"] <= p90_m
    assert overall["floor_hit"] >= floor_hit


@pytest.mark.slow
def test_a_scan_is_used_when_it_is_there_and_not_before(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cut at any instant, also between two scans, the rows up to it stay as they were."""
    folder = some_walks(shared_data / "wifi_floors", tmp_path / "walks", every=40)
    assert run("replay", folder, "--emit", tmp_path / "all.csv") == ExitStatus.DONE
    assert run("replay", folder, "--emit", tmp_path / "cut.csv", "--until", "62.5") == 0
    capsys.readouterr()
    rows = [path.read_text().splitlines() for path in (tmp_path / "all.csv", tmp_path / "cut.csv")]
    known = [row for row in rows[0][1:] if float(row.split(",")[2]) <= 62.5]
    assert rows[1][1:] == known
    assert 0 < len(known) < len(rows[0]) - 1
