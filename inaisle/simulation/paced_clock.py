"""Let simulated time run as fast as the machine can follow, and no faster.

Layer: doors. Takes: monotonic time, how far the simulator is, how far locating is. Gives: the clock
of the demo's service, and the pace of its simulator. On a quiet machine both run at the speed that
was asked for; on a busy one time slows down for all, instead of readings coming too late.
"""

import threading
import time
from typing import Final

from rtls.model.units import UnixMs

AHEAD_MS_MAX: Final = 1_500
"""how far the service's clock goes on by itself behind the simulator's last word"""
SLIP_MS: Final = 500
"""a simulator that is behind by more than this does not run to catch up"""


class FollowingClock:
    """The service's clock (`inaisle.clock.Clock`): follows the simulator, never goes back.

    Parameters
    ----------
    origin_ms
        What it shows now.
    speed
        Of the demo.
    """

    def __init__(self, *, origin_ms: UnixMs, speed: float) -> None:
        self._speed = speed
        self._lock = threading.Lock()
        self._said_ms = float(origin_ms)
        self._said_ns = time.monotonic_ns()
        self._shown_ms = int(origin_ms)

    @property
    def speed(self) -> float:
        """Return the speed that was asked for."""
        return self._speed

    def follow(self, at_ms: UnixMs) -> None:
        """Take the simulator's word for how late it is."""
        with self._lock:
            self._said_ms = float(at_ms)
            self._said_ns = time.monotonic_ns()

    def now_ms(self) -> UnixMs:
        """Return the present instant of the demo."""
        with self._lock:
            passed_ms = (time.monotonic_ns() - self._said_ns) / 1e6 * self._speed
            now_ms = int(self._said_ms + min(passed_ms, AHEAD_MS_MAX))
            self._shown_ms = max(self._shown_ms, now_ms)
            return UnixMs(self._shown_ms)

    def sleep(self, seconds: float) -> None:
        """Wait as long as ``seconds`` of this clock last at full speed."""
        time.sleep(max(seconds, 0.0) / self._speed)


class ShopPace:
    """How far the simulated shop may go: at its speed, and not beyond what is allowed.

    Parameters
    ----------
    starts_at_ms
        Where the shop stands.
    speed
        Of the demo.
    """

    def __init__(self, *, starts_at_ms: UnixMs, speed: float) -> None:
        self._speed = speed
        self._target_ms = float(starts_at_ms)
        self._seen_ns = time.monotonic_ns()
        self._allowed_ms: int | None = None

    def allow(self, until_ms: UnixMs) -> None:
        """Let the shop go on to an instant; never called, it may always go on."""
        self._allowed_ms = until_ms

    def target_ms(self, shop_ms: UnixMs) -> UnixMs:
        """Return the instant that the shop should reach now; ``shop_ms`` is where it is."""
        seen_ns = time.monotonic_ns()
        self._target_ms += (seen_ns - self._seen_ns) / 1e6 * self._speed
        self._seen_ns = seen_ns
        if self._allowed_ms is not None:
            self._target_ms = min(self._target_ms, self._allowed_ms)
        self._target_ms = min(self._target_ms, shop_ms + SLIP_MS)
        return UnixMs(int(self._target_ms))
