"""Visits over a real Redis stream: killed, emptied, full of rubbish, and no offer lost."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from offers.model.errors import Busy
from offers.visit_feed.redis_visit_feed import RedisVisitFeed
from offers.visit_feed.visit_feed import VisitFeed
from rtls.model.visit import ZoneEvent
from rtls.model.visit_json import render_event
from tests.conftest import Server
from tests.scenario.running_api import RunningApi, frame, running_api
from tests.scenario.standing_shoppers import FailingFeed, all_standing, offers_of, standing, stay
from tests.unit.offers.shop import SITE, campaign
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.broker]

STREAM = "inaisle:demo:visits"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path) as running:
        running.start_campaign(campaign())
        yield running


@pytest.fixture
def line(redis_server: Server) -> Iterator[redis.Redis]:
    with redis.Redis(port=redis_server.port, socket_timeout=2.0) as client:
        yield client


def url(server: Server) -> str:
    return f"redis://{server.host}:{server.port}/0"


@contextmanager
def reading(
    api: RunningApi,
    server: Server,
    *,
    feed: VisitFeed | None = None,
    consumer: str = "one",
    stale_ms: int = 60_000,
) -> Iterator[RedisVisitFeed]:
    reader = RedisVisitFeed(
        url(server),
        site=SITE,
        consumer=consumer,
        feed=feed or api.feed,
        block_ms=20,
        stale_ms=stale_ms,
    )
    reader.start()
    try:
        yield reader
    finally:
        reader.close()


def publish(line: redis.Redis, events: list[ZoneEvent]) -> None:
    for event in events:
        line.xadd(STREAM, {"event": render_event(event)})


def pending(line: redis.Redis) -> int:
    return int(line.xpending(STREAM, "offers")["pending"])


def is_empty(line: redis.Redis) -> bool:
    return line.xlen(STREAM) == 0 and pending(line) == 0


def test_an_event_on_the_stream_becomes_an_offer_in_the_app(
    api: RunningApi, redis_server: Server, line: redis.Redis
) -> None:
    """Two processes, one way: radio on one side, persons on the other."""
    phone, events = standing(api, "tag:1")
    with phone.stream() as stream, reading(api, redis_server):
        publish(line, events)
        assert frame(stream)["type"] == "offer"
        wait_until(lambda: is_empty(line))


def test_a_second_copy_of_an_event_makes_no_second_offer(
    api: RunningApi, redis_server: Server, line: redis.Redis
) -> None:
    """At least once on the line, exactly once in effect."""
    phone, events = standing(api, "tag:1")
    with reading(api, redis_server) as reader:
        publish(line, events * 3)
        wait_until(lambda: reader.counters["acknowledged"] == 6)
    assert offers_of(api, phone) == ["dowels-2-off"]


def test_what_came_before_the_first_start_is_read(
    api: RunningApi, redis_server: Server, line: redis.Redis
) -> None:
    """Locating may be up a minute before offers are."""
    phone, events = standing(api, "tag:1")
    publish(line, events)
    with reading(api, redis_server):
        wait_until(lambda: offers_of(api, phone) == ["dowels-2-off"])


def test_what_was_read_and_not_acknowledged_is_done_after_the_restart(
    api: RunningApi, redis_server: Server, line: redis.Redis
) -> None:
    """Kill -9 between reading and committing: Redis still counts it as ours."""
    phone, events = standing(api, "tag:1")
    publish(line, events)
    line.xgroup_create(STREAM, "offers", id="0")
    line.xreadgroup("offers", "one", {STREAM: ">"})
    assert pending(line) == 2
    with reading(api, redis_server, consumer="one"):
        wait_until(lambda: is_empty(line))
    assert offers_of(api, phone) == ["dowels-2-off"]


def test_what_a_dead_consumer_had_begun_is_taken_over(
    api: RunningApi, redis_server: Server, line: redis.Redis
) -> None:
    """A replica that never comes back must not keep an offer with it."""
    phone, events = standing(api, "tag:1")
    publish(line, events)
    line.xgroup_create(STREAM, "offers", id="0")
    line.xreadgroup("offers", "dead", {STREAM: ">"})
    with reading(api, redis_server, consumer="alive", stale_ms=100) as reader:
        wait_until(lambda: is_empty(line))
        assert reader.counters["taken_over"] == 2
    assert offers_of(api, phone) == ["dowels-2-off"]


def test_redis_killed_and_back_without_its_data_costs_no_offer(
    api: RunningApi, redis_server: Server, line: redis.Redis
) -> None:
    """The stream is gone with the process; locating publishes again, and the feed finds it."""
    (first, before), (second, after) = all_standing(api, "tag:1", "tag:2")
    with reading(api, redis_server) as reader:
        publish(line, before)
        wait_until(lambda: offers_of(api, first) == ["dowels-2-off"])
        redis_server.kill()
        wait_until(lambda: not reader.is_reading)
        redis_server.start()
        publish(line, [*before, *after])
        wait_until(lambda: offers_of(api, second) == ["dowels-2-off"])
        wait_until(lambda: is_empty(line))
        assert reader.is_reading
    assert offers_of(api, first) == ["dowels-2-off"]


def test_a_flushed_redis_is_noticed_and_read_from_the_beginning(
    api: RunningApi, redis_server: Server, line: redis.Redis
) -> None:
    """FLUSHALL cuts no connection: only the group is missing."""
    phone, events = standing(api, "tag:1")
    with reading(api, redis_server) as reader:
        wait_until(lambda: reader.is_reading)
        line.flushall()
        publish(line, events)
        wait_until(lambda: offers_of(api, phone) == ["dowels-2-off"])
        wait_until(lambda: is_empty(line))


@pytest.mark.parametrize(
    "fields",
    [
        {"event": b"{"},
        {"event": b"\xff\x00"},
        {"event": b"[" * 100_000},
        {"event": b'{"v": 99, "kind": "visit", "event": {}}'},
        {"evnt": b"{}"},
    ],
    ids=["broken", "not UTF-8", "deep", "from the future", "another field"],
)
def test_rubbish_is_set_aside_and_does_not_stop_what_is_behind_it(
    api: RunningApi, redis_server: Server, line: redis.Redis, fields: dict[str, bytes]
) -> None:
    """One bad entry at the head of the stream would otherwise stop all offers of the shop."""
    phone, events = standing(api, "tag:1")
    line.xadd(STREAM, fields)  # type: ignore[arg-type]
    publish(line, events)
    with reading(api, redis_server) as reader:
        wait_until(lambda: is_empty(line) and reader.counters["acknowledged"] == 3)
        assert reader.counters["rejected"] == 1
    assert line.xlen(f"{STREAM}:rejected") == 1
    assert offers_of(api, phone) == ["dowels-2-off"]


def test_a_busy_database_is_waited_for(
    api: RunningApi, redis_server: Server, line: redis.Redis
) -> None:
    """Nothing is acknowledged that has had no effect, however often it fails."""
    phone, events = standing(api, "tag:1")
    feed = FailingFeed(api, Busy("the disk is full"), times=12)
    publish(line, events)
    with reading(api, redis_server, feed=feed) as reader:
        wait_until(lambda: offers_of(api, phone) == ["dowels-2-off"])
        wait_until(lambda: is_empty(line))
        assert reader.counters["rejected"] == 0


def test_an_event_that_the_handler_can_never_take_is_set_aside(
    api: RunningApi, redis_server: Server, line: redis.Redis
) -> None:
    """A bug of ours about one shopper must not cost the others their offers."""
    (unlucky, first), (lucky, second) = all_standing(api, "tag:1", "tag:2")
    feed = FailingFeed(api, ZeroDivisionError("a bug"), times=10**6)
    publish(line, [*first, *second])
    with reading(api, redis_server, feed=feed) as reader:
        wait_until(lambda: is_empty(line))
        assert reader.counters["rejected"] == 1
    assert (offers_of(api, unlucky), offers_of(api, lucky)) == ([], ["dowels-2-off"])
    (_, kept), *_ = line.xrange(f"{STREAM}:rejected")
    assert b"a bug" in kept[b"reason"]


def test_in_process_accept_returns_when_the_offer_is_durable(api: RunningApi) -> None:
    """Locating acknowledges its input next: what is not on the disk by then can be lost."""
    phone, events = standing(api, "tag:1")
    api.feed.accept(events)
    assert offers_of(api, phone) == ["dowels-2-off"]


def test_in_process_accept_raises_after_it_has_done_the_others(api: RunningApi) -> None:
    """The bus gives the same events again; those that are through do nothing then."""
    (late, first), (lucky, second) = all_standing(api, "tag:1", "tag:2")
    feed = FailingFeed(api, Busy("the disk is full"), times=1)
    with pytest.raises(Busy):
        feed.accept([*first, *second])
    assert (offers_of(api, late), offers_of(api, lucky)) == ([], ["dowels-2-off"])
    feed.accept([*first, *second])
    assert (offers_of(api, late), offers_of(api, lucky)) == (["dowels-2-off"], ["dowels-2-off"])


def test_more_events_than_the_writers_queue_holds_are_decided_in_batches(api: RunningApi) -> None:
    """After an hour without offers, the stream brings thousands at once."""
    phone, events = standing(api, "tag:1")
    strangers = [event for number in range(600) for event in stay(api, f"stranger:{number}")]
    assert len(strangers) > 1_024
    api.feed.accept([*strangers, *events])
    assert offers_of(api, phone) == ["dowels-2-off"]


def test_a_full_queue_of_the_writer_is_waited_for(
    api: RunningApi, redis_server: Server, line: redis.Redis
) -> None:
    """The refusal comes from the hand-over itself; the thread must survive it."""
    phone, events = standing(api, "tag:1")
    publish(line, events)
    release = threading.Event()
    held = fill_the_queue(api, release)
    try:
        with reading(api, redis_server) as reader:
            wait_until(lambda: api.feed.counters["failed"] >= 2)
            release.set()
            wait_until(lambda: is_empty(line), timeout_s=20.0)
            assert reader.counters["rejected"] == 0
    finally:
        release.set()  # else the writer would wait for each of them
    assert all(future.result(timeout=20) for future in held)
    assert offers_of(api, phone) == ["dowels-2-off"]


def fill_the_queue(api: RunningApi, release: threading.Event) -> list[Future[bool]]:
    """Hold up the writer, then submit until it refuses."""
    is_held = threading.Event()

    def hold(_: object) -> bool:
        is_held.set()
        return release.wait(20)

    held = [api.writer.submit(hold)]
    assert is_held.wait(5)
    with suppress(Busy):
        while True:
            held.append(api.writer.submit(lambda _: True))
    return held


def test_a_stop_in_the_middle_loses_nothing(
    api: RunningApi, redis_server: Server, line: redis.Redis
) -> None:
    """An update at noon: what the old process has not finished, the new one finds."""
    shoppers = all_standing(api, *(f"tag:{number}" for number in range(10)))

    def locate() -> None:
        with redis.Redis(port=redis_server.port) as own_line:
            for _, events in shoppers:
                publish(own_line, events)

    thread = threading.Thread(target=locate)
    thread.start()
    for _ in range(3):
        with reading(api, redis_server) as reader:
            wait_until(lambda reader=reader: reader.is_reading)
    thread.join()
    with reading(api, redis_server):
        wait_until(lambda: is_empty(line))
    assert all(offers_of(api, phone) == ["dowels-2-off"] for phone, _ in shoppers)
