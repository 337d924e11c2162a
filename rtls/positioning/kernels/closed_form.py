"""Find a place in closed form, for the iteration to start from.

Layer: kernels. Takes: rows of calibrated readings. Gives: a first place by the algebra that suits
the kind, and whether the anchors determine one at all, to rtls.positioning.kernels.robust_fix.
"""

import math

from numba import njit

from rtls.positioning.kernels.bearing_start import cross_bearings
from rtls.positioning.kernels.likelihood import (
    EASTING_ROW,
    ELEVATION_ROW,
    NORTHING_ROW,
    RANGE_KIND,
    RSSI_KIND,
    TDOA_KIND,
)
from rtls.positioning.kernels.records import Floats
from rtls.positioning.kernels.rows import (
    ANCHOR_X,
    ANCHOR_Y,
    EXPONENT,
    KIND,
    RISE_SQUARED,
    SIGMA,
    VALUE,
)
from rtls.positioning.kernels.small_solve import invert3, times

READINGS_MIN = 3
BANCROFT_MIN = 4  # place and a common bias are three unknowns; one more tells the roots apart
CROSSING_MIN = 0.06  # 1 - |cos| of the narrowest angle at which two bearings cross: 20 degrees
ELEVATION_MIN = 0.1
SQUARE_MIN = 0.25
PARABOLA_MIN = 1e-12


@njit(cache=True, nogil=True, error_model="numpy")
def measures_distance(kind: float) -> bool:
    """Say whether a row of this kind grows with a distance to its anchor."""
    return kind in (RANGE_KIND, RSSI_KIND, TDOA_KIND)


@njit(cache=True, nogil=True, error_model="numpy")
def anchor_scatter(rows: Floats, n: int) -> tuple[int, float, float, float]:
    """Return how many rows measure a distance, and the scatter (xx, xy, yy) of their anchors."""
    used = 0
    mean_x = 0.0
    mean_y = 0.0
    total = 0.0
    for i in range(n):
        if measures_distance(rows[i, KIND]):
            used += 1
            total += 1.0
            mean_x += rows[i, ANCHOR_X]
            mean_y += rows[i, ANCHOR_Y]
    if used == 0:
        return 0, 0.0, 0.0, 0.0
    mean_x /= total
    mean_y /= total
    xx = 0.0
    xy = 0.0
    yy = 0.0
    for i in range(n):
        if measures_distance(rows[i, KIND]):
            dx = rows[i, ANCHOR_X] - mean_x
            dy = rows[i, ANCHOR_Y] - mean_y
            xx += dx * dx / total
            xy += dx * dy / total
            yy += dy * dy / total
    return used, xx, xy, yy


@njit(cache=True, nogil=True, error_model="numpy")
def anchors_span_a_plane(rows: Floats, n: int, spread_min: float) -> bool:
    """Say whether the anchors leave no mirror image: their narrower spread is wide enough."""
    used, xx, xy, yy = anchor_scatter(rows, n)
    if used < READINGS_MIN:
        return False
    narrow = 0.5 * (xx + yy) - math.sqrt(0.25 * (xx - yy) ** 2 + xy * xy)
    return narrow >= spread_min * spread_min


@njit(cache=True, nogil=True, error_model="numpy")
def is_determined(rows: Floats, n: int, spread_min: float) -> bool:
    """Say whether the rows leave one place, not a line of them nor its mirror image."""
    for i in range(n):
        if rows[i, KIND] == EASTING_ROW:
            return True
        if rows[i, KIND] == ELEVATION_ROW and abs(rows[i, VALUE]) > ELEVATION_MIN:
            return True
    _, _, crossing = cross_bearings(rows, n)
    return crossing > CROSSING_MIN or anchors_span_a_plane(rows, n, spread_min)


@njit(cache=True, nogil=True, error_model="numpy")
def linearised_start(rows: Floats, n: int) -> tuple[float, float, int]:
    """Solve the ranges as linear equations: differences of the squared circles, centred.

    Each equation is weighted by 1 / range², as the error of a squared range grows with it.
    Returns x, y and the number of ranges used; 0 where they leave the plane undetermined.
    """
    weight_sum = 0.0
    mean_x = 0.0
    mean_y = 0.0
    mean_k = 0.0
    used = 0
    for i in range(n):
        if rows[i, KIND] == RANGE_KIND:
            weight = 1.0 / max(rows[i, VALUE] ** 2, 0.25)
            x, y = rows[i, ANCHOR_X], rows[i, ANCHOR_Y]
            k = x * x + y * y + rows[i, RISE_SQUARED] - rows[i, VALUE] ** 2
            weight_sum += weight
            mean_x += weight * x
            mean_y += weight * y
            mean_k += weight * k
            used += 1
    if used < READINGS_MIN:
        return 0.0, 0.0, 0
    mean_x /= weight_sum
    mean_y /= weight_sum
    mean_k /= weight_sum
    xx = 0.0
    xy = 0.0
    yy = 0.0
    bx = 0.0
    by = 0.0
    for i in range(n):
        if rows[i, KIND] == RANGE_KIND:
            weight = 1.0 / max(rows[i, VALUE] ** 2, 0.25)
            x, y = rows[i, ANCHOR_X], rows[i, ANCHOR_Y]
            k = x * x + y * y + rows[i, RISE_SQUARED] - rows[i, VALUE] ** 2 - mean_k
            dx = x - mean_x
            dy = y - mean_y
            xx += weight * dx * dx
            xy += weight * dx * dy
            yy += weight * dy * dy
            bx += 0.5 * weight * dx * k
            by += 0.5 * weight * dy * k
    determinant = xx * yy - xy * xy
    if not determinant > 1e-9 * (xx + yy) ** 2:
        return 0.0, 0.0, 0
    return (yy * bx - xy * by) / determinant, (xx * by - xy * bx) / determinant, used


