"""Laws of a shard that runs from a log: wherever it is killed, each batch has one effect.

The framework below stands for any that runs a worker: it makes state, events and offset durable in
whatever order it likes, and may be killed between any two of them. The one order it must keep is
that the offset is never ahead of the state; the controls show that the laws notice where it is.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtls.engine import Engine
from rtls.model.errors import ForeignSnapshot, InvalidReading, InvalidSnapshot
from rtls.model.reading import ReadingBatch
from rtls.model.reading_frame import pack_batch, unpack_batch
from rtls.model.site_map import DwellRules
from rtls.model.visit_json import render_event
from rtls.shard_run import START, ShardRun, newest_of, read_header, read_state
from tests.property.test_engine_laws import SITE, batches_of, play, walks
from tests.reference.shelf_site import START_MS, exact_ranges, make_batch, make_site, shelf_zones
from tests.scenario import chain_of_workers

RELEASE = "9.9.9"


def new_run() -> ShardRun:
    return ShardRun(Engine(SITE), release=RELEASE)


@dataclass
class Framework:
    """Runs a worker over a log, kills it and starts it again; what is durable survives."""

    log: Sequence[bytes]
    chance: random.Random
    offset_before_state: bool = False
    tells_again: bool = True
    state: bytes | None = None
    offset: int = 0
    told: list[bytes] = field(default_factory=list)

    def play(self, kills: int) -> ShardRun:
        for _ in range(kills):
            self.run(until_killed=True)
        return self.run(until_killed=False)

    def run(self, *, until_killed: bool) -> ShardRun:
        shard = new_run()
        waiting: list[bytes] = []
        if self.state is not None:
            again = shard.restore(self.state)
            waiting += map(render_event, again if self.tells_again else ())
        for offset in range(self.offset, len(self.log)):
            output = shard.take(unpack_batch(self.log[offset]), offset)
            waiting += map(render_event, output.events)
            is_checkpoint = self.chance.random() < 0.1 or offset == len(self.log) - 1
            is_killed = until_killed and self.chance.random() < (0.2 if is_checkpoint else 0.01)
            if is_checkpoint:
                self.checkpoint(shard, waiting, offset, is_killed=is_killed)
                waiting = []
            if is_killed:
                return shard
        return shard

    def checkpoint(
        self, shard: ShardRun, waiting: list[bytes], offset: int, *, is_killed: bool
    ) -> None:
        steps = ["state", "events", "offset"]
        self.chance.shuffle(steps)
        if not self.offset_before_state:
            steps.remove("offset")
            steps.append("offset")
        content = shard.snapshot()
        done = self.chance.randrange(3) if is_killed else 3
        for step in steps[:done]:
            if step == "state":
                self.state = content
            elif step == "events":
                self.told += waiting
            else:
                self.offset = offset + 1
        if steps[done:][:1] == ["events"]:
            self.told += waiting[: self.chance.randrange(len(waiting) + 1)]


def once(told: Sequence[bytes]) -> list[bytes]:
    """What a sink keeps that drops a second copy."""
    return list(dict.fromkeys(told))


def frames(batches: Sequence[ReadingBatch]) -> list[bytes]:
    return [pack_batch(batch) for batch in batches]


@settings(max_examples=15)
@given(walks(), st.integers(0, 1 << 32), st.integers(1, 5))
def test_kills_lose_no_event_and_change_no_byte(walk, seed: int, kills: int) -> None:
    """A worker may be killed at any instant, also between the steps of a checkpoint."""
    batches = batches_of(walk)
    whole = Engine(SITE)
    expected = play(whole, batches)
    framework = Framework(frames(batches), random.Random(seed))
    shard = framework.play(kills)
    assert once(framework.told) == expected
    assert shard.engine.snapshot() == whole.snapshot()


def busy_walk() -> list[list[tuple[int, float, float]]]:
    """Two shoppers who change places every five seconds: an event at nearly every checkpoint."""
    places = [(5.0, 4.5), (7.0, 4.5), (18.0, 2.0)]
    return [[(tag, *places[(number // 20 + tag) % 3]) for tag in range(2)] for number in range(240)]


@pytest.mark.parametrize("bug", ["offset_before_state", "tells_again"])
def test_the_laws_notice_a_worker_that_breaks_them(bug: str) -> None:
    """Control: an offset ahead of the state, or events of the state not told again, lose events."""
    batches = batches_of(busy_walk())
    expected = play(Engine(SITE), batches)
    planted = {bug: bug == "offset_before_state"}
    for seed in range(12):
        wrong = Framework(frames(batches), random.Random(seed), **planted)
        wrong.play(5)
        if once(wrong.told) != expected:
            right = Framework(frames(batches), random.Random(seed))
            right.play(5)
            assert once(right.told) == expected
            return
    pytest.fail("twelve times nobody noticed")


def test_a_batch_taken_before_has_no_effect() -> None:
    """A bridge that was killed sends its last batches again, with the same numbers."""
    batches = batches_of(busy_walk())
    shard = new_run()
    for offset, batch in enumerate(batches[:200]):
        shard.take(batch, offset)
    state = shard.engine.snapshot()
    assert not shard.take(batches[199], 900).is_news
    assert shard.engine.snapshot() == state
    assert shard.counters.batches_seen_before == 1
    assert shard.input_offset == 900


def test_numbers_that_never_came_are_counted() -> None:
    """A gap is no reason to stop, but somebody should know."""
    batches = batches_of(busy_walk())
    shard = new_run()
    shard.take(batches[0], 0)
    shard.take(batches[5], 1)
    missing = batches[5].sequence - batches[0].sequence - 1
    assert shard.counters.as_dict()["batches_missing"] == missing


def test_a_state_says_who_wrote_it_and_how_far_it_came() -> None:
    """The header is read before anything else is believed."""
    shard = new_run()
    for offset, batch in enumerate(batches_of(busy_walk())[:100]):
        shard.take(batch, 40 + offset)
    waiting = shard.events_waiting
    assert waiting
    first = shard.snapshot()
    assert shard.events_waiting == 0
    header = read_header(first)
    assert (header.release, header.site, header.shard) == (RELEASE, "shelf-site", 0)
    assert (header.input_offset, header.generation) == (139, 1)
    assert len(read_state(first).events) == waiting
    second = shard.snapshot()
    assert newest_of([second, first]) == second
    assert newest_of([]) is None
    assert not read_state(second).events, "told before the state before"


def test_a_damaged_or_foreign_state_is_refused() -> None:
    """The worker would rather not run a shard than run it from a guess."""
    shard = new_run()
    content = shard.snapshot()
    for damaged, says in (
        (content[:-5], "checksum"),
        (b"", "expected the state of a shard"),
        (content[: START.size + 4] + b"!" + content[START.size + 5 :], "checksum"),
        (START.pack(b"INSH", 7, 0) + content[START.size :], "version of the shard's state is 7"),
    ):
        with pytest.raises(InvalidSnapshot, match=says):
            new_run().restore(damaged)


def test_a_state_of_another_map_names_the_release_that_wrote_it() -> None:
    """Who operates the chain learns which release to run."""
    content = new_run().snapshot()
    other = make_site(shelf_zones(DwellRules(dwell_thresholds_s=(9.0,))))
    shard = ShardRun(Engine(other), release="10.0.0")
    with pytest.raises(ForeignSnapshot, match=r"shelf-site/0, written by release 9\.9\.9"):
        shard.restore(content)
    assert shard.generation == 0


def test_a_state_goes_on_on_a_new_map_and_tells_the_visits_that_ended() -> None:
    """A shelf was moved in the night: its visits end under their ids, the others go on."""
    shard = new_run()
    for offset, batch in enumerate(batches_of(busy_walk())[:150]):
        shard.take(batch, offset)
    other = make_site(shelf_zones(DwellRules(dwell_thresholds_s=(9.0,))))
    taken_up = ShardRun(Engine(other), release=RELEASE, site_map=b"new")
    again = taken_up.restore(shard.snapshot(), before=SITE)
    assert again
    assert taken_up.events_waiting == len(again), "the next state holds them, too"
    assert read_state(taken_up.snapshot()).site_map == b"new"


def test_a_batch_of_another_shard_is_refused() -> None:
    """A key that lies about its frame must not move anybody."""
    readings = exact_ranges(SITE, START_MS, [(0, 5.0, 4.5)])
    batch = make_batch(SITE, 0, START_MS, readings, introduced=[(0, "tag:0")])
    shard = ShardRun(Engine(SITE, shard=3), release=RELEASE)
    with pytest.raises(InvalidReading, match="Route batches by site and shard"):
        shard.take(batch, 0)


def test_a_stay_keeps_nothing_of_whoever_had_its_slot() -> None:
    """A snapshot does not hold free slots: their past must not be in the bytes of what follows."""
    batches = [unpack_batch(frame) for frame in chain_of_workers.frames_of(0, 230)]
    whole, taken_up = Engine(chain_of_workers.SITE), Engine(chain_of_workers.SITE)
    play(whole, batches[:150])
    taken_up.restore(whole.snapshot())
    for batch in batches[150:]:
        whole.process(batch)
        taken_up.process(batch)
        assert taken_up.snapshot() == whole.snapshot(), batch.sequence
