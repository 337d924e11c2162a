"""Find the positions of many tags at once from their ranges to the same anchors.

Layer: kernels. Takes: ranges, (n_tags, n_anchors), NaN where unheard. Gives: positions with
covariance to rtls.positioning.multilateration.

The same estimator as rtls.positioning.kernels.robust_fix for ranges alone, laid out for batches:
no row is built, and two unknowns need no general solver.
"""

import math

from numba import njit

from rtls.positioning.kernels.records import Bytes, Floats, Ints

READINGS_MIN = 3
STEP_M_DONE = 1e-3
DETERMINANT_RATIO_MIN = 1e-6
NEAR_M = 0.5
DETERMINANT_MIN = 1e-12
STEP_M_MAX = 20.0


@njit(cache=True, nogil=True, error_model="numpy")
def start_from_ranges(
    x: Floats, y: Floats, rise_squared: Floats, ranges: Floats
) -> tuple[float, float, bool]:
    """Solve the centred linear equations of the squared ranges, weighted by 1 / range²."""
    used = 0
    weight_sum = 0.0
    mean_x = 0.0
    mean_y = 0.0
    mean_k = 0.0
    xx = 0.0
    xy = 0.0
    yy = 0.0
    xk = 0.0
    yk = 0.0
    origin_x = x[0]
    origin_y = y[0]
    for j in range(x.size):
        r = ranges[j]
        if math.isfinite(r):
            dx = x[j] - origin_x
            dy = y[j] - origin_y
            k = dx * dx + dy * dy + rise_squared[j] - r * r
            weight = 1.0 / max(r * r, NEAR_M * NEAR_M)
            used += 1
            weight_sum += weight
            mean_x += weight * dx
            mean_y += weight * dy
            mean_k += weight * k
            xx += weight * dx * dx
            xy += weight * dx * dy
            yy += weight * dy * dy
            xk += weight * dx * k
            yk += weight * dy * k
    if used < READINGS_MIN:
        return 0.0, 0.0, False
    inverse = 1.0 / weight_sum
    xx -= mean_x * mean_x * inverse
    xy -= mean_x * mean_y * inverse
    yy -= mean_y * mean_y * inverse
    xk = 0.5 * (xk - mean_x * mean_k * inverse)
    yk = 0.5 * (yk - mean_y * mean_k * inverse)
    determinant = xx * yy - xy * xy
    if not determinant > DETERMINANT_RATIO_MIN * (xx + yy) ** 2:
        return 0.0, 0.0, False
    scale = 1.0 / determinant
    return origin_x + (yy * xk - xy * yk) * scale, origin_y + (xx * yk - xy * xk) * scale, True


@njit(cache=True, nogil=True, error_model="numpy")
def normal_equations(
    x: Floats,
    y: Floats,
    rise_squared: Floats,
    ranges: Floats,
    px: float,
    py: float,
    long: float,
    short: float,
) -> tuple[float, float, float, float, float]:
    """Return the re-weighted normal matrix (xx, xy, yy) and right side at (px, py)."""
    xx = 0.0
    xy = 0.0
    yy = 0.0
    gx = 0.0
    gy = 0.0
    for j in range(x.size):
        r = ranges[j]
        if math.isfinite(r):
            dx = px - x[j]
            dy = py - y[j]
            distance = max(math.sqrt(dx * dx + dy * dy + rise_squared[j]), 1e-6)
            residual = r - distance
            hx = dx / distance
            hy = dy / distance
            weight = 1.0
            if residual > long:
                weight = long / residual
            elif residual < -short:
                weight = -short / residual
            wx = weight * hx
            wy = weight * hy
            xx += wx * hx
            xy += wx * hy
            yy += wy * hy
            gx += wx * residual
            gy += wy * residual
    return xx, xy, yy, gx, gy


@njit(cache=True, nogil=True, error_model="numpy")
def fix_ranges(
    x: Floats,
    y: Floats,
    rise_squared: Floats,
    ranges: Floats,
    sigma_m: float,
    huber_long: float,
    huber_short: float,
    iterations_max: int,
    place: Floats,
    covariance: Floats,
    iterations: Ints,
    is_located: Bytes,
) -> None:
    """Write position (n_tags, 2), covariance (n_tags, 3: xx, yx, yy) and iterations used.

    Gauss-Newton on Huber's loss by re-weighting. A tag whose anchors leave a mirror image, or
    whose solution is not finite, has NaN and ``is_located`` 0.
    """
    precision = 1.0 / (sigma_m * sigma_m)
    long = huber_long * sigma_m
    short = huber_short * sigma_m
    for i in range(ranges.shape[0]):
        row = ranges[i]
        px, py, is_sound = start_from_ranges(x, y, rise_squared, row)
        xx = 0.0
        xy = 0.0
        yy = 0.0
        determinant = 0.0
        used = 0
        while is_sound and used < iterations_max:
            used += 1
            xx, xy, yy, gx, gy = normal_equations(x, y, rise_squared, row, px, py, long, short)
            determinant = xx * yy - xy * xy
            is_sound = determinant > DETERMINANT_MIN
            inverse = 1.0 / determinant
            step_x = (yy * gx - xy * gy) * inverse
            step_y = (xx * gy - xy * gx) * inverse
            length = math.sqrt(step_x * step_x + step_y * step_y)
            shorten = min(1.0, STEP_M_MAX / max(length, STEP_M_DONE))
            px += shorten * step_x
            py += shorten * step_y
            if length < STEP_M_DONE:
                break
        is_sound = is_sound and math.isfinite(px) and math.isfinite(py)
        iterations[i] = used
        is_located[i] = is_sound
        place[i, 0] = px if is_sound else math.nan
        place[i, 1] = py if is_sound else math.nan
        inverse = 1.0 / (precision * determinant) if is_sound else math.nan
        covariance[i, 0] = yy * inverse
        covariance[i, 1] = -xy * inverse
        covariance[i, 2] = xx * inverse
