"""What a worker of the chain does with a message: run it once, or put it aside and go on."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from inaisle.chain.site_library import SiteLibrary
from inaisle.chain.worker import LibraryShards
from rtls.api.site_map_json import render_site_map
from rtls.engine import Engine
from rtls.model.anchor_order import anchor_order
from rtls.model.errors import ForeignSnapshot
from rtls.model.fix_frame import unpack_fixes
from rtls.model.reading import ReadingBatch
from rtls.model.reading_frame import pack_batch
from rtls.model.site_map import DwellRules
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.visit_json import parse_event, render_event
from rtls.publish.kafka.dead_letters import DeadLetters, ReadMessage
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.shard_host import IDLE_AFTER_S, HostTopics, ShardHost
from rtls.publish.kafka.state_topic import FIRST_LOOK, StateTopic
from rtls.publish.kafka.topics import Topic, TopicPlan, ensure_topics
from rtls.shard_run import ShardRun, newest_of, read_header
from tests.kafka_broker import KafkaBroker, Read
from tests.reference.shelf_site import exact_ranges, make_batch, make_site, shelf_zones

pytestmark = pytest.mark.broker
SITE = parse_site_map(
    render_site_map(make_site(shelf_zones(DwellRules(dwell_thresholds_s=(2.0,))))), source="test"
)
START_MS = 1_795_255_200_000
KEY = b"shelf-site/0"


def batches(count: int) -> list[ReadingBatch]:
    """A shopper who goes back and forth between two shelves, twice a second."""
    return [
        make_batch(
            SITE,
            number,
            START_MS + 500 * number,
            exact_ranges(SITE, START_MS + 500 * number, [(0, 5.0 + number // 12 % 2 * 2, 4.5)]),
            introduced=[(0, "tag:0")] if number == 0 else [],
        )
        for number in range(count)
    ]


@dataclass
class Stage:
    """A broker, a library of one site, and hosts over them."""

    broker: KafkaBroker
    plan: TopicPlan
    library: Path
    closing: ExitStack = field(default_factory=ExitStack)
    now_s: float = 0.0

    def host(self) -> ShardHost:
        producer = KafkaProducer(self.broker.address, client_id="test")
        states = StateTopic(self.broker.address, topic=self.plan.name(Topic.SHARDS))
        self.closing.callback(producer.close)
        self.closing.callback(states.close)
        shards = LibraryShards(SiteLibrary(self.library), shards=2)
        return ShardHost(
            shards,
            producer=producer,
            dead_letters=DeadLetters(producer, topic=self.plan.name(Topic.DEAD_LETTERS)),
            states=states,
            topics=HostTopics(
                events=self.plan.name(Topic.EVENTS), fixes=self.plan.name(Topic.FIXES)
            ),
            now_s=lambda: self.now_s,
        )

    def put_state(self, content: bytes) -> None:
        states = StateTopic(self.broker.address, topic=self.plan.name(Topic.SHARDS))
        self.closing.callback(states.close)
        states.save(KEY, content)
        states.flush(10.0)

    def read(self, topic: Topic, count: int) -> list[Read]:
        return self.broker.read(self.plan.name(topic), lambda found: len(found) >= count)


@pytest.fixture
def stage(kafka_broker: KafkaBroker, topic_prefix: str, tmp_path: Path) -> Iterator[Stage]:
    plan = TopicPlan(prefix=topic_prefix, partitions=1)
    ensure_topics(kafka_broker.address, plan)
    folder = tmp_path / "sites" / SITE.site
    folder.mkdir(parents=True)
    (folder / "site_map.geojson").write_bytes(render_site_map(SITE))
    stage = Stage(kafka_broker, plan, tmp_path / "sites")
    with stage.closing:
        yield stage


def message(
    value: bytes | ReadingBatch, offset: int, *, key: bytes = KEY, partition: int = 0
) -> ReadMessage:
    content = pack_batch(value) if isinstance(value, ReadingBatch) else value
    return ReadMessage(topic="readings", partition=partition, offset=offset, key=key, value=content)


def play(host: ShardHost, some: Sequence[ReadingBatch], *, first_offset: int = 0) -> None:
    for offset, batch in enumerate(some, first_offset):
        host.take(message(batch, offset))


def expected_events(some: Sequence[ReadingBatch]) -> list[bytes]:
    engine = Engine(SITE)
    return [render_event(event) for batch in some for event in engine.process(batch).events]


def once(found: Sequence[Read]) -> list[bytes]:
    return list({read.headers["event"]: read.value for read in found}.values())


def test_events_and_fixes_of_a_shard_reach_the_log_under_its_key(stage: Stage) -> None:
    """Offers and archive read there; an event's header names it, so a second copy is known."""
    some, host = batches(80), stage.host()
    play(host, some)
    host.checkpoint()
    expected = expected_events(some)
    found = stage.read(Topic.EVENTS, len(expected))
    assert [read.value for read in found] == expected
    assert {read.key for read in found} == {"shelf-site/0"}
    assert [read.headers["event"].decode() for read in found] == [
        parse_event(read.value).event_id for read in found
    ]
    fixes = [unpack_fixes(read.value) for read in stage.read(Topic.FIXES, 40)]
    assert len(fixes) == 40, "twice a second heard, once a second shown"
    assert {tags for _, tags in fixes} == {("tag:0",)}


