"""VisitJournal: visits and passes are kept for reports, some days long and never for offers."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from rtls.model.errors import InvalidVisit
from rtls.model.units import Second, SiteId, TagId, UnixMs, ZoneId
from rtls.model.visit import AnalysedVisit, Passed, VisitRecord, event_id, visit_id
from rtls.model.visit_json import parse_event, parse_record, render_event, render_record
from rtls.publish.visit_journal import VisitJournal
from tests.unit.publish.zone_event_samples import START_MS, dwell_event

SITE, TAG, ZONE = SiteId("demo"), TagId("tag-1"), ZoneId("dowels")


def visit(number: int) -> AnalysedVisit:
    entered_at_ms = UnixMs(START_MS + 1000 * number)
    name = visit_id(SITE, TAG, ZONE, entered_at_ms)
    return AnalysedVisit(
        event_id=event_id(name, "analysed"),
        visit_id=name,
        site=SITE,
        tag=TAG,
        zone=ZONE,
        entered_at_ms=entered_at_ms,
        left_at_ms=UnixMs(entered_at_ms + 40_000),
        dwell_s_live=Second(30.0),
        dwell_s=Second(39.5),
        is_pass_by=False,
        is_smoothed=True,
    )


PASS = Passed(
    event_id="p",
    site=SITE,
    tag=TAG,
    zone=ZONE,
    at_ms=UnixMs(START_MS),
    decided_at_ms=UnixMs(START_MS + 500),
    probability=0.75,
    is_between_fixes=True,
)


def open_journal(folder: Path, **limits: int) -> VisitJournal:
    names = (f"journal-{number}" for number in count(1))
    return VisitJournal(folder, new_id=lambda: next(names), report=pytest.fail, **limits)


def read_all(journal: VisitJournal) -> list[VisitRecord]:
    found: list[VisitRecord] = []
    after = journal.first_sequence - 1
    while records := journal.read(after=after, limit=100):
        found += [record for _, record in records]
        after = records[-1][0]
    return found


def test_records_come_back_in_order_after_a_crash(tmp_path: Path) -> None:
    """The process that makes reports may run an hour later."""
    journal = open_journal(tmp_path)
    journal.write([visit(1), PASS])
    journal.write([visit(2)])
    journal.close()
    assert read_all(open_journal(tmp_path)) == [visit(1), PASS, visit(2)]


def test_the_oldest_records_go_when_the_room_ends_and_the_gap_can_be_seen(tmp_path: Path) -> None:
    """Nobody may have read them; still the shop must not stop for a report."""
    journal = open_journal(tmp_path, bytes_max=64_000)
    for start in range(0, 1000, 50):
        journal.write([visit(number) for number in range(start, start + 50)])
    kept = read_all(journal)
    assert kept == [visit(number) for number in range(1000 - len(kept), 1000)]
    assert journal.first_sequence == 1001 - len(kept) > 1
    assert sum(file.stat().st_size for file in tmp_path.glob("*.events")) <= 64_000


def test_a_heap_of_records_at_once_is_taken(tmp_path: Path) -> None:
    """After a disk that was full for a while, all that waited is written in one go."""
    journal = open_journal(tmp_path, bytes_max=256_000)
    journal.write([visit(number) for number in range(400)])
    assert read_all(journal)[-1] == visit(399)


def test_records_older_than_is_kept_go(tmp_path: Path) -> None:
    """Ids of tags stay on the disk no longer than reports need them."""
    journal = open_journal(tmp_path, bytes_max=64_000, keep_ms=60_000)
    for start in range(0, 200, 4):
        journal.write([visit(number) for number in range(start, start + 4)])
    oldest = read_all(journal)[0]
    assert oldest.entered_at_ms > visit(100).entered_at_ms


@pytest.mark.parametrize("record", [visit(1), replace(visit(1), revision=3), PASS])
def test_what_is_rendered_is_read_as_it_was(record: VisitRecord) -> None:
    assert parse_record(render_record(record)) == record


def test_offers_refuse_a_record_and_reports_an_event() -> None:
    """A pass that reached the decision could make an offer to somebody who never stopped."""
    with pytest.raises(InvalidVisit, match="'passed'"):
        parse_event(render_record(PASS))
    with pytest.raises(InvalidVisit, match="'dwell_reached'"):
        parse_record(render_event(dwell_event(1)))
