"""The live view through Redis: fresh while Redis is there, back by itself, never in the way."""

import time
from collections.abc import Iterator

import numpy as np
import pytest
import redis

from rtls.model.errors import LiveStateAway
from rtls.model.units import Second, SiteId, UnixMs
from rtls.publish import live_redis
from rtls.publish.live_redis import RedisLiveState
from rtls.publish.live_redis_reader import RedisLiveReader
from rtls.publish.redis_keys import connect_redis, live_fix, live_index
from tests.conftest import Server
from tests.contract.live_fix_samples import NOW_MS, fixes_at, tag_names
from tests.waiting import wait_until

pytestmark = pytest.mark.broker

SITE = SiteId("demo")


@pytest.fixture
def client(redis_server: Server) -> Iterator[redis.Redis]:
    client = connect_redis(f"redis://{redis_server.host}:{redis_server.port}/0")
    yield client
    client.close()


@pytest.fixture
def writer(client: redis.Redis) -> Iterator[RedisLiveState]:
    writer = RedisLiveState(client, site=SITE, interval_s=Second(0.02), expiry_s=Second(5.0))
    writer.start()
    yield writer
    writer.close()


def tags_seen(client: redis.Redis, *, now_ms: int = NOW_MS) -> set[str]:
    return set(
        RedisLiveReader(client, site=SITE).latest(max_age_ms=5000, now_ms=UnixMs(now_ms)).tags
    )


def test_a_fix_expires_in_redis_itself(client: redis.Redis) -> None:
    """When the locating process dies nobody is left to tidy up; a position must not stay."""
    writer = RedisLiveState(client, site=SITE, expiry_s=Second(0.5))
    writer.start()
    writer.put(fixes_at(NOW_MS, 1.0), tag_names(1))
    writer.close()
    assert writer.counters["written"] == 1
    wait_until(lambda: not client.exists(live_fix(SITE, tag_names(1)[0]), live_index(SITE)))
    assert tags_seen(client) == set()


def test_a_tag_unheard_leaves_the_index_while_others_stay(
    client: redis.Redis, writer: RedisLiveState
) -> None:
    """The index is one key: without tidying it would hold every tag of the year."""
    writer.put(fixes_at(NOW_MS - 6000, 1.0), tag_names(1))
    writer.put(fixes_at(NOW_MS, 2.0), tag_names(2))
    wait_until(lambda: client.zrange(live_index(SITE), 0, -1) == [b"tag-2"])


def test_the_view_comes_back_by_itself_after_redis_was_killed(
    redis_server: Server, client: redis.Redis, writer: RedisLiveState
) -> None:
    """While it is away fixes are dropped and counted; the reader says so instead of lying."""
    writer.put(fixes_at(NOW_MS, 1.0), tag_names(1))
    wait_until(lambda: tags_seen(client) == {"tag-1"})
    redis_server.kill()
    writer.put(fixes_at(NOW_MS + 100, 2.0), tag_names(1))
    wait_until(lambda: writer.counters["dropped_away"] == 1)
    assert writer.trouble() is not None
    with pytest.raises(LiveStateAway, match="cannot be read"):
        tags_seen(client)
    redis_server.start()
    writer.put(fixes_at(NOW_MS + 200, 3.0), tag_names(1))
    wait_until(lambda: tags_seen(client) == {"tag-1"})
    latest = RedisLiveReader(client, site=SITE).latest(max_age_ms=5000, now_ms=NOW_MS)
    assert latest.rows["x_m"].tolist() == [3.0]
    assert writer.trouble() is None


@pytest.mark.timed
def test_a_redis_that_hangs_stops_no_tick_and_grows_no_queue(client: redis.Redis) -> None:
    """A stalled server is worse than a dead one: nothing fails, everything waits."""
    hanging = RedisLiveState(client, site=SITE)  # never started: nobody takes what waits
    waits_s = []
    batch, tags = fixes_at(NOW_MS, *range(200)), tag_names(*range(200))
    for _ in range(live_redis.BATCHES_WAITING_MAX + 50):
        began = time.perf_counter()
        hanging.put(batch, tags)
        waits_s.append(time.perf_counter() - began)
    assert len(hanging._waiting) == live_redis.BATCHES_WAITING_MAX
    assert hanging.counters["dropped_full"] == 50 * 200
    assert max(waits_s) < 0.050


def test_two_thousand_tags_are_written_and_read_whole(
    client: redis.Redis, writer: RedisLiveState
) -> None:
    """More than one pipeline's worth: no tag may fall between two portions."""
    batch = fixes_at(NOW_MS, *range(2000))
    writer.put(batch, tag_names(*range(2000)))
    wait_until(lambda: writer.counters["written"] == 2000)
    latest = RedisLiveReader(client, site=SITE).latest(max_age_ms=0, now_ms=NOW_MS)
    assert sorted(latest.rows["x_m"].tolist()) == np.arange(2000.0).tolist()
    for tag, x_m in zip(latest.tags, latest.rows["x_m"].tolist(), strict=True):
        assert tag == f"tag-{x_m:.0f}"


def test_rows_without_a_name_are_refused(client: redis.Redis) -> None:
    """A shifted name would show one person at another's place."""
    with pytest.raises(ValueError, match="1 tags for 2 fixes"):
        RedisLiveState(client, site=SITE).put(fixes_at(NOW_MS, 1.0, 2.0), tag_names(1))


def test_the_memory_of_tags_is_bounded(
    client: redis.Redis, writer: RedisLiveState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rotating tag ids make a new tag every quarter of an hour, all year."""
    monkeypatch.setattr(live_redis, "TAGS_MAX", 10)
    for start in range(0, 60, 6):
        written = writer.counters["written"]
        writer.put(fixes_at(NOW_MS + start, *range(6)), tag_names(*range(start, start + 6)))
        wait_until(lambda before=written: writer.counters["written"] > before)
    assert len(writer._newest) <= 10
    assert "tag-59" in tags_seen(client)
