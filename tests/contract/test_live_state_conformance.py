"""What every LiveState with its reader promises to the operator's view."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from rtls.model.fix import FixBatch
from rtls.model.units import Second, SiteId, TagId, UnixMs
from rtls.ports import LiveFixes, LiveState, LiveStateReader
from rtls.publish.live_redis import RedisLiveState
from rtls.publish.live_redis_reader import RedisLiveReader
from rtls.publish.redis_keys import connect_redis
from rtls.storage.live_state import InMemoryLiveState
from tests.contract.live_fix_samples import NOW_MS, fixes_at, tag_names
from tests.waiting import wait_until

SITE = SiteId("demo")
LONG_AGO_MS = 3_600_000


class Pair:
    """A writer, its reader, and a way to wait until what was put can be read."""

    def __init__(
        self, writer: LiveState, reader: LiveStateReader, settle: Callable[[], None]
    ) -> None:
        self.writer = writer
        self.reader = reader
        self.settle = settle

    def put(self, fixes: FixBatch, tags: tuple[TagId, ...]) -> None:
        self.writer.put(fixes, tags)

    def latest(self, *, max_age_ms: int = 5000, now_ms: int = NOW_MS) -> LiveFixes:
        self.settle()
        return self.reader.latest(max_age_ms=max_age_ms, now_ms=UnixMs(now_ms))

    def latest_of(self, *tags: TagId, max_age_ms: int = 5000) -> LiveFixes:
        self.settle()
        return self.reader.latest_of(tags, max_age_ms=max_age_ms, now_ms=NOW_MS)


def in_memory() -> Pair:
    live = InMemoryLiveState()
    return Pair(live, live, lambda: None)


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.broker)])
def live(request: pytest.FixtureRequest) -> Iterator[Pair]:
    if request.param == "memory":
        yield in_memory()
        return
    server = request.getfixturevalue("redis_server")
    client = connect_redis(f"redis://{server.host}:{server.port}/0")
    writer = RedisLiveState(client, site=SITE, interval_s=Second(0.01))
    writer.start()

    def settle() -> None:
        """Puts a fix that no test looks at, and waits until it can be read."""
        put = writer.counters["written"]
        writer.put(fixes_at(NOW_MS - LONG_AGO_MS, 0.0), (TagId("settled"),))
        wait_until(lambda: writer.counters["written"] > put and not writer._waiting)

    yield Pair(writer, RedisLiveReader(client, site=SITE), settle)
    writer.close()
    client.close()


def by_tag(fixes: LiveFixes) -> dict[TagId, float]:
    return dict(zip(fixes.tags, fixes.rows["x_m"].tolist(), strict=True))


def test_of_some_tags_only_theirs_are_read(live: Pair) -> None:
    """A shopper asks the way: nobody else's position is touched for it."""
    live.put(fixes_at(NOW_MS - 3000, 1.0), tag_names(1))
    live.put(fixes_at(NOW_MS - 1000, 2.0, 3.0), tag_names(2, 3))
    assert by_tag(live.latest_of(*tag_names(1, 3, 9))) == {"tag-1": 1.0, "tag-3": 3.0}
    assert by_tag(live.latest_of(*tag_names(1, 3), max_age_ms=2000)) == {"tag-3": 3.0}
    assert by_tag(live.latest_of()) == {}


def test_the_reader_sees_what_was_put_column_by_column(live: Pair) -> None:
    """A swapped column would draw a shopper behind the shelf."""
    batch = fixes_at(NOW_MS, 1.5, 2.5)
    live.put(batch, tag_names(1, 2))
    seen = live.latest()
    order = np.argsort(seen.rows["x_m"])
    assert [seen.tags[i] for i in order] == list(tag_names(1, 2))
    assert seen.at_ms.tolist() == [NOW_MS, NOW_MS]
    names = [name for name in batch.rows.dtype.names or () if name not in {"tag", "pad"}]
    assert seen.rows[order][names].tolist() == batch.rows[names].tolist()


def test_the_latest_fix_of_a_tag_wins(live: Pair) -> None:
    """The operator wants now, not history."""
    live.put(fixes_at(NOW_MS - 200, 1.0, 5.0), tag_names(1, 2))
    live.put(fixes_at(NOW_MS - 100, 2.0), tag_names(1))
    assert by_tag(live.latest()) == {"tag-1": 2.0, "tag-2": 5.0}


def test_an_older_fix_never_replaces_a_newer_one(live: Pair) -> None:
    """A catch-up after an outage would else make everybody jump back."""
    live.put(fixes_at(NOW_MS, 2.0), tag_names(1))
    live.settle()
    live.put(fixes_at(NOW_MS - 500, 1.0), tag_names(1))
    assert by_tag(live.latest()) == {"tag-1": 2.0}


def test_who_is_not_heard_leaves_the_view(live: Pair) -> None:
    """A shopper who went home must not stand at the shelf for ever."""
    live.put(fixes_at(NOW_MS - 3000, 1.0), tag_names(1))
    live.put(fixes_at(NOW_MS - 1000, 2.0), tag_names(2))
    assert by_tag(live.latest(max_age_ms=2000)) == {"tag-2": 2.0}
    assert by_tag(live.latest(max_age_ms=3000)) == {"tag-1": 1.0, "tag-2": 2.0}


def test_what_the_caller_does_to_its_array_later_is_not_seen(live: Pair) -> None:
    """The engine may reuse its rows in the next epoch."""
    batch = fixes_at(NOW_MS, 1.0)
    live.put(batch, tag_names(1))
    batch.rows["x_m"] = 99.0
    seen = live.latest()
    assert by_tag(seen) == {"tag-1": 1.0}
    seen.rows["x_m"] = 77.0
    assert by_tag(live.latest()) == {"tag-1": 1.0}


def test_a_fix_without_height_is_read_without_height(live: Pair) -> None:
    """NaN says unknown; zero would say on the floor."""
    batch = fixes_at(NOW_MS, 1.0)
    batch.rows["z_m"] = np.nan
    live.put(batch, tag_names(1))
    assert np.isnan(live.latest().rows["z_m"][0])


def test_an_empty_site_is_an_empty_view(live: Pair) -> None:
    """Before opening hours nothing is wrong."""
    live.put(fixes_at(NOW_MS), ())
    seen = live.latest()
    assert seen.tags == ()
    assert len(seen.rows) == len(seen.at_ms) == 0
