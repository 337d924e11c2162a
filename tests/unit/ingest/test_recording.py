"""Recordings: real data through the same decoder, and a clear word where that cannot be."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from rtls.ingest.reception import AdmittedTags, Reception, ReceptionSettings
from rtls.ingest.recorded_source import RecordedSource
from rtls.ingest.recording import ORIGIN_MS, SESSION_GAP_MS, load_recording
from rtls.model.errors import InvalidRecording
from rtls.model.reading import ReadingBatch
from rtls.model.site_map import Radio
from rtls.model.units import UnixMs

ANCHORS = "anchor,x,y,z\nA1,0.0,0.0,2.5\na_2,5.0,-3.0,2.5\n"
READINGS = (
    "session,t_s,tag,anchor,kind,value\n"
    "walk,0.0,T1,A1,range,1.5\n"
    "walk,0.25,T1,a_2,range,2.5\n"
    "walk,0.2,T1,A1,range,3.5\n"
    "stand,0.004,T1,A1,range,4.5\n"
)


def write(folder: Path, *, anchors: str | None = ANCHORS, readings: str | None = READINGS) -> Path:
    if anchors is not None:
        (folder / "anchors.csv").write_text(anchors)
    if readings is not None:
        (folder / "readings.csv").write_text(readings)
    return folder


def replay(source: RecordedSource) -> list[ReadingBatch]:
    """All batches, as the door makes them: advance to what was consumed, after each poll."""
    reception = Reception(
        source.site_map,
        admitted=AdmittedTags.all(),
        settings=ReceptionSettings.for_recordings(),
    )
    batches = []
    while not source.is_finished:
        reception.receive(source.poll(0.0))
        batches += reception.advance(source.consumed_ms)
    assert reception.counters["messages_quarantined"] == 0
    assert reception.counters["readings_late"] == 0
    return batches


def test_a_recording_becomes_batches_in_the_order_of_time(tmp_path: Path) -> None:
    """Sessions lie five minutes apart, so that nothing of one lives on in the next."""
    source = RecordedSource(write(tmp_path))
    found = [
        (batch.epoch_end_ms, batch.readings["value"].tolist())
        for batch in replay(source)
        if len(batch.readings)
    ]
    second = ORIGIN_MS + 1_000 + SESSION_GAP_MS
    assert found == [
        (ORIGIN_MS, [1.5]),
        (ORIGIN_MS + 200, [3.5]),
        (ORIGIN_MS + 300, [2.5]),
        (second + 100, [4.5]),
    ]
    assert source.session_at(UnixMs(ORIGIN_MS + 300)) == ("walk", 0.3)
    assert source.session_at(UnixMs(second + 100)) == ("stand", 0.1)
    assert source.session_at(UnixMs(ORIGIN_MS - 1)) is None


def test_the_map_of_a_recording_is_its_anchors(tmp_path: Path) -> None:
    """Replay needs no map file."""
    site_map = RecordedSource(write(tmp_path)).site_map
    assert [(a.anchor, a.x_m, a.y_m, a.gateway) for a in site_map.anchors] == [
        ("a1", 0.0, 0.0, None),
        ("a-2", 5.0, -3.0, None),
    ]
    assert site_map.anchors[0].radio == Radio.UWB


def test_no_message_holds_a_reading_of_the_future(tmp_path: Path) -> None:
    """A score is worth nothing if the filter has seen what comes after."""
    source = RecordedSource(write(tmp_path))
    heard = source.recording.heard_at_ms()
    given = 0
    while not source.is_finished:
        messages = source.poll(0.0)
        given += sum(message.payload.count(b'"id"') for message in messages)
        assert all(message.received_at_ms <= source.consumed_ms for message in messages)
        assert given == np.count_nonzero(heard <= source.consumed_ms)


def test_packed_and_plain_files_are_the_same(tmp_path: Path) -> None:
    """Data sets come packed; people unpack them to look inside."""
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    for folder in (plain, packed):
        folder.mkdir()
    write(plain)
    write(packed, readings=None)
    (packed / "readings.csv.gz").write_bytes(gzip.compress(READINGS.encode()))
    assert load_recording(plain).rows.tolist() == load_recording(packed).rows.tolist()


def test_a_value_that_no_radio_can_have_sent_is_left_out_and_counted(tmp_path: Path) -> None:
    """One receiver's glitch must not cost the other readings of its message."""
    readings = READINGS.replace("range", "rssi").replace(",1.5", ",4").replace(",2.5", ",-121")
    readings = readings.replace(",3.5", ",-60").replace(",4.5", ",0")
    recording = load_recording(write(tmp_path, readings=readings))
    assert (recording.left_out, recording.rows["value"].tolist()) == (2, [-60.0, 0.0])


