"""Visits in hindsight and passes, from readings to the journal: a kill loses and doubles none."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest

from inaisle.service.visit_recorder import VisitRecorder
from rtls.engine import Engine
from rtls.model.reading import ReadingBatch
from rtls.model.site_map import DwellRules
from rtls.model.visit import AnalysedVisit, Passed, Visit, VisitRecord, ZoneEvent
from rtls.publish.visit_journal import VisitJournal
from rtls.revision import Reviser, RevisionSettings
from rtls.visit_analysis import VisitAnalysis
from tests.reference.shelf_site import START_MS, exact_ranges, make_batch, make_site, shelf_zones

SITE = make_site(shelf_zones(DwellRules(dwell_thresholds_s=(20.0,), dwell_s_min=5.0)))
TICK_MS = 500
DOWELS, SCREWS, AWAY = (5.0, 4.5), (7.0, 4.5), (18.0, 8.0)
WALK = (
    *(AWAY for _ in range(8)),
    *(DOWELS for _ in range(60)),
    *((5.0 + 0.5 * k, 4.5) for k in range(9)),  # past the screws at 1 m/s
    *(AWAY for _ in range(80)),
    *(SCREWS for _ in range(30)),
    *(AWAY for _ in range(80)),
)
SNAPSHOT_EVERY = 4


def log() -> list[ReadingBatch]:
    """Return the batches of two tags that walk the same way, one half a minute later."""
    batches = []
    for number in range(len(WALK)):
        at_ms = START_MS + TICK_MS * (number + 1)
        places = [(0, *WALK[number]), (1, *WALK[max(number - 60, 0)])]
        readings = exact_ranges(SITE, at_ms, places, sigma_m=0.1)
        introduced = [(0, "tag:0"), (1, "tag:1")] if number == 0 else ()
        batches.append(make_batch(SITE, number, at_ms, readings, introduced=introduced))
    return batches


LOG = log()


class Process:
    """What the locating loop does with batches, and what it has on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = Engine(SITE)
        self.reviser = Reviser(self.engine, RevisionSettings(epoch_ms=TICK_MS))
        names = (f"journal-{number}" for number in count(1))
        self.journal = VisitJournal(folder, new_id=lambda: next(names), report=pytest.fail)
        self.recorder = VisitRecorder(VisitAnalysis(SITE), self.journal)
        self.told: list[ZoneEvent] = []
        self.saved = self.state()

    def state(self) -> tuple[bytes, bytes, bytes]:
        return self.engine.snapshot(), self.reviser.snapshot(), self.recorder.snapshot()

    def run(self, batches: Sequence[ReadingBatch]) -> None:
        for batch in batches:
            output = self.engine.process(batch)
            events = self.reviser.note(batch, output.events)
            self.recorder.take(output, events)
            self.told += events
            if batch.sequence % SNAPSHOT_EVERY == SNAPSHOT_EVERY - 1:
                self.recorder.write()
                self.saved = self.state()

    def killed(self) -> "Process":
        """Return the process that a supervisor starts: with what is on disk, and no more."""
        self.journal.close()
        after = Process(self.folder)
        engine, reviser, visits = self.saved
        after.engine.restore(engine)
        after.reviser.restore(reviser)
        after.recorder.restore(visits)
        after.saved = self.saved
        return after

    def records(self) -> list[VisitRecord]:
        """Return what reports count: of each id the first copy."""
        found: dict[str, VisitRecord] = {}
        after = 0
        while records := self.journal.read(after=after, limit=50):
            for _, record in records:
                found.setdefault(record.event_id, record)
            after = records[-1][0]
        return list(found.values())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[VisitRecord]:
    """What a process that nobody kills records."""
    process = Process(tmp_path_factory.mktemp("whole"))
    process.run(LOG)
    ended = {event.visit_id for event in process.told if isinstance(event, Visit)}
    records = process.records()
    visits = [record for record in records if isinstance(record, AnalysedVisit)]
    assert {visit.visit_id for visit in visits} == ended
    assert len(visits) == len(ended)
    return records


def test_a_report_reads_how_long_somebody_stood_and_where_he_only_passed(
    whole: list[VisitRecord],
) -> None:
    """30 s at the dowels, past the screws, later 15 s at the screws; all of it by both tags."""
    visits = [r for r in whole if isinstance(r, AnalysedVisit) and r.tag == "tag:0"]
    dwell_s = {visit.zone: visit.dwell_s for visit in visits if not visit.is_pass_by}
    assert dwell_s["dowels"] == pytest.approx(30.0, abs=1.5)
    assert dwell_s["screws"] == pytest.approx(15.0, abs=1.5)
    assert all(visit.is_smoothed for visit in visits)
    passes = [r for r in whole if isinstance(r, Passed)]
    assert "screws" in {passed.zone for passed in passes if passed.tag == "tag:0"}


def test_a_kill_at_any_instant_loses_no_record_and_gives_no_second_id(
    whole: list[VisitRecord], tmp_path: Path
) -> None:
    """Of a visit that was cut the dwell is the live one, and says so; the others are the same."""
    expected = {record.event_id: record for record in whole}
    cut_ids: set[str] = set()
    for killed_at in range(5, len(LOG), 9):
        process = Process(tmp_path / str(killed_at))
        process.run(LOG[:killed_at])
        process = process.killed()
        process.run(LOG[process.engine.sequence + 1 :])
        found = {record.event_id: record for record in process.records()}
        assert found.keys() == expected.keys()
        for name, record in found.items():
            if record != expected[name]:
                assert isinstance(record, AnalysedVisit)
                assert not record.is_smoothed
                assert record.dwell_s == record.dwell_s_live
                cut_ids.add(name)
        process.journal.close()
    assert cut_ids, "no kill hit a visit; the test proves nothing"
