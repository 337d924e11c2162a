"""InMemoryLiveState: bounded in tags and in age."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.model.units import UnixMs
from rtls.storage.live_state import InMemoryLiveState
from tests.contract.live_fix_samples import NOW_MS, fixes_at, tag_names

LONG_MS = 10**12


def test_with_too_many_tags_the_longest_unheard_goes() -> None:
    """An attacker's endless new tags may cost others their place in the view, never memory."""
    live = InMemoryLiveState(tags_max=3)
    for number in range(3):
        live.put(fixes_at(NOW_MS + number, float(number)), tag_names(number))
    live.put(fixes_at(NOW_MS + 3, 3.0), tag_names(3))
    left = live.latest(max_age_ms=LONG_MS, now_ms=NOW_MS)
    assert set(left.tags) == set(tag_names(1, 2, 3))
    assert live.evicted == 1


def test_a_batch_larger_than_the_bound_is_survived() -> None:
    """The bound holds whatever the engine hands over."""
    live = InMemoryLiveState(tags_max=4)
    live.put(fixes_at(NOW_MS, *range(10)), tag_names(*range(10)))
    left = live.latest(max_age_ms=LONG_MS, now_ms=NOW_MS)
    assert len(left.tags) == 4  # portions of 4, 4 and 2
    assert live.evicted == 6
    assert {f"tag-{x_m:.0f}" for x_m in left.rows["x_m"]} == set(left.tags)


@given(st.lists(st.lists(st.integers(0, 9), max_size=6, unique=True), max_size=20))
def test_it_agrees_with_a_plain_dictionary_whatever_is_evicted(batches: list[list[int]]) -> None:
    """Eviction moves rows; a row under the wrong name shows one person at another's place."""
    live = InMemoryLiveState(tags_max=5)
    plain: dict[str, float] = {}
    for step, numbers in enumerate(batches):
        x_m = [10.0 * step + number for number in numbers]
        live.put(fixes_at(NOW_MS + step, *x_m), tag_names(*numbers))
        plain.update(zip(tag_names(*numbers), x_m, strict=True))
        seen = live.latest(max_age_ms=LONG_MS, now_ms=NOW_MS)
        assert len(seen.tags) == len(set(seen.tags)) <= 5
        for tag, x in zip(seen.tags, seen.rows["x_m"].tolist(), strict=True):
            assert x == plain[tag]
        assert len(seen.tags) == min(5, len(plain)) or live.evicted


def test_positions_older_than_the_retention_are_not_kept_at_all() -> None:
    """Where somebody stood twenty minutes ago is not live and not ours to keep."""
    live = InMemoryLiveState(retention_ms=15 * 60_000)
    live.put(fixes_at(NOW_MS, 1.0), tag_names(1))
    live.put(fixes_at(NOW_MS + 16 * 60_000, 2.0), tag_names(2))
    assert live.latest(max_age_ms=LONG_MS, now_ms=NOW_MS).tags == tag_names(2)
    assert 1.0 not in live._rows["x_m"]


def test_a_tag_that_may_no_longer_be_located_disappears_at_once() -> None:
    """Consent withdrawn is effective now, not after the next eviction."""
    live = InMemoryLiveState()
    live.put(fixes_at(NOW_MS, 1.0, 2.0, 3.0), tag_names(1, 2, 3))
    live.forget(tag_names(2, 9))
    left = live.latest(max_age_ms=LONG_MS, now_ms=NOW_MS)
    assert left.tags == tag_names(1, 3)
    assert left.rows["x_m"].tolist() == [1.0, 3.0]
    live.put(fixes_at(NOW_MS + 1, 3.5), tag_names(3))
    left = live.latest(max_age_ms=LONG_MS, now_ms=NOW_MS)
    assert left.rows["x_m"].tolist() == [1.0, 3.5]


def test_memory_does_not_grow_with_the_number_of_batches() -> None:
    """A day is a million batches."""
    live = InMemoryLiveState()
    batch, tags = fixes_at(NOW_MS, *range(100)), tag_names(*range(100))
    live.put(batch, tags)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(200):
            live.put(batch, tags)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000


def test_rows_without_a_name_are_refused() -> None:
    """A shifted name would show one person at another's place."""
    with pytest.raises(ValueError, match="1 tags for 2 fixes"):
        InMemoryLiveState().put(fixes_at(NOW_MS, 1.0, 2.0), tag_names(1))


@pytest.mark.parametrize(("tags_max", "retention_ms"), [(0, 1), (1, 0)])
def test_a_store_without_room_is_refused(tags_max: int, retention_ms: int) -> None:
    """It would look like a site without shoppers."""
    with pytest.raises(ValueError, match="1 or more"):
        InMemoryLiveState(tags_max=tags_max, retention_ms=retention_ms)


def test_a_clock_before_every_fix_shows_them() -> None:
    """A reader some milliseconds behind the writer must not see an empty store."""
    live = InMemoryLiveState()
    live.put(fixes_at(NOW_MS, 1.0), tag_names(1))
    assert live.latest(max_age_ms=1000, now_ms=UnixMs(NOW_MS - 50)).tags == tag_names(1)
