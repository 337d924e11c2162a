"""Put zone events into a Redis stream, whatever Redis does.

Layer: edges. Takes: events from the locating loop. Gives: the same events, in order, at least once,
to the consumer groups of `inaisle:{site}:visits`. Publishing means writing to the journal; a thread
brings them to Redis. So the locating loop never waits for Redis, and no event is lost with it.

The last sequence sent is kept in Redis itself, changed in one transaction with the stream. When it
is missing, Redis has lost its data, and what the journal still holds of the last minutes is sent
again; consumers know the events by their ids.
"""

from collections.abc import Sequence
from typing import Final, assert_never

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ResponseError

from rtls.model.units import Second, SiteId, UnixMs
from rtls.model.visit import DwellReached, Transition, Visit, ZoneEvent
from rtls.model.visit_json import render_event
from rtls.publish.event_journal import EventJournal
from rtls.publish.journal_segment import JournalRecord
from rtls.publish.redis_keys import EVENT_FIELD, sent_position, visits_stream
from rtls.publish.redis_worker import RedisWorker

STREAM_LENGTH_MAX: Final = 100_000
EVENTS_A_TRANSACTION: Final = 500
NO_ENTRY_YET: Final = b"0-0"
CHECK_INTERVAL_S: Final = Second(1.0)
# A position nobody has moved for so long is forgotten, so that old journals leave nothing behind.
POSITION_EXPIRY_S: Final = 7 * 86_400


class RedisEventSink:
    """Events by way of a journal into a Redis stream (port `EventSink`).

    Parameters
    ----------
    client
        From `connect_redis`.
    journal
        Open, and of this sink alone.
    stream_length_max
        About how many events the stream keeps for consumers that are away.
    """

    def __init__(
        self,
        client: Redis,
        journal: EventJournal,
        *,
        site: SiteId,
        stream_length_max: int = STREAM_LENGTH_MAX,
    ) -> None:
        self.counters = {"published": 0, "sent": 0, "data_lost": 0}
        self._client = client
        self._journal = journal
        self._stream = visits_stream(site)
        self._position_key = sent_position(site, journal.journal_id)
        self._stream_length_max = stream_length_max
        self._sent: int | None = None  # None until Redis has told
        self._worker = RedisWorker("redis-event-sink", self._send_all, interval_s=CHECK_INTERVAL_S)

    def start(self) -> None:
        """Begin to send what is in the journal."""
        self._worker.start()

    def publish(self, events: Sequence[ZoneEvent]) -> None:
        """Hand over events, in order; durable in the journal on return.

        `NotDurable` says that the journal is full of unsent events or the disk refuses.
        """
        if not events:
            return
        self._journal.append([(instant_of(event), render_event(event)) for event in events])
        self.counters["published"] += len(events)
        self._worker.wake()

    def close(self) -> None:
        """Send what Redis takes now; the rest stays in the journal for the next start."""
        self._worker.stop()
        self._journal.close()

    @property
    def backlog(self) -> int:
        """Return how many events wait in the journal."""
        sent = self._journal.first_sequence - 1 if self._sent is None else self._sent
        return max(self._journal.last_sequence - sent, 0)

    def trouble(self) -> str | None:
        """Return why events do not reach Redis, or None; for `Health.watch`."""
        reason = self._worker.trouble()
        return None if reason is None else f"{reason}; {self.backlog} events wait in the journal"

    def _send_all(self) -> None:
        while self._send_next():
            pass
        if self._sent is not None:
            self._journal.trim(sent=self._sent)

    def _send_next(self) -> bool:
        """Send one transaction; return whether there may be more."""
        with self._client.pipeline(transaction=True) as pipeline:
            # From here on a flush undoes the transaction. The stream is not watched: other
            # shards of the site add to it too.
            pipeline.watch(self._position_key)  # type: ignore[no-untyped-call]
            self._sent = self._position_in_redis(pipeline)
            records = self._journal.read(after=self._sent, limit=EVENTS_A_TRANSACTION)
            if not records:
                return False
            pipeline.multi()
            self._add(pipeline, records)
            pipeline.execute()
        self._sent = records[-1].sequence
        self.counters["sent"] += len(records)
        return True

    def _position_in_redis(self, pipeline: Pipeline) -> int:
        """Return the last sequence that the stream has had, as Redis itself knows it."""
        stored = pipeline.get(self._position_key)
        if isinstance(stored, bytes) and stored.isdigit() and self._has_stream(pipeline):
            position = int(stored)
            if position <= self._journal.last_sequence:
                return position
        if self._sent is None:  # a fresh start: what was sent of the journal is not known
            return self._journal.first_sequence - 1
        if self._sent:
            self.counters["data_lost"] += 1
        return min(self._sent, self._journal.ring_start())

    def _has_stream(self, pipeline: Pipeline) -> bool:
        """Return whether the stream has ever had an entry; a consumer may have made it anew."""
        try:
            stream = pipeline.xinfo_stream(self._stream)
        except ResponseError:  # no such key
            return False
        return bool(stream["last-generated-id"] != NO_ENTRY_YET)

    def _add(self, pipeline: Pipeline, records: Sequence[JournalRecord]) -> None:
        for record in records:
            pipeline.xadd(
                self._stream,
                {EVENT_FIELD: record.payload},
                maxlen=self._stream_length_max,
                approximate=True,
            )
        pipeline.set(self._position_key, records[-1].sequence, ex=POSITION_EXPIRY_S)


def instant_of(event: ZoneEvent) -> UnixMs:
    """Return when an event happened, which decides how long the journal keeps it."""
    match event:
        case Transition():
            return event.decided_at_ms
        case DwellReached():
            return event.reached_at_ms
        case Visit():
            return event.left_at_ms
        case _:
            assert_never(event)
