"""EventJournal: nothing unsent is ever lost, whatever the disk and the power do."""

import os
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.model.errors import NotDurable
from rtls.model.units import UnixMs
from rtls.publish.event_journal import EventJournal, JournalSettings
from rtls.publish.journal_segment import HEADER, parse_records, render_record

TEN_BYTES = b"0123456789"
RECORD_BYTES = HEADER.size + len(TEN_BYTES)
TINY = JournalSettings(
    segment_bytes=4 * RECORD_BYTES, bytes_max=12 * RECORD_BYTES, keep_events=3, keep_ms=1000
)


class Folder:
    """Opens one journal again and again; remembers what it reported."""

    def __init__(self, path: Path, settings: JournalSettings | None = None) -> None:
        self.path = path
        self.settings = settings
        self.reports: list[str] = []
        self.names = (f"journal-{number}" for number in count(1))

    def open(self) -> EventJournal:
        return EventJournal(
            self.path,
            new_id=lambda: next(self.names),
            report=self.reports.append,
            settings=self.settings,
        )


def at(number: int) -> tuple[UnixMs, bytes]:
    return UnixMs(1000 * number), b"event %04d" % number


def numbers_after(journal: EventJournal, after: int) -> list[int]:
    found: list[int] = []
    while records := journal.read(after=after, limit=3):
        found += [int(record.payload.split()[1]) for record in records]
        after = records[-1].sequence
    return found


def test_events_come_back_in_order_after_a_crash(tmp_path: Path) -> None:
    """The process that publishes may die between writing and sending."""
    folder = Folder(tmp_path, TINY)
    journal = folder.open()
    journal.append([at(1), at(2)])
    journal.append([at(number) for number in range(3, 10)])
    journal.close()
    again = folder.open()
    assert numbers_after(again, 0) == list(range(1, 10))
    assert numbers_after(again, 6) == [7, 8, 9]
    assert (again.first_sequence, again.last_sequence) == (1, 9)
    assert folder.reports == []


def test_a_write_cut_by_a_crash_is_dropped_whole_and_said(tmp_path: Path) -> None:
    """Half an event parsed as one would be worse than none; its input was not acknowledged."""
    folder = Folder(tmp_path)
    journal = folder.open()
    journal.append([at(1), at(2)])
    journal.close()
    (path,) = tmp_path.glob("*.events")
    path.write_bytes(path.read_bytes()[:-1])
    again = folder.open()
    assert numbers_after(again, 0) == [1]
    assert "cut off" in folder.reports[0]
    again.append([at(3)])
    assert numbers_after(again, 0) == [1, 3]


def test_the_name_changes_only_when_records_are_gone(tmp_path: Path) -> None:
    """Lost sequences are given out again: under the old name Redis would count them as sent."""
    folder = Folder(tmp_path)
    journal = folder.open()
    journal.append([at(1), at(2)])
    journal.close()
    whole = folder.open()
    whole.close()
    (path,) = tmp_path.glob("*.events")
    path.write_bytes(path.read_bytes()[:-1])
    assert (whole.journal_id, folder.open().journal_id) == ("journal-1", "journal-2")


def test_a_spoiled_segment_costs_its_rest_and_not_the_next(tmp_path: Path) -> None:
    """A bad sector must not hide the events behind it."""
    folder = Folder(tmp_path, TINY)
    journal = folder.open()
    for number in range(1, 9):
        journal.append([at(number)])
    journal.close()
    first, second = sorted(tmp_path.glob("*.events"))
    content = bytearray(first.read_bytes())
    content[2 * RECORD_BYTES + HEADER.size] ^= 1  # in event 3
    first.write_bytes(bytes(content))
    assert numbers_after(folder.open(), 0) == [1, 2, 5, 6, 7, 8]
    assert any("events 3 to 4 are lost" in line for line in folder.reports)
    assert second.exists()


def test_an_event_spoiled_while_running_does_not_stop_the_others(tmp_path: Path) -> None:
    """The sender would else ask for the same record for ever."""
    folder = Folder(tmp_path)
    journal = folder.open()
    journal.append([at(number) for number in range(1, 6)])
    (path,) = tmp_path.glob("*.events")
    content = bytearray(path.read_bytes())
    for number in (1, 2, 3, 5):
        content[number * RECORD_BYTES - 1] ^= 1
    path.write_bytes(bytes(content))
    assert numbers_after(journal, 0) == [4]
    assert folder.reports


def test_a_full_journal_refuses_and_drops_nothing(tmp_path: Path) -> None:
    """Refusing keeps the input unacknowledged with the gateways: that is the next buffer."""
    folder = Folder(tmp_path, TINY)
    journal = folder.open()
    for number in range(1, 13):
        journal.append([at(number)])
    with pytest.raises(NotDurable, match="no room"):
        journal.append([at(13)])
    assert numbers_after(journal, 0) == list(range(1, 13))
    journal.trim(sent=12)
    journal.append([at(13)])
    assert numbers_after(journal, 12) == [13]


