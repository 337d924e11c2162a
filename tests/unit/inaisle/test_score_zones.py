"""Zone scores: whether the named zone is the right one, and its probability honest."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from inaisle.recording.recording_zones import RecordingZones, load_zones
from inaisle.recording.score_zones import ZoneScore, score_zones
from inaisle.recording.truth_csv import read_truth
from inaisle.recording.zone_csv import ZONE_COLUMNS, read_zones
from rtls.model.errors import InvalidRecording

STAND = "s,0,tag,1.5,5,0\ns,9.5,tag,1.5,5,0\n"  # 20 instants, nearest to shelf_a
MIDDLE = "s,0,tag,2,5,0\ns,9.5,tag,2,5,0\n"


def box(x0: float, x1: float) -> dict[str, object]:
    ring = [[x0, 0], [x1, 0], [x1, 10], [x0, 10], [x0, 0]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(geometry: Mapping[str, object], **properties: object) -> dict[str, object]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


SHELVES = [
    feature(box(0, 1), id="shelf_a", kind="shelf"),
    feature(box(1.4, 1.6), id="pillar_1", kind="pillar"),  # stands in the way, but is no zone
    feature(box(3, 4), id="shelf_b", kind="shelf"),
]


def folder_of(folder: Path, features: list[dict[str, object]], *, name: str) -> Path:
    content = {"type": "FeatureCollection", "features": features}
    (folder / name).write_text(json.dumps(content))
    return folder


def scored(folder: Path, truth: str, *rows: str, columns: str = "") -> ZoneScore:
    folder_of(folder, SHELVES, name="shelves.geojson")
    (folder / "truth.csv").write_text(f"session,t_s,tag,x,y,z{columns}\n" + truth)
    path = folder / "zones.csv"
    path.write_text("\n".join((",".join(ZONE_COLUMNS), *rows)) + "\n")
    return score_zones(read_truth(folder), read_zones(path), zones=load_zones(folder))


def said(zone: str, p: float, *, from_s: float = 0.0, until_s: float = 9.5) -> list[str]:
    """One emission each half second."""
    steps = range(round(2 * from_s), round(2 * until_s) + 1)
    return [f"s,{k / 2},{k / 2},tag,{zone},{p}" for k in steps]


def test_a_zone_is_right_where_the_truth_is_nearest_to_it(tmp_path: Path) -> None:
    """Ten instants say shelf_a and are right, ten say shelf_b and are wrong."""
    rows = said("shelf_a", 0.7, until_s=4.5) + said("shelf_b", 0.7, from_s=5.0)
    score = scored(tmp_path, STAND, *rows)
    assert (score.instants, score.named_share, score.hit_rate) == (20, 1.0, 0.5)
    assert score.ece == pytest.approx(0.2)  # 0.7 claimed, 0.5 right
    assert [b.instants for b in score.reliability] == [0, 0, 0, 0, 0, 0, 20, 0, 0, 0]


def test_an_honest_probability_has_no_calibration_error(tmp_path: Path) -> None:
    """0.8 claimed twenty times, 16 times right: those are also the sure ones."""
    rows = said("shelf_a", 0.8, until_s=7.5) + said("shelf_b", 0.8, from_s=8.0)
    score = scored(tmp_path, STAND, *rows)
    assert score.ece == pytest.approx(0.0)
    assert (score.sure_share, score.sure_hit_rate) == (1.0, 0.8)


def test_certainty_about_anything_is_exposed(tmp_path: Path) -> None:
    """The negative control: P = 1 for a wrong shelf all the time is as bad as it can be."""
    score = scored(tmp_path, STAND, *said("shelf_b", 1.0))
    assert score.ece == pytest.approx(1.0)
    assert (score.sure_share, score.sure_hit_rate, score.hit_rate) == (1.0, 0.0, 0.0)


def test_the_most_probable_zone_of_an_emission_is_the_one_that_counts(tmp_path: Path) -> None:
    """Several rows of one instant are one statement."""
    rows = ["s,0,0,tag,shelf_b,0.4", "s,0,0,tag,shelf_a,0.6"]
    score = scored(tmp_path, STAND, *rows)
    assert score.named_share == 5 / 20  # until 2 s after it; then it is stale
    assert (score.hit_rate, score.p_mean) == (0.25, 0.6)


def test_what_is_said_later_does_not_count_earlier(tmp_path: Path) -> None:
    """Without hindsight: a zone of 0 s that was emitted at 9 s helps the last two instants none.

    It is stale by then.
    """
    assert scored(tmp_path, STAND, "s,0,9,tag,shelf_a,1").named_share == 0.0
    assert scored(tmp_path, STAND, "s,9,9,tag,shelf_a,1").named_share == 2 / 20


def test_a_truth_between_two_shelves_is_reported_as_tied(tmp_path: Path) -> None:
    """There the right shelf is a matter of rounding; the reader of a hit rate must know."""
    score = scored(tmp_path, MIDDLE, *said("shelf_b", 0.5))
    assert (score.tied_share, score.hit_rate_tied) == (1.0, 1.0)
    assert scored(tmp_path, STAND, *said("shelf_b", 0.5)).tied_share == 0.0


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("s,1,0,tag,shelf_a,0.5", "before"),
        ("s,1,1,tag,shelf_a,1.5", "probability"),
        ("s,1,1,tag,shelf_a,nan", "finite"),
        ("s,2,2,tag,shelf_a,0.5\ns,1,1,tag,shelf_a,0.5", "order"),
        ("s,1,1,tag,shelf_a,0.5\ns,1,1,tag,shelf_a,0.5", "twice"),
        ("s,1,1,tag,shelf_a,0.6\ns,1,1,tag,shelf_b,0.6", "sum"),
        ("other,1,1,tag,shelf_a,0.6", "truth does not know"),
    ],
)
def test_a_table_that_no_honest_replay_wrote_is_refused(
    tmp_path: Path, row: str, fault: str
) -> None:
    """Hindsight, double counting and probabilities beyond 1 would pay otherwise."""
    with pytest.raises(InvalidRecording, match=fault):
        scored(tmp_path, STAND, row)


def mall(folder: Path) -> RecordingZones:
    shops = [
        feature(
            {"type": "MultiPolygon", "coordinates": [box(0, 9)["coordinates"]]},
            id=f"{floor}_000", floor=floor, outline=True, name=floor,
        )
        for floor in ("B1", "F1")
    ]  # fmt: skip
    shops += [feature(box(0, 1), id="B1_001", floor="B1", outline=False)]
    shops += [feature(box(0, 1), id="F1_001", floor="F1", outline=False)]
    return load_zones(folder_of(folder, shops, name="shops.geojson"))


def test_a_shop_on_another_floor_is_another_shop(tmp_path: Path) -> None:
    """Above and below each other lie other brands."""
    zones = mall(tmp_path)
    (tmp_path / "truth.csv").write_text(
        "session,t_s,tag,x,y,z,floor\ns,0,tag,2,5,0,F1\ns,1,tag,2,5,0,F1\n"
    )
    table = tmp_path / "zones.csv"
    rows = ["s,0,0,tag,B1_001,0.9", "s,1,1,tag,F1_001,0.9"]
    table.write_text("\n".join((",".join(ZONE_COLUMNS), *rows)) + "\n")
    score = score_zones(read_truth(tmp_path), read_zones(table), zones=zones)
    assert score.hit_rate == pytest.approx(1 / 3)


def test_outlines_of_floors_are_no_zones(tmp_path: Path) -> None:
    """A floor is everywhere; to name it would say nothing."""
    assert mall(tmp_path).nearest.zone_at("B1", [[8.0, 5.0]]) == ["B1_001"]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"features": [{"properties": {"id": "a"}}]}',
        '{"features": [{"properties": null, "geometry": null}]}',
        '{"features": []}',
    ],
)
def test_a_file_that_is_no_map_of_shelves_is_refused_by_name(tmp_path: Path, content: str) -> None:
    """The one who exported it must find the fault."""
    (tmp_path / "shelves.geojson").write_text(content)
    with pytest.raises(InvalidRecording, match=r"shelves\.geojson"):
        load_zones(tmp_path)


def test_a_recording_without_shelves_and_shops_has_no_zones(tmp_path: Path) -> None:
    """Scoring zones there would be a misunderstanding."""
    with pytest.raises(InvalidRecording, match="no zones"):
        load_zones(tmp_path)
