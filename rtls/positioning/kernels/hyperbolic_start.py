"""Find a place in closed form from differences of distances.

Layer: kernels. Takes: rows of calibrated readings. Gives: a first place to
rtls.positioning.kernels.robust_fix.
"""

import math

from numba import njit

from rtls.positioning.kernels.likelihood import TDOA_KIND
from rtls.positioning.kernels.records import Floats
from rtls.positioning.kernels.rows import (
    ANCHOR_X,
    ANCHOR_Y,
    KIND,
    REF_RISE_SQUARED,
    REF_X,
    REF_Y,
    RISE_SQUARED,
    SIGMA,
    VALUE,
)
from rtls.positioning.kernels.small_solve import Symmetric3, invert3, times

DIFFERENCES_MIN = 3
NEAR_M = 0.5
FLAT_M = 0.1


@njit(cache=True, nogil=True, error_model="numpy")
def chan_start(rows: Floats, n: int) -> tuple[float, float, int]:
    """Solve differences of distances to one common anchor (Chan and Ho 1994).

    First the place and the distance r to that anchor, as if they were independent, by weighted
    least squares; then r² = |place - anchor|² mends both. Returns x, y and the number of
    differences used, 0 where fewer than three share the anchor of the first.
    """
    first = -1
    for i in range(n - 1, -1, -1):
        if rows[i, KIND] == TDOA_KIND:
            first = i
    if first < 0:
        return 0.0, 0.0, 0
    x0 = rows[first, REF_X]
    y0 = rows[first, REF_Y]
    squared_rise = rows[first, REF_RISE_SQUARED]
    x = 0.0
    y = 0.0
    r = 0.0
    cov = (1.0, 0.0, 1.0, 0.0, 0.0, 1.0)
    used = 0
    for turn in range(2):  # the second with the weights that the distances ask for
        a00 = a10 = a11 = a20 = a21 = a22 = 0.0
        b0 = b1 = b2 = 0.0
        used = 0
        for i in range(n):
            if rows[i, KIND] != TDOA_KIND or rows[i, REF_X] != x0 or rows[i, REF_Y] != y0:
                continue
            used += 1
            hx = rows[i, ANCHOR_X] - x0
            hy = rows[i, ANCHOR_Y] - y0
            d = rows[i, VALUE]
            k = 0.5 * (hx * hx + hy * hy + rows[i, RISE_SQUARED] - squared_rise - d * d)
            noise = rows[i, SIGMA] * (max(abs(r + d), NEAR_M) if turn else 1.0)
            weight = 1.0 / (noise * noise)
            a00 += weight * hx * hx
            a10 += weight * hx * hy
            a11 += weight * hy * hy
            a20 += weight * hx * d
            a21 += weight * hy * d
            a22 += weight * d * d
            b0 += weight * hx * k
            b1 += weight * hy * k
            b2 += weight * d * k
        cov, is_regular = invert3(a00, a10, a11, a20, a21, a22)
        if used < DIFFERENCES_MIN or not is_regular:
            return 0.0, 0.0, 0
        x, y, r = times(cov, b0, b1, b2)
    x, y = mend_by_distance(x, y, r, squared_rise, cov)
    return x0 + x, y0 + y, used


@njit(cache=True, nogil=True, error_model="numpy")
def mend_by_distance(
    x: float,
    y: float,
    r: float,
    squared_rise: float,
    cov: Symmetric3,
) -> tuple[float, float]:
    """Return the place that agrees with x² + y² + rise² = r², as far as ``cov`` lets each give."""
    if min(abs(x), abs(y), r) < FLAT_M:
        return x, y  # the squares have no slope here
    weight, is_regular = invert3(
        cov[0] * x * x,
        cov[1] * x * y,
        cov[2] * y * y,
        cov[3] * x * r,
        cov[4] * y * r,
        cov[5] * r * r,
    )
    if not is_regular:
        return x, y
    # Unknowns are x² and y²; the equations are x², y² and x² + y² = r² - rise².
    t = times(weight, x * x, y * y, max(r * r - squared_rise, 0.0))
    a00 = weight[0] + 2.0 * weight[3] + weight[5]
    a10 = weight[1] + weight[3] + weight[4] + weight[5]
    a11 = weight[2] + 2.0 * weight[4] + weight[5]
    b0 = t[0] + t[2]
    b1 = t[1] + t[2]
    determinant = a00 * a11 - a10 * a10
    if not determinant > 0.0:
        return x, y
    xx = (a11 * b0 - a10 * b1) / determinant
    yy = (a00 * b1 - a10 * b0) / determinant
    if not (xx > 0.0 and yy > 0.0):
        return x, y
    return math.copysign(math.sqrt(xx), x), math.copysign(math.sqrt(yy), y)
