"""Two workers share the shards of a chain, and are killed: nothing is lost, nothing is told wrong.

How long a shard was without a worker is reported, and judged by the long run alone. The session's
timeout is 3 s here: the broker of the tests then waits half as long again for others to join.
"""

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtls.publish.kafka.topics import Topic
from tests.kafka_broker import KafkaBroker
from tests.scenario.chain_of_workers import (
    BEFORE_READY_S,
    Account,
    Chain,
    Feeder,
    account,
    chain_of_workers,
    frames_of,
)

pytestmark = pytest.mark.broker
SHARDS = 4
GAP_S_MAX = 8.0
KILLS = 50
BUGGY = ("-m", "tests.scenario.buggy_worker")


@pytest.fixture
def chain(kafka_broker: KafkaBroker, topic_prefix: str, tmp_path: Path) -> Iterator[Chain]:
    made = Chain(kafka_broker, tmp_path, topic_prefix, SHARDS)
    with chain_of_workers(made):
        yield made


def play(chain: Chain, *, kills: int, chance: random.Random, restarts: bool) -> Account:
    """Feed the shards while workers are killed at random instants, and say what came of it."""
    frames = [frames_of(shard, 600 + 200 * kills) for shard in range(SHARDS)]
    chain.start("one")
    chain.start("two")
    feeder = Feeder(chain, frames)
    chain.wait_for_fixes(5, within_s=BEFORE_READY_S)
    for number in range(kills):
        is_failover = number % 2 == 0  # the others fall when they may, also before anybody is back
        if is_failover:
            chain.wait_until_all_are_ready()
        time.sleep(chance.uniform(0.5, 3.0))
        name = chance.choice(sorted(chain.workers))
        at = feeder.sent
        chain.kill(name, is_judged=is_failover)
        if restarts:
            chain.start(name)
        chain.wait_for_fixes(at + 5, within_s=BEFORE_READY_S)
    sent = feeder.finish()
    chain.wait_for_fixes(sent, within_s=BEFORE_READY_S)
    statuses = chain.stop()
    assert set(statuses.values()) == {0}, chain.log()[-4_000:]
    told = account(chain, frames, sent)
    sys.stdout.write(f"{told}\n")
    return told


def assert_each_frame_had_one_effect(told: Account) -> None:
    assert told.expected
    assert (told.lost, told.unknown, told.out_of_order) == (0, 0, 0), str(told)
    assert told.states_that_differ == 0, str(told)


def test_a_worker_that_is_killed_costs_no_event(chain: Chain) -> None:
    """Its shards go to the other one, which goes on from the last states."""
    told = play(chain, kills=1, chance=random.Random(7), restarts=False)
    assert_each_frame_had_one_effect(told)
    letters = chain.read(chain.plan.name(Topic.DEAD_LETTERS))
    assert {letter.headers["reason"] for letter in letters} == {b"foreign-map"}


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_fifty_kills_cost_no_event(chain: Chain) -> None:
    """Each is started again, as a supervisor does; every second falls when it may.

    How long shards were away is judged where the other worker was there to take them.
    """
    told = play(chain, kills=KILLS, chance=random.Random(50), restarts=True)
    assert_each_frame_had_one_effect(told)
    assert told.gaps_s[int(0.99 * len(told.gaps_s))] < GAP_S_MAX, str(told)


@pytest.mark.long
def test_workers_that_do_not_keep_their_states_are_found_out(chain: Chain) -> None:
    """Control: a worker that commits its offsets and keeps no state loses what was in memory."""
    chain.program = BUGGY
    noticed = (AssertionError, pytest.fail.Exception)
    with pytest.raises(noticed, match=r"lost|did not come so far"):
        assert_each_frame_had_one_effect(
            play(chain, kills=2, chance=random.Random(7), restarts=True)
        )
