"""Tell the chain what happens in a store: spool it on disk, and forward it whatever the line does.

Layer: doors. Takes: settings with `chain.brokers`, the store's site; zone events and fixes from the
locating loop, which never waits for the line. Gives: both to the topics of the chain, by way of
`<data>/chain`, and what health and Prometheus show of it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Final

import structlog
from typing_extensions import override

from inaisle.chain.chain_settings import kafka_address, topic_plan
from inaisle.chain.store_spools import open_events, open_fixes, spool_folder
from inaisle.settings import Settings
from rtls.api.health import Health
from rtls.model.errors import InvalidVisit
from rtls.model.fix import FixBatch
from rtls.model.units import SiteId, TagId
from rtls.model.visit import ZoneEvent
from rtls.model.visit_json import parse_event, render_event
from rtls.ports import EventSink, LiveState
from rtls.publish.event_journal import EventJournal
from rtls.publish.fix_spool import FixSpool
from rtls.publish.forwarder import NO_HEADERS, ChainLine, Forwarder, Lane
from rtls.publish.kafka.event_sink import EVENT_HEADER
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import Topic, ensure_topics, partition_key
from rtls.publish.redis_stream import instant_of
from rtls.publish.sent_position import SentPosition

log = structlog.get_logger("inaisle.chain")
POSITION_FILE: Final = "sent.json"
EVENTS_A_TURN: Final = 500  # at ten turns a second: fifty times what a full shop tells
FRAMES_A_TURN: Final = 100
ANSWER_S: Final = 3.0  # so long a stop may take where no broker answers


class StoreLine(EventSink, LiveState):
    """One store's line to its chain (ports `EventSink` and `LiveState`).

    Parameters
    ----------
    settings
        With `chain.brokers`; the error of wrong ones is `InvalidConnection`.
    site
        Of the store; with the engine's shard the key of all that it tells.
    now_ms
        The service's clock, by which fixes on disk grow old; it shows 0 where a day is played.

    Attributes
    ----------
    counters
        Events spooled, messages that the brokers have, fixes kept and dropped.
    """

    def __init__(
        self, settings: Settings, *, site: SiteId, now_ms: Callable[[], int] = lambda: 0
    ) -> None:
        section = settings.chain
        self._address, self._plan = kafka_address(section), topic_plan(settings)
        self._client_id = f"inaisle-store-{site}"
        self._spooled = 0
        with ExitStack() as opened:
            self._events = open_events(settings)
            opened.callback(self._events.close)
            self._fixes = open_fixes(settings, now_ms=now_ms)
            opened.callback(self._fixes.close)
            self._event_lane = self._lane(settings, Topic.EVENTS, self._events, EVENTS_A_TURN)
            self._fix_lane = self._lane(settings, Topic.FIXES, self._fixes, FRAMES_A_TURN)
            self._forwarder = Forwarder(
                (self._event_lane, self._fix_lane),
                key=partition_key(site, settings.engine.shard),
                open_line=self._open_line,
            )
            opened.pop_all()

    def start(self) -> None:
        """Begin to write fixes, and to forward what is on disk."""
        self._fixes.start()
        self._forwarder.start()

    def close(self) -> None:
        """Forward what the line takes now; the rest stays on disk. Safe to call twice."""
        self._forwarder.close()
        self._fixes.close()
        self._events.close()

    @override
    def publish(self, events: Sequence[ZoneEvent]) -> None:
        """Take events, in order; durable on disk on return.

        `NotDurable` says that the spool is full of what the chain has not got, or the disk refuses.
        """
        if events:
            self._events.append([(instant_of(event), render_event(event)) for event in events])
            self._spooled += len(events)

    @override
    def put(self, fixes: FixBatch, tags: Sequence[TagId]) -> None:
        """Take the newest fixes; ``tags`` names the rows. Never waits."""
        self._fixes.put(fixes, tags)

    def write_fixes(self) -> None:
        """Write the fixes that wait, where nobody has started the thread for it."""
        self._fixes.write()

    @property
    def counters(self) -> Mapping[str, int]:
        """Return what became of events and fixes."""
        return {
            "events_spooled": self._spooled,
            **self._fixes.counters,
            **self._forwarder.counters,
        }

    @property
    def events_waiting(self) -> int:
        """Return how many events the chain has not got yet."""
        return self._event_lane.waiting

    def watch(self, health: Health) -> None:
        """Let health ask: a store without its chain is of use, so it stays ready."""
        health.watch("events to the chain", self.trouble, is_essential=False)
        health.watch("fixes to the chain", self._fixes.trouble, is_essential=False)

    def trouble(self) -> str | None:
        """Return why the chain hears nothing, or None."""
        reason = self._forwarder.trouble()
        if reason is None:
            return None
        share = self._events.size / self._events.settings.bytes_max
        return f"{self.events_waiting} events wait ({share:.0%} of their spool): {reason}"

    def gauges(self) -> Mapping[str, tuple[int, int]]:
        """Return of each spool how many records wait, and its bytes on disk."""
        return {
            "events": (self._event_lane.waiting, self._events.size),
            "fixes": (self._fix_lane.waiting, self._fixes.size),
        }

    def _lane(
        self, settings: Settings, topic: Topic, spool: EventJournal | FixSpool, at_once: int
    ) -> Lane:
        path = spool_folder(settings) / topic.value / POSITION_FILE
        position = SentPosition(path, journal_id=spool.journal_id, report=log.error)
        return Lane(
            topic=self._plan.name(topic),
            spool=spool,
            position=position,
            at_once=at_once,
            headers=event_header if topic is Topic.EVENTS else lambda _content: NO_HEADERS,
        )

    def _open_line(self) -> ChainLine:
        ensure_topics(self._address, self._plan, (Topic.EVENTS, Topic.FIXES), timeout_s=ANSWER_S)
        line = KafkaProducer(self._address, client_id=self._client_id)
        log.info("the line to the chain is open", brokers=self._address.brokers)
        return line


class Told(EventSink):
    """A sink of which the chain hears as well, after it.

    Parameters
    ----------
    first, then
        Each is durable before the next is told; events that one has and the other has not are told
        again, for the input is not acknowledged then.
    """

    def __init__(self, first: EventSink, then: EventSink) -> None:
        self._sinks = (first, then)

    @override
    def publish(self, events: Sequence[ZoneEvent]) -> None:
        """Hand over events to both, in order."""
        for sink in self._sinks:
            sink.publish(events)


class Shown(LiveState):
    """Two live states that are told the same, one after the other."""

    def __init__(self, first: LiveState, then: LiveState) -> None:
        self._states = (first, then)

    @override
    def put(self, fixes: FixBatch, tags: Sequence[TagId]) -> None:
        """Hand the newest fixes to both."""
        for state in self._states:
            state.put(fixes, tags)


def event_header(content: bytes) -> Mapping[str, bytes]:
    """Return what names an event that was rendered, perhaps by an older release."""
    try:
        return {EVENT_HEADER: parse_event(content).event_id.encode()}
    except InvalidVisit as error:
        log.warning("an event of the spool goes without its name", error=str(error))
        return NO_HEADERS
