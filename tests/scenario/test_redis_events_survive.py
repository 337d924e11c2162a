"""Redis is killed and started again under load: every event still arrives, and nobody waits."""

import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from rtls.model.errors import NotDurable
from rtls.model.visit import ZoneEvent
from rtls.publish.event_journal import JournalSettings
from rtls.publish.redis_keys import connect_redis, sent_position, visits_stream
from rtls.publish.redis_stream import RedisEventSink
from tests.conftest import Server
from tests.contract.redis_consumer import ConsumerGroup, open_journal
from tests.unit.publish.zone_event_samples import SITE, dwell_event
from tests.waiting import wait_until

pytestmark = pytest.mark.broker

EVENTS = 5000
TAGS = 20
PUBLISH_S_MAX = 0.050


@pytest.fixture
def append_only(redis_server: Server) -> Server:
    """The same Redis, with its data on disk."""
    redis_server.stop()
    redis_server.command += ["--appendonly", "yes", "--appendfsync", "always"]
    redis_server.start()
    return redis_server


def url_of(server: Server) -> str:
    return f"redis://{server.host}:{server.port}/0"


@pytest.fixture
def open_sink(tmp_path: Path) -> Iterator[Callable[..., RedisEventSink]]:
    opened: list[RedisEventSink] = []

    def open_one(server: Server, settings: JournalSettings | None = None) -> RedisEventSink:
        journal = open_journal(tmp_path / "journal", settings)
        sink = RedisEventSink(connect_redis(url_of(server)), journal, site=SITE)
        opened.append(sink)
        sink.start()
        return sink

    yield open_one
    for sink in opened:
        sink.close()


class Publisher(threading.Thread):
    """Publishes as the locating loop does, some events a tick, and measures its waits."""

    def __init__(self, sink: RedisEventSink, events: list[ZoneEvent]) -> None:
        super().__init__()
        self.sink = sink
        self.events = events
        self.done = 0
        self.waits_s: list[float] = []

    def run(self) -> None:
        for start in range(0, len(self.events), 10):
            began = time.perf_counter()
            self.sink.publish(self.events[start : start + 10])
            self.waits_s.append(time.perf_counter() - began)
            self.done = start + 10
            time.sleep(0.002)


def numbered_events() -> list[ZoneEvent]:
    """All within four minutes, so that the journal's ring of ten minutes holds them."""
    return [dwell_event(n, tag=f"tag-{n % TAGS}", step_ms=48) for n in range(EVENTS)]


def order_of_first_copies(events: list[ZoneEvent]) -> dict[str, list[str]]:
    """Of each tag the event ids in order of arrival, copies left out as a consumer does."""
    seen: set[str] = set()
    order: defaultdict[str, list[str]] = defaultdict(list)
    for event in events:
        if event.event_id not in seen:
            seen.add(event.event_id)
            order[event.tag].append(event.event_id)
    return dict(order)


