"""How others watch a fence, re-implemented from what their documentation says.

`InstantFence` (Traccar, Tile38): inside is where the last point is; enter and exit at once.
`ToleranceFence` (omlox hub): enter at once; who is outside by no more than `exit_tolerance` leaves
after `tolerance_timeout`, who is farther out after `exit_delay`.

Neither knows of dwell; as their users do it, a timer runs from enter to exit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

Rectangle = tuple[float, float, float, float]


def metres_outside(box: Rectangle, x: float, y: float) -> float:
    """Return how far a point is outside of x0, y0, x1, y1; 0 inside."""
    x0, y0, x1, y1 = box
    return math.hypot(max(x0 - x, 0.0, x - x1), max(y0 - y, 0.0, y - y1))


@dataclass
class InstantFence:
    box: Rectangle
    entered_s: float | None = None
    transitions: int = 0
    longest_s: float = 0.0

    def take(self, at_s: float, x: float, y: float) -> None:
        self.move(at_s, is_in=metres_outside(self.box, x, y) == 0.0)

    def move(self, at_s: float, *, is_in: bool) -> None:
        if is_in != (self.entered_s is not None):
            self.transitions += 1
            self.entered_s = at_s if is_in else None
        if self.entered_s is not None:
            self.longest_s = max(self.longest_s, at_s - self.entered_s)


@dataclass
class ToleranceFence(InstantFence):
    exit_tolerance_m: float = 1.0
    tolerance_timeout_s: float = 10.0
    exit_delay_s: float = 5.0
    out_since: float | None = field(default=None)

    def take(self, at_s: float, x: float, y: float) -> None:
        outside_m = metres_outside(self.box, x, y)
        if outside_m == 0.0 or self.entered_s is None:
            self.out_since = None
            self.move(at_s, is_in=outside_m == 0.0)
            return
        self.out_since = at_s if self.out_since is None else self.out_since
        is_near = outside_m <= self.exit_tolerance_m
        patience_s = self.tolerance_timeout_s if is_near else self.exit_delay_s
        has_left = at_s - self.out_since >= patience_s
        self.move(at_s, is_in=not has_left)


def play(fences: Sequence[InstantFence], points: Sequence[tuple[float, float, float]]) -> None:
    """Show every fence the points (at_s, x, y)."""
    for at_s, x, y in points:
        for fence in fences:
            fence.take(at_s, x, y)
