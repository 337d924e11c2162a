"""Take in readings that came too late for the engine: run their tags once more, tell what changes.

Layer: flow. Takes: each batch with what the engine made of it, and the late readings.
Gives: events to publish: news, corrections under the id told before, withdrawals. The state of
these tags then is what it would be had the readings come in time.

Pure, like the engine: no clock; the same batches and late readings give the same events. What is
kept for a run is not in the snapshot: after a restart, readings from before it are only counted.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from rtls.engine import Engine
from rtls.engine_contract import Slots
from rtls.model.errors import InvalidSnapshot
from rtls.model.reading import ReadingArray, ReadingBatch
from rtls.model.units import UnixMs
from rtls.model.visit import ZoneEvent
from rtls.revision_events import corrections, kept_ids, renamed
from rtls.revision_log import RevisionLog, RevisionSettings, StateCopy
from rtls.revision_run import run_again

__all__ = ["Reviser", "RevisionSettings"]

NAMES_MAX: Final = 10_000


@dataclass(slots=True)
class RevisionCounters:
    """What became of late readings, and what was told because of them."""

    runs: int = 0
    readings_taken: int = 0
    readings_beyond: int = 0
    """from before the oldest copy of the state, or more than may wait: for analytics only"""
    readings_of_no_tag: int = 0
    """of tags that were not followed, or not kept for want of room"""
    events_new: int = 0
    events_revised: int = 0
    events_withdrawn: int = 0
    tags_left_out: int = 0
    """in the last copy of the state: tags for which there was no room"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event as last told, and the epoch whose batch gave it."""

    event: ZoneEvent
    end_ms: UnixMs