@njit(cache=True, nogil=True, error_model="numpy")
def bancroft_start(rows: Floats, n: int) -> tuple[float, float, int]:
    """Solve place and one bias common to all ranges (Bancroft 1985, in the plane of the tag).

    With a = (x, y, range), <u, v> = u0 v0 + u1 v1 - u2 v2 and α = (<a, a> + rise²) / 2 every range
    says <a, q> = α + λ of q = (x, y, bias), 2 λ = <q, q>. Least squares in q, then the quadratic
    in λ; of its roots the smaller bias is taken. Returns x, y and the number of ranges, 0 where
    they are too few.
    """
    used = 0
    mean_x = 0.0
    mean_y = 0.0
    for i in range(n):
        if rows[i, KIND] == RANGE_KIND:
            used += 1
            mean_x += rows[i, ANCHOR_X]
            mean_y += rows[i, ANCHOR_Y]
    if used < BANCROFT_MIN:
        return 0.0, 0.0, 0
    mean_x /= used
    mean_y /= used
    a00 = a10 = a11 = a20 = a21 = a22 = 0.0
    u0 = u1 = u2 = v0 = v1 = v2 = 0.0
    for i in range(n):
        if rows[i, KIND] != RANGE_KIND:
            continue
        x = rows[i, ANCHOR_X] - mean_x
        y = rows[i, ANCHOR_Y] - mean_y
        r = rows[i, VALUE]
        alpha = 0.5 * (x * x + y * y - r * r + rows[i, RISE_SQUARED])
        weight = 1.0 / max(r * r, SQUARE_MIN)
        a00 += weight * x * x
        a10 += weight * x * y
        a11 += weight * y * y
        a20 -= weight * x * r
        a21 -= weight * y * r
        a22 += weight * r * r
        u0 += weight * x
        u1 += weight * y
        u2 -= weight * r
        v0 += weight * x * alpha
        v1 += weight * y * alpha
        v2 -= weight * r * alpha
    inverse, is_regular = invert3(a00, a10, a11, a20, a21, a22)
    if not is_regular:
        return 0.0, 0.0, 0
    x, y, is_real = meet_cone(times(inverse, u0, u1, u2), times(inverse, v0, v1, v2))
    return mean_x + x, mean_y + y, used if is_real else 0


@njit(cache=True, nogil=True, error_model="numpy")
def meet_cone(
    u: tuple[float, float, float], v: tuple[float, float, float]
) -> tuple[float, float, bool]:
    """Return the place of q = λ u + v with <q, q> = 2 λ and the smaller bias, if any."""
    uu = u[0] * u[0] + u[1] * u[1] - u[2] * u[2]
    uv = u[0] * v[0] + u[1] * v[1] - u[2] * v[2] - 1.0
    vv = v[0] * v[0] + v[1] * v[1] - v[2] * v[2]
    rest = uv * uv - uu * vv
    if not (rest >= 0.0 and abs(uu) > PARABOLA_MIN):
        return 0.0, 0.0, False
    root = math.sqrt(rest)
    low = (-uv - root) / uu
    high = (-uv + root) / uu
    scale = low if abs(low * u[2] + v[2]) < abs(high * u[2] + v[2]) else high
    return scale * u[0] + v[0], scale * u[1] + v[1], True


@njit(cache=True, nogil=True, error_model="numpy")
def mean_position(rows: Floats, n: int) -> tuple[float, float, int]:
    """Return the mean of ready-made positions by their sigma, and how many there are."""
    x = 0.0
    y = 0.0
    total = 0.0
    used = 0
    for i in range(n):
        weight = 1.0 / (rows[i, SIGMA] * rows[i, SIGMA])
        if rows[i, KIND] == EASTING_ROW:
            x += weight * rows[i, VALUE]
            total += weight
            used += 1
        elif rows[i, KIND] == NORTHING_ROW:
            y += weight * rows[i, VALUE]
    return x / max(total, 1e-300), y / max(total, 1e-300), used


@njit(cache=True, nogil=True, error_model="numpy")
def centroid_start(rows: Floats, n: int) -> tuple[float, float]:
    """Return the centroid of the anchors heard by RSSI, the loud ones counting more.

    The weight is the amplitude relative to the loudest, which needs no distance and no offset.
    """
    loudest = -1e9
    for i in range(n):
        if rows[i, KIND] == RSSI_KIND:
            loudest = max(loudest, rows[i, VALUE])
    total = 0.0
    x = 0.0
    y = 0.0
    for i in range(n):
        if rows[i, KIND] == RSSI_KIND:
            weight = 10.0 ** ((rows[i, VALUE] - loudest) / (10.0 * rows[i, EXPONENT]))
            total += weight
            x += weight * rows[i, ANCHOR_X]
            y += weight * rows[i, ANCHOR_Y]
    return x / max(total, 1e-12), y / max(total, 1e-12)
