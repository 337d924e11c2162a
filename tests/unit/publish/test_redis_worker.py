"""RedisWorker: a thread that goes on whatever Redis does, and says so when it cannot."""

import threading
import time
from collections.abc import Iterator

import pytest
from redis.exceptions import ConnectionError as RedisAway

from rtls.model.units import Second
from rtls.publish.redis_worker import RedisWorker
from tests.waiting import wait_until


class Steps:
    """Counts its calls; fails while told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None

    def __call__(self) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def worker(steps: Steps) -> Iterator[RedisWorker]:
    worker = RedisWorker("test", steps, interval_s=Second(30.0))
    yield worker
    worker.stop()


def test_a_worker_that_was_never_started_is_in_trouble(worker: RedisWorker) -> None:
    """Forgotten wiring must show in /readyz, not in a complaint a week later."""
    assert worker.trouble() == "thread test does not run"


def test_it_recovers_by_itself(steps: Steps, worker: RedisWorker) -> None:
    """Nobody restarts a process because Redis restarted."""
    steps.error = RedisAway("refused")
    worker.start()
    wait_until(lambda: worker.failures >= 2)
    assert "attempts in a row failed: ConnectionError: refused" in (worker.trouble() or "")
    steps.error = None
    wait_until(lambda: worker.trouble() is None)


def test_waking_does_not_hammer_a_redis_that_is_away(steps: Steps, worker: RedisWorker) -> None:
    """Each published event wakes; a connection attempt for each would block one second each."""
    steps.error = RedisAway("refused")
    worker.start()
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        worker.wake()
        time.sleep(0.002)
    assert steps.calls <= 4  # at 0, 50, 150 and 350 ms


def test_a_wake_during_a_step_is_not_lost(steps: Steps) -> None:
    """The event that came while the last ones were sent must not wait for the next one."""
    is_in_step, may_end = threading.Event(), threading.Event()

    def step() -> None:
        steps()
        is_in_step.set()
        may_end.wait(10)

    worker = RedisWorker("test", step, interval_s=Second(30.0))
    worker.start()
    is_in_step.wait(10)
    worker.wake()
    may_end.set()
    wait_until(lambda: steps.calls == 2)
    worker.stop()


def test_stopping_does_what_is_left_and_ends(steps: Steps, worker: RedisWorker) -> None:
    """A deployment sends the last events before the process goes."""
    worker.start()
    wait_until(lambda: steps.calls == 1)
    worker.stop()
    assert steps.calls == 2
    assert worker.trouble() is None
    worker.stop()


def test_stopping_while_redis_is_away_does_not_hang(steps: Steps, worker: RedisWorker) -> None:
    """A stop must end within seconds, whatever is broken."""
    steps.error = RedisAway("refused")
    worker.start()
    wait_until(lambda: worker.failures >= 1)
    worker.stop()
    assert not worker._thread.is_alive()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_of_our_own_ends_the_thread_and_is_seen(steps: Steps, worker: RedisWorker) -> None:
    """Retrying a programming error for ever would hide it."""
    steps.error = KeyError("x_m")
    worker.start()
    wait_until(lambda: worker.trouble() == "thread test does not run")
    assert steps.calls == 1
