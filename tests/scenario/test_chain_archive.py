"""inaisle archive: a chain's log becomes Parquet by site and day, whatever kills it on the way."""

import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inaisle.chain.archive import Archive
from inaisle.errors import InvalidSettings
from inaisle.settings import Settings
from rtls.api.site_map_json import render_site_map
from rtls.model.counted_tag import CountedTag, render_counted
from rtls.model.fix_frame import pack_fixes
from rtls.model.units import SiteId, TagId, UnixMs
from rtls.model.visit_json import render_event
from rtls.publish.admitted_tags_redis import AdmittedTagsPublisher
from rtls.publish.kafka.dead_letters import DeadReason
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import Topic, TopicPlan, ensure_topics, partition_key
from rtls.publish.redis_keys import connect_redis, counted_tags
from rtls.publish.sets_of_sites import SetsOfSites
from rtls.storage.archive.archive_chores import MARGIN_MS
from rtls.storage.archive.archive_names import day_name, settled_name
from rtls.storage.archive.object_folder import ObjectFolder
from rtls.storage.history.history_folder import Table
from tests.conftest import REPOSITORY, Server
from tests.kafka_broker import KafkaBroker
from tests.scenario.archive_child import StoppedClock, archive_settings
from tests.unit.storage.archived_days import SETTLE_MS, batch, told_visit
from tests.unit.storage.history_days import DAY, SITE, SITE_MAP, at
from tests.waiting import wait_until

pytestmark = pytest.mark.broker
TAGS = [f"tag:{n}" for n in range(30)]
SECONDS = 200
SHARDS = 6
LANES = 8  # partitions of the topics of events and of fixes
SETTLED_MS = at(24) + SETTLE_MS + MARGIN_MS


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "sites" / SITE
    folder.mkdir(parents=True)
    (folder / "site_map.geojson").write_bytes(render_site_map(SITE_MAP))
    return folder.parent


def fill_log(broker: KafkaBroker, prefix: str) -> None:
    """Some shards of a site: fixes of some minutes, some told twice; visits; and what is broken."""
    plan = TopicPlan(prefix=prefix, partitions=4)
    ensure_topics(broker.address, plan)
    producer = KafkaProducer(broker.address, client_id="test")
    fixes, events = plan.name(Topic.FIXES), plan.name(Topic.EVENTS)
    for shard in range(SHARDS):
        key, tags = partition_key(SITE, shard), TAGS[shard::SHARDS]
        for second in [*range(SECONDS), *range(SECONDS - 20, SECONDS)]:
            frame = pack_fixes(*batch(at(9) + 1000 * second, tags))
            producer.send(fixes, key=key, value=frame)
        for n, tag in enumerate([*tags, tags[0]]):
            producer.send(
                events, key=key, value=render_event(told_visit(tag, at(9) + n % len(tags)))
            )
    producer.send(fixes, key=partition_key(SITE, 0), value=b"no frame")
    producer.send(events, key="nowhere/0", value=render_event(told_visit("tag:1", at(9))))
    producer.send(events, key=partition_key(SITE, 0),
                  value=render_event(told_visit("tag:1", at(9), site=SiteId("other"))))  # fmt: skip
    producer.flush(30.0)
    producer.close()


@contextmanager
def running_archive(settings: Settings, now_ms: int) -> Iterator[Archive]:
    """An archive that runs until it is told to stop, and puts then what it has."""
    archive, stop = (
        Archive(settings, clock=StoppedClock(now_ms), counts_all=True),
        threading.Event(),
    )
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(archive.run, stop, until_read=False)
        try:
            yield archive
        finally:
            stop.set()
            running.result(timeout=60)


def settled(to: Path, table: Table) -> pa.Table:
    name = f"{day_name(SITE, DAY)}/{settled_name(table)}"
    return pq.read_table(io.BytesIO(ObjectFolder(str(to)).get([name])[name]))