def test_a_new_worker_goes_on_from_the_state_and_tells_again_what_it_holds(stage: Stage) -> None:
    """The worker before was killed after its checkpoint; its log is read again from before it."""
    some = batches(120)
    play(stage.host(), some[:50])  # killed before any checkpoint: nothing is kept
    before = stage.host()
    play(before, some[:60])
    before.checkpoint()
    after = stage.host()
    play(after, some[40:], first_offset=40)
    after.checkpoint()
    expected = expected_events(some)
    found = stage.read(Topic.EVENTS, len(expected))
    assert sorted(once(found)) == sorted(expected)
    assert after.counters["frames_seen_before"] == 20
    assert after.counters["events_told_again"] == len(expected_events(some[:60]))


def test_an_engine_is_taken_up_anew_where_another_worker_ran_its_shard(stage: Stage) -> None:
    """The partition went away and came back; the engine in memory is of the past."""
    some, host, other = batches(90), stage.host(), stage.host()
    play(host, some[:30])
    host.checkpoint()
    play(other, some[30:60], first_offset=30)
    other.checkpoint()
    play(host, some[60:], first_offset=60)
    host.checkpoint()
    expected = expected_events(some)
    assert sorted(once(stage.read(Topic.EVENTS, len(expected)))) == sorted(expected)
    assert host.counters["shards_taken_up"] == 2


def test_an_engine_is_taken_up_anew_where_the_log_was_wound_back(stage: Stage) -> None:
    """What was taken since the last checkpoint comes again, so it must not be in memory already."""
    some, host = batches(60), stage.host()
    play(host, some[:30])
    host.checkpoint()
    play(host, some[30:50], first_offset=30)
    play(host, some[30:], first_offset=30)
    assert host.counters["shards_taken_up"] == 2
    assert host.counters["frames_seen_before"] == 0
    host.checkpoint()
    whole = Engine(SITE)
    for batch in some:
        whole.process(batch)
    newest = newest_of([read.value for read in stage.read(Topic.SHARDS, 2)])
    assert newest is not None
    run = ShardRun(Engine(SITE), release="x")
    run.restore(newest)
    assert run.engine.snapshot() == whole.snapshot()


