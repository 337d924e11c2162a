"""Visits over the chain's log, on a real broker: rubbish, a busy database, a kill; none is lost."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from offers.model.errors import Busy
from offers.visit_feed.log_visit_feed import LogVisitFeed
from offers.visit_feed.visit_feed import VisitFeed
from rtls.model.visit import ZoneEvent
from rtls.model.visit_json import render_event
from rtls.publish.kafka.connection import KafkaAddress
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import Topic, TopicPlan, ensure_topics
from rtls.publish.kafka.visit_stream import KafkaVisitStream
from tests.kafka_broker import KafkaBroker
from tests.postgres import make_server
from tests.scenario.running_api import RunningApi, frame, running_api
from tests.scenario.standing_shoppers import FailingFeed, all_standing, offers_of, standing
from tests.unit.offers.shop import SITE, campaign
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.broker]

OFFER = ["dowels-2-off"]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path) as running:
        running.start_campaign(campaign())
        yield running


class Log:
    """The topics of one test."""

    def __init__(self, broker: KafkaBroker, prefix: str) -> None:
        self.broker = broker
        self.plan = TopicPlan(prefix=prefix, partitions=3)
        ensure_topics(broker.address, self.plan)
        self.producer = KafkaProducer(broker.address, client_id="a-store")
        self.topic = self.plan.name(Topic.EVENTS)

    def write(self, events: Sequence[ZoneEvent | bytes], *, site: str = SITE) -> None:
        for event in events:
            content = event if isinstance(event, bytes) else render_event(event)
            self.producer.send(self.topic, key=f"{site}/0", value=content)
        self.producer.flush(10.0)

    def dead_letters(self, count: int) -> list[tuple[str, bytes]]:
        """(reason, value) of those that came first."""
        read = self.broker.read(
            self.plan.name(Topic.DEAD_LETTERS), lambda found: len(found) >= count
        )
        return [(one.headers["reason"].decode(), one.value) for one in read]

    def stream(self, reader: str = "one") -> KafkaVisitStream:
        return KafkaVisitStream(
            self.broker.address, self.plan, site=SITE, reader=reader, session_timeout_ms=6_000
        )


@pytest.fixture
def line(kafka_broker: KafkaBroker, topic_prefix: str) -> Iterator[Log]:
    log = Log(kafka_broker, topic_prefix)
    yield log
    log.producer.close()


@contextmanager
def reading(api: RunningApi, line: Log, *, feed: VisitFeed | None = None) -> Iterator[LogVisitFeed]:
    reader = LogVisitFeed(line.stream(), feed=feed or api.feed)
    reader.start()
    try:
        yield reader
    finally:
        reader.close()


def test_an_event_of_a_store_becomes_an_offer_in_the_app_and_its_copies_none(
    api: RunningApi, line: Log
) -> None:
    """At least once on the line, exactly once in effect; rubbish and other shops stop nothing."""
    phone, events = standing(api, "tag:1")
    rubbish = [b"{", b"\xff\x00", b"", b'{"v": 99, "kind": "visit", "event": {}}']
    line.write([b"of another shop"], site="demo-2")
    line.write([*rubbish, *events])
    with phone.stream() as stream, reading(api, line) as reader:
        assert frame(stream)["type"] == "offer"
        line.write(events * 3)
        wait_until(lambda: reader.counters["decided"] == 8)
        wait_until(lambda: reader.trouble() is None)
        assert reader.counters["set_aside"] == 4
    assert offers_of(api, phone) == OFFER
    assert line.dead_letters(4) == [("damaged", content) for content in rubbish]


def test_an_event_that_the_handler_can_never_take_is_set_aside(api: RunningApi, line: Log) -> None:
    """A bug of ours about one shopper must not cost the others their offers."""
    (unlucky, first), (lucky, second) = all_standing(api, "tag:1", "tag:2")
    feed = FailingFeed(api, ZeroDivisionError("a bug"), times=10**6)
    line.write([*first, *second])
    with reading(api, line, feed=feed):
        wait_until(lambda: offers_of(api, lucky) == OFFER)
        assert line.dead_letters(1) == [("undecidable", render_event(first[1]))]
    assert offers_of(api, unlucky) == []


def test_a_busy_database_is_waited_for_and_nothing_is_skipped(api: RunningApi, line: Log) -> None:
    """The place in the log moves on only when a decision is durable, however long that takes."""
    phone, events = standing(api, "tag:1")
    feed = FailingFeed(api, Busy("the disk is full"), times=4)
    line.write(events)
    with reading(api, line, feed=feed) as reader:
        wait_until(lambda: "the disk is full" in (reader.trouble() or ""))
        wait_until(lambda: offers_of(api, phone) == OFFER)
        wait_until(lambda: reader.trouble() is None)
        assert (reader.counters["waited"], reader.counters["set_aside"]) == (4, 0)


@pytest.mark.long
def test_a_database_that_is_killed_is_waited_for(tmp_path: Path, line: Log) -> None:
    """PostgreSQL dies while shoppers stand at the shelf; what they are due comes afterwards."""
    server = make_server()
    server.start()
    try:
        with running_api(tmp_path, database=server.database()) as api:
            api.start_campaign(campaign())
            (one, first), (other, second) = all_standing(api, "tag:1", "tag:2")
            with reading(api, line) as reader:
                line.write(first)
                wait_until(lambda: offers_of(api, one) == OFFER)
                server.kill()
                line.write(second)
                wait_until(lambda: reader.counters["waited"] >= 2, timeout_s=60.0)
                assert reader.trouble() is not None
                server.start()
                wait_until(lambda: reader.counters["decided"] == 4, timeout_s=60.0)
                assert reader.counters["set_aside"] == 0
            assert [offers_of(api, phone) for phone in (one, other)] == [OFFER, OFFER]
    finally:
        server.remove()


def test_what_was_read_and_not_committed_is_decided_after_the_restart(
    api: RunningApi, line: Log
) -> None:
    """Kill -9 between reading and committing: the log still counts it as unread.

    One who commits first and decides then, as the first time here, loses his shopper's offer.
    """
    (first, due), (second, lost) = all_standing(api, "tag:1", "tag:2")
    killed = line.stream()
    for events, commits_first in ((lost, True), (due, False)):
        line.write(events)
        wait_until(lambda: len(killed.read()) == 2)  # both in one message set, of one key
        if commits_first:
            killed.commit()
    killed.close()  # says good-bye, so that the next one need not wait for the session's end
    with reading(api, line) as reader:
        wait_until(lambda: reader.counters["decided"] == 2)
    assert (offers_of(api, first), offers_of(api, second)) == (OFFER, [])


def test_a_second_reader_takes_over_what_the_first_one_held(api: RunningApi, line: Log) -> None:
    """A replica goes at noon: the other one of its group reads on, and nothing is read by both."""
    (one, first), (other, second) = all_standing(api, "tag:1", "tag:2")
    with reading(api, line) as left, reading(api, line) as right:
        line.write(first)
        wait_until(lambda: offers_of(api, one) == OFFER)
        left.close()
        line.write(second)
        wait_until(lambda: offers_of(api, other) == OFFER)
        # The first may have decided twice about what it held when the second came.
        assert left.counters["decided"] + right.counters["decided"] <= 6


def test_without_brokers_offers_say_so_and_end_when_told(api: RunningApi, free_port: int) -> None:
    """The API serves all the same; the operator sees which part is away."""
    nobody = KafkaAddress(brokers=f"127.0.0.1:{free_port}")
    stream = KafkaVisitStream(nobody, TopicPlan(), site=SITE, reader="one")
    reader = LogVisitFeed(stream, feed=api.feed)
    assert reader.trouble() == "thread visit-feed does not run"
    reader.start()
    wait_until(lambda: reader.trouble() == "not connected yet")
    reader.close()
    assert not reader._thread.is_alive()
