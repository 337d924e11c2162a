"""Recordings without places of anchors: survey walks say where each is heard."""

import re
from pathlib import Path

import numpy as np
import pytest

from rtls.ingest.recorded_survey import load_survey
from rtls.ingest.recording import load_recording
from rtls.model.errors import InvalidRecording

READINGS = "session,t_s,tag,anchor,kind,value\nwalk,0.5,phone,w9,rssi,-50\n"
SCANS = "session,t_s,anchor,value\na,0.0,W1,-40\na,2.5,W1,-50\na,2.5,w_2,-60\nb,7.0,w_2,-70\n"
TRUTH = "session,t_s,x,y,z,floor\na,0,0,0,0,B1\na,10,8,4,0,F1\nb,7,3,3,1,F1\n"


def write(folder: Path, **tables: str) -> Path:
    given = {"readings": READINGS, "survey_scans": SCANS, "survey_truth": TRUTH} | tables
    for name, text in given.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_a_scan_stands_where_its_walk_was_at_that_time(tmp_path: Path) -> None:
    """A quarter of the time is a quarter of the way; the floor is that of the place left last."""
    found = load_survey(write(tmp_path))
    assert found is not None
    stops = found.survey.stops
    assert stops[["x_m", "y_m", "floor", "walk"]].tolist() == [
        (0.0, 0.0, -1, 0),
        (2.0, 1.0, -1, 0),
        (3.0, 3.0, 0, 1),
    ]
    assert found.survey.anchors == ("w1", "w-2")
    heard = found.survey.heard[["stop", "anchor", "rssi"]].tolist()
    assert heard == [(0, 0, -40.0), (1, 0, -50.0), (1, 1, -60.0), (2, 1, -70.0)]


def test_anchors_without_a_place_join_the_map_unplaced(tmp_path: Path) -> None:
    """Also one that only the readings name, or admission would reject what it heard."""
    site_map = load_recording(write(tmp_path)).site_map
    assert [(anchor.anchor, anchor.is_placed) for anchor in site_map.anchors] == [
        ("w-2", False),
        ("w1", False),
        ("w9", False),
    ]
    assert [(floor.floor, floor.name) for floor in site_map.floors] == [(-1, "B1"), (0, "F1")]


def test_places_of_anchors_go_before_a_survey(tmp_path: Path) -> None:
    """Where anchors.csv is there, the survey walks are not read."""
    write(tmp_path, anchors="anchor,x,y,z\nw9,1,1,1\n", survey_scans="broken")
    assert [anchor.is_placed for anchor in load_recording(tmp_path).site_map.anchors] == [True]


def test_a_scan_outside_its_walk_is_left_out_and_counted(tmp_path: Path) -> None:
    """Nobody knows where the surveyor was before the first place or after the last."""
    found = load_survey(write(tmp_path, survey_scans=SCANS + "b,7.1,w1,-40\nb,7.0,w1,5\n"))
    assert found is not None
    assert (found.left_out, len(found.survey.heard)) == (2, 4)


@pytest.mark.parametrize(
    ("table", "old", "new", "said"),
    [
        ("survey_scans", "session,t_s", "t_s,session", "line 1: the columns"),
        ("survey_scans", "a,2.5,W1,-50", "a,2.5,W1", "line 3: 3 fields"),
        ("survey_scans", "b,7.0", "c,7.0", "line 5: session 'c' is not in survey_truth"),
        ("survey_scans", "-70", "loud", "line 5: value is 'loud'"),
        ("survey_scans", "a,0.0", "a,nan", "line 2: t_s is 'nan'"),
        ("survey_scans", "W1", "W+1", "line 2: anchor is 'W\\+1'"),
        ("survey_truth", ",B1", ",cellar", "line 2: floor is 'cellar'"),
        ("survey_truth", "b,7,3,3,1,F1", "b,7,3,3,1,L1", "line 4: floor 'L1' is the same as 'F1'"),
        ("survey_truth", "a,10", "a,-10", "line 3: t_s -10.0 after 0.0"),
        ("survey_truth", "8,4", "8,inf", "line 3: y is 'inf'"),
        ("survey_truth", TRUTH[24:], "", "no place at all"),
        ("survey_scans", SCANS[25:], "b,9,w1,-40\n", "no scan with a known place"),
    ],
)
def test_a_survey_that_cannot_be_used_is_refused(
    tmp_path: Path, table: str, old: str, new: str, said: str
) -> None:
    """The line and the remedy are named: the file was made by somebody else's script."""
    text = {"survey_scans": SCANS, "survey_truth": TRUTH}[table]
    assert old in text
    write(tmp_path, **{table: text.replace(old, new)})
    with pytest.raises(InvalidRecording) as refused:
        load_recording(tmp_path)
    assert re.search(said, str(refused.value)), refused.value


@pytest.mark.parametrize("missing", ["survey_scans", "survey_truth"])
def test_half_a_survey_is_refused(tmp_path: Path, missing: str) -> None:
    """The other file has been forgotten; to go on without a survey would locate nobody."""
    (write(tmp_path) / f"{missing}.csv").unlink()
    with pytest.raises(InvalidRecording, match=f"{missing}.csv is not; expected both"):
        load_recording(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "labels", "heard"),
    [
        ("wifi_floors", ["4", "5", "6"], 487_357),
        ("mall_walks", ["B1", "F1", "F2", "F3", "F4"], 145_749),
    ],
)
def test_the_real_surveys_are_read_whole(
    shared_data: Path, name: str, labels: list[str], heard: int
) -> None:
    """All of their scans have a place."""
    found = load_survey(shared_data / name)
    assert found is not None
    assert (list(found.floor_labels.values()), found.left_out) == (labels, 0)
    assert len(found.survey.heard) == heard
    assert np.isfinite(found.survey.stops["x_m"]).all()