def test_a_state_is_kept_once_a_checkpoint_and_only_of_shards_that_were_touched(
    stage: Stage,
) -> None:
    """A state a message would be most of what the brokers carry."""
    some, host = batches(40), stage.host()
    for number in range(4):
        play(host, some[number * 10 : number * 10 + 10], first_offset=number * 10)
        host.checkpoint()
    host.checkpoint()
    kept = [read_header(read.value) for read in stage.read(Topic.SHARDS, 4)]
    assert [header.generation for header in kept] == [1, 2, 3, 4]
    assert [header.input_offset for header in kept] == [9, 19, 29, 39]
    assert host.counters["states"] == 4


def test_a_shard_is_found_behind_many_states_of_its_neighbours(stage: Stage) -> None:
    """A shop that was closed for days comes back where others never rested."""
    some, host = batches(4 + 3 * FIRST_LOOK), stage.host()
    host.take(message(some[0], 0))
    host.checkpoint()
    for offset, batch in enumerate(some[1 : 1 + 3 * FIRST_LOOK], 1):
        host.take(message(replace(batch, shard=1), offset, key=b"shelf-site/1"))
        host.checkpoint()
    after = stage.host()
    play(after, some[:2], first_offset=500)
    assert after.counters["frames_seen_before"] == 1
    after.take(message(replace(some[0], shard=1), 502, key=b"shelf-site/1"))
    assert after.counters["frames_seen_before"] == 2


def test_a_worker_that_was_given_up_and_did_not_know_it_puts_nobody_back(stage: Stage) -> None:
    """It slept, its shard went on elsewhere; its last state comes after newer ones."""
    some, sleeper, other = batches(60), stage.host(), stage.host()
    play(sleeper, some[:20])
    play(other, some[:50])
    other.checkpoint()
    sleeper.checkpoint()
    third = stage.host()
    play(third, some[40:], first_offset=40)
    assert third.counters["frames_seen_before"] == 10


DAMAGED = pack_batch(batches(1)[0])
CASES = {
    "damaged": (DAMAGED[:-1] + bytes([DAMAGED[-1] ^ 1]), KEY),
    "version": (DAMAGED[:4] + b"\x09\x00" + DAMAGED[6:], KEY),
    "too-large": (bytes((1 << 20) + 1), KEY),
    "foreign-key": (DAMAGED, b"shelf-site/1"),
    "unknown-site": (pack_batch(replace(batches(1)[0], site="nowhere")), b"nowhere/0"),
}


@pytest.mark.parametrize("reason", CASES)
def test_what_cannot_be_used_is_put_aside_and_stops_nothing(stage: Stage, reason: str) -> None:
    """With its reason and where it came from; the next message of the shard is taken."""
    some, host = batches(3), stage.host()
    value, key = CASES[reason]
    play(host, some[:2])
    host.take(message(value, 7, key=key, partition=0))
    play(host, some[2:], first_offset=8)
    host.checkpoint()
    (letter,) = stage.read(Topic.DEAD_LETTERS, 1)
    assert letter.headers["reason"].decode() == reason
    assert (letter.key.encode(), letter.value) == (key, value)
    assert (letter.headers["topic"], letter.headers["offset"]) == (b"readings", b"7")
    assert letter.headers["detail"]
    assert host.counters["frames"] == 3


def test_a_shard_that_the_site_does_not_have_is_put_aside(stage: Stage) -> None:
    """Two shards are set; a frame of a third is from a bridge with other settings."""
    host = stage.host()
    host.take(message(replace(batches(1)[0], shard=2), 0, key=b"shelf-site/2"))
    host.checkpoint()
    (letter,) = stage.read(Topic.DEAD_LETTERS, 1)
    assert b"with a shard 2" in letter.headers["detail"]


def test_a_site_added_to_the_library_is_found_at_the_next_checkpoint(stage: Stage) -> None:
    """Nobody restarts the workers of a chain for a new store."""
    host, batch = stage.host(), batches(1)[0]
    new = replace(batch, site="new-shop")
    host.take(message(new, 0, key=b"new-shop/0"))
    folder = stage.library / "new-shop"
    folder.mkdir()
    (folder / "site_map.geojson").write_bytes(render_site_map(replace(SITE, site="new-shop")))
    host.checkpoint()
    host.take(message(replace(new, sequence=1), 1, key=b"new-shop/0"))
    assert host.counters["frames"] == 1


