"""Site of a recording: what lies beside the readings joins the map."""

import json
from pathlib import Path

import pytest

from inaisle.calibration.calibration_csv import read_calibration
from inaisle.recording.recording_site import site_map_of
from rtls.ingest.recording import load_recording
from rtls.model.errors import InvalidRecording
from rtls.model.site_map import SiteMap

READINGS = "session,t_s,tag,anchor,kind,value\ns,0,tag,A_0,rssi,-60\n"


def site_of(folder: Path, **tables: str) -> SiteMap:
    given = {"readings": READINGS, "anchors": "anchor,x,y,z\nA_0,-3,0,2\nA_1,4,5,2\n"} | tables
    for name, text in given.items():
        (folder / f"{name}.csv").write_text(text)
    return site_map_of(load_recording(folder), folder)


def test_a_map_holds_all_that_the_folder_tells(tmp_path: Path) -> None:
    """Walls and shelves steer filters; the floor holds all of it with a margin of 1 m."""
    shelf = {
        "properties": {"id": "shelf_1"},
        "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
    }
    (tmp_path / "shelves.geojson").write_text(json.dumps({"features": [shelf]}))
    site_map = site_of(
        tmp_path, walls="x,y\n-4,0\n4,6\n", walkable="x,y,walkable\n-5,0,1\n-9,0,0\n"
    )
    assert site_map.walls[0].line == ((-4.0, 0.0), (4.0, 6.0))
    assert site_map.fixtures[0].ring == ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    assert site_map.walkable[0].ring[0] in {(-5.5, -0.5), (-5.5, 0.5), (-4.5, 0.5), (-4.5, -0.5)}
    assert (site_map.floors[0].width_m, site_map.floors[0].height_m) == (11.5, 8.5)


def test_free_points_are_ground_around_which_nobody_walks(tmp_path: Path) -> None:
    """Eight points around a pillar, half a metre apart: a ring of ground with one hole."""
    rows = [f"{x / 2},{y / 2},{int((x, y) != (1, 1))}" for x in range(3) for y in range(3)]
    (ground,) = site_of(tmp_path, walkable="\n".join(("x,y,walkable", *rows))).walkable
    assert {abs(x - 0.5) for x, _ in ground.ring} <= {0.25, 0.75}
    assert set(ground.holes[0]) == {(0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)}


@pytest.mark.parametrize(
    ("table", "text", "words"),
    [
        ("walls", "x,y\n1,\n", r"walls\.csv:2: y is ''"),
        ("walls", "x\n1\n", "no column y"),
        ("walkable", "x,y,walkable\n1,2,0\n", "0 points are free"),
    ],
)
def test_a_table_that_cannot_be_read_says_where(
    tmp_path: Path, table: str, text: str, words: str
) -> None:
    """Whoever brings his own recording learns the format from these lines."""
    with pytest.raises(InvalidRecording, match=words):
        site_of(tmp_path, **{table: text})


def test_a_survey_names_its_anchors_as_the_readings_do(tmp_path: Path) -> None:
    """`A_0` becomes `a-0` on the map; a survey that kept its own spelling would not fit it."""
    site_map = site_of(
        tmp_path,
        survey="point,x,y,z,anchor,n,mean,std\np,0,0,1,A_0,1,-60,\np,9,0,1,A_1,5,-70,2.5\n",
    )
    calibration = read_calibration(tmp_path, site_map)
    assert calibration is not None
    assert sorted(calibration.losses) == ["a-0", "a-1"]


@pytest.mark.parametrize(
    ("name", "links", "losses"),
    [("uwb_trolley", 24, 0), ("ble_office", 0, 12), ("ble_library", 0, 24), ("ble_flat", 0, 6)],
)
def test_the_real_recordings_bring_their_calibration(
    shared_data: Path, name: str, links: int, losses: int
) -> None:
    """All four come in one format."""
    folder = shared_data / name
    site_map = site_map_of(load_recording(folder), folder)
    calibration = read_calibration(folder, site_map)
    assert calibration is not None
    assert (len(calibration.links), len(calibration.losses)) == (links, losses)


def test_a_recording_without_tables_has_no_calibration(tmp_path: Path) -> None:
    """The engine then takes what the map says."""
    assert read_calibration(tmp_path, site_of(tmp_path)) is None