def run_with_kills(server: Server, sink: RedisEventSink, group: ConsumerGroup) -> Publisher:
    """Publishes all, while Redis is killed twice and stays away a while."""
    publisher = Publisher(sink, numbered_events())
    publisher.start()
    for share in (0.25, 0.6):
        while publisher.done < share * EVENTS:
            group.read()
        server.kill()
        away_until = time.monotonic() + 0.3
        wait_until(lambda until=away_until: time.monotonic() > until)
        server.start()
    publisher.join()
    return publisher


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.parametrize("data", ["kept", "lost"])
def test_killing_redis_loses_no_event_and_stops_no_tick(
    request: pytest.FixtureRequest, open_sink: Callable[..., RedisEventSink], data: str
) -> None:
    """Losing Redis costs freshness only: with its data or without, at least once and in order."""
    server = request.getfixturevalue("append_only" if data == "kept" else "redis_server")
    sink = open_sink(server)
    group = ConsumerGroup(url_of(server))
    publisher = run_with_kills(server, sink, group)
    expected = order_of_first_copies(publisher.events)
    wait_until(
        lambda: group.read() is None and order_of_first_copies(group.events) == expected,
        timeout_s=60,
    )
    assert (sink.counters["data_lost"] > 0) == (data == "lost")
    wait_until(lambda: sink.backlog == 0 and sink.trouble() is None)
    # Not the maximum: on a busy machine the disk or the scheduler alone takes longer now and then.
    assert sorted(publisher.waits_s)[len(publisher.waits_s) * 95 // 100] < PUBLISH_S_MAX


def test_a_redis_that_hangs_stops_no_tick(
    redis_server: Server, open_sink: Callable[..., RedisEventSink]
) -> None:
    """Nothing fails, everything waits: the worst case for whoever talks to Redis on the tick."""
    sink = open_sink(redis_server)
    sink.publish([dwell_event(0)])
    wait_until(lambda: sink.backlog == 0)
    assert redis_server.process is not None
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        publisher = Publisher(sink, [dwell_event(number) for number in range(1, 501)])
        publisher.start()
        publisher.join(10)
        assert publisher.done == 500  # while the sender still waits for its first answer
        assert sink.backlog == 500
        wait_until(lambda: sink.trouble() is not None)
    finally:
        redis_server.process.send_signal(signal.SIGCONT)
    received = ConsumerGroup(url_of(redis_server)).received(501)
    assert order_of_first_copies(received)["tag-1"] == [
        dwell_event(number).event_id for number in range(501)
    ]


def test_events_published_while_redis_was_never_there_arrive_in_the_end(
    redis_server: Server, open_sink: Callable[..., RedisEventSink]
) -> None:
    """A shop opens although the server room is late."""
    redis_server.kill()
    sink = open_sink(redis_server)
    for number in range(30):
        sink.publish([dwell_event(number)])
    wait_until(lambda: sink.trouble() is not None)
    assert "30 events wait in the journal" in (sink.trouble() or "")
    redis_server.start()
    received = ConsumerGroup(url_of(redis_server)).received(30)
    assert received == [dwell_event(number) for number in range(30)]
    wait_until(lambda: sink.trouble() is None)


def test_a_flushed_redis_is_filled_again_without_any_new_event(
    redis_server: Server, open_sink: Callable[..., RedisEventSink]
) -> None:
    """FLUSHALL by mistake in a quiet minute: the offers side gets the last minutes within 5 s."""
    sink = open_sink(redis_server)
    sink.publish([dwell_event(number) for number in range(5)])
    group = ConsumerGroup(url_of(redis_server))
    group.received(5)
    group.client.flushall()
    received = group.received(10)
    assert received[5:] == received[:5]
    assert sink.counters["data_lost"] == 1


def test_a_stream_deleted_by_hand_is_filled_again(
    redis_server: Server, open_sink: Callable[..., RedisEventSink]
) -> None:
    """Our position still stands then, but what it speaks of is gone."""
    sink = open_sink(redis_server)
    sink.publish([dwell_event(number) for number in range(5)])
    group = ConsumerGroup(url_of(redis_server))
    group.received(5)
    group.client.delete(visits_stream(SITE))
    received = group.received(10)
    assert received[5:] == received[:5]


def test_events_older_than_the_ring_are_not_sent_again(
    redis_server: Server, open_sink: Callable[..., RedisEventSink]
) -> None:
    """The last ten minutes can still matter to a shopper; yesterday cannot."""
    sink = open_sink(redis_server, JournalSettings(keep_ms=10_000))
    sink.publish([dwell_event(number) for number in range(0, 100, 5)])
    group = ConsumerGroup(url_of(redis_server))
    group.received(20)
    group.client.flushall()
    again = group.received(23)[20:]
    assert again == [dwell_event(number) for number in (85, 90, 95)]


def test_a_restarted_sink_sends_nothing_twice(
    redis_server: Server, open_sink: Callable[..., RedisEventSink]
) -> None:
    """Redis itself says how far it got, so a deployment does not flood the consumers."""
    first = open_sink(redis_server)
    first.publish([dwell_event(number) for number in range(5)])
    group = ConsumerGroup(url_of(redis_server))
    group.received(5)
    first.close()
    second = open_sink(redis_server)
    second.publish([dwell_event(5)])
    assert group.received(6) == [dwell_event(number) for number in range(6)]


def test_a_full_journal_keeps_the_input_unacknowledged(
    redis_server: Server, open_sink: Callable[..., RedisEventSink]
) -> None:
    """After hours without Redis the gateways' spools take over; still nothing is dropped."""
    redis_server.kill()
    sink = open_sink(redis_server, JournalSettings(segment_bytes=2000, bytes_max=8000))
    fits = 0
    while sink._journal.size + 800 < 8000:  # an event is about 480 bytes
        sink.publish([dwell_event(fits)])
        fits += 1
    with pytest.raises(NotDurable, match="Bring Redis back"):
        sink.publish([dwell_event(fits), dwell_event(fits + 1)])
    accepted = sink.counters["published"]
    assert accepted == fits > 10
    redis_server.start()
    received = ConsumerGroup(url_of(redis_server)).received(accepted)
    assert received == [dwell_event(number) for number in range(accepted)]
    wait_until(lambda: sink.backlog == 0)
    sink.publish([dwell_event(accepted)])


def test_a_position_that_cannot_be_ours_is_not_believed(
    redis_server: Server, open_sink: Callable[..., RedisEventSink], tmp_path: Path
) -> None:
    """Somebody wrote into our key, or restored a foreign dump: better twice than never."""
    journal = open_journal(tmp_path / "journal")
    name = journal.journal_id
    journal.close()
    client = redis.Redis.from_url(url_of(redis_server))
    client.set(sent_position(SITE, name), 10**6)
    sink = open_sink(redis_server)
    sink.publish([dwell_event(1)])
    group = ConsumerGroup(url_of(redis_server))
    assert group.received(1) == [dwell_event(1)]
    client.set(sent_position(SITE, name), b"not a number")
    assert group.received(2)[1] == dwell_event(1)


def test_the_stream_does_not_grow_without_bound(redis_server: Server, tmp_path: Path) -> None:
    """Consumers may be away for a week; Redis keeps a bounded past for them."""
    journal = open_journal(tmp_path / "journal")
    sink = RedisEventSink(
        connect_redis(url_of(redis_server)), journal, site=SITE, stream_length_max=200
    )
    sink.start()
    sink.publish([dwell_event(number) for number in range(1500)])
    wait_until(lambda: sink.backlog == 0)
    client = redis.Redis.from_url(url_of(redis_server))
    assert 200 <= client.xlen(visits_stream(SITE)) <= 400  # "~": whole nodes of 100 entries
    sink.close()
