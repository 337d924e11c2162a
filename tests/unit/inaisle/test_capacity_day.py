"""inaisle plan --simulate: queues of a day, and of a worker's death at its peak."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inaisle.capacity.day_run import play_day
from inaisle.capacity.measured import FrameCost
from inaisle.capacity.needs import ChainNeeds
from inaisle.capacity.queueing import done_at, mean_wait_s
from inaisle.errors import InvalidSettings

NEEDS = ChainNeeds(
    stores=200, shoppers_per_store=100, shoppers_a_day=1_200, rate_hz=1.0, anchors_heard=8
)
COST = FrameCost(frame_s=0.001, reading_s=1e-5)
"""of 200 × (1 ms + 800 × 10 us): 1.8 cores at the peak"""


def wait_of_a_server(service_s: np.ndarray, rate: float, seed: int) -> float:
    rng = np.random.default_rng(seed)
    arrived = np.cumsum(rng.exponential(1.0 / rate, len(service_s)))
    return float(np.mean(done_at(arrived, service_s) - arrived - service_s))


@pytest.mark.parametrize("busy", [0.3, 0.6, 0.8])
def test_a_queue_waits_as_theory_says_it_must(busy: float) -> None:
    """M/D/1 and M/G/1 in closed form are the peer; the simulated day stands on the same queue."""
    n, service = 400_000, 0.01
    even = np.full(n, service)
    assert wait_of_a_server(even, busy / service, 1) == pytest.approx(
        mean_wait_s(busy / service, service), rel=0.04
    )
    uneven = np.random.default_rng(2).exponential(service, n)
    assert wait_of_a_server(uneven, busy / service, 3) == pytest.approx(
        mean_wait_s(busy / service, service, service**2), rel=0.06
    )


def test_a_server_that_is_too_slow_falls_behind_for_ever() -> None:
    """The negative control: who gets more than it can do never catches up, and theory says so."""
    assert mean_wait_s(110.0, 0.01) == math.inf
    even = np.full(100_000, 0.01)
    short, long = (wait_of_a_server(even[:n], 110.0, 1) for n in (10_000, 100_000))
    assert long > 5.0 * short


def test_no_wait_is_told_of_numbers_that_cannot_be() -> None:
    """A negative rate is a sign that was lost on the way."""
    with pytest.raises(InvalidSettings, match="rate -1"):
        mean_wait_s(-1.0, 0.1)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 3)), min_size=1, max_size=40))
def test_the_queue_is_that_of_the_plain_recursion(work: list[tuple[float, float]]) -> None:
    """The array operations say what a loop says that anybody can read."""
    ready = np.cumsum([gap for gap, _ in work])
    service = np.array([take for _, take in work])
    expected, free = [], 0.0
    for at, take in zip(ready, service, strict=True):
        free = max(at, free) + take
        expected.append(free)
    assert done_at(ready, service) == pytest.approx(expected)


def test_a_day_with_workers_enough_is_worked_off_and_a_death_is_made_good() -> None:
    """The gap is what the shards wait; the rest of the lag is worked off in seconds."""
    run = play_day(NEEDS, COST, workers=5, partitions=64, seed=1)
    assert run.is_worked_off
    assert run.busy_mean == pytest.approx(1.8 / 5, rel=0.02)
    assert run.failure is not None
    assert run.failure.before.max_s < 1.0
    assert NEEDS.gap_s <= run.failure.after.max_s < NEEDS.gap_s + 4.0
    assert run.failure.caught_up_s is not None
    assert run.failure.caught_up_s < NEEDS.gap_s + 8.0


def test_a_day_with_too_few_workers_is_not_worked_off() -> None:
    """The negative control: 1.8 cores of work do not fit one."""
    slow = play_day(NEEDS, COST, workers=1, partitions=8, seed=1)
    assert slow.waiting_s.max_s > 3_600.0
    assert slow.failure is None
    heavy = play_day(
        NEEDS, FrameCost(frame_s=0.006, reading_s=1e-5), workers=1, partitions=8, seed=1
    )
    assert not heavy.is_worked_off
    pair = play_day(NEEDS, COST, workers=2, partitions=8, seed=1)
    assert pair.failure is not None
    assert pair.failure.caught_up_s is None


def test_the_same_seed_gives_the_same_day() -> None:
    """Two people who talk about a plan must see the same one."""
    one, same, other = (
        play_day(NEEDS, COST, workers=4, partitions=16, seed=seed) for seed in (7, 7, 8)
    )
    assert one == same
    assert one != other


def test_few_partitions_make_one_worker_the_fullest() -> None:
    """Why there are several for each worker: one that has three of five is the bound."""
    few = play_day(NEEDS, COST, workers=4, partitions=5, seed=1)
    many = play_day(NEEDS, COST, workers=4, partitions=256, seed=1)
    assert few.busy_most > 1.3 * many.busy_most


@pytest.mark.parametrize(("workers", "partitions"), [(0, 8), (9, 8), (5_000, 8_000)])
def test_workers_that_fit_no_partitions_are_refused(workers: int, partitions: int) -> None:
    """A worker without a partition does nothing, and looks as if it did."""
    with pytest.raises(InvalidSettings, match=f"--workers is {workers}"):
        play_day(NEEDS, COST, workers=workers, partitions=partitions, seed=1)


def test_a_chain_of_store_servers_has_no_day_to_play() -> None:
    """Nothing of its workers' day could be said."""
    with pytest.raises(InvalidSettings, match="--thin-share is 0"):
        play_day(replace(NEEDS, thin_share=0.0), COST, workers=1, partitions=1, seed=1)
