"""Score: how far fixes were from the truth, counted so that hindsight does not pay."""

import gzip
import math
from pathlib import Path

import pytest

from inaisle.recording.fix_csv import FIX_COLUMNS, read_fixes
from inaisle.recording.instants import Instants
from inaisle.recording.score import ScoreReport
from inaisle.recording.score_instants import instants_of
from inaisle.recording.score_view import score_document, score_files
from inaisle.recording.truth_csv import read_truth
from rtls.model.errors import InvalidRecording

HEADER = ",".join(FIX_COLUMNS)


def recording(folder: Path, truth: str) -> Path:
    with gzip.open(folder / "truth.csv.gz", "wt") as file:
        file.write("session,t_s,tag,x,y,z\n" + truth)
    return folder


def fixes(folder: Path, *rows: str) -> Path:
    path = folder / "fixes.csv"
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    return path


def scored(folder: Path, truth: str, *rows: str) -> ScoreReport:
    return score_files(recording(folder, truth), fixes(folder, *rows))


def row(t_s: float, x: float, *, emitted_t_s: float | None = None, cov: str = "1,0,1") -> str:
    return f"s,{t_s},{t_s if emitted_t_s is None else emitted_t_s},tag,{x},0,0,0,{cov}"


WALK = "s,0,tag,0,0,0\ns,2,tag,2,0,0\n"  # 1 m/s along x: the grid is 0, .5, 1, 1.5 and 2 s


def test_the_error_at_a_grid_instant_is_that_of_the_last_fix_already_emitted(
    tmp_path: Path,
) -> None:
    """At 0 s nothing was known; later the only fix, at x = 1, is off by .5, 0, .5 and 1 m."""
    report = scored(tmp_path, WALK, row(0.5, 1.0))
    overall = report.overall
    assert (overall.instants, overall.located_share) == (5, 0.8)
    assert overall.p50_m == 0.5  # of 0, .5, .5, 1, infinite
    assert overall.p75_m == 1.0
    assert math.isinf(overall.p90_m)


def test_a_fix_written_down_later_than_it_was_known_is_late(tmp_path: Path) -> None:
    """The same fix, emitted 1 s later, leaves two more instants without an estimate."""
    report = scored(tmp_path, WALK, row(0.5, 1.0, emitted_t_s=1.5))
    assert report.overall.located_share == 0.4


def test_a_fix_older_than_two_seconds_is_none(tmp_path: Path) -> None:
    """A stale dot on the map is worse than none: at 2 s it still counts, at 2.5 s no more."""
    truth = "s,0,tag,0,0,0\ns,3,tag,0,0,0\n"
    assert scored(tmp_path, truth, row(0.0, 0.0)).overall.located_share == 5 / 7


def test_fixes_that_knew_the_future_score_differently_from_those_that_did_not(
    tmp_path: Path,
) -> None:
    """A score that hindsight cannot change would prove nothing."""
    times = (0.0, 0.5, 1.0, 1.5, 2.0)
    honest = scored(tmp_path, WALK, *(row(t, max(t - 0.5, 0.0)) for t in times))
    peeking = scored(tmp_path, WALK, *(row(t, t) for t in times))
    shuffled = scored(tmp_path, WALK, *(row(t, 2.0 - t) for t in times))
    assert honest.overall.p90_m == 0.5
    assert peeking.overall.p90_m == 0.0
    assert shuffled.overall.p90_m == 2.0


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row(1.0, 0.0, emitted_t_s=0.9)], "before t_s"),
        ([row(1.0, 0.0), row(0.5, 0.0)], "order of emission"),
        ([row(1.0, math.nan)], "x is 'nan'"),
        ([row(1.0, 0.0, cov="0,0,1")], "covariance"),
        ([row(1.0, 0.0, cov="1,2,1")], "covariance"),
        (["other,1,1,tag,0,0,0,0,1,0,1"], "truth does not know"),
    ],
)
def test_a_table_that_no_causal_replay_can_have_written_is_refused(
    tmp_path: Path, rows: list[str], words: str
) -> None:
    """Figures from such a file would be claimed in a README."""
    with pytest.raises(InvalidRecording, match=words):
        scored(tmp_path, WALK, *rows)


def test_a_table_without_a_column_is_refused_with_its_name(tmp_path: Path) -> None:
    """Another tool's file should not end in a KeyError."""
    path = tmp_path / "fixes.csv"
    path.write_text("session,t_s,tag,x,y\n")
    with pytest.raises(InvalidRecording, match=r"no column emitted_t_s, z"):
        read_fixes(path)


def test_a_recording_without_truth_is_refused(tmp_path: Path) -> None:
    """There is nothing to score against."""
    with pytest.raises(InvalidRecording, match=r"truth\.csv"):
        score_files(tmp_path, fixes(tmp_path))


def test_the_cell_hit_does_not_depend_on_a_lucky_grid(tmp_path: Path) -> None:
    """An error of 0.75 m along x stays in the 1.5 m cell in half of all placements.

    Of the three placements tried along x (borders at 0, .5 and 1 modulo 1.5), from 0.1 to 0.85
    crosses the one at 0.5 only.
    """
    truth = "s,0,tag,0.1,0.2,0\ns,0.4,tag,0.1,0.2,0\n"
    report = scored(tmp_path, truth, "s,0,0,tag,0.85,0.2,0,0,1,0,1")
    assert report.overall.cell_hit == pytest.approx(2 / 3)


