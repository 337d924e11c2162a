"""Wait until a visit is settled before it is written, for a file is never changed.

Layer: edges. Takes: `VisitRecord`s as the locating loop tells them, with revisions and withdrawals.
Gives: each visit once, as it was in the end, to the history's writer.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final

from rtls.model.units import UnixMs
from rtls.model.visit import AnalysedVisit, VisitRecord

HELD_MAX: Final = 200_000
TOLD_MAX: Final = 50_000


class HeldVisits:
    """Visits that late readings may still change. Used by one thread.

    Parameters
    ----------
    settle_ms
        How long late readings are heard; a visit is held so long after it was told.
    """

    def __init__(self, *, settle_ms: int) -> None:
        self._settle_ms = settle_ms
        self._held: OrderedDict[str, tuple[UnixMs, VisitRecord]] = OrderedDict()
        self._given: OrderedDict[str, None] = OrderedDict()
        self.counters = {"visits_revised_too_late": 0, "visits_not_held": 0}

    def __len__(self) -> int:
        return len(self._held)

    def take(self, records: Sequence[VisitRecord], *, now_ms: UnixMs) -> None:
        """Hold what was told; of one visit the highest revision."""
        for record in records:
            name = record.event_id
            if name in self._given:
                self.counters["visits_revised_too_late"] += _revision(record) > 0
            elif name not in self._held:
                self._held[name] = (now_ms, record)
            elif _revision(record) > _revision(self._held[name][1]):
                self._held[name] = (self._held[name][0], record)
        while len(self._held) > HELD_MAX:
            self._held.popitem(last=False)
            self.counters["visits_not_held"] += 1

    def settled(self, *, now_ms: UnixMs) -> Iterator[VisitRecord]:
        """Yield what is settled, in the order in which it was told, and hold it no longer."""
        while self._held:
            name, (told_ms, record) = next(iter(self._held.items()))
            if told_ms + self._settle_ms > now_ms:
                return
            del self._held[name]
            self._given[name] = None
            if len(self._given) > TOLD_MAX:
                self._given.popitem(last=False)
            if not (isinstance(record, AnalysedVisit) and record.is_withdrawn):
                yield record


def _revision(record: VisitRecord) -> int:
    return record.revision if isinstance(record, AnalysedVisit) else 0
