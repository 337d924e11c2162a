"""inaisle record: what is written down of a live shop, and of whom."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from inaisle.errors import InvalidSettings, Unavailable
from inaisle.recording.record import (
    Recorder,
    RecordOptions,
    finish,
    parse_place,
    prepare_folder,
    refuse_options,
)
from inaisle.site.map_in_force import THE_FILE, MapInForce
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.model.errors import InvalidCalibration, InvalidRecording
from rtls.model.map_draft import PublishedMap
from rtls.model.units import UnixMs
from rtls.ports import RawMessage
from tests.unit.inaisle.two_anchors import TWO_ANCHORS

START_MS = 1_795_255_200_000


def recorder(*tags: str) -> Recorder:
    return Recorder(
        site_map=TWO_ANCHORS,
        formats=FormatSettings(),
        tags=frozenset(tags),
        session="s1",
        started_ms=START_MS,
    )


def message(tag: str, *, seq: int = 0, after_ms: int = 500, late_ms: int = 0) -> RawMessage:
    readings = [{"a": "a0", "id": tag, "k": "range", "v": 4.5, "dt": -100}]
    payload = {
        "v": 1, "boot": "6f2c9a10b7e4d853", "seq": seq, "t": START_MS + after_ms, "obs": readings,
    }  # fmt: skip
    return RawMessage(
        topic="inaisle/v1/gw/g1/up",
        payload=json.dumps(payload).encode(),
        received_at_ms=UnixMs(START_MS + after_ms + late_ms),
        receipt=1,
        is_retained=False,
        is_resent=False,
    )


def test_a_reading_of_the_surveyors_tag_becomes_a_row() -> None:
    """Time is that of arrival less the reading's age, so gateways with other clocks agree."""
    for behind_ms in (0, 400_000):  # of the gateway's clock
        rows = list(recorder("staff").rows_of([message("staff", late_ms=30 + behind_ms)]))
        assert rows == [["s1", (430 + behind_ms) / 1000.0, "staff", "a0", "range", 4.5]]


def test_nobody_else_is_written_down() -> None:
    """A shopper who passes has agreed to nothing: not even the id may reach the disk."""
    taken = recorder("staff")
    assert list(taken.rows_of([message("app:shopper")])) == []
    assert not taken.heard


def test_an_anchor_that_hears_another_is_written_without_being_named() -> None:
    """The links between anchors calibrate by themselves and are nobody's data."""
    rows = list(recorder().rows_of([message("a1")]))
    assert [row[2] for row in rows] == ["a1"]


def test_a_message_that_comes_again_counts_once_and_a_spool_not_at_all() -> None:
    """We do not acknowledge; and what is a minute old would be put where the surveyor is now."""
    taken = recorder("staff")
    again = message("staff", seq=1, late_ms=2_000)
    assert len(list(taken.rows_of([message("staff", seq=1), again]))) == 1
    assert list(taken.rows_of([message("staff", seq=2, late_ms=60_000)])) == []
    assert taken.held_back == 1


def test_a_folder_of_another_map_is_not_added_to(tmp_path: Path) -> None:
    """Half a survey in one frame and half in another cannot be told apart later."""
    one = MapInForce(
        site_map=TWO_ANCHORS,
        published=PublishedMap(about=THE_FILE, content=b"one"),
        source="plan.geojson",
    )
    folder = tmp_path / "survey"
    assert prepare_folder(folder, one) == "s1"
    (folder / "readings.csv").write_text("session,t_s,tag,anchor,kind,value\ns1,0,t,a0,range,1\n")
    assert prepare_folder(folder, one) == "s2"
    two = replace(one, published=PublishedMap(about=THE_FILE, content=b"two"))
    with pytest.raises(InvalidRecording, match="new folder"):
        prepare_folder(folder, two)


def test_a_point_is_noted_only_where_something_was_heard(tmp_path: Path) -> None:
    """A point without readings would refuse the whole survey when it is calibrated."""
    options = RecordOptions(folder=tmp_path, seconds=20.0, tags=("staff",), at=(3.0, 4.0))
    silent = recorder("staff")
    with pytest.raises(Unavailable, match="nothing was heard of staff"):
        finish(options, silent, lasted_s=20.0, plan=[], at_s=[])
    assert not (tmp_path / "points.csv").exists()
    silent.heard["staff"] = 80
    finish(options, silent, lasted_s=20.0, plan=[], at_s=[])
    with (tmp_path / "points.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["x"], row["y"], row["from"], row["to"]) == ("3.0", "4.0", "0.0", "20.0")


def test_taps_become_waypoints_in_their_order(tmp_path: Path) -> None:
    """One Enter a waypoint: the third is missing if the surveyor stopped before it."""
    taken = recorder("staff")
    taken.heard["staff"] = 1
    plan = [(1.0, 2.0, 0), (3.0, 2.0, 0), (3.0, 4.0, 0)]
    options = RecordOptions(folder=tmp_path, seconds=60.0, tags=("staff",))
    finish(options, taken, lasted_s=30.0, plan=plan, at_s=[2.0, 9.5])
    with (tmp_path / "waypoints.csv").open() as file:
        rows = [(row["x"], row["at"]) for row in csv.DictReader(file)]
    assert rows == [("1.0", "2.0"), ("3.0", "9.5")]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seconds": 0.0}, "--seconds is 0"),
        ({"at": (1.0, 1.0), "waypoints": Path("w.csv")}, "stand, or walk"),
    ],
)
def test_what_cannot_be_recorded_is_refused(
    options: dict[str, object], told: str, tmp_path: Path
) -> None:
    """Before anybody has walked for ten minutes."""
    with pytest.raises(InvalidSettings, match=told):
        refuse_options(
            RecordOptions(**({"folder": tmp_path, "seconds": 5.0} | options)), TWO_ANCHORS
        )


def test_a_place_off_the_floor_is_refused_before_recording(tmp_path: Path) -> None:
    """Centimetres instead of metres, noticed at the first point and not at the twentieth."""
    options = RecordOptions(folder=tmp_path, seconds=5.0, at=(350.0, 2.0))
    with pytest.raises(InvalidCalibration, match="outside floor 0"):
        refuse_options(options, TWO_ANCHORS)
    assert parse_place("3.5,2") == (3.5, 2.0)
    with pytest.raises(InvalidSettings, match=r"Write --at 12\.5,3\.0"):
        parse_place("3.5;2")