def test_the_ellipse_counts_correlation(tmp_path: Path) -> None:
    """Off by (1, 1): inside where the error runs along x = y, outside where it runs across."""
    truth = "s,0,tag,0,0,0\n"
    along = scored(tmp_path, truth, "s,0,0,tag,1,1,0,0,0.5,0.45,0.5")
    across = scored(tmp_path, truth, "s,0,0,tag,1,1,0,0,0.5,-0.45,0.5")
    assert along.overall.inside_ellipse_90 == 1.0  # 2 / 0.95 < 4.605
    assert across.overall.inside_ellipse_90 == 0.0  # 2 / 0.05 > 4.605


def test_standing_and_moving_are_told_apart_and_the_worst_session_is_named(tmp_path: Path) -> None:
    """Standing sessions are long and easy; mixed in, they would hide how walking is tracked."""
    truth = "walk,0,tag,0,0,0\nwalk,1,tag,1,0,0\nstand,0,tag,5,5,0\nstand,9,tag,5,5,0\n"
    rows = [f"stand,{t},{t},tag,5,5,0,0,1,0,1" for t in range(10)]
    report = scored(tmp_path, truth, "walk,0,0,tag,0,0,0,0,1,0,1", *rows)
    groups = {group.name: group for group in report.groups}
    assert (groups["moving"].instants, groups["standing"].instants) == (3, 19)
    assert groups["standing"].p95_m == 0.0
    assert groups["moving"].p50_m == 0.5
    assert report.worst_session.name == "walk"


def test_an_infinite_error_is_null_for_a_machine(tmp_path: Path) -> None:
    """JSON knows no infinity, and a parser that meets one breaks far from here."""
    document = score_document(scored(tmp_path, WALK))
    overall = document["overall"]
    assert isinstance(overall, dict)
    assert overall["p50_m"] is None
    assert overall["located_share"] == 0.0


def test_a_perfect_file_of_a_real_recording_scores_zero(shared_data: Path, tmp_path: Path) -> None:
    """The grid has 777 moving instants there, as in the baselines we compare with."""
    folder = shared_data / "uwb_trolley"
    with gzip.open(folder / "truth.csv.gz", "rt") as file:
        next(file)
        rows = [
            f"{session},{t},{t},{tag},{x},{y},{z.strip()},0,0.01,0,0.01"
            for session, t, tag, x, y, z in (line.split(",") for line in file)
        ]
    report = score_files(folder, fixes(tmp_path, *rows))
    moving = next(group for group in report.groups if group.name == "moving")
    assert moving.instants == 777
    assert moving.p95_m < 1e-9
    assert moving.cell_hit == 1.0


def with_floors(folder: Path, truth: str, *, heard_s: tuple[float, ...]) -> Path:
    """Write a truth with floors, and readings at the given instants."""
    with gzip.open(folder / "truth.csv.gz", "wt") as file:
        file.write("session,t_s,tag,x,y,z,floor\n" + truth)
    lines = "".join(f"s,{t},tag,w1,rssi,-60\n" for t in heard_s)
    (folder / "readings.csv").write_text("session,t_s,tag,anchor,kind,value\n" + lines)
    return folder


def floor_row(t_s: float, floor: str) -> str:
    return f"s,{t_s},{t_s},tag,0,0,0,{floor},1,0,1"


UPSTAIRS = "s,0,tag,0,0,0,F1\ns,5,tag,0,0,0,F1\ns,10,tag,0,0,0,F2\n"


def test_a_fix_on_the_wrong_floor_or_none_is_a_miss(tmp_path: Path) -> None:
    """At the scans at 0, 5 and 10 s: right, none, and still on the floor below."""
    folder = with_floors(tmp_path, UPSTAIRS, heard_s=(0, 5, 10))
    report = score_files(folder, fixes(tmp_path, floor_row(0, "F1"), floor_row(10, "F1")))
    assert (report.overall.instants, report.overall.floor_hit) == (3, pytest.approx(1 / 3))


def test_a_truth_without_floors_has_no_floor_hit(tmp_path: Path) -> None:
    """A made-up share of 1 would flatter sets of one floor."""
    assert scored(tmp_path, WALK, row(0.5, 1.0)).overall.floor_hit is None


@pytest.mark.parametrize(
    ("heard_s", "instants", "count"),
    [
        ((0, 5, 10), Instants.AUTO, 3),  # the truth's rows are scans
        ((0, 4, 10), Instants.AUTO, 5),  # they are way points: 2, 4, ... 10 s
        ((0, 5, 10), Instants.HALF_SECOND, 21),
        ((0, 5, 10), Instants.TWO_SECONDS, 5),
        ((0, 4, 10), Instants.TRUTH, 3),
    ],
)
def test_the_set_says_at_which_instants_it_is_scored(
    tmp_path: Path, heard_s: tuple[float, ...], instants: Instants, count: int
) -> None:
    """Figures of one set can be compared with its baselines only at the same instants."""
    folder = with_floors(tmp_path, UPSTAIRS, heard_s=heard_s)
    report = score_files(folder, fixes(tmp_path, floor_row(0, "F1")), instants=instants)
    assert report.overall.instants == count


@pytest.mark.parametrize(("name", "count"), [("wifi_floors", 3_108), ("mall_walks", 2_066)])
def test_the_real_sets_are_scored_at_the_instants_of_their_baselines(
    shared_data: Path, name: str, count: int
) -> None:
    """Their READMEs state how many there are."""
    truths = read_truth(shared_data / name)
    assert sum(map(len, instants_of(shared_data / name, truths).values())) == count
