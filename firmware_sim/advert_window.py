"""Smooth the strength of one tag as ESPresense does: a mean that outliers do not pull.

Layer: rules. Takes: strengths with their times. Gives: mean and variance to
firmware_sim.espresense_node. The fences are Tukey's (Exploratory Data Analysis, 1977): one and a
half times the distance between the quartiles beyond them.
"""

from collections import deque
from typing import Final

WINDOW_MS: Final = 15_000
ADVERTS_MAX: Final = 512
FENCE: Final = 1.5


class AdvertWindow:
    """The adverts of one tag in the last seconds.

    Examples
    --------
    >>> window = AdvertWindow()
    >>> for at_ms, rssi in enumerate((-70.0, -71.0, -69.0, -70.0, -110.0)):
    ...     window.add(at_ms, rssi)
    >>> window.mean_and_variance()
    (-70.0, 0.5)
    """

    def __init__(self) -> None:
        self._adverts: deque[tuple[int, float]] = deque(maxlen=ADVERTS_MAX)

    def add(self, at_ms: int, rssi_dbm: float) -> None:
        """Take one advert, and forget those that are too old by its time."""
        self._adverts.append((at_ms, rssi_dbm))
        while self._adverts[0][0] <= at_ms - WINDOW_MS:
            self._adverts.popleft()

    def mean_and_variance(self) -> tuple[float, float]:
        """Return both over what lies within the fences; at least one advert was added."""
        values = sorted(rssi for _, rssi in self._adverts)
        low, high = values[len(values) // 4], values[(3 * len(values)) // 4]
        reach = FENCE * (high - low)
        kept = [one for one in values if low - reach <= one <= high + reach]
        mean = sum(kept) / len(kept)
        return mean, sum((one - mean) ** 2 for one in kept) / len(kept)
