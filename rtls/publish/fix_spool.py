"""Keep fixes on disk until the chain has them; what does not fit goes, the oldest first.

Layer: edges. Takes: fix batches from the locating loop, which never waits here. Gives: frames in
order, with their sequence, to the `Forwarder`, after a restart too. A thread writes them about
twice a second into a ring of its own, so that fixes are never in the way of events: a disk that
refuses and a ring that is full cost fixes, which are counted, and nothing else.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from typing_extensions import override

from rtls.model.errors import NotDurable
from rtls.model.fix import FixBatch
from rtls.model.fix_frame import count_fixes, pack_fixes
from rtls.model.units import Second, TagId, UnixMs
from rtls.ports import LiveState
from rtls.publish.event_journal import MIB, EventJournal, JournalSettings
from rtls.publish.fix_thinner import FixThinner
from rtls.publish.journal_segment import HEADER, JournalRecord
from rtls.publish.repeated_step import RepeatedStep

WRITE_INTERVAL_S: Final = Second(0.5)
BATCHES_WAITING_MAX: Final = 512
FIXES_A_FRAME: Final = 400  # of the longest ids still far below what a record may hold
SEGMENTS: Final = 64
BYTES_MAX_MIN: Final = 128 * 1024
SEGMENT_BYTES_MAX: Final = MIB
WHOLE_SEGMENT: Final = 2**31

Named = tuple[FixBatch, tuple[TagId, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixSpoolSettings:
    """How much a spool of fixes holds."""

    bytes_max: int = 2_048 * MIB
    keep_ms: int = 72 * 3_600_000
    """older fixes go also where there is room: nobody's way is kept for ever"""
    every_ms: int = 1_000
    """at most one fix of a tag in such a span"""

    def __post_init__(self) -> None:
        if self.bytes_max < BYTES_MAX_MIN or self.keep_ms < 1 or self.every_ms < 1:
            raise ValueError(
                f"bytes_max is {self.bytes_max}, keep_ms {self.keep_ms}, every_ms {self.every_ms}; "
                f"expected {BYTES_MAX_MIN} or more, and 1 or more each."
            )