class Reviser:
    """What is kept beside one engine so that late readings can still count.

    Parameters
    ----------
    engine
        Whose tags are run again; after a run their rows are put into it.
    settings
        How far back, and how much is kept.
    """

    def __init__(self, engine: Engine, settings: RevisionSettings | None = None) -> None:
        self._engine = engine
        self._settings = settings or RevisionSettings()
        self._log = RevisionLog(self._settings)
        self._told: OrderedDict[str, Told] = OrderedDict()
        self._names: OrderedDict[str, str] = OrderedDict()
        """visits by the id that the engine gives them, where they were told by another"""
        self._waiting: list[ReadingArray] = []
        self._end_ms = UnixMs(-1)
        self._run_at_ms = UnixMs(-1)
        self.counters = RevisionCounters()

    def note(self, batch: ReadingBatch, events: Sequence[ZoneEvent]) -> tuple[ZoneEvent, ...]:
        """Keep a batch that the engine has just processed; return its events as to be published."""
        named = self.as_told(events)
        if batch.epoch_end_ms <= self._end_ms:
            return named
        self._end_ms = batch.epoch_end_ms
        self._log.note(batch)
        self._log.note_weights(self._engine.anchor_weights, batch.epoch_end_ms)
        for event in named:
            self._remember(event, batch.epoch_end_ms)
        if self._log.is_copy_due(batch.epoch_end_ms):
            self._keep_copy()
        return named

    def as_told(self, events: Sequence[ZoneEvent]) -> tuple[ZoneEvent, ...]:
        """Return events of the engine under the ids that their visits were told by."""
        return tuple(renamed(event, self._names) for event in events)

    def take(self, late: ReadingArray) -> None:
        """Put readings aside for the next run; `tag` is the slot in the engine."""
        usable = self._usable(late)
        room = self._settings.late_readings_max - sum(rows.size for rows in self._waiting)
        self.counters.readings_beyond += max(0, usable.size - room)
        if usable.size and room > 0:
            self._waiting.append(usable[:room])

    def revise(self) -> tuple[ZoneEvent, ...]:
        """Run the tags of the readings that wait, if it is time; return what has to be told."""
        if not self._waiting or self._end_ms - self._run_at_ms < self._settings.every_ms:
            return ()
        late = self._usable(np.concatenate(self._waiting))
        self._waiting = []
        copy = self._log.copy_before(int(late["heard_at_ms"].min())) if late.size else None
        if copy is None:
            return ()
        slots = self._slots_to_run(late, copy)
        is_followed = np.isin(late["tag"], slots)
        self.counters.readings_of_no_tag += int(np.count_nonzero(~is_followed))
        late = late[is_followed]
        if not late.size:
            return ()
        self._run_at_ms = self._end_ms
        self.counters.runs += 1
        self.counters.readings_taken += late.size
        found = run_again(
            self._engine,
            slots,
            late=late,
            copy=copy,
            log=self._log,
            epoch_ms=self._settings.epoch_ms,
            end_ms=self._end_ms,
        )
        return self._tell(found, slots, copy.end_ms)

    def snapshot(self) -> bytes:
        """Return what must outlive the process: by which ids visits were told."""
        return json.dumps(list(self._names.items())).encode()

    def restore(self, content: bytes) -> None:
        """Go on from a snapshot.

        Raises
        ------
        InvalidSnapshot
            If it is not what `snapshot` gave.
        """
        try:
            names = OrderedDict((str(new), str(old)) for new, old in json.loads(content))
        except (ValueError, TypeError) as error:
            raise InvalidSnapshot(
                f"{len(content)} bytes of visit names cannot be read ({error}); expected pairs of "
                "ids. Move the snapshot away to start anew."
            ) from error
        self._names = names

    @property
    def bytes(self) -> int:
        """What is kept for runs, in bytes."""
        return self._log.bytes

    def count(self) -> dict[str, int]:
        """Return all counters by name, and what is kept."""
        return asdict(self.counters) | {"bytes_kept": self.bytes}

    def _usable(self, late: ReadingArray) -> ReadingArray:
        """Return the readings that a copy of the state is old enough for; count the others."""
        oldest_ms = self._log.oldest_ms
        after_ms = self._end_ms if oldest_ms is None else oldest_ms
        after_ms = max(after_ms, self._end_ms - self._settings.late_ms_max)
        heard_ms = late["heard_at_ms"]
        usable: ReadingArray = late[(heard_ms > after_ms) & (heard_ms <= self._end_ms)]
        self.counters.readings_beyond += late.size - usable.size
        return usable

    def _keep_copy(self) -> None:
        slots = np.array(sorted(self._engine.tag_ids()), np.int32)
        one = self._engine.rows_of(slots[:1]).nbytes
        room = self._log.room_for_tags(one)
        kept, left_out = slots[:room], slots[room:]
        self.counters.tags_left_out = left_out.size
        copy = StateCopy(
            end_ms=self._end_ms, slots=kept, rows=self._engine.rows_of(kept), left_out=left_out
        )
        self._log.keep(copy)

    def _slots_to_run(self, late: ReadingArray, copy: StateCopy) -> Slots:
        followed = np.array(sorted(self._engine.tag_ids()), np.int32)
        slots = np.intersect1d(late["tag"], followed)
        slots = np.setdiff1d(slots, copy.left_out)
        return slots[: self._settings.tags_a_run_max].astype(np.int32)

    def _tell(
        self, found: Sequence[tuple[UnixMs, ZoneEvent]], slots: Slots, since_ms: UnixMs
    ) -> tuple[ZoneEvent, ...]:
        tags = self._engine.tag_ids()
        own = {tags[int(slot)] for slot in slots}
        told = {
            event_id: told.event
            for event_id, told in self._told.items()
            if told.end_ms > since_ms and told.event.tag in own
        }
        ends = [end_ms for end_ms, _ in found]
        events = [renamed(event, self._names) for _, event in found]
        names = kept_ids(told, events)
        self._names.update(names)
        while len(self._names) > NAMES_MAX:
            self._names.popitem(last=False)
        events = [renamed(event, names) for event in events]
        corrected = corrections(told, events)
        end_of = {event.event_id: end for event, end in zip(events, ends, strict=True)}
        for event in corrected:
            before = self._told.get(event.event_id)
            end_ms = end_of.get(event.event_id) or (before.end_ms if before else self._end_ms)
            self._remember(event, end_ms)
            self.counters.events_withdrawn += event.is_withdrawn
            self.counters.events_new += before is None
            self.counters.events_revised += before is not None and not event.is_withdrawn
        return corrected

    def _remember(self, event: ZoneEvent, end_ms: UnixMs) -> None:
        self._told[event.event_id] = Told(event=event, end_ms=end_ms)
        oldest_ms = self._end_ms - self._settings.kept_ms
        while self._told:
            first = next(iter(self._told.values()))
            if first.end_ms > oldest_ms and len(self._told) <= self._settings.events_max:
                return
            self._told.popitem(last=False)