def test_unsent_events_outlive_the_ring(tmp_path: Path) -> None:
    """Only what Redis has may be forgotten, be it an hour old."""
    folder = Folder(tmp_path, TINY)
    journal = folder.open()
    for number in range(1, 11):
        journal.append([at(100 * number)])
    journal.trim(sent=0)
    assert len(numbers_after(journal, 0)) == 10
    journal.trim(sent=10)
    assert numbers_after(journal, 0) == [900, 1000]  # the last segment


@pytest.mark.parametrize(
    ("instants", "start"),
    [
        ([0, 1, 2, 3, 4, 5], 3),  # all young: the last 3 by count
        ([0, 1000, 2000, 3000, 3500, 3600], 3),  # 3000 and younger are within 1000 ms of 3600
        ([0, 0, 0, 0, 0, 9000], 5),  # only the newest is young
        ([9000, 0, 0, 0, 0, 0], 3),  # by count, although the youngest came first
        ([], 0),
    ],
)
def test_the_ring_is_the_last_events_by_count_and_by_age(
    tmp_path: Path, instants: list[int], start: int
) -> None:
    """What a Redis that lost its data is sent again: 3 events or 1000 ms, the smaller."""
    journal = Folder(tmp_path, TINY).open()
    for instant in instants:
        journal.append([(UnixMs(instant), TEN_BYTES)])
    assert journal.ring_start() == start


def test_a_disk_that_refuses_is_told_and_overcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk full for a moment: publish raises, and the next attempt leaves no gap behind."""
    folder = Folder(tmp_path)
    journal = folder.open()
    journal.append([at(1)])

    def refuse(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", refuse)
        with pytest.raises(NotDurable, match="No space left"):
            journal.append([at(2)])
        assert numbers_after(journal, 0) == [1]
    journal.append([at(2)])
    assert numbers_after(journal, 0) == [1, 2]
    journal.close()
    assert numbers_after(folder.open(), 0) == [1, 2]


def test_the_first_write_refused_is_overcome_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The segment is empty then, and keeps its name."""
    folder = Folder(tmp_path)
    journal = folder.open()

    def refuse(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", refuse)
        with pytest.raises(NotDurable):
            journal.append([at(1)])
    journal.append([at(1)])
    journal.close()
    assert numbers_after(folder.open(), 0) == [1]


def test_two_processes_cannot_share_a_journal(tmp_path: Path) -> None:
    """Two appenders would give one sequence to two events."""
    journal = Folder(tmp_path).open()
    with pytest.raises(NotDurable, match="in use"):
        Folder(tmp_path).open()
    journal.close()
    journal.close()  # twice is once: the handle may be somebody else's by now
    Folder(tmp_path).open().close()
    with pytest.raises(NotDurable, match="closed"):
        journal.append([at(1)])


def test_the_sequence_goes_on_when_everything_was_sent_and_forgotten(tmp_path: Path) -> None:
    """A sequence used twice would be taken for sent."""
    folder = Folder(tmp_path, TINY)
    journal = folder.open()
    for number in range(1, 10):
        journal.append([at(number)])
        journal.trim(sent=number)
    journal.close()
    again = folder.open()
    again.append([at(10)])
    assert again.last_sequence == 10


def test_what_is_no_event_is_refused(tmp_path: Path) -> None:
    """64 kB is a hundred times the largest event."""
    with pytest.raises(ValueError, match="at most 65536"):
        Folder(tmp_path).open().append([(UnixMs(0), b"x" * 65_537)])


@pytest.mark.parametrize(
    "wrong", [{"segment_bytes": 0}, {"bytes_max": 1}, {"keep_events": 0}, {"keep_ms": -1}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, int]) -> None:
    """A journal without room refuses every event, in the middle of the day."""
    with pytest.raises(ValueError, match="expected"):
        JournalSettings(**wrong)


@given(st.lists(st.binary(max_size=40), max_size=8), st.data())
def test_cut_or_flipped_anywhere_only_whole_records_before_it_are_read(
    payloads: list[bytes], data: st.DataObject
) -> None:
    """The checksum covers every byte, so damage can shorten the journal but never change it."""
    records = [render_record(n, UnixMs(n), payload) for n, payload in enumerate(payloads, 5)]
    content = bytearray(b"".join(records))
    place = data.draw(st.integers(0, len(content)))
    if data.draw(st.booleans()) or place == len(content):
        del content[place:]
    else:
        content[place] ^= data.draw(st.integers(1, 255))
    before = [sum(map(len, records[: n + 1])) for n in range(len(records))]
    whole = sum(end <= place for end in before)
    read = parse_records(bytes(content), first=5)
    assert [record.payload for record in read] == payloads[:whole]
