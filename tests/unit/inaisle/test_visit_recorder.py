"""VisitRecorder: what is known is written before the snapshot, and a full disk costs no offer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest

from inaisle.service import visit_recorder
from inaisle.service.visit_recorder import VisitRecorder
from rtls.engine_contract import EngineOutput
from rtls.model.errors import NotDurable
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.visit import Passed, VisitRecord
from rtls.publish.visit_journal import VisitJournal
from rtls.visit_analysis import VisitAnalysis
from tests.reference.shelf_site import START_MS, shelf_site


@dataclass
class Disk:
    """A journal in memory, that may refuse."""

    is_full: bool = False
    written: list[VisitRecord] = field(default_factory=list)

    def write(self, records: Sequence[VisitRecord]) -> None:
        if self.is_full:
            raise NotDurable("no space left")
        self.written += records


def passing(number: int) -> EngineOutput:
    passed = Passed(
        event_id=f"p{number}",
        site="shelf-site",
        tag="tag:1",
        zone="dowels",
        at_ms=START_MS,
        decided_at_ms=START_MS,
        probability=0.7,
        is_between_fixes=True,
    )
    fixes = FixBatch(at_ms=START_MS + number, rows=np.zeros(0, FIX_DTYPE))
    return EngineOutput(fixes=fixes, tag_names=np.empty(0, "S1"), passes=(passed,))


def recorder(disk: Disk) -> VisitRecorder:
    return VisitRecorder(VisitAnalysis(shelf_site()), cast("VisitJournal", disk))


def names(disk: Disk) -> list[str]:
    return [record.event_id for record in disk.written]


def test_what_was_taken_is_written_once() -> None:
    disk = Disk()
    ours = recorder(disk)
    ours.take(passing(1), ())
    assert disk.written == []
    ours.write()
    ours.write()
    assert names(disk) == ["p1"]


def test_a_full_disk_is_told_and_waited_for() -> None:
    """The loop goes on: a report can wait, an offer at the shelf cannot."""
    disk = Disk(is_full=True)
    ours = recorder(disk)
    ours.take(passing(1), ())
    ours.write()
    ours.take(passing(2), ())
    ours.write()
    assert "2 records wait: no space left" in (ours.trouble() or "")
    disk.is_full = False
    ours.write()
    assert names(disk) == ["p1", "p2"]
    assert ours.trouble() is None


def test_what_waits_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that stays full must not fill the memory too."""
    monkeypatch.setattr(visit_recorder, "WAITING_MAX", 3)
    disk = Disk(is_full=True)
    ours = recorder(disk)
    for number in range(5):
        ours.take(passing(number), ())
    disk.is_full = False
    ours.write()
    assert names(disk) == ["p2", "p3", "p4"]
    assert ours.counters["lost"] == 2
