"""Hold the shards of a worker: from messages of the log to events, and their states to be kept.

Layer: edges. Takes: messages, one after the other. Gives: events and fixes to the log; what cannot
be used to the dead letters; and at a checkpoint the states of the shards that were touched, after
the events are durable.

An engine in memory is of use only as long as nobody else ran its shard. The log itself tells: where
a partition's messages follow each other without a gap nobody took one in between. Where one is not
the next, the partition was away, or was wound back: then its shards are taken up anew from their
states. So nobody has to tell when partitions come and go.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Protocol

from rtls.model.anchor_order import anchor_order
from rtls.model.errors import (
    ForeignSnapshot,
    FrameTooLarge,
    InaisleError,
    InvalidFrame,
    InvalidReading,
    InvalidSnapshot,
    NotDurable,
    UnknownFrameVersion,
)
from rtls.model.fix import FixBatch
from rtls.model.fix_frame import FIXES_MAX, pack_fixes
from rtls.model.reading import ReadingBatch
from rtls.model.reading_frame import unpack_batch
from rtls.model.site_map import SiteMap
from rtls.model.units import SiteId
from rtls.model.visit import ZoneEvent
from rtls.model.visit_json import render_event
from rtls.publish.kafka.dead_letters import DeadLetters, DeadReason, ReadMessage
from rtls.publish.kafka.event_sink import EVENT_HEADER
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import MESSAGE_BYTES_MAX, partition_key
from rtls.shard_run import ShardOutput, ShardRun, read_state

SECOND_MS: Final = 1000
DURABLE_WITHIN_S: Final = 60.0
IDLE_AFTER_S: Final = 600.0
STATE_BYTES_MAX: Final = MESSAGE_BYTES_MAX - 65_536


class States(Protocol):
    """Where the states of shards survive their worker."""

    def save(self, key: bytes, content: bytes) -> None:
        """Hand over a state; `flush` says when it is durable."""
        ...

    def flush(self, timeout_s: float) -> None:
        """Return when all states are durable; `NotDurable` if that takes longer."""
        ...

    def load(self, key: bytes, partition: int) -> bytes | None:
        """Return the newest state of a shard, or None where it never had one."""
        ...

    def forget(self, partition: int) -> None:
        """Read a partition anew when it is needed: others may have run its shards."""
        ...


class Shards(Protocol):
    """Who knows the sites."""

    def open(self, site: SiteId, shard: int) -> ShardRun | None:
        """Return a shard that has taken nothing yet; None for a site or shard that is not ours."""
        ...

    def map_of(self, content: bytes) -> SiteMap:
        """Return the map that a state holds; `InvalidSnapshot` if it cannot be read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTopics:
    """Where the output goes."""

    events: str
    fixes: str


@dataclass(slots=True, kw_only=True)
class _Held:
    """One shard in memory."""

    run: ShardRun
    partition: int
    anchors: str
    """by which its engine reads the numbers of a frame"""
    is_touched: bool = False
    used_at: float = 0.0


