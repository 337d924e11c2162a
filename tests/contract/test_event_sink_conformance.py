"""What every EventSink promises: order, at least once, ids that tell copies apart, durability."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from inaisle.chain.store_line import StoreLine
from rtls.model.visit import ZoneEvent
from rtls.model.visit_json import parse_event
from rtls.ports import EventSink
from rtls.publish.in_process import InProcessBus
from rtls.publish.kafka.event_sink import KafkaEventSink
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import Topic, TopicPlan, ensure_topics
from rtls.publish.redis_keys import connect_redis
from rtls.publish.redis_stream import RedisEventSink
from tests.conftest import Server
from tests.contract.redis_consumer import ConsumerGroup, open_journal
from tests.kafka_broker import KafkaBroker
from tests.scenario.telling_store import settings_of
from tests.unit.publish.zone_event_samples import SITE, dwell_event


class SinkUnderTest:
    """A sink, what its consumer has got so far, and the sink reopened after a sudden end."""

    def __init__(
        self,
        sink: EventSink,
        *,
        received: Callable[[int], list[ZoneEvent]],
        reopen: Callable[[], EventSink],
    ) -> None:
        self.sink = sink
        self.received = received
        """given the number to wait for, returns all that came"""
        self.reopen = reopen
        """ends the sink without a farewell and opens it again, as after kill -9"""

    def publish(self, *events: ZoneEvent) -> None:
        self.sink.publish(events)


def in_process() -> SinkUnderTest:
    taken: list[ZoneEvent] = []

    def accept(events: Sequence[ZoneEvent]) -> None:
        taken.extend(events)

    bus = InProcessBus()
    bus.subscribe("offers", accept)
    return SinkUnderTest(bus, received=lambda _count: list(taken), reopen=lambda: bus)


def through_redis(server: Server, folder: Path, opened: list[RedisEventSink]) -> SinkUnderTest:
    url = f"redis://{server.host}:{server.port}/0"

    def open_sink() -> RedisEventSink:
        for sink in opened:
            sink.close()
        sink = RedisEventSink(connect_redis(url), open_journal(folder), site=SITE)
        opened.append(sink)
        sink.start()
        return sink

    group = ConsumerGroup(url)
    return SinkUnderTest(open_sink(), received=group.received, reopen=open_sink)


def through_kafka(broker: KafkaBroker, prefix: str, opened: list[KafkaProducer]) -> SinkUnderTest:
    plan = TopicPlan(prefix=prefix, partitions=4)
    ensure_topics(broker.address, plan, (Topic.EVENTS,))
    topic = plan.name(Topic.EVENTS)

    def open_sink() -> KafkaEventSink:
        opened.append(KafkaProducer(broker.address, client_id="test"))
        return KafkaEventSink(opened[-1], topic=topic, site=SITE, shard=0)

    return SinkUnderTest(open_sink(), received=reading_log(broker, topic), reopen=open_sink)


def through_spool(
    broker: KafkaBroker, prefix: str, folder: Path, opened: list[StoreLine]
) -> SinkUnderTest:
    settings = settings_of(folder, brokers=broker.brokers, prefix=prefix)
    topic = TopicPlan(prefix=prefix).name(Topic.EVENTS)
    ensure_topics(broker.address, TopicPlan(prefix=prefix, partitions=3), (Topic.EVENTS,))

    def open_sink() -> StoreLine:
        for line in opened:
            line.close()
        opened.append(StoreLine(settings, site=SITE))
        opened[-1].start()
        return opened[-1]

    return SinkUnderTest(open_sink(), received=reading_log(broker, topic), reopen=open_sink)


def reading_log(broker: KafkaBroker, topic: str) -> Callable[[int], list[ZoneEvent]]:
    def received(count: int) -> list[ZoneEvent]:
        within_s = 30.0 if count else 0.5
        messages = broker.read(topic, lambda found: len(found) >= (count or 1), within_s=within_s)
        events = [parse_event(message.value) for message in messages]
        assert [message.headers["event"].decode() for message in messages] == [
            event.event_id for event in events
        ]
        return events

    return received


@pytest.fixture(
    params=[
        "in process",
        pytest.param("redis", marks=pytest.mark.broker),
        pytest.param("kafka", marks=pytest.mark.broker),
        pytest.param("a store's spool", marks=pytest.mark.broker),
    ]
)
def under_test(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SinkUnderTest]:
    if request.param == "in process":
        yield in_process()
        return
    if request.param == "kafka":
        producers: list[KafkaProducer] = []
        broker = request.getfixturevalue("kafka_broker")
        yield through_kafka(broker, request.getfixturevalue("topic_prefix"), producers)
        for producer in producers:
            producer.close()
        return
    if request.param == "a store's spool":
        lines: list[StoreLine] = []
        broker = request.getfixturevalue("kafka_broker")
        prefix = request.getfixturevalue("topic_prefix")
        yield through_spool(broker, prefix, tmp_path, lines)
        for line in lines:
            line.close()
        return
    opened: list[RedisEventSink] = []
    yield through_redis(request.getfixturevalue("redis_server"), tmp_path / "journal", opened)
    for sink in opened:
        sink.close()


def test_events_arrive_in_the_order_of_publishing(under_test: SinkUnderTest) -> None:
    """Entered after left would keep a visit open for ever."""
    for number in range(0, 30, 3):
        under_test.publish(*(dwell_event(n) for n in range(number, number + 3)))
    assert under_test.received(30) == [dwell_event(n) for n in range(30)]


def test_an_event_arrives_whole(under_test: SinkUnderTest) -> None:
    """Every field decides something: an offer, a report, a refusal."""
    event = dwell_event(7, tag="tag:with-ünicode")
    under_test.publish(event)
    assert under_test.received(1) == [event]


def test_a_second_copy_has_the_same_id(under_test: SinkUnderTest) -> None:
    """After a crash the engine publishes again; consumers tell by the id."""
    under_test.publish(dwell_event(1))
    under_test.publish(dwell_event(1), dwell_event(2))
    received = under_test.received(3)
    assert {event.event_id for event in received} == {
        dwell_event(1).event_id,
        dwell_event(2).event_id,
    }


def test_publishing_nothing_is_allowed(under_test: SinkUnderTest) -> None:
    """Most ticks have no event."""
    under_test.publish()
    assert under_test.received(0) == []


def test_what_was_published_before_a_sudden_end_arrives(under_test: SinkUnderTest) -> None:
    """The input was acknowledged when publish returned: nobody will send it again."""
    under_test.publish(*(dwell_event(n) for n in range(20)))
    under_test.sink = under_test.reopen()
    under_test.publish(dwell_event(20))
    received = under_test.received(21)
    assert [e for e in received if e == dwell_event(20)] == [dwell_event(20)]
    assert {e.event_id for e in received} == {dwell_event(n).event_id for n in range(21)}
