"""Paced clock: the demo's time runs no faster than the machine can follow."""

import time

from inaisle.simulation.paced_clock import AHEAD_MS_MAX, SLIP_MS, FollowingClock, ShopPace
from rtls.model.units import UnixMs


def test_the_services_clock_waits_for_a_simulator_that_has_gone_silent() -> None:
    """Else every reading that the simulator still sends would come too late."""
    clock = FollowingClock(origin_ms=UnixMs(1_000_000), speed=100.0)
    time.sleep(0.05)
    assert clock.now_ms() == 1_000_000 + AHEAD_MS_MAX
    clock.follow(UnixMs(1_005_000))
    assert 1_005_000 <= clock.now_ms() <= 1_005_000 + AHEAD_MS_MAX


def test_the_services_clock_never_goes_back() -> None:
    """Event time that goes back would close an epoch twice."""
    clock = FollowingClock(origin_ms=UnixMs(1_000_000), speed=100.0)
    time.sleep(0.05)
    shown = clock.now_ms()
    clock.follow(UnixMs(1_000_100))
    assert clock.now_ms() >= shown


def test_a_shop_goes_no_further_than_allowed() -> None:
    """Locating is behind: the shop waits, so that nothing is lost."""
    pace = ShopPace(starts_at_ms=UnixMs(0), speed=100.0)
    pace.allow(UnixMs(200))
    time.sleep(0.02)
    assert pace.target_ms(UnixMs(0)) == 200
    pace.allow(UnixMs(10_000))
    time.sleep(0.01)
    assert pace.target_ms(UnixMs(200)) > 200


def test_a_shop_that_was_held_up_does_not_run_to_catch_up() -> None:
    """A burst at ten times the load would hold up the next part of the machine."""
    pace = ShopPace(starts_at_ms=UnixMs(0), speed=100.0)
    time.sleep(0.05)  # five seconds of the shop
    assert pace.target_ms(UnixMs(0)) == SLIP_MS
    assert pace.target_ms(UnixMs(SLIP_MS)) < 2 * SLIP_MS