class ShardHost:
    """The shards that this worker runs; one thread calls it.

    Parameters
    ----------
    shards
        Opens them.
    producer
        For all output.
    dead_letters
        Over the same producer.
    states
        Of the shards.
    topics
        Of the output.
    now_s
        A clock that never goes back, for what lies idle.

    Attributes
    ----------
    counters
        What was taken, given, refused.
    refused
        Why a shard is not run, by its key.
    """

    def __init__(
        self,
        shards: Shards,
        *,
        producer: KafkaProducer,
        dead_letters: DeadLetters,
        states: States,
        topics: HostTopics,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shards = shards
        self._producer = producer
        self._dead_letters = dead_letters
        self._states = states
        self._topics = topics
        self._now_s = now_s
        self._held: dict[bytes, _Held] = {}
        self._next_offsets: dict[int, int] = {}
        self._anchors: dict[bytes, str] = {}
        self._closed: dict[bytes, tuple[DeadReason, str]] = {}
        self.refused: dict[str, str] = {}
        self.counters = dict.fromkeys(
            ("frames", "frames_seen_before", "frames_missing", "readings", "events", "fixes"), 0
        )
        self.counters |= dict.fromkeys(
            ("events_told_again", "states", "state_bytes", "shards_taken_up", "shards_dropped"), 0
        )

    @property
    def held(self) -> int:
        """Return how many shards are in memory."""
        return len(self._held)

    @property
    def dead_letters(self) -> dict[str, int]:
        """Return how many messages were put aside, by reason."""
        return self._dead_letters.counters

    def take(self, message: ReadMessage) -> None:
        """Take one message; what cannot be used goes to the dead letters.

        Parameters
        ----------
        message
            The next of its partition. Where another release wrote the state of its shard, and this
            one cannot go on from it, `ForeignSnapshot` says so: it was not taken, so nothing is
            lost; end, and run that release.
        """
        self._follow(message)
        try:
            batch = unpack_batch(message.value)
        except InvalidFrame as error:
            self._dead_letters.put(message, _reason_of(error), str(error))
            return
        key = message.key
        if key != partition_key(batch.site, batch.shard).encode():
            detail = f"frame is of {partition_key(batch.site, batch.shard)}, its key is {key!r}"
            self._dead_letters.put(message, DeadReason.FOREIGN_KEY, detail)
            return
        held = self._held.get(key) or self._take_up(message, batch)
        if held is None:
            return
        if message.anchors not in {"", held.anchors}:
            detail = (
                f"frame is of the anchors {message.anchors}, the map in force has {held.anchors}; "
                "restart bridge and workers, so that all have one map"
            )
            self._dead_letters.put(message, DeadReason.FOREIGN_MAP, detail)
            return
        self._run(held, message, batch)

    def checkpoint(self) -> None:
        """Make all output durable, and then the states of the shards that were touched.

        `NotDurable` says that the brokers do not take them, or not a state so large.
        """
        self._producer.flush(DURABLE_WITHIN_S)
        now_s = self._now_s()
        for key, held in tuple(self._held.items()):
            if held.is_touched:
                self._keep(key, held)
                held.is_touched, held.used_at = False, now_s
            elif now_s - held.used_at > IDLE_AFTER_S:
                self._drop(key)
        self._states.flush(DURABLE_WITHIN_S)
        self._closed.clear()

    def keep_partitions(self, partitions: Collection[int]) -> None:
        """Drop the engines of partitions that are no longer ours, but none that is not saved."""
        for key, held in tuple(self._held.items()):
            if held.partition not in partitions and not held.is_touched:
                self._drop(key)

    def _drop(self, key: bytes) -> None:
        del self._held[key]
        self.counters["shards_dropped"] += 1

    def _follow(self, message: ReadMessage) -> None:
        """Drop what is in memory of a partition whose message is not the next."""
        partition = message.partition
        if message.offset != self._next_offsets.get(partition):
            for key, held in tuple(self._held.items()):
                if held.partition == partition:
                    self._drop(key)
            self._states.forget(partition)
        self._next_offsets[partition] = message.offset + 1

    def _take_up(self, message: ReadMessage, batch: ReadingBatch) -> _Held | None:
        """Return the shard as its newest state has it, or None after its message was put aside.

        Why there is none is remembered until the next checkpoint: then it is tried again.

        Raises
        ------
        ForeignSnapshot
            If another release wrote the state.
        """
        key = message.key
        run = None if key in self._closed else self._open(key, batch)
        again: tuple[ZoneEvent, ...] = ()
        try:
            again = () if run is None else self._restored(run, message)
        except ForeignSnapshot:
            raise
        except InvalidSnapshot as error:
            self.refused[key.decode()] = str(error)
            self._closed[key] = (DeadReason.NO_STATE, str(error))
        if run is None or key in self._closed:
            self._dead_letters.put(message, *self._closed[key])
            return None
        self.refused.pop(key.decode(), None)
        held = _Held(run=run, partition=message.partition, anchors=self._anchors_of(run))
        self._held[key] = held
        self._tell(key, again)
        self.counters["shards_taken_up"] += 1
        self.counters["events_told_again"] += len(again)
        return held

    def _anchors_of(self, run: ShardRun) -> str:
        if run.site_map not in self._anchors:
            self._anchors[run.site_map] = anchor_order(self._shards.map_of(run.site_map))
        return self._anchors[run.site_map]

    def _open(self, key: bytes, batch: ReadingBatch) -> ShardRun | None:
        """Return a new shard, or None where the library has none."""
        why = f"the library holds no site {batch.site!r} with a shard {batch.shard}"
        try:
            run = self._shards.open(batch.site, batch.shard)
        except InaisleError as error:
            run, why = None, f"site {batch.site!r} cannot be opened: {error}"
        if run is None:
            self._closed[key] = (DeadReason.UNKNOWN_SITE, why)
        return run

    def _restored(self, run: ShardRun, message: ReadMessage) -> tuple[ZoneEvent, ...]:
        content = self._states.load(message.key, message.partition)
        if content is None:
            return ()
        packed_map = read_state(content).site_map
        before = None if packed_map == run.site_map else self._shards.map_of(packed_map)
        return run.restore(content, before=before)

    def _run(self, held: _Held, message: ReadMessage, batch: ReadingBatch) -> None:
        held.is_touched = True
        missing = held.run.counters.batches_missing
        try:
            output = held.run.take(batch, message.offset)
        except InvalidReading as error:
            self._dead_letters.put(message, DeadReason.OUT_OF_ORDER, str(error))
            return
        counters = self.counters
        counters["frames_missing"] += held.run.counters.batches_missing - missing
        if not output.is_news:
            counters["frames_seen_before"] += 1
            return
        counters["frames"] += 1
        counters["readings"] += batch.readings.size
        self._tell(message.key, output.events)
        if batch.epoch_end_ms % SECOND_MS == 0:
            self._show(message.key, output)

    def _tell(self, key: bytes, events: tuple[ZoneEvent, ...]) -> None:
        for event in events:
            headers = {EVENT_HEADER: event.event_id.encode()}
            self._send(self._topics.events, key, render_event(event), headers)
        self.counters["events"] += len(events)

    def _show(self, key: bytes, output: ShardOutput) -> None:
        """Send the fixes of a whole second: all tags are in it, heard now or predicted."""
        rows, tags = output.fixes.rows, output.tags
        for first in range(0, len(tags), FIXES_MAX):
            part = slice(first, first + FIXES_MAX)
            fixes = FixBatch(at_ms=output.fixes.at_ms, rows=rows[part])
            self._send(self._topics.fixes, key, pack_fixes(fixes, tags[part]), {})
        self.counters["fixes"] += len(tags)

    def _send(self, topic: str, key: bytes, value: bytes, headers: dict[str, bytes]) -> None:
        try:
            self._producer.send(topic, key=key, value=value, headers=headers)
        except NotDurable:  # no room: wait for the brokers, and raise where they refuse for good
            self._producer.flush(DURABLE_WITHIN_S)
            self._producer.send(topic, key=key, value=value, headers=headers)

    def _keep(self, key: bytes, held: _Held) -> None:
        content = held.run.snapshot()
        if len(content) > STATE_BYTES_MAX:
            raise NotDurable(
                f"the state of shard {key.decode()} has {len(content)} bytes; expected at most "
                f"{STATE_BYTES_MAX}. Give a new site of its size more shards."
            )
        self._states.save(key, content)
        self.counters["states"] += 1
        self.counters["state_bytes"] += len(content)


def _reason_of(error: InvalidFrame) -> DeadReason:
    if isinstance(error, UnknownFrameVersion):
        return DeadReason.VERSION
    return DeadReason.TOO_LARGE if isinstance(error, FrameTooLarge) else DeadReason.DAMAGED
