"""Find the positions of many tags at once from their ranges to the same anchors.

Layer: kernels. Takes: ranges, (n_tags, n_anchors), NaN where unheard. Gives: positions with
covariance to rtls.positioning.multilateration.

The same estimator as rtls.positioning.kernels.robust_fix for ranges alone, laid out for batches:
`LANES` tags go side by side, so that one instruction of the processor serves several. For that the
loops over lanes have no branch, and all they write lies in one array, since the compiler gives up
where it would have to rule out that many arrays overlap.
"""

import math

import numpy as np
from numba import njit

from rtls.positioning.kernels.records import Bytes, Floats, Ints

LANES = 16
READINGS_MIN = 3.0
STEP_SIGMAS_DONE = 0.01  # a step of a hundredth of sigma changes nothing that sigma would show
DETERMINANT_RATIO_MIN = 1e-6
NEAR_M = 0.5
DETERMINANT_MIN = 1e-12
DISTANCE_M_MIN = 1e-6
STEP_M_MAX = 20.0

# Rows of the state, `LANES` wide: place, whether the lane still moves, iterations used, then the
# sums. The first eight are the normal equations; the start needs all.
X, Y, MOVES, USED, SUMS = 0, LANES, 2 * LANES, 3 * LANES, 4 * LANES
SUMS_OF_FIX = 5
SUMS_OF_START = 10
STATE_SIZE = SUMS + SUMS_OF_START * LANES


@njit(cache=True, nogil=True, error_model="numpy")
def load_tile(ranges: Floats, first: int, tile: Floats) -> int:
    """Lay the ranges of the next tags out by anchor, each followed by 1 where it was heard."""
    count = min(LANES, ranges.shape[0] - first)
    for j in range(ranges.shape[1]):
        base = 2 * j * LANES
        for lane in range(count):
            r = ranges[first + lane, j]
            is_heard = math.isfinite(r)
            tile[base + lane] = r if is_heard else 0.0
            tile[base + LANES + lane] = 1.0 if is_heard else 0.0
        for lane in range(count, LANES):
            tile[base + LANES + lane] = 0.0
    return int(count)


@njit(cache=True, nogil=True, error_model="numpy")
def add_to_start(
    tile: Floats, base: int, state: Floats, dx: float, dy: float, rise_squared: float
) -> None:
    """Add one anchor to the linear equations of the squared ranges, weighted by 1 / range²."""
    own = dx * dx + dy * dy + rise_squared
    for lane in range(LANES):
        squared = tile[base + lane] * tile[base + lane]
        heard = tile[base + LANES + lane]
        k = own - squared
        weight = heard / (max(NEAR_M * NEAR_M, squared))
        wx = weight * dx
        wy = weight * dy
        at = SUMS + lane
        state[at] += weight
        state[at + LANES] += wx
        state[at + 2 * LANES] += wy
        state[at + 3 * LANES] += weight * k
        state[at + 4 * LANES] += wx * dx
        state[at + 5 * LANES] += wx * dy
        state[at + 6 * LANES] += wy * dy
        state[at + 7 * LANES] += wx * k
        state[at + 8 * LANES] += wy * k
        state[at + 9 * LANES] += heard


@njit(cache=True, nogil=True, error_model="numpy")
def solve_start(state: Floats, origin_x: float, origin_y: float) -> None:
    """Solve the centred linear equations; a lane that they leave undetermined does not move."""
    for lane in range(LANES):
        at = SUMS + lane
        weight = state[at]
        inverse = 1.0 / (weight if weight > 0.0 else 1.0)
        mean_x = state[at + LANES]
        mean_y = state[at + 2 * LANES]
        mean_k = state[at + 3 * LANES]
        xx = state[at + 4 * LANES] - mean_x * mean_x * inverse
        xy = state[at + 5 * LANES] - mean_x * mean_y * inverse
        yy = state[at + 6 * LANES] - mean_y * mean_y * inverse
        xk = 0.5 * (state[at + 7 * LANES] - mean_x * mean_k * inverse)
        yk = 0.5 * (state[at + 8 * LANES] - mean_y * mean_k * inverse)
        determinant = xx * yy - xy * xy
        is_wide = determinant > DETERMINANT_RATIO_MIN * (xx + yy) * (xx + yy)
        is_sound = is_wide and state[at + 9 * LANES] >= READINGS_MIN
        scale = 1.0 / (determinant if is_sound else 1.0)
        state[X + lane] = origin_x + (yy * xk - xy * yk) * scale
        state[Y + lane] = origin_y + (xx * yk - xy * xk) * scale
        state[MOVES + lane] = 1.0 if is_sound else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def add_to_normal(
    tile: Floats,
    base: int,
    state: Floats,
    anchor_x: float,
    anchor_y: float,
    rise_squared: float,
    long: float,
    short: float,
) -> None:
    """Add one anchor to the re-weighted normal matrix (xx, xy, yy) and right side (x, y)."""
    for lane in range(LANES):
        dx = state[X + lane] - anchor_x
        dy = state[Y + lane] - anchor_y
        distance = math.sqrt(dx * dx + dy * dy + rise_squared)
        inverse = 1.0 / (max(DISTANCE_M_MIN, distance))
        residual = tile[base + lane] - distance
        bound = long if residual > 0.0 else short
        away = abs(residual)
        weight = tile[base + LANES + lane] * (bound / away if away > bound else 1.0)
        hx = dx * inverse
        hy = dy * inverse
        wx = weight * hx
        wy = weight * hy
        at = SUMS + lane
        state[at] += wx * hx
        state[at + LANES] += wx * hy
        state[at + 2 * LANES] += wy * hy
        state[at + 3 * LANES] += wx * residual
        state[at + 4 * LANES] += wy * residual


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_anchors(
    x: Floats,
    y: Floats,
    rise_squared: Floats,
    tile: Floats,
    state: Floats,
    long: float,
    short: float,
) -> None:
    """Set up the normal equations of all lanes at where they are now."""
    state[SUMS : SUMS + SUMS_OF_FIX * LANES] = 0.0
    for j in range(x.size):
        add_to_normal(tile, 2 * j * LANES, state, x[j], y[j], rise_squared[j], long, short)


