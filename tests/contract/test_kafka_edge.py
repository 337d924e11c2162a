"""The Kafka edge on a real broker: topics, a bounded producer, dead letters."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rtls.model.errors import NotDurable
from rtls.publish.kafka.connection import KafkaAddress
from rtls.publish.kafka.dead_letters import DeadLetters, DeadReason, ReadMessage
from rtls.publish.kafka.log_reader import LogReader
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import Topic, TopicPlan, ensure_topics
from tests.kafka_broker import KafkaBroker, make_server

pytestmark = pytest.mark.broker


@pytest.fixture
def plan(topic_prefix: str) -> TopicPlan:
    return TopicPlan(prefix=topic_prefix, partitions=4)


@pytest.fixture
def producer(kafka_broker: KafkaBroker) -> Iterator[KafkaProducer]:
    made = KafkaProducer(kafka_broker.address, client_id="test")
    yield made
    made.close()


def test_missing_topics_are_made_once(kafka_broker: KafkaBroker, plan: TopicPlan) -> None:
    """Bridge and workers start in any order, several at a time."""
    made = ensure_topics(kafka_broker.address, plan)
    again = ensure_topics(
        kafka_broker.address, TopicPlan(prefix=plan.prefix, partitions=9), (Topic.EVENTS,)
    )
    assert made == dict.fromkeys(Topic, 4)
    assert again == {Topic.EVENTS: 4}, "what is there is left as it is"


def test_messages_of_a_key_stay_in_order_in_one_partition(
    kafka_broker: KafkaBroker, plan: TopicPlan, producer: KafkaProducer
) -> None:
    """The order of a shard is the order of its events."""
    ensure_topics(kafka_broker.address, plan)
    topic = plan.name(Topic.READINGS)
    for number in range(200):
        producer.send(topic, key=f"shop/{number % 7}", value=b"%d" % number)
    producer.flush(10.0)
    read = kafka_broker.read(topic, lambda found: len(found) >= 200)
    for key in range(7):
        of_key = [one for one in read if one.key == f"shop/{key}"]
        assert [int(one.value) for one in of_key] == list(range(key, 200, 7))
        assert len({one.partition for one in of_key}) == 1
    assert producer.counters == {"sent": 200, "durable": 200, "refused": 0}
    assert len({one.partition for one in read}) > 1


def test_a_dead_letter_says_where_it_came_from_and_why(
    kafka_broker: KafkaBroker, plan: TopicPlan, producer: KafkaProducer
) -> None:
    """People look at it days later; the message and its reason are all that they have."""
    ensure_topics(kafka_broker.address, plan)
    letters = DeadLetters(producer, topic=plan.name(Topic.DEAD_LETTERS))
    message = ReadMessage(
        topic=plan.name(Topic.READINGS), partition=2, offset=41, key=b"moon/0", value=b"\x00frame"
    )
    letters.put(message, DeadReason.UNKNOWN_SITE, "no site 'moon' in the library")
    producer.flush(10.0)
    (letter,) = kafka_broker.read(plan.name(Topic.DEAD_LETTERS), lambda found: len(found) >= 1)
    assert (letter.key, letter.value) == ("moon/0", b"\x00frame")
    assert letter.headers == {
        "reason": b"unknown-site",
        "detail": b"no site 'moon' in the library",
        "topic": f"{plan.prefix}readings".encode(),
        "partition": b"2",
        "offset": b"41",
    }
    assert letters.counters["unknown-site"] == 1


def test_a_reader_knows_how_much_waits(kafka_broker: KafkaBroker, plan: TopicPlan) -> None:
    """Before the log drops what nobody has read, somebody is told."""
    ensure_topics(kafka_broker.address, plan)
    topic = plan.name(Topic.EVENTS)
    one_by_one = KafkaProducer(kafka_broker.address, client_id="test", is_one_by_one=True)
    for number in range(50):
        one_by_one.send(topic, key="shop/0", value=b"%d" % number)
    one_by_one.flush(10.0)
    one_by_one.close()
    reader = LogReader(
        kafka_broker.address,
        group=f"{plan.prefix}readers",
        topics=[topic],
        client_id="test",
        session_timeout_ms=6_000,
        on_lost=lambda _: None,
    )
    read: list[ReadMessage] = []

    def read_until(is_enough: Callable[[], bool]) -> None:
        until = time.monotonic() + 30.0
        while not is_enough() and time.monotonic() < until:
            read.extend(reader.poll(max(1, 20 - len(read)), 0.5))

    try:
        read_until(lambda: len(read) >= 20)
        assert (len(read), reader.waiting) == (20, 30)
        read_until(lambda: len(read) >= 50)
        assert (len(read), reader.waiting) == (50, 0)
    finally:
        reader.close()


def test_a_broker_that_is_away_costs_time_and_no_message(tmp_path: Path, plan: TopicPlan) -> None:
    """What was sent goes out, whole and in order, when it is back; nobody is told yes before."""
    server = make_server(tmp_path)
    broker = KafkaBroker(f"{server.host}:{server.port}", server)
    producer = KafkaProducer(broker.address, client_id="test", waiting_kib_max=64)
    topic = plan.name(Topic.EVENTS)
    for number in range(10):
        producer.send(topic, key="shop/0", value=b"%d" % number)
    with pytest.raises(NotDurable, match="10 messages were not taken"):
        producer.flush(0.3)
    assert "10 messages wait" in (producer.trouble() or "")
    server.start()
    try:
        broker.wait_until_it_answers()
        ensure_topics(broker.address, plan)
        producer.flush(30.0)
        read = broker.read(topic, lambda found: len(found) >= 10)
        assert [int(one.value) for one in read] == list(range(10))
        assert producer.trouble() is None
    finally:
        producer.close()
        server.stop()


def test_what_waits_is_bounded(free_port: int) -> None:
    """A chain that is away for an hour must not cost the bridge its memory."""
    nowhere = KafkaAddress(brokers=f"127.0.0.1:{free_port}")
    producer = KafkaProducer(nowhere, client_id="test", waiting_kib_max=64)

    def send_a_mebibyte() -> None:
        for _ in range(1_024):
            producer.send("inaisle.readings", key="shop/0", value=bytes(1_024))

    with pytest.raises(NotDurable, match="no room for more"):
        send_a_mebibyte()
    assert producer.waiting < 100
    producer.close()
