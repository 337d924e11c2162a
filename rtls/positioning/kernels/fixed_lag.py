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
) -> tuple[float, float]:
    """Return the smoothed x, y of the first of ``count`` rows of ``ring``.

    Backwards from the newest: with P the covariance of a fix and Q the diffusion to the next one,
    the smoothed place is the fix plus P (P + Q)^-1 times what the next one, smoothed, differs from
    the fix carried to it.
    """
    x = ring[count - 1, X]
    y = ring[count - 1, Y]
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
        determinant = sum_xx * sum_yy - row[XY] * row[XY]
        if determinant < DETERMINANT_MIN:
            x, y = row[X], row[Y]
            continue
        a = (sum_yy * off_x - row[XY] * off_y) / determinant
        b = (sum_xx * off_y - row[XY] * off_x) / determinant
        x = row[X] + row[XX] * a + row[XY] * b
        y = row[Y] + row[XY] * a + row[YY] * b
    return x, y


@njit(cache=True, nogil=True, error_model="numpy")
def drop_oldest(ring: Floats, count: int) -> None:
    """Move all rows but the first of ``count`` one place to the front."""
    for k in range(1, count):
        for column in range(ring.shape[1]):
            ring[k - 1, column] = ring[k, column]
