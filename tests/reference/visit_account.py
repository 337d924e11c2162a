"""Count the dwell of one visit at smoothed places, one fix after the other."""

import math
from dataclasses import dataclass


@dataclass
class PlainAccount:
    """One visit that is being counted."""

    entered_at_ms: int
    left_at_ms: float = math.inf
    stepped_at_ms: int | None = None
    weight: float = 0.0
    dwell_ms: float = 0.0

    def step(self, at_ms: int, weight: float) -> None:
        """Count up to a smoothed fix; the time since the last one is worth the weaker end."""
        if at_ms < self.entered_at_ms or at_ms > self.left_at_ms + 1000:
            return
        begin = self.entered_at_ms if self.stepped_at_ms is None else self.stepped_at_ms
        end = min(float(at_ms), self.left_at_ms)
        if self.stepped_at_ms is None:
            self.weight = weight
        if 0.0 < end - begin <= 30_000:
            self.dwell_ms += (end - begin) * min(weight, self.weight)
        self.stepped_at_ms, self.weight = at_ms, weight


def weight_of(p: float, p_standing: float) -> float:
    """Return what a second counts by the default rules."""
    if p < 0.5 or p_standing < 0.5:
        return 0.0
    return 1.0 if p >= 0.7 else p