@njit(cache=True, nogil=True, error_model="numpy")
def step_lanes(state: Floats, done_squared: float) -> float:
    """Take the step of every lane that still moves; return how many go on moving."""
    for lane in range(LANES):
        at = SUMS + lane
        xx = state[at]
        xy = state[at + LANES]
        yy = state[at + 2 * LANES]
        gx = state[at + 3 * LANES]
        gy = state[at + 4 * LANES]
        moves = state[MOVES + lane]
        determinant = xx * yy - xy * xy
        inverse = moves / (max(DETERMINANT_MIN, determinant))
        step_x = (yy * gx - xy * gy) * inverse
        step_y = (xx * gy - xy * gx) * inverse
        squared = step_x * step_x + step_y * step_y
        longest = STEP_M_MAX * STEP_M_MAX
        shorten = STEP_M_MAX / math.sqrt(max(longest, squared))
        state[X + lane] += shorten * step_x
        state[Y + lane] += shorten * step_y
        state[USED + lane] += moves
        state[MOVES + lane] = 0.0 if squared < done_squared else moves
    moving = 0.0
    for lane in range(LANES):
        moving += state[MOVES + lane]
    return moving


@njit(cache=True, nogil=True, error_model="numpy")
def write_lane(
    state: Floats,
    lane: int,
    sigma_squared: float,
    place: Floats,
    covariance: Floats,
) -> bool:
    """Write place and covariance of one lane, NaN where there is none; return whether there is."""
    at = SUMS + lane
    xx = state[at]
    xy = state[at + LANES]
    yy = state[at + 2 * LANES]
    x = state[X + lane]
    y = state[Y + lane]
    determinant = xx * yy - xy * xy
    is_sound = (
        state[USED + lane] > 0.0
        and determinant > DETERMINANT_MIN
        and math.isfinite(x)
        and math.isfinite(y)
    )
    scale = sigma_squared / determinant if is_sound else math.nan
    place[0] = x if is_sound else math.nan
    place[1] = y if is_sound else math.nan
    covariance[0] = yy * scale
    covariance[1] = -xy * scale
    covariance[2] = xx * scale
    return is_sound


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
    anchors = ranges.shape[1]
    tile = np.zeros(2 * anchors * LANES)
    state = np.zeros(STATE_SIZE)
    done = STEP_SIGMAS_DONE * sigma_m
    long = huber_long * sigma_m
    short = huber_short * sigma_m
    for first in range(0, ranges.shape[0], LANES):
        count = load_tile(ranges, first, tile)
        state[:] = 0.0
        for j in range(anchors):
            add_to_start(tile, 2 * j * LANES, state, x[j] - x[0], y[j] - y[0], rise_squared[j])
        solve_start(state, x[0], y[0])
        weigh_anchors(x, y, rise_squared, tile, state, long, short)
        for _ in range(iterations_max):
            moving = step_lanes(state, done * done)
            # Once more after the last step: the covariance is that of the place it led to.
            weigh_anchors(x, y, rise_squared, tile, state, long, short)
            if moving == 0.0:
                break
        for lane in range(count):
            i = first + lane
            iterations[i] = int(state[USED + lane])
            is_located[i] = write_lane(state, lane, sigma_m * sigma_m, place[i], covariance[i])