def test_killed_between_put_and_commit_the_archive_holds_each_row_once(
    kafka_broker: KafkaBroker, topic_prefix: str, library: Path, tmp_path: Path
) -> None:
    """A kill -9 at the worst instant: then the day is settled as if nothing had been."""
    fill_log(kafka_broker, topic_prefix)
    to, data = tmp_path / "archive", tmp_path / "data"
    settings = archive_settings(
        brokers=kafka_broker.brokers, prefix=topic_prefix, library=library, to=str(to), data=data
    )
    child = [sys.executable, "-m", "tests.scenario.archive_child", kafka_broker.brokers,
             topic_prefix, library, to, data, str(at(10)), "2"]  # fmt: skip
    ended = subprocess.run(child, cwd=REPOSITORY, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert ObjectFolder(str(to)).names(day_name(SITE, DAY))

    Archive(settings, clock=StoppedClock(at(10)), counts_all=True).run(
        threading.Event(), until_read=True
    )
    Archive(settings, clock=StoppedClock(SETTLED_MS), counts_all=True).run(
        threading.Event(), until_read=True
    )
    fixes, visits = settled(to, Table.FIXES), settled(to, Table.VISITS)
    assert fixes.num_rows == SECONDS * len(TAGS)
    assert visits.num_rows == len(TAGS)
    assert len(set(fixes["visitor"].to_pylist())) == len(TAGS)
    assert set(visits["visitor"].to_pylist()) == set(fixes["visitor"].to_pylist())

    plan = TopicPlan(prefix=topic_prefix)
    refused = kafka_broker.read(plan.name(Topic.DEAD_LETTERS), lambda found: len(found) >= 3)
    assert {one.headers["reason"].decode() for one in refused} == {
        DeadReason.DAMAGED, DeadReason.UNKNOWN_SITE, DeadReason.FOREIGN_KEY,
    }  # fmt: skip


@pytest.mark.long
def test_killed_at_random_the_archive_holds_each_row_once(
    kafka_broker: KafkaBroker, topic_prefix: str, library: Path, tmp_path: Path
) -> None:
    """Twenty times kill -9 at any instant, in the midst of writing, putting, committing."""
    fill_log(kafka_broker, topic_prefix)
    to, data, random = tmp_path / "archive", tmp_path / "data", np.random.default_rng(7)
    settings = archive_settings(
        brokers=kafka_broker.brokers,
        prefix=topic_prefix,
        library=library,
        to=str(to),
        data=data,
        rows_max=1_000,
    )
    child = [sys.executable, "-m", "tests.scenario.archive_child", kafka_broker.brokers,
             topic_prefix, library, to, data, str(at(10)), "1000"]  # fmt: skip
    for _ in range(20):
        running = subprocess.Popen(child, cwd=REPOSITORY)
        time.sleep(float(random.uniform(3.0, 12.0)))
        running.kill()
        running.wait()
    for now_ms in (at(10), SETTLED_MS):
        Archive(settings, clock=StoppedClock(now_ms), counts_all=True).run(
            threading.Event(), until_read=True
        )
    assert settled(to, Table.FIXES).num_rows == SECONDS * len(TAGS)
    assert settled(to, Table.VISITS).num_rows == len(TAGS)


def test_processes_that_take_each_others_partitions_hold_each_row_once(
    kafka_broker: KafkaBroker, topic_prefix: str, library: Path, tmp_path: Path
) -> None:
    """A second process comes in the midst of the day, and goes: nothing is lost, or twice there.

    What the first has read of partitions that it loses, and not put, the second reads again.
    """
    fill_log(kafka_broker, topic_prefix)
    to = tmp_path / "archive"
    settings = archive_settings(
        brokers=kafka_broker.brokers,
        prefix=topic_prefix,
        library=library,
        to=str(to),
        data=tmp_path / "data",
        rows_max=1_000_000,  # nothing is put before it must be
    )
    with running_archive(settings, at(10)) as first:
        wait_until(lambda: first.loop.log.is_at_end, "the first to read all")
        rows = first.parts.writer.rows
        with running_archive(settings, at(10)) as second:
            both = (first, second)
            wait_until(
                lambda: all(one.loop.log.is_at_end for one in both), "each to read its share"
            )
            assert not first.loop.log.held & second.loop.log.held
            assert all(one.parts.writer.rows for one in both)
            assert sum(one.parts.writer.rows for one in both) == rows, "what is lost is forgotten"
        wait_until(lambda: len(first.loop.log.held) == LANES, "the first to have all again")
    Archive(settings, clock=StoppedClock(SETTLED_MS), counts_all=True).run(
        threading.Event(), until_read=True
    )
    assert settled(to, Table.FIXES).num_rows == SECONDS * len(TAGS)
    assert settled(to, Table.VISITS).num_rows == len(TAGS)


def test_the_archive_counts_whom_the_offers_side_of_the_site_names(redis_server: Server) -> None:
    """A withdrawn consent is known within a second, and of many sites without a thread for each."""
    client = connect_redis(f"redis://127.0.0.1:{redis_server.port}/0")
    counted = [CountedTag(tag=TagId("tag:1"), since_ms=UnixMs(5))]
    found: dict[SiteId, frozenset[str]] = {}
    sets = SetsOfSites(client, key_of=counted_tags, replace=found.__setitem__)
    for now in (counted, []):
        publisher = AdmittedTagsPublisher(
            client,
            site=SITE,
            read_tags=lambda now=now: map(render_counted, now),
            key=counted_tags(SITE),
        )
        publisher.start()
        publisher.close()
        sets.refresh([SITE, SiteId("silent")])
        assert found == {SITE: frozenset(map(render_counted, now))}
        assert "silent" in (sets.trouble() or "")
        assert SITE not in (sets.trouble() or "")
    client.close()


def test_without_saying_where_and_whom_nothing_begins(library: Path, tmp_path: Path) -> None:
    """An archive without consents would write of everybody, or of nobody for months."""
    given = {"brokers": "127.0.0.1:9", "prefix": "x.", "library": library, "data": tmp_path}
    with pytest.raises(InvalidSettings, match=r"archive\.to is empty"):
        Archive(archive_settings(to="", **given), clock=StoppedClock(0))
    with pytest.raises(InvalidSettings, match=r"redis\.url is empty"):
        Archive(archive_settings(to=str(tmp_path), **given), clock=StoppedClock(0))
