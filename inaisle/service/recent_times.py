"""Keep the durations of the last minutes, and say how long most took and how long the longest.

Layer: doors. Takes: durations as they are measured, in one thread. Gives: quantiles to the health
page, from any thread. Bounded in number and in age: what was slow an hour ago is not slow now.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from rtls.api.figures_routes import Quantiles

KEPT_MAX: Final = 3_000
"""five minutes of ten a second"""
KEPT_S: Final = 300.0


class RecentTimes:
    """A ring of durations.

    Parameters
    ----------
    monotonic_s
        What tells how old one is.
    """

    def __init__(self, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._kept: deque[tuple[float, float]] = deque(maxlen=KEPT_MAX)

    def note(self, took_ms: float) -> None:
        """Take one."""
        self._kept.append((self._monotonic_s(), took_ms))

    def quantiles(self) -> Quantiles | None:
        """Return p50, p95 and p99 in milliseconds; None where nothing happened lately."""
        since_s = self._monotonic_s() - KEPT_S
        found = [took_ms for at_s, took_ms in self._kept.copy() if at_s >= since_s]
        if not found:
            return None
        p50, p95, p99 = (round(float(one), 1) for one in np.quantile(found, (0.5, 0.95, 0.99)))
        return Quantiles(p50=p50, p95=p95, p99=p99, count=len(found))


class RecentCount:
    """How many a second, over the last seconds.

    Parameters
    ----------
    monotonic_s
        As above.
    """

    WINDOW_S: Final = 10.0

    def __init__(self, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._kept: deque[tuple[float, int]] = deque(maxlen=KEPT_MAX)

    def note(self, count: int) -> None:
        """Take so many."""
        self._kept.append((self._monotonic_s(), count))

    def a_second(self) -> float:
        """Return the mean of the window."""
        since_s = self._monotonic_s() - self.WINDOW_S
        found = sum(count for at_s, count in self._kept.copy() if at_s >= since_s)
        return round(found / self.WINDOW_S, 1)
