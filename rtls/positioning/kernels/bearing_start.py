"""Find a place in closed form from bearings.

Layer: kernels. Takes: rows of calibrated readings. Gives: a first place to
rtls.positioning.kernels.robust_fix.
"""

import math

from numba import njit

from rtls.positioning.kernels.likelihood import AZIMUTH_ROW, ELEVATION_ROW
from rtls.positioning.kernels.records import Floats
from rtls.positioning.kernels.rows import ANCHOR_X, ANCHOR_Y, KIND, RISE, VALUE

STEEP_MIN = 0.1
DETERMINANT_MIN = 1e-9


@njit(cache=True, nogil=True, error_model="numpy")
def cross_bearings(rows: Floats, n: int) -> tuple[float, float, float]:
    """Return where the bearing lines come closest, and how well they cross, 0 to 1."""
    xx = 0.0
    xy = 0.0
    yy = 0.0
    bx = 0.0
    by = 0.0
    used = 0
    for i in range(n):
        if rows[i, KIND] == AZIMUTH_ROW:
            used += 1
            c = math.cos(rows[i, VALUE])
            s = math.sin(rows[i, VALUE])
            xx += s * s
            xy -= s * c
            yy += c * c
            bx += s * s * rows[i, ANCHOR_X] - s * c * rows[i, ANCHOR_Y]
            by += c * c * rows[i, ANCHOR_Y] - s * c * rows[i, ANCHOR_X]
    if used == 0:
        return 0.0, 0.0, 0.0
    determinant = xx * yy - xy * xy
    narrow = 0.5 * (xx + yy) - math.sqrt(0.25 * (xx - yy) ** 2 + xy * xy)
    if not determinant > DETERMINANT_MIN:
        return 0.0, 0.0, 0.0
    return (yy * bx - xy * by) / determinant, (xx * by - xy * bx) / determinant, narrow


@njit(cache=True, nogil=True, error_model="numpy")
def ray_start(rows: Floats, n: int) -> tuple[float, float, int]:
    """Return where the rays of azimuth and elevation meet the height of the tag, on average."""
    x = 0.0
    y = 0.0
    total = 0.0
    for i in range(1, n):
        if rows[i, KIND] != ELEVATION_ROW or rows[i - 1, KIND] != AZIMUTH_ROW:
            continue
        steep = math.tan(rows[i, VALUE])
        away = -rows[i, RISE] / steep if abs(steep) > STEEP_MIN else -1.0
        if away < 0.0:
            continue
        weight = 1.0 / (1.0 + away * away)
        total += weight
        x += weight * (rows[i, ANCHOR_X] + away * math.cos(rows[i - 1, VALUE]))
        y += weight * (rows[i, ANCHOR_Y] + away * math.sin(rows[i - 1, VALUE]))
    if total <= 0.0:
        return 0.0, 0.0, 0
    return x / total, y / total, 1
