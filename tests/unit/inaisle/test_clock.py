"""Clock: simulated time that all parts of a demo share."""

import time

import pytest

from inaisle.clock import InvalidClock, ScaledClock, SystemClock, parse_clock, render_clock
from rtls.model.units import UnixMs


def test_a_clock_at_ten_times_life_shows_ten_seconds_after_one() -> None:
    """The demo's five minutes at the shelf last half a minute."""
    started = time.monotonic_ns() - 1_000_000_000
    clock = ScaledClock(origin_ms=UnixMs(50_000), speed=10.0, started_ns=started)
    assert 60_000 <= clock.now_ms() < 60_000 + 5_000


def test_a_child_process_reads_the_same_instant_from_the_text() -> None:
    """The simulator runs apart; truth and fixes are compared by time."""
    clock = ScaledClock.start(origin_ms=UnixMs(1_700_000_000_000), speed=7.5)
    assert parse_clock(render_clock(clock)) == clock


def test_sleeping_on_a_fast_clock_is_short() -> None:
    """Ten seconds of a clock at 1,000 × last ten milliseconds."""
    clock = ScaledClock.start(origin_ms=UnixMs(0), speed=1_000.0)
    before = time.monotonic()
    clock.sleep(10.0)
    assert 0.009 <= time.monotonic() - before < 5.0


@pytest.mark.parametrize("text", ["", "1:2", "1:0:3", "a:1:2", "1:nan:2", "1:-1:2"])
def test_a_clock_that_could_not_run_is_refused(text: str) -> None:
    """A speed of 0 would stop the program without a word."""
    with pytest.raises(InvalidClock):
        parse_clock(text)


def test_the_systems_clock_counts_milliseconds_since_1970() -> None:
    """Gateways send the same unit."""
    assert abs(SystemClock().now_ms() - time.time_ns() // 1_000_000) < 10_000
