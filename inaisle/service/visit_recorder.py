"""Record visits in hindsight, and passes, for footfall and reports; offers never see them.

Layer: doors. Takes: what the engine gave and what was told of it, from
inaisle.service.locating_loop. Gives: `VisitRecord`s to the journal of the data folder, before the
snapshot that acknowledges their input; and to that snapshot the visits that wait to be accounted
for.

A disk that refuses must not cost an offer: records wait in memory then, up to a bound, and the loop
goes on. What is beyond the bound is counted as lost.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog

from rtls.engine_contract import EngineOutput
from rtls.model.errors import NotDurable
from rtls.model.visit import VisitRecord, ZoneEvent
from rtls.publish.visit_journal import VisitJournal
from rtls.visit_analysis import VisitAnalysis

log = structlog.get_logger("inaisle.visits")
WAITING_MAX: Final = 100_000


class VisitRecorder:
    """What one locating loop records; used by its thread alone, but for `trouble`.

    Parameters
    ----------
    analysis
        Of the loop's engine.
    journal
        Where records go.
    """

    def __init__(self, analysis: VisitAnalysis, journal: VisitJournal) -> None:
        self._analysis = analysis
        self._journal = journal
        self._waiting: deque[VisitRecord] = deque()
        self._trouble: str | None = None
        self.counters = {"visits": 0, "passes": 0, "written": 0, "lost": 0}

    def warm_up(self) -> None:
        """Compile or load the kernels."""
        self._analysis.warm_up()

    def take(self, output: EngineOutput, events: Sequence[ZoneEvent]) -> Sequence[VisitRecord]:
        """Take what one batch gave, and its events as they are told; return what came of it."""
        visits = self._analysis.take(output, events)
        self.counters["visits"] += len(visits)
        self.counters["passes"] += len(output.passes)
        self._keep(visits)
        self._keep(output.passes)
        return (*visits, *output.passes)

    def correct(self, events: Sequence[ZoneEvent]) -> Sequence[VisitRecord]:
        """Take what late readings have changed; return what came of it."""
        found = self._analysis.note(events)
        self._keep(found)
        return found

    def write(self) -> None:
        """Make durable what is known; where the disk refuses, it waits for the next time."""
        if not self._waiting:
            return
        try:
            self._journal.write(tuple(self._waiting))
        except NotDurable as error:
            if self._trouble is None:
                log.warning("visits cannot be recorded; offers go on", error=str(error))
            self._trouble = f"{len(self._waiting)} records wait: {error}"
            return
        self.counters["written"] += len(self._waiting)
        self._waiting.clear()
        self._trouble = None

    def snapshot(self) -> bytes:
        """Return the visits that wait to be accounted for."""
        return self._analysis.snapshot()

    def restore(self, content: bytes) -> None:
        """Go on from a snapshot."""
        self._analysis.restore(content)

    def trouble(self) -> str | None:
        """Return why nothing is recorded, or None; for `Health.watch`."""
        return self._trouble

    def close(self) -> None:
        """Let another process have the journal."""
        self._journal.close()

    def _keep(self, records: Sequence[VisitRecord]) -> None:
        self._waiting.extend(records)
        while len(self._waiting) > WAITING_MAX:
            self._waiting.popleft()
            self.counters["lost"] += 1
