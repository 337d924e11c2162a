"""Let a site's time stand still while nothing of it can be taken, and catch up afterwards.

Layer: doors. Takes: the clock's now. Gives: the instant up to which reception may go on. What
waited with the broker and in the gateways' spools then comes in order, and in time: if time had
gone on, all of it would be too late for its epoch.
"""

from typing import Final

from rtls.model.units import UnixMs

CATCH_UP: Final = 5
"""seconds of the site in a second: brokers and spools are emptied faster than that"""
BEHIND_MS_MAX: Final = 3_600_000
"""brokers keep nothing for longer (MqttSettings.session_expiry_s)"""


class HeldTime:
    """The time of one site: the clock's, or behind it.

    Examples
    --------
    >>> time = HeldTime()
    >>> time.at(1_000), time.at(1_100)
    (1000, 1100)
    >>> time.hold()  # twenty seconds without the log
    >>> time.at(21_100), time.at(22_100), time.at(31_100)
    (1100, 6100, 31100)
    """

    def __init__(self) -> None:
        self._last_ms: int | None = None
        self._asked_ms = 0
        self._is_held = False

    @property
    def last_ms(self) -> int | None:
        """Return the instant that `at` gave last."""
        return self._last_ms

    def hold(self) -> None:
        """Say that nothing is taken until `at` is asked again."""
        self._is_held = True

    def resume(self, last_ms: int) -> None:
        """Go on from where an earlier process stopped."""
        self._last_ms = last_ms
        self._is_held = True

    def at(self, now_ms: int) -> UnixMs:
        """Return the instant up to which to go on; it never goes back."""
        if self._last_ms is None or now_ms - self._last_ms > BEHIND_MS_MAX:
            reached_ms = now_ms
        elif self._is_held:
            reached_ms = self._last_ms
        else:
            passed_ms = max(now_ms - self._asked_ms, 0) * CATCH_UP
            reached_ms = min(now_ms, self._last_ms + passed_ms)
        self._is_held = False
        self._asked_ms = now_ms
        self._last_ms = max(reached_ms, self._last_ms or reached_ms)
        return UnixMs(self._last_ms)
