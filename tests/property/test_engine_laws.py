"""Laws of the engine: however its input is cut, repeated or placed, the events are the same."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rtls.engine import Engine
from rtls.model.reading import ReadingBatch
from rtls.model.site_map import DwellRules
from rtls.model.visit_json import render_event
from tests.reference.shelf_site import (
    START_MS,
    exact_ranges,
    make_batch,
    make_site,
    shelf_zones,
)

SITE = make_site(shelf_zones(DwellRules(dwell_thresholds_s=(5.0, 20.0), reset_after_s=40.0)))
PLACES = [(5.0, 4.5), (7.0, 4.5), (10.0, 5.0), (1.0, 8.0), (18.0, 2.0)]


@st.composite
def walks(draw, tags: int = 2):
    """Give, for each 250 ms, the (tag, x, y) heard: tags stand, jump, and fall silent."""
    epochs: list[list[tuple[int, float, float]]] = [[] for _ in range(200)]
    for tag in range(tags):
        epoch = draw(st.integers(0, 8))
        while epoch < len(epochs):
            x, y = draw(st.sampled_from(PLACES))
            is_heard = draw(st.integers(0, 3)) > 0
            for _ in range(draw(st.integers(4, 60))):
                if epoch < len(epochs) and is_heard:
                    epochs[epoch].append((tag, x, y))
                epoch += 1
    return epochs


def batches_of(
    walk: Sequence[Sequence[tuple[int, float, float]]],
    *,
    slots: Sequence[int] = (0, 1, 2, 3, 4, 5),
) -> list[ReadingBatch]:
    """Give one batch an epoch that has readings, and one at every whole second."""
    batches = []
    known: set[int] = set()
    noise = np.random.default_rng(7).normal(0.0, 0.05, (len(walk), 6, len(SITE.anchors)))
    for number, epoch in enumerate(walk):
        at = START_MS + 250 * number
        if not epoch and at % 1000:
            continue
        new = [(slots[tag], f"tag:{tag}") for tag, _, _ in epoch if tag not in known]
        known.update(tag for tag, _, _ in epoch)
        moved = sorted((slots[tag], tag, x, y) for tag, x, y in epoch)
        errors = np.concatenate([[0.0], *(noise[number, tag] for _, tag, _, _ in moved)])[1:]
        readings = exact_ranges(SITE, at, [(slot, x, y) for slot, _, x, y in moved], noise_m=errors)
        batches.append(make_batch(SITE, number, at, readings, introduced=new))
    return batches


def play(engine: Engine, batches: Sequence[ReadingBatch]) -> list[bytes]:
    return [render_event(event) for batch in batches for event in engine.process(batch).events]


@settings(max_examples=30)
@given(walks(), st.integers(0, 200))
def test_a_restart_at_any_batch_changes_no_byte(walk, cut: int) -> None:
    """Kill -9 in the middle of a visit: the dwell goes on, and ids are the same."""
    batches = batches_of(walk)
    whole, first, second = Engine(SITE), Engine(SITE), Engine(SITE)
    expected = play(whole, batches)
    events = play(first, batches[:cut])
    second.restore(first.snapshot())
    events += play(second, batches[cut:])
    assert events == expected
    assert second.snapshot() == whole.snapshot()


@settings(max_examples=30)
@given(walks(), st.integers(0, 200), st.integers(1, 50))
def test_input_given_again_after_a_restart_gives_the_same_events(walk, cut, again) -> None:
    """What was processed after the last snapshot comes again: same ids, so sinks refuse it."""
    batches = batches_of(walk)
    engine = Engine(SITE)
    expected = play(engine, batches)
    first, second = Engine(SITE), Engine(SITE)
    before = play(first, batches[:cut])
    state = first.snapshot()
    lost = play(first, batches[cut : cut + again])
    second.restore(state)
    after = play(second, [*batches[max(0, cut - again) : cut], *batches[cut:]])
    assert after[: len(lost)] == lost
    assert before + after == expected


@settings(max_examples=30)
@given(walks(), st.sets(st.integers(0, 199)))
def test_empty_batches_may_be_left_out_or_put_in(walk, changed) -> None:
    """Timers rest on event time, not on how often somebody calls."""
    batches = batches_of(walk)
    last = batches[-1].epoch_end_ms
    other = [
        batch
        for batch in batches
        if batch.readings.size or batch.sequence not in changed or batch.epoch_end_ms == last
    ]
    taken = {batch.sequence for batch in batches}
    other += [
        make_batch(SITE, number, START_MS + 250 * number)
        for number in sorted(changed - taken)
        if START_MS + 250 * number < last
    ]
    other.sort(key=lambda batch: batch.sequence)
    assert play(Engine(SITE), other) == play(Engine(SITE), batches)


@settings(max_examples=30)
@given(walks(tags=3), st.permutations(range(6)))
def test_the_slots_of_the_tags_change_no_byte(walk, slots) -> None:
    """Slots come in order of arrival; after a restart without a snapshot they are others."""
    expected = play(Engine(SITE), batches_of(walk))
    assert play(Engine(SITE), batches_of(walk, slots=slots)) == expected


@settings(max_examples=30)
@given(walks())
def test_a_tag_is_served_the_same_alone_as_in_company(walk) -> None:
    """Sharding splits the tags of a site over engines: no tag may notice."""
    together = play(Engine(SITE), batches_of(walk))
    alone: list[bytes] = []
    for tag in range(2):
        own = [[place for place in epoch if place[0] == tag] for epoch in walk]
        alone += play(Engine(SITE), batches_of(own))
    assert sorted(alone) == sorted(together)


@settings(max_examples=10)
@given(walks())
def test_shards_of_a_site_do_not_touch_each_other(walk) -> None:
    """They share what rests on the map alone: what one hears changes no byte of another."""
    batches = batches_of(walk)
    first, alone = Engine(SITE), Engine(SITE, shard=7)
    play(first, batches[: len(batches) // 2])
    beside = first.for_shard(7)
    assert beside.snapshot() == alone.snapshot()
    of_seven = [replace(batch, shard=7) for batch in batches]
    told = []
    for batch, same in zip(batches[len(batches) // 2 :], of_seven, strict=False):
        first.process(batch)
        told += [render_event(event) for event in beside.process(same).events]
    told += play(beside, of_seven[len(batches) - len(batches) // 2 :])
    assert told == play(alone, of_seven)
    assert beside.snapshot() == alone.snapshot()
    assert str(beside.counters) == str(alone.counters)
