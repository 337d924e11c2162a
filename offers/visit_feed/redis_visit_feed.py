"""Read zone events from the Redis stream of a site, and acknowledge what was decided about.

Layer: edges. Takes: events that locating put into the stream, as one of a consumer group.
Gives: them to `VisitFeed`; what can never be decided about goes to a stream of its own, for people.
"""

import logging
from collections.abc import Sequence
from threading import Event, Thread
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from offers.visit_feed.attempts import Attempts
from offers.visit_feed.visit_feed import BATCH_MAX, COMMIT_S_MAX, VisitFeed
from rtls.model.errors import InaisleError
from rtls.model.units import SiteId
from rtls.model.visit import ZoneEvent
from rtls.model.visit_json import parse_event

REJECTED_KEPT_MAX: Final = 1_000
REASON_CHARACTERS_MAX: Final = 500
EVENT_BYTES_KEPT: Final = 4_096
GROUP: Final = "offers"
RETRY_S_MIN: Final = 0.05
RETRY_S_MAX: Final = 2.0

log = logging.getLogger(__name__)

Entry = tuple[bytes, dict[bytes, bytes]]


class RedisVisitFeed:
    """Read the visit stream of a site as one of a consumer group, and acknowledge what is durable.

    Parameters
    ----------
    address
        ``redis://host:port/db``
    site
        Names the stream, ``inaisle:{site}:visits``.
    consumer
        This process within the group; keeps its name over restarts, so that it finds again what it
        had begun.
    feed
        Decides.
    stale_ms
        What another consumer has begun and not finished for so long is taken over.
    block_ms
        How long one read waits for events.
    """

    name: Final = "visits from redis"
    """of the part, as health pages show it"""

    def __init__(
        self,
        address: str,
        *,
        site: SiteId,
        consumer: str,
        feed: VisitFeed,
        stale_ms: int = 30_000,
        block_ms: int = 200,
    ) -> None:
        self._stream = f"inaisle:{site}:visits"
        self._rejected = f"{self._stream}:rejected"
        self._consumer = consumer
        self._feed = feed
        self._stale_ms = stale_ms
        self._block_ms = block_ms
        self._redis = redis.Redis.from_url(
            address,
            protocol=2,  # the newer one answers XREADGROUP in another shape
            socket_timeout=block_ms / 1000 + 5.0,
            socket_connect_timeout=0.5,
            retry=Retry(NoBackoff(), 0),
        )
        self._attempts = Attempts[bytes]()
        self._has_unfinished = True
        self._stop = Event()
        self._reading = Event()
        self._thread = Thread(target=self._run, name="visit-feed", daemon=True)
        self.counters = {"read": 0, "acknowledged": 0, "rejected": 0, "taken_over": 0, "lost": 0}

    def start(self) -> None:
        """Read in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the batch in hand; what is not acknowledged comes again."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=COMMIT_S_MAX)
        self._redis.close()

    @property
    def is_reading(self) -> bool:
        """Whether events arrive."""
        return self._reading.is_set()

    def trouble(self) -> str | None:
        """Return why no events arrive, or None; for `Health.watch`."""
        return None if self.is_reading else "no visits arrive"

    def _run(self) -> None:
        wait_s = RETRY_S_MIN
        while not self._stop.is_set():
            try:
                self._read_until_stopped()
            except (redis.RedisError, OSError) as error:
                self.counters["lost"] += 1
                log.warning("visit feed lost Redis, again in %.2f s: %s", wait_s, error)
            if self._reading.is_set():
                wait_s = RETRY_S_MIN  # it has worked: the next fault is a new one
                self._reading.clear()
            self._stop.wait(wait_s)
            wait_s = min(wait_s * 2.0, RETRY_S_MAX)

    def _read_until_stopped(self) -> None:
        self._ensure_group()
        self._reading.set()
        self._has_unfinished = True  # perhaps, from before the start
        reads_until_sweep = 0
        while not self._stop.is_set():
            if self._has_unfinished:
                self._finish_what_was_begun()
            if reads_until_sweep <= 0:
                self._take_over()
                reads_until_sweep = max(1, self._stale_ms // self._block_ms)
            reads_until_sweep -= 1
            self._handle(self._read(">"))

    def _ensure_group(self) -> None:
        # From the beginning: after a Redis that lost everything, what locating publishes again
        # must be read too.
        try:
            self._redis.xgroup_create(self._stream, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _finish_what_was_begun(self) -> None:
        after: bytes | str = "0"
        is_any_left = False
        while not self._stop.is_set():
            entries = self._read(after)
            if not entries:
                break
            self._handle(entries)
            is_any_left |= self._has_unfinished
            after = entries[-1][0]
        self._has_unfinished = is_any_left
        if is_any_left:
            self._stop.wait(RETRY_S_MIN)  # the database needs a moment, not a storm

    def _take_over(self) -> None:
        start: bytes | str = "0-0"
        while not self._stop.is_set():
            start, entries, *_ = self._redis.xautoclaim(
                self._stream,
                GROUP,
                self._consumer,
                min_idle_time=self._stale_ms,
                start_id=start,
                count=BATCH_MAX,
            )
            self.counters["taken_over"] += len(entries)
            self._handle(entries)
            if start == b"0-0":
                return

    def _read(self, after: bytes | str) -> list[Entry]:
        block_ms = self._block_ms if after == ">" else None
        answer = self._redis.xreadgroup(
            GROUP, self._consumer, {self._stream: after}, count=BATCH_MAX, block=block_ms
        )
        return _entries(answer)

    def _handle(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        self.counters["read"] += len(entries)
        finished: list[bytes] = []
        events: dict[bytes, ZoneEvent] = {}
        for entry, fields in entries:
            try:
                events[entry] = parse_event(fields.get(b"event", b""))
            except InaisleError as error:
                self._reject(entry, fields, reason=str(error))
                finished.append(entry)
        outcomes = self._feed.outcomes(tuple(events.values()))
        failures = dict(zip(events, outcomes, strict=True))
        for entry, fields in entries:
            failure = failures.get(entry)
            if failure is None and entry in events:
                finished.append(entry)
            elif failure is not None and self._is_hopeless(entry, failure):
                self._reject(entry, fields, reason=repr(failure))
                finished.append(entry)
        self._acknowledge(finished)
        self._has_unfinished = len(finished) < len(entries)

    def _is_hopeless(self, entry: bytes, failure: BaseException) -> bool:
        log.warning("no decision about stream entry %s: %r", entry.decode(), failure)
        return self._attempts.is_hopeless(entry, failure)

    def _reject(self, entry: bytes, fields: dict[bytes, bytes], *, reason: str) -> None:
        # Set aside for people to look at, so that it does not stand in front of the next one.
        self.counters["rejected"] += 1
        log.error("stream entry %s is set aside in %s: %s", entry.decode(), self._rejected, reason)
        self._redis.xadd(
            self._rejected,
            {
                "entry": entry,
                "reason": reason[:REASON_CHARACTERS_MAX],
                "event": fields.get(b"event", b"")[:EVENT_BYTES_KEPT],
            },
            maxlen=REJECTED_KEPT_MAX,
            approximate=True,
        )

    def _acknowledge(self, entries: Sequence[bytes]) -> None:
        if not entries:
            return
        for entry in entries:
            self._attempts.forget(entry)
        # Deleted as well: tag ids stay in Redis no longer than they are needed.
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.xack(self._stream, GROUP, *entries)
            pipeline.xdel(self._stream, *entries)
            pipeline.execute()
        self.counters["acknowledged"] += len(entries)


def _entries(answer: object) -> list[Entry]:
    """Take the entries of the one stream out of what XREADGROUP answers, deleted ones left out."""
    if not isinstance(answer, list) or not answer:
        return []
    _, entries = answer[0]
    return [(entry, fields) for entry, fields in entries if fields]
