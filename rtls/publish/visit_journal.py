"""Keep analysed visits and passes on disk for those who make reports, some days long.

Layer: edges. Takes: `VisitRecord`s from the locating loop. Gives: them back in order, with their
sequence, to footfall and reports, which keep for themselves up to where they have read.

At least once: after a kill, what was written since the last snapshot may be written again, under
the same event ids. Of one id the highest revision holds, and of these the first copy.

Nobody is waited for. What is older than `keep_ms`, or more than fits, goes; who reads too seldom
sees it by the gap in the sequences.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rtls.model.units import UnixMs
from rtls.model.visit import Passed, VisitRecord
from rtls.model.visit_json import parse_record, render_record
from rtls.publish.event_journal import MIB, EventJournal, JournalSettings

KEEP_ALL: Final = 2**62
SEGMENTS: Final = 32


class VisitJournal:
    """The records of one locating process in one folder.

    Parameters
    ----------
    folder
        Made if it is not there; locked against a second process.
    new_id
        Gives a fresh random name for a new journal.
    report
        Told in one sentence when stored records cannot be read.
    bytes_max, keep_ms
        How much, and of how long in event time, is kept.
    """

    def __init__(
        self,
        folder: Path,
        *,
        new_id: Callable[[], str],
        report: Callable[[str], None],
        bytes_max: int = 128 * MIB,
        keep_ms: int = 3 * 86_400_000,
    ) -> None:
        settings = JournalSettings(
            bytes_max=bytes_max,
            segment_bytes=bytes_max // SEGMENTS,
            keep_events=KEEP_ALL,
            keep_ms=keep_ms,
        )
        self._journal = EventJournal(folder, new_id=new_id, report=report, settings=settings)

    @property
    def first_sequence(self) -> int:
        """Return the sequence of the oldest record still held."""
        return self._journal.first_sequence

    @property
    def last_sequence(self) -> int:
        """Return the sequence of the newest record; 0 before the first."""
        return self._journal.last_sequence

    def write(self, records: Sequence[VisitRecord]) -> None:
        """Add records in order; after the return they survive a crash.

        Raises `NotDurable` if the journal is closed or the disk refuses.
        """
        rendered = [(instant_of_record(record), render_record(record)) for record in records]
        for start in range(0, len(rendered), self._at_once):
            # The next segment's worth must fit: the oldest ones make room, read or not.
            self._journal.trim(sent=self._journal.last_sequence)
            self._journal.append(rendered[start : start + self._at_once])

    def read(self, *, after: int, limit: int) -> list[tuple[int, VisitRecord]]:
        """Return up to ``limit`` (sequence, record) that follow sequence ``after``, in order."""
        return [
            (record.sequence, parse_record(record.payload))
            for record in self._journal.read(after=after, limit=limit)
        ]

    def close(self) -> None:
        """Let another process have the folder. Safe to call twice."""
        self._journal.close()

    @property
    def _at_once(self) -> int:
        """How many records are less than a segment."""
        return max(1, self._journal.settings.segment_bytes // (2 * RECORD_BYTES))


RECORD_BYTES: Final = 512
"""as much as a record takes with long names"""


def instant_of_record(record: VisitRecord) -> UnixMs:
    """Return when it happened, which decides how long it is kept."""
    return record.decided_at_ms if isinstance(record, Passed) else record.left_at_ms
