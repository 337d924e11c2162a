"""Keep zone events on disk until they are with who takes them, and a while longer.

Layer: edges. Takes: rendered events from `RedisEventSink`, or for the `Forwarder`. Gives: them
back in order, after a crash too. Two things in one append-only journal: the outbox (nothing unsent
is ever dropped; when it is full, appending fails, so that the input is not acknowledged), and a
ring of what was sent lately, for a Redis that lost its data. Records carry a checksum; a torn tail
is cut off at the next start.
"""

import fcntl
import os
import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtls.model.errors import NotDurable
from rtls.model.units import UnixMs
from rtls.publish.journal_segment import (
    JournalRecord,
    Segment,
    create_segment,
    open_segment,
    render_record,
    sync_folder,
)

ID_FILE: Final = "journal.id"
MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings:
    """How much a journal may hold."""

    bytes_max: int = 64 * MIB
    segment_bytes: int = MIB
    keep_events: int = 10_000
    """how many events already sent are kept for a Redis that lost its data …"""
    keep_ms: int = 600_000
    """… and how long, in event time; the smaller of both holds"""

    def __post_init__(self) -> None:
        if not 0 < 2 * self.segment_bytes <= self.bytes_max:
            raise ValueError(
                f"segment_bytes is {self.segment_bytes}, bytes_max {self.bytes_max}; expected "
                "room for two segments or more."
            )
        if self.keep_events < 1 or self.keep_ms < 0:
            raise ValueError(
                f"keep_events is {self.keep_events}, keep_ms {self.keep_ms}; expected 1 or more, "
                "and 0 or more."
            )


