"""Say whether one can walk straight between two points.

Layer: kernels. Takes: stretches that nobody steps over. Gives: yes or no to the smoothing of
routes. Every stretch is asked: a shop has a few thousand, and most fall out by their box.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
EPSILON = 1e-12


@njit(cache=True, nogil=True)
def is_clear(stretch: Floats, x0: float, y0: float, x1: float, y1: float) -> bool:
    """Return whether no stretch is touched on the way; ``stretch`` : (n, 4) x, y, x, y."""
    low_x, high_x = min(x0, x1), max(x0, x1)
    low_y, high_y = min(y0, y1), max(y0, y1)
    dx, dy = x1 - x0, y1 - y0
    for k in range(stretch.shape[0]):
        ax, ay, bx, by = stretch[k, 0], stretch[k, 1], stretch[k, 2], stretch[k, 3]
        if (ax < low_x and bx < low_x) or (ax > high_x and bx > high_x):
            continue
        if (ay < low_y and by < low_y) or (ay > high_y and by > high_y):
            continue
        side_a = dx * (ay - y0) - dy * (ax - x0)
        side_b = dx * (by - y0) - dy * (bx - x0)
        if (side_a > EPSILON and side_b > EPSILON) or (side_a < -EPSILON and side_b < -EPSILON):
            continue
        ex, ey = bx - ax, by - ay
        side_0 = ex * (y0 - ay) - ey * (x0 - ax)
        side_1 = ex * (y1 - ay) - ey * (x1 - ax)
        if (side_0 > EPSILON and side_1 > EPSILON) or (side_0 < -EPSILON and side_1 < -EPSILON):
            continue
        return False
    return True


@njit(cache=True, nogil=True)
def seen_from(stretch: Floats, x0: float, y0: float, xy: Floats) -> npt.NDArray[np.bool_]:
    """Return (n,) which of (n, 2) points one can walk straight to."""
    is_seen = np.zeros(len(xy), np.bool_)
    for k in range(len(xy)):
        is_seen[k] = is_clear(stretch, x0, y0, xy[k, 0], xy[k, 1])
    return is_seen
