"""Smooth the oldest fix of a ring by the fixes that came after it.

Layer: kernels. Takes: the ring of one tag, oldest first. Gives: where the tag was at the oldest.

Rauch, Tung and Striebel 1965 ("Maximum likelihood estimates of linear dynamic systems"), on the
place alone: the velocity of the fixes carries it from one to the next, and what the velocity does
not explain diffuses, little while the tag stands and more while it walks.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]

# Columns of a ring's rows.
AT_S, X, Y, VX, VY, P_STANDING, XX, XY, YY = range(9)
WIDTH = 9
DETERMINANT_MIN = 1e-18


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_oldest(
    ring: Floats, count: int, standing_m2_s: float, walking_m2_s: float
) -> tuple[float, float, float, float, float]:
    """Return x, y and covariance (xx, xy, yy) at the first of ``count`` rows of ``ring``.

    Backwards from the newest: with P the covariance of a fix, Q the diffusion to the next one and
    G = P (P + Q)^-1, the smoothed place is the fix plus G times what the next one, smoothed,
    differs from the fix carried to it, and its covariance P - G (P + Q - P of the next) G'.
    """
    newest = ring[count - 1]
    x, y = newest[X], newest[Y]
    xx, xy, yy = newest[XX], newest[XY], newest[YY]
    for k in range(count - 2, -1, -1):
        row = ring[k]
        later = ring[k + 1]
        passed = later[AT_S] - row[AT_S]
        p_walking = 1.0 - min(row[P_STANDING], later[P_STANDING])
        spread = passed * (standing_m2_s + p_walking * walking_m2_s)
        off_x = x - row[X] - 0.5 * passed * (row[VX] + later[VX])
        off_y = y - row[Y] - 0.5 * passed * (row[VY] + later[VY])
        sum_xx = row[XX] + spread
        sum_yy = row[YY] + spread
        sum_xy = row[XY]
        determinant = sum_xx * sum_yy - sum_xy * sum_xy
        if determinant < DETERMINANT_MIN:
            x, y = row[X], row[Y]
            xx, xy, yy = row[XX], row[XY], row[YY]
            continue
        g00 = (row[XX] * sum_yy - row[XY] * sum_xy) / determinant
        g01 = (row[XY] * sum_xx - row[XX] * sum_xy) / determinant
        g10 = (row[XY] * sum_yy - row[YY] * sum_xy) / determinant
        g11 = (row[YY] * sum_xx - row[XY] * sum_xy) / determinant
        x = row[X] + g00 * off_x + g01 * off_y
        y = row[Y] + g10 * off_x + g11 * off_y
        d00, d01, d11 = sum_xx - xx, sum_xy - xy, sum_yy - yy
        h00, h01 = g00 * d00 + g01 * d01, g00 * d01 + g01 * d11
        h10, h11 = g10 * d00 + g11 * d01, g10 * d01 + g11 * d11
        xx = row[XX] - (h00 * g00 + h01 * g01)
        xy = row[XY] - (h00 * g10 + h01 * g11)
        yy = row[YY] - (h10 * g10 + h11 * g11)
    return x, y, xx, xy, yy


@njit(cache=True, nogil=True, error_model="numpy")
def drop_oldest(ring: Floats, count: int) -> None:
    """Move all rows but the first of ``count`` one place to the front."""
    for k in range(1, count):
        for column in range(ring.shape[1]):
            ring[k - 1, column] = ring[k, column]