class FixSpool(LiveState):
    """The fixes of one locating process in one folder.

    Parameters
    ----------
    folder
        Made if it is not there; locked against a second process.
    new_id
        Gives a fresh random name for a new ring.
    report
        Told in one sentence when stored fixes cannot be read.
    now_ms
        The door's clock, by which fixes grow old where no younger ones come; without one they do so
        by the youngest of them alone.

    Attributes
    ----------
    counters
        Fixes that were chosen to be kept, written, and dropped: because the writer was too slow,
        the disk refused, or younger ones needed the room.
    """

    def __init__(
        self,
        folder: Path,
        *,
        new_id: Callable[[], str],
        report: Callable[[str], None],
        settings: FixSpoolSettings | None = None,
        now_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        self._now_ms = now_ms
        self.counters = {
            "fixes": 0,
            "fixes_written": 0,
            "fixes_dropped_slow": 0,
            "fixes_dropped_disk": 0,
            "fixes_dropped_room": 0,
        }
        self._settings = settings or FixSpoolSettings()
        segment_bytes = min(self._settings.bytes_max // SEGMENTS, SEGMENT_BYTES_MAX)
        self._journal = EventJournal(
            folder,
            new_id=new_id,
            report=report,
            settings=JournalSettings(
                bytes_max=self._settings.bytes_max,
                segment_bytes=segment_bytes,
                keep_events=1,
                keep_ms=0,
            ),
            taker="the chain",
        )
        self._thinner = FixThinner(
            every_ms=self._settings.every_ms, kept_until_ms=self._journal.newest_at_ms
        )
        self._waiting: deque[Named] = deque()
        self._turn = threading.Lock()  # of who gives frames out and who makes room
        self._given = 0
        self._sent = 0
        self._trouble: str | None = None
        self._is_closed = False
        self._worker = RepeatedStep(
            "chain-fixes", self.write, interval_s=WRITE_INTERVAL_S, retry_on=()
        )

    def start(self) -> None:
        """Begin to write."""
        self._worker.start()

    def close(self) -> None:
        """Write what waits, and let another process have the folder. Safe to call twice."""
        self._worker.stop()
        if not self._is_closed and not self._worker.is_alive:
            self.write()  # what came behind its last step, or where it was never started
        self._is_closed = True
        self._journal.close()

    @override
    def put(self, fixes: FixBatch, tags: Sequence[TagId]) -> None:
        """Take the newest fixes; ``tags`` names the rows. Copies what is due and returns."""
        chosen = self._thinner.choose(fixes)
        if not chosen.size:
            return
        if len(self._waiting) >= BATCHES_WAITING_MAX:
            self._drop_waiting()
        self.counters["fixes"] += len(chosen)
        kept = FixBatch(at_ms=fixes.at_ms, rows=fixes.rows[chosen])
        self._waiting.append((kept, tuple(tags[row] for row in chosen.tolist())))

    def write(self) -> None:
        """Write what waits, and forget what is too old.

        Where the disk refuses, what waits is dropped and counted.
        """
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        records = [record for fixes, tags in batch for record in _frames(fixes, tags)]
        try:
            self._make_room(sum(HEADER.size + len(frame) for _, frame in records))
            if records:
                self._journal.append(records)
        except NotDurable as error:
            self.counters["fixes_dropped_disk"] += sum(len(tags) for _, tags in batch)
            self._trouble = str(error)
        else:
            self.counters["fixes_written"] += sum(len(tags) for _, tags in batch)
            self._trouble = self._trouble if not batch else None

    def trouble(self) -> str | None:
        """Return why fixes are not kept, or None; for `Health.watch`."""
        reason = self._trouble or self._worker.trouble()
        return None if reason is None else f"{reason}; {self.dropped} fixes were dropped so far"

    @property
    def dropped(self) -> int:
        """Return how many fixes will never reach the chain."""
        return sum(n for name, n in self.counters.items() if name.startswith("fixes_dropped"))

    @property
    def journal_id(self) -> str:
        """Return the name of the ring that sequences belong to."""
        return self._journal.journal_id

    @property
    def first_sequence(self) -> int:
        """Return the sequence of the oldest frame still held."""
        return self._journal.first_sequence

    @property
    def last_sequence(self) -> int:
        """Return the sequence of the newest frame; 0 before the first."""
        return self._journal.last_sequence

    @property
    def size(self) -> int:
        """Return the bytes of all frames held."""
        return self._journal.size

    def read(self, *, after: int, limit: int) -> list[JournalRecord]:
        """Return up to ``limit`` frames that follow sequence ``after``, in order."""
        with self._turn:
            records = self._journal.read(after=after, limit=limit)
            if records:
                self._given = records[-1].sequence
            return records

    def trim(self, *, sent: int) -> None:
        """Forget whole segments of frames that were sent."""
        with self._turn:
            self._sent = sent
            self._journal.trim(sent=sent)

    def _make_room(self, size: int) -> None:
        """Drop the oldest frames, sent or not, until ``size`` bytes more fit and none is too old.

        A segment goes as a whole when its oldest frame has to, so that this is seldom, a file is
        never rewritten, and none stays too long.
        """
        journal = self._journal
        while journal.size + size > self._settings.bytes_max or self._is_too_old():
            with self._turn:
                first = journal.first_sequence
                known = max(self._given, self._sent, first - 1)
                unsent = journal.read(after=known, limit=WHOLE_SEGMENT)
                held = journal.drop_oldest()
            if not held:
                return  # nothing is left
            lost = (record for record in unsent if record.sequence < first + held)
            self.counters["fixes_dropped_room"] += sum(count_fixes(one.payload) for one in lost)

    def _is_too_old(self) -> bool:
        oldest_ms = self._journal.oldest_at_ms
        now_ms = max(self._journal.newest_at_ms, self._now_ms())
        return 0 < oldest_ms < now_ms - self._settings.keep_ms

    def _drop_waiting(self) -> None:
        try:
            _, tags = self._waiting.popleft()
        except IndexError:
            return  # the writer was quicker
        self.counters["fixes_dropped_slow"] += len(tags)


def _frames(fixes: FixBatch, tags: Sequence[TagId]) -> list[tuple[UnixMs, bytes]]:
    """Return the fixes of one instant as frames of which each fits into a record."""
    return [
        (
            fixes.at_ms,
            pack_fixes(
                FixBatch(at_ms=fixes.at_ms, rows=fixes.rows[start : start + FIXES_A_FRAME]),
                tags[start : start + FIXES_A_FRAME],
            ),
        )
        for start in range(0, len(tags), FIXES_A_FRAME)
    ]