def test_a_state_of_another_release_that_cannot_go_on_ends_the_worker(stage: Stage) -> None:
    """After an upgrade gone wrong nothing is taken, so nothing is lost: run the release before."""
    some = batches(10)
    other = make_site(shelf_zones(DwellRules(dwell_thresholds_s=(9.0,))))
    theirs = ShardRun(Engine(other), release="8.0.0", site_map=b"theirs").snapshot()
    stage.put_state(theirs)
    host = stage.host()
    host._shards.map_of = lambda _: SITE  # type: ignore[method-assign]
    with pytest.raises(ForeignSnapshot, match=r"release 8\.0\.0"):
        play(host, some)


def test_a_damaged_state_stops_its_shard_alone(stage: Stage) -> None:
    """The worker does not begin anew by itself; the other shards go on, and /readyz says so."""
    some, before = batches(20), stage.host()
    play(before, some[:10])
    before.checkpoint()
    (kept,) = stage.read(Topic.SHARDS, 1)
    stage.put_state(kept.value[:-9] + bytes(9))
    host, beside = stage.host(), [replace(batch, shard=1) for batch in some]
    play(host, some[10:12], first_offset=10)
    for offset, batch in enumerate(beside, 100):
        host.take(message(batch, offset, key=b"shelf-site/1"))
    host.checkpoint()
    letters = stage.read(Topic.DEAD_LETTERS, 2)
    assert {letter.headers["reason"] for letter in letters} == {b"no-state"}
    assert "checksum" in host.refused["shelf-site/0"]
    assert host.counters["frames"] == len(beside)


def test_a_shard_goes_on_on_a_map_that_was_published_since(stage: Stage) -> None:
    """The state holds the map that it was made on."""
    some, before = batches(80), stage.host()
    play(before, some[:40])
    before.checkpoint()
    new = make_site(shelf_zones(DwellRules(dwell_thresholds_s=(3.0,))))
    (stage.library / SITE.site / "site_map.geojson").write_bytes(render_site_map(new))
    after = stage.host()
    play(after, some[40:], first_offset=40)
    assert after.counters["frames"] == 40
    assert not after.refused


def test_engines_that_lie_idle_or_went_away_leave_memory(stage: Stage) -> None:
    """But never one whose work is not kept yet."""
    some, host = batches(4), stage.host()
    play(host, some[:2])
    host.keep_partitions([])
    assert host.held == 1, "its work is not kept"
    host.checkpoint()
    host.keep_partitions([0])
    assert host.held == 1
    host.keep_partitions([3])
    assert host.held == 0
    play(host, some[2:], first_offset=2)
    host.checkpoint()
    stage.now_s = IDLE_AFTER_S + 1.0
    host.checkpoint()
    assert (host.held, host.counters["shards_dropped"]) == (0, 2)


def test_a_frame_by_other_anchors_is_put_aside_and_moves_nobody(stage: Stage) -> None:
    """Bridge and worker read the map each at their own start; a number must mean one place."""
    some, host = batches(80), stage.host()
    told = [replace(message(batch, n), anchors=anchor_order(SITE)) for n, batch in enumerate(some)]
    for n, one in enumerate(told):
        host.take(replace(one, anchors="0123456789abcdef") if n == 40 else one)
    host.checkpoint()
    assert host.dead_letters["foreign-map"] == 1
    assert host.counters["frames"] == len(some) - 1
    (letter,) = stage.read(Topic.DEAD_LETTERS, 1)
    assert b"the map in force has " + anchor_order(SITE).encode() in letter.headers["detail"]
