"""Pull a way taut like a string, so that it looks like a walk and not like a grid.

Layer: kernels. Takes: the corners of a way, and stretches that nobody steps over. Gives: fewer
corners, on a way that is never longer. First each corner is left out that is not needed; then each
corner that stays slides as far towards the straight line between its neighbours as what is in the
way lets it, and once more those are left out that are not needed.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from rtls.navigation.kernels.sight import is_clear

Floats = npt.NDArray[np.float64]
ROUNDS = 4
HALVINGS = 7


@njit(cache=True, nogil=True)
def _left_out(xy: Floats, stretch: Floats) -> Floats:
    """Return the corners that are needed: from each as far as one sees without a break."""
    kept = np.empty_like(xy)
    kept[0] = xy[0]
    count = 1
    here = 0
    for k in range(2, len(xy)):
        if not is_clear(stretch, xy[here, 0], xy[here, 1], xy[k, 0], xy[k, 1]):
            here = k - 1
            kept[count] = xy[here]
            count += 1
    kept[count] = xy[-1]
    return kept[: count + 1]


@njit(cache=True, nogil=True)
def _slid(xy: Floats, stretch: Floats) -> None:
    """Move each corner towards the middle of its neighbours' line as far as it stays clear."""
    for k in range(1, len(xy) - 1):
        ax, ay, bx, by = xy[k - 1, 0], xy[k - 1, 1], xy[k + 1, 0], xy[k + 1, 1]
        length = (bx - ax) ** 2 + (by - ay) ** 2
        if length == 0.0:
            continue
        # Towards the foot of its perpendicular: both sides get shorter all the way.
        part = ((xy[k, 0] - ax) * (bx - ax) + (xy[k, 1] - ay) * (by - ay)) / length
        part = min(max(part, 0.0), 1.0)
        foot_x, foot_y = ax + part * (bx - ax), ay + part * (by - ay)
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            share = 0.5 * (low + high)
            x = xy[k, 0] + share * (foot_x - xy[k, 0])
            y = xy[k, 1] + share * (foot_y - xy[k, 1])
            if is_clear(stretch, ax, ay, x, y) and is_clear(stretch, x, y, bx, by):
                low = share
            else:
                high = share
        xy[k, 0] += low * (foot_x - xy[k, 0])
        xy[k, 1] += low * (foot_y - xy[k, 1])


@njit(cache=True, nogil=True)
def _length(xy: Floats) -> float:
    total = 0.0
    for k in range(1, len(xy)):
        total += math.hypot(xy[k, 0] - xy[k - 1, 0], xy[k, 1] - xy[k - 1, 1])
    return total


@njit(cache=True, nogil=True)
def pulled(xy: Floats, stretch: Floats) -> Floats:
    """Return the taut way of (n, 2) corners; ``stretch`` : (m, 4) x, y, x, y."""
    taut = _left_out(xy, stretch)
    for _ in range(ROUNDS):
        if len(taut) <= 2:  # noqa: PLR2004
            return taut
        before = _length(taut)
        _slid(taut, stretch)
        taut = _left_out(taut, stretch)
        if before - _length(taut) < 0.01:  # noqa: PLR2004
            return taut
    return taut
