"""Laws of the cut into shards: nothing is lost, doubled or put out of order by it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtls.engine import Engine
from rtls.engine_contract import EngineSettings
from rtls.ingest.shards import shard_of, split_batch
from rtls.ingest.slot_book import SlotBook
from rtls.model.errors import InvalidReading
from rtls.model.reading import READING_DTYPE, ReadingBatch
from rtls.model.units import SiteId, TagId, UnixMs
from tests.unit.ingest.made_messages import make_map

NOW = 1_795_255_200_000
TTL_MS = int(EngineSettings().track_ttl_s * 1_000)
SLOTS = 16


def batch_of(sequence: int, end_ms: int, slots: list[int], new: list[int]) -> ReadingBatch:
    """A batch in which each of ``slots`` is heard once by anchor 0."""
    readings = np.zeros(len(slots), READING_DTYPE)
    readings["tag"] = sorted(slots)
    readings["heard_at_ms"] = end_ms - np.arange(len(slots)) % 100
    readings["value"] = 2.0
    readings["value_2"] = readings["value_3"] = readings["sigma"] = np.nan
    readings["kind"] = 1
    readings["ref_anchor"] = -1
    return ReadingBatch(
        site=SiteId("shop"),
        shard=0,
        sequence=sequence,
        epoch_end_ms=UnixMs(end_ms),
        readings=readings,
        introduced=tuple((slot, TagId(f"tag:{slot}")) for slot in new),
    )


@given(tag=st.text(min_size=1), shards=st.integers(1, 4_096))
def test_a_tag_is_always_in_the_same_shard(tag: str, shards: int) -> None:
    """Its state lives there; in two shards it would be two people."""
    assert 0 <= shard_of(TagId(tag), shards) < shards
    assert shard_of(TagId(tag), shards) == shard_of(TagId(tag), shards)


def test_the_shard_of_a_tag_is_that_of_yesterday() -> None:
    """Another release of Python or of ours must find the state that the last one left."""
    assert [shard_of(TagId(f"tag:{n}"), 4) for n in range(6)] == [2, 0, 3, 2, 0, 0]
    assert shard_of(TagId("tag:0d13"), 4_096) == 442


@given(
    rows=st.lists(st.integers(0, SLOTS - 1), max_size=60),
    shards=st.integers(1, 5),
    sequence=st.integers(0, 2**40),
)
def test_every_reading_goes_into_exactly_one_shard_in_its_order(
    rows: list[int], shards: int, sequence: int
) -> None:
    """Lost it would be a hole in a dwell, doubled it would look twice as sure."""
    book = SlotBook(shards=shards, slots_max=SLOTS, ttl_ms=TTL_MS)
    batch = book.note(batch_of(sequence, NOW, rows, sorted(set(rows))))
    parts = split_batch(batch, shards, book.owners)
    assert [part.shard for part in parts] == list(range(shards))
    assert {(p.sequence, p.epoch_end_ms, p.site) for p in parts} == {(sequence, NOW, batch.site)}
    for part in parts:
        tags = {TagId(f"tag:{slot}") for slot in part.readings["tag"].tolist()}
        assert {shard_of(tag, shards) for tag in tags} <= {part.shard}
        assert {tag for _, tag in part.introduced} == tags, "who is new goes with its readings"
        order = [batch.readings.tobytes().find(one.tobytes()) for one in part.readings]
        assert order == sorted(order)
    put_together = np.sort(np.concatenate([part.readings for part in parts]), order="tag")
    assert np.array_equal(put_together["tag"], batch.readings["tag"])
    assert sum(len(part.introduced) for part in parts) == len(batch.introduced)


def test_a_reading_of_a_slot_that_nobody_introduced_is_refused() -> None:
    """It could not be said whose it is; a guess would move a stranger."""
    book = SlotBook(shards=2, slots_max=SLOTS, ttl_ms=TTL_MS)
    with pytest.raises(InvalidReading, match="introduced first"):
        split_batch(batch_of(1, NOW, [3], []), 2, book.owners)


@settings(max_examples=8)
@given(
    waits_s=st.lists(st.sampled_from([1, 290, 310, 590, 610, 670]), min_size=2, max_size=5),
    heard=st.lists(st.sets(st.integers(0, 2)), min_size=5, max_size=5),
)
@example(waits_s=[1, 590, 1], heard=[{0}, set(), {0}, set(), set()])
@example(waits_s=[1, 650], heard=[{0}, {0}, set(), set(), set()])
def test_an_engine_behind_the_log_never_hears_a_slot_that_it_does_not_know(
    waits_s: list[int], heard: list[set[int]]
) -> None:
    """It forgets silent tags by itself; nobody tells this side, which must know it all the same.

    Slots that the book gives back are given to other tags at once, as reception does.
    """
    engine = Engine(make_map())
    book = SlotBook(shards=1, slots_max=SLOTS, ttl_ms=TTL_MS)
    names: dict[int, TagId] = {}
    end_ms, generation = NOW, 0
    for sequence, (wait_s, slots) in enumerate(zip(waits_s, heard, strict=False), start=1):
        end_ms += wait_s * 1_000
        new = sorted(slots - set(names))
        for slot in new:
            generation += 1
            names[slot] = TagId(f"tag:{slot}-{generation}")
        made = batch_of(sequence, end_ms, sorted(slots), new)
        named = replace(made, introduced=tuple((slot, names[slot]) for slot in new))
        engine.process(book.note(named))
        assert engine.counters.readings_of_no_tag == 0
        for slot in book.take_silent(end_ms):
            del names[slot]


@given(heard=st.lists(st.sets(st.integers(0, SLOTS - 1)), min_size=2, max_size=6))
def test_a_restored_book_goes_on_as_if_nothing_had_happened(heard: list[set[int]]) -> None:
    """After kill -9 the same frames must be made again."""
    going = SlotBook(shards=3, slots_max=SLOTS, ttl_ms=TTL_MS)
    known: set[int] = set()
    for sequence, slots in enumerate(heard, start=1):
        restored = SlotBook(shards=3, slots_max=SLOTS, ttl_ms=TTL_MS)
        restored.restore(going.state())
        end_ms = NOW + sequence * 250_000
        batch = batch_of(sequence, end_ms, sorted(slots), sorted(slots - known))
        assert restored.note(batch).introduced == going.note(batch).introduced
        assert np.array_equal(restored.owners, going.owners)
        gone = going.take_silent(end_ms)
        assert restored.take_silent(end_ms) == gone
        known = (known | slots) - set(gone)