def test_more_readings_than_a_message_holds_are_split(tmp_path: Path) -> None:
    """512 is the protocol's limit; nothing is lost at it."""
    head = "session,t_s,tag,anchor,kind,value\n"
    lines = "".join(f"s,0.0,t,a1,range,{index / 10}\n" for index in range(1_100))
    source = RecordedSource(write(tmp_path, readings=head + lines))
    assert sum(len(batch.readings) for batch in replay(source)) == 1_100


@pytest.mark.parametrize(
    ("anchors", "readings", "said"),
    [
        (None, READINGS, "neither anchors.csv .* nor survey_scans.csv"),
        (ANCHORS, None, "neither readings.csv.gz nor readings.csv"),
        (ANCHORS, READINGS.replace("value", "wert"), "line 1: the columns"),
        (ANCHORS, "", "line 1: the columns"),
        (ANCHORS, READINGS.splitlines()[0], "no reading"),
        (ANCHORS, READINGS.replace("0.25,", ""), "line 3: 5 fields"),
        (ANCHORS, READINGS.replace("0.25", "soon"), "line 3: t_s is 'soon'"),
        (ANCHORS, READINGS.replace("0.25", "-1"), "line 3: t_s is -1"),
        (ANCHORS, READINGS.replace("2.5", "nan"), "line 3: value is 'nan'"),
        (ANCHORS, READINGS.replace("a_2,range", "a_2,smell"), "line 3: kind is 'smell'"),
        (ANCHORS, READINGS.replace("0.25,T1", "0.25,T 1"), "line 3: tag is 'T 1'"),
        (ANCHORS, READINGS.replace("a_2", "a+2"), "line 3: anchor is 'a\\+2'"),
        (ANCHORS + "a1,1,1,1\n", READINGS, "line 4: anchor a1 is there twice"),
        (ANCHORS.replace("5.0", "inf"), READINGS, "line 3: x is 'inf'"),
        (ANCHORS.replace("5.0", "5e9"), READINGS, "line 3: anchor a-2 is at"),
        ("anchor,x,y,z\n", READINGS, "no anchor"),
        (ANCHORS, READINGS.replace("T1", '"T1'), "cannot be read|fields|tag is"),
    ],
)
def test_a_recording_that_cannot_be_replayed_is_refused(
    tmp_path: Path, anchors: str | None, readings: str | None, said: str
) -> None:
    """The line and the remedy are named: the file was made by somebody else's script."""
    with pytest.raises(InvalidRecording) as refused:
        RecordedSource(write(tmp_path, anchors=anchors, readings=readings))
    assert re.search(said, str(refused.value)), refused.value


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b\x08 not gzip", b"", gzip.compress(b"\xff\xfe", mtime=0)]
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    """Half a download is the commonest fault of a data set."""
    write(tmp_path, readings=None)
    (tmp_path / "readings.csv.gz").write_bytes(content)
    with pytest.raises(InvalidRecording, match=r"readings\.csv\.gz"):
        RecordedSource(tmp_path)


def test_a_truncated_real_recording_is_refused(shared_data: Path, tmp_path: Path) -> None:
    """The first half must not pass for the whole."""
    whole = (shared_data / "ble_flat" / "readings.csv.gz").read_bytes()
    write(tmp_path, readings=None)
    (tmp_path / "readings.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidRecording, match="cannot be read"):
        RecordedSource(tmp_path)


@pytest.mark.parametrize(
    ("name", "readings", "left_out", "tags"),
    [("ble_flat", 2_154, 0, {"tag"}), ("ble_library", 3_485, 0, {"A5"})],
)
def test_every_reading_of_a_real_recording_arrives(
    shared_data: Path, name: str, readings: int, left_out: int, tags: set[str]
) -> None:
    """From file to batch through the public path, none lost and none doubled."""
    source = RecordedSource(shared_data / name)
    batches = replay(source)
    assert sum(len(batch.readings) for batch in batches) == readings
    assert source.recording.left_out == left_out
    assert {tag for batch in batches for _, tag in batch.introduced} == tags
