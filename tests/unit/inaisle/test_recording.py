"""Recording: the site of a recorded walk, from the tables beside it."""

import json
from pathlib import Path

import pytest

from inaisle.recording import read_site_map
from rtls.model.errors import InvalidRecording
from rtls.model.site_map import Radio

READINGS = "session,t_s,tag,anchor,kind,value\ns,0,tag,a0,range,1.0\n"


def recording(folder: Path, **tables: str) -> Path:
    for name, text in ({"readings": READINGS} | tables).items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_a_map_holds_all_that_the_folder_tells(tmp_path: Path) -> None:
    """Walls and shelves steer filters; the floor must hold all of it with a margin of 1 m."""
    folder = recording(
        tmp_path,
        anchors="anchor,x,y,z\na0,-3,0,2\na1,4,5,2\n",
        walls="x,y\n-4,0\n4,6\n",
        walkable="x,y,walkable\n-5,0,1\n-9,0,0\n",
    )
    shelf = {
        "properties": {"id": "shelf_1"},
        "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
    }
    (folder / "shelves.geojson").write_text(json.dumps({"features": [shelf]}))
    site_map = read_site_map(folder)
    assert [(a.anchor, a.x_m, a.radio) for a in site_map.anchors] == [
        ("a0", -3.0, Radio.UWB),
        ("a1", 4.0, Radio.UWB),
    ]
    assert site_map.walls[0].line == ((-4.0, 0.0), (4.0, 6.0))
    assert site_map.fixtures[0].ring == ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    assert (site_map.floors[0].width_m, site_map.floors[0].height_m) == (11.0, 8.0)


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({}, "fingerprinting"),
        ({"anchors": "anchor,x,y\na0,1,2\n"}, "no column z"),
        ({"anchors": "anchor,x,y,z\na0,1,here,2\n"}, r"anchors\.csv:2: y is 'here'"),
        ({"anchors": "anchor,x,y,z\na0,1,1,2\n", "walls": "x,y\n1,\n"}, r"walls\.csv:2: y is ''"),
    ],
)
def test_a_recording_that_cannot_be_used_says_why(
    tmp_path: Path, tables: dict[str, str], words: str
) -> None:
    """Whoever brings his own recording learns the format from these lines."""
    with pytest.raises(InvalidRecording, match=words):
        read_site_map(recording(tmp_path, **tables))


@pytest.mark.parametrize("name", ["wifi_floors", "mall_walks"])
def test_a_recording_for_fingerprinting_is_refused_in_one_sentence(
    shared_data: Path, name: str
) -> None:
    """Nobody knows where those anchors are; a wrong map would be worse than none."""
    with pytest.raises(InvalidRecording, match="fingerprinting"):
        read_site_map(shared_data / name)


@pytest.mark.parametrize(
    ("name", "anchors"),
    [("uwb_trolley", 8), ("ble_office", 12), ("ble_library", 24), ("ble_flat", 6)],
)
def test_the_real_recordings_have_a_map(shared_data: Path, name: str, anchors: int) -> None:
    """All four come in one format."""
    assert len(read_site_map(shared_data / name).anchors) == anchors


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    """The most frequent mistake is a typo in the path."""
    with pytest.raises(InvalidRecording, match="no such folder"):
        read_site_map(tmp_path / "nowhere")
