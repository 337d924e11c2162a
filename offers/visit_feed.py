"""Take zone events over the seam and let offers decide about them, at least once.

Layer: edges. Takes: zone events, called in process or read from a Redis stream. Gives: each to the
handler `on_visit` in a transaction of the writer, whose commit wakes the relay. The handler
refuses an event id that it has seen, so a second copy is harmless.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Event, Thread
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from offers.handlers.visits.on_visit import DEFAULT_SETTINGS, VisitSettings, on_visit
from offers.model.errors import StorageError
from offers.model.offering.decision import Decision
from offers.ports import SecretSource, UnitOfWork, Writer
from rtls.model.errors import InaisleError
from rtls.model.units import SiteId, UnixMs
from rtls.model.visit import ZoneEvent
from rtls.model.visit_json import parse_event

COMMIT_S_MAX: Final = 30.0
BATCH_MAX: Final = 256
ATTEMPTS_MAX: Final = 5
REJECTED_KEPT_MAX: Final = 1_000
REASON_CHARACTERS_MAX: Final = 500
EVENT_BYTES_KEPT: Final = 4_096
GROUP: Final = "offers"
RETRY_S_MIN: Final = 0.05
RETRY_S_MAX: Final = 2.0

log = logging.getLogger(__name__)

Entry = tuple[bytes, dict[bytes, bytes]]

_NOTHING_TO_DECIDE: Final[Future[Decision | None]] = Future()
_NOTHING_TO_DECIDE.set_result(None)


class VisitFeed:
    """Decide about events, and return when the decisions are durable.

    Parameters
    ----------
    writer
        Runs each event in a transaction of its own; many share one commit.
    now_ms
        The door's clock.
    secrets
        Randomness for ids.
    settings
        What an event must be to make an offer.
    concerns
        Whether an event can matter to a campaign; the others cost no transaction.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        now_ms: Callable[[], UnixMs],
        secrets: SecretSource,
        settings: VisitSettings = DEFAULT_SETTINGS,
        concerns: Callable[[ZoneEvent], bool] = lambda _event: True,
    ) -> None:
        self._writer = writer
        self._now_ms = now_ms
        self._secrets = secrets
        self._settings = settings
        self._concerns = concerns
        self.counters = {"events": 0, "failed": 0, "passed_over": 0}

    def accept(self, events: Sequence[ZoneEvent]) -> None:
        """Decide about events in their order (subscriber of the in-process bus).

        An error of the handler or of the database surfaces after the other events were decided;
        giving the same events once more is then right, and harmless for those that are through.
        """
        failure = next((error for error in self.outcomes(events) if error is not None), None)
        if failure is not None:
            raise failure

    def outcomes(self, events: Sequence[ZoneEvent]) -> list[BaseException | None]:
        """Decide about events; say for each whether it is durable (None) or why not."""
        outcomes: list[BaseException | None] = []
        for start in range(0, len(events), BATCH_MAX):
            # Handed over first and waited for then: a batch shares its commits.
            futures = [self._submit(event) for event in events[start : start + BATCH_MAX]]
            outcomes += [_outcome(future) for future in futures]
        failed = len(outcomes) - outcomes.count(None)
        self.counters["events"] += len(outcomes) - failed
        self.counters["failed"] += failed
        return outcomes

    def _submit(self, event: ZoneEvent) -> Future[Decision | None]:
        try:
            if not self._concerns(event):
                self.counters["passed_over"] += 1
                return _NOTHING_TO_DECIDE
            return self._writer.submit(partial(self._decide, event))
        except StorageError as error:  # its queue is full
            refused: Future[Decision | None] = Future()
            refused.set_exception(error)
            return refused

    def _decide(self, event: ZoneEvent, work: UnitOfWork) -> Decision | None:
        return on_visit(
            event,
            work=work,
            now_ms=self._now_ms(),
            secrets=self._secrets,
            settings=self._settings,
        )


def _outcome(future: Future[Decision | None]) -> BaseException | None:
    try:
        return future.exception(timeout=COMMIT_S_MAX)
    except TimeoutError as error:
        return error


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
        self._attempts: OrderedDict[bytes, int] = OrderedDict()
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
        """Whether events arrive; health pages name it."""
        return self._reading.is_set()

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
        """Count a failure; a database that is busy or full is waited for without end."""
        log.warning("no decision about stream entry %s: %r", entry.decode(), failure)
        if isinstance(failure, StorageError | TimeoutError):
            return False
        self._attempts[entry] = self._attempts.pop(entry, 0) + 1
        while len(self._attempts) > BATCH_MAX:
            self._attempts.popitem(last=False)
        return self._attempts[entry] >= ATTEMPTS_MAX

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
            self._attempts.pop(entry, None)
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