class EventJournal:
    """An append-only journal in one folder, of one process; one appender and one reader thread.

    Parameters
    ----------
    folder
        Made if it is not there; locked against a second process.
    new_id
        Gives a fresh random name for a new journal, so that Redis tells it from a lost one.
    report
        Told in one sentence when stored records cannot be read.
    taker
        Who must come back when the journal is full of what was not sent.
    """

    def __init__(
        self,
        folder: Path,
        *,
        new_id: Callable[[], str],
        report: Callable[[str], None],
        settings: JournalSettings | None = None,
        taker: str = "Redis",
    ) -> None:
        self.settings = settings or JournalSettings()
        self._taker = taker
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._lock_file: int | None = lock_folder(folder)
        self._report = report
        self._segments, is_whole = self._open_segments()
        # Where records are gone their sequences are given out again. Under a new name Redis knows
        # nothing of the old ones: it is sent everything, and nothing passes for sent already.
        self.journal_id = load_or_make_id(folder, new_id, anew=not is_whole)
        self._may_append = True  # to the last segment

    def append(self, records: Sequence[tuple[UnixMs, bytes]]) -> None:
        """Add (instant, rendered event) in order; after the return they survive a crash.

        Raises
        ------
        NotDurable
            If the journal is full of unsent events, or closed, or the disk refuses.
        """
        if self._lock_file is None:
            raise NotDurable(f"the journal {self._folder} is closed. Open it before publishing.")
        first = self.last_sequence + 1
        content = [
            render_record(sequence, at_ms, payload)
            for sequence, (at_ms, payload) in enumerate(records, first)
        ]
        size = sum(map(len, content))
        if self.size + size > self.settings.bytes_max:
            raise NotDurable(
                f"the journal {self._folder} holds {self.size} bytes of events and has no room "
                f"for {size} more; expected at most {self.settings.bytes_max}. Bring {self._taker} "
                "back, or raise the bound."
            )
        try:
            segment = self._segment_for(first)
            segment.write(content)
        except OSError as error:
            self._may_append = False
            raise NotDurable(
                f"{len(records)} events could not be written to {self._folder} ({error}); "
                "expected a writable folder with free space. Free some space."
            ) from error
        with self._lock:
            segment.add(content, [at_ms for at_ms, _ in records])

    def read(self, *, after: int, limit: int) -> list[JournalRecord]:
        """Return up to ``limit`` records that follow sequence ``after``, in order.

        A record that the disk has spoiled is passed over and reported: what follows is not.
        """
        records: list[JournalRecord] = []
        while not records:
            with self._lock:
                index = bisect_right(self._segments, after, key=lambda segment: segment.last)
                if index == len(self._segments):
                    break
                segment = self._segments[index]
                span = segment.span(after=after, limit=limit)
            records = segment.read(span)
            after = span.first + len(span.sizes) - 1
            if len(records) < len(span.sizes):
                self._report(
                    f"{segment.path}: {len(span.sizes) - len(records)} of the events "
                    f"{span.first} to {after} are lost. Check the disk."
                )
        return records

    @property
    def first_sequence(self) -> int:
        """Return the sequence of the oldest record still held."""
        with self._lock:
            return self._segments[0].first

    @property
    def last_sequence(self) -> int:
        """Return the sequence of the newest record; 0 before the first."""
        with self._lock:
            return self._segments[-1].last

    @property
    def size(self) -> int:
        """Return the bytes of all records held."""
        with self._lock:
            return sum(segment.size for segment in self._segments)

    def ring_start(self) -> int:
        """Return the sequence after which everything is sent again to a Redis that lost all."""
        with self._lock:
            newest = max((segment.at_ms_max for segment in self._segments), default=0)
            by_count = self._segments[-1].last - self.settings.keep_events
            for segment in self._segments:
                found = segment.first_since(newest - self.settings.keep_ms)
                if found is not None:
                    return max(by_count, found - 1)
            return self._segments[-1].last

    def trim(self, *, sent: int) -> None:
        """Forget whole segments of events that were sent and have left the ring."""
        if self._segments[0].last > sent or len(self._segments) == 1:
            return
        keep_after = min(sent, self.ring_start())
        needs_room = self.size > self.settings.bytes_max - self.settings.segment_bytes
        with self._lock:
            # The last segment stays even when empty: its name carries the sequence on.
            while len(self._segments) > 1 and self._segments[0].last <= (
                sent if needs_room else keep_after
            ):
                self._segments.pop(0).delete()
                needs_room = False

    def drop_oldest(self) -> int:
        """Forget the oldest segment, sent or not; return how many records it held.

        Where it is the only one an empty one takes its place, whose name carries the sequence on.
        For the thread that appends.

        Raises
        ------
        NotDurable
            If the disk refuses.
        """
        if not self._segments[0].ends:
            return 0
        try:
            if len(self._segments) == 1:
                empty = create_segment(self._folder, self.last_sequence + 1)
                with self._lock:
                    self._segments.append(empty)
            with self._lock:
                dropped = self._segments.pop(0)
                dropped.delete()
        except OSError as error:
            raise NotDurable(
                f"the oldest records in {self._folder} could not be removed ({error}); expected a "
                "writable folder. Check the disk."
            ) from error
        return len(dropped.ends)

    @property
    def oldest_at_ms(self) -> int:
        """Return the instant of the oldest record; 0 where there is none."""
        with self._lock:
            return next((segment.at_ms[0] for segment in self._segments if segment.at_ms), 0)

    @property
    def newest_at_ms(self) -> int:
        """Return the youngest instant of all that is held; 0 where nothing is."""
        with self._lock:
            return max(segment.at_ms_max for segment in self._segments)

    def close(self) -> None:
        """Let another process have the folder. Safe to call twice."""
        with self._lock:
            for segment in self._segments:
                segment.close()
            if self._lock_file is not None:
                os.close(self._lock_file)
                self._lock_file = None

    def _segment_for(self, first: int) -> Segment:
        segment = self._segments[-1]
        if segment.size < self.settings.segment_bytes and self._may_append:
            return segment
        segment.close()
        if segment.first == first:  # nothing of it ever counted: begin it anew
            segment.reset()
        else:
            segment = create_segment(self._folder, first)
            with self._lock:
                self._segments.append(segment)
        self._may_append = True
        return segment

    def _open_segments(self) -> tuple[list[Segment], bool]:
        paths = sorted(path for path in self._folder.glob("*.events") if path.stem.isdigit())
        firsts: list[int | None] = [int(path.stem) for path in paths]
        opened = [
            open_segment(path, before=before, report=self._report)
            for path, before in zip(paths, [*firsts[1:], None], strict=False)
        ]
        segments = [segment for segment, _ in opened] or [create_segment(self._folder, 1)]
        return segments, all(is_whole for _, is_whole in opened)


def lock_folder(folder: Path) -> int:
    """Return the handle of a lock that the operating system takes back when the process ends.

    Raises
    ------
    NotDurable
        If another process holds it.
    """
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise NotDurable(
            f"the journal {folder} is in use by another process; expected one a folder. Stop the "
            "other one, or give each its own folder."
        ) from error
    return handle


def load_or_make_id(folder: Path, new_id: Callable[[], str], *, anew: bool) -> str:
    """Return the journal's name, made at its first opening, and ``anew`` where that is asked."""
    path = folder / ID_FILE
    if path.exists() and not anew:
        return path.read_text(encoding="ascii").strip()
    written = path.with_suffix(".writing")
    with written.open("w", encoding="ascii") as file:
        file.write(new_id())
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)
    sync_folder(folder)
    return path.read_text(encoding="ascii").strip()
