"""Gather what ranges of one instant say of a track, side by side.

Layer: kernels. Takes: rows that are ranges, all of them. Gives: the same numbers, to the last bit,
as rtls.positioning.kernels.measure gathers row by row, to its `settle`.

A row by itself waits for a chain of roots and divisions. Column by column the processor works on
eight rows at a time; only the exponentials and the sums, whose order is part of the result, are
still taken one after the other. Columns lie in one record: so the compiler sees them apart.
"""

import math

from numba import njit

from rtls.positioning.kernels.likelihood import (
    LONG_RANGE_SURPRISE,
    MISFIT_OF_ONE_MAX,
    RANGE_KIND,
    SQRT_TWO_PI,
    SURPRISE_OF_ONE_MAX,
)
from rtls.positioning.kernels.records import Floats, Parameters, Record
from rtls.positioning.kernels.residuals import NEAR_M
from rtls.positioning.kernels.rows import (
    AGE_S,
    ANCHOR_X,
    ANCHOR_Y,
    CREDIT,
    INNOVATION,
    KIND,
    LONG_SHARE,
    P_DIRECT,
    RESIDUAL,
    RISE_SQUARED,
    ROWS_MAX,
    SIGMA,
    VALUE,
)
from rtls.positioning.kernels.small_solve import Symmetric3

Vector3 = tuple[float, float, float]
# Columns of a lane: what a row gives, and what is reckoned from it.
X, Y, RISE2, MEASURED, NOISE2, AGE, LONG, TRUST = range(8)
HX, HY, OFF, NOISE, SCALE, AWAY, ODD, TAIL, SHARE, DIRECT, BLOCKED, P, WEIGHT = range(8, 21)
LANES = 21


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def load_ranges(room: Record, rows: Floats, n: int) -> bool:
    """Lay out ``rows[:n]`` as columns; False if one is no range, or they are too many."""
    if n > ROWS_MAX:
        return False
    lanes = room["lanes"]
    for i in range(n):
        if rows[i, KIND] != RANGE_KIND:
            return False
        lanes[X, i] = rows[i, ANCHOR_X]
        lanes[Y, i] = rows[i, ANCHOR_Y]
        lanes[RISE2, i] = rows[i, RISE_SQUARED]
        lanes[MEASURED, i] = rows[i, VALUE]
        lanes[NOISE2, i] = rows[i, SIGMA] ** 2
        lanes[AGE, i] = rows[i, AGE_S]
        lanes[LONG, i] = rows[i, LONG_SHARE]
        lanes[TRUST, i] = rows[i, CREDIT]
    return True


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def compare_ranges(
    room: Record, n: int, p: Parameters, place: Vector3, velocity: Vector3, s: Symmetric3
) -> None:
    """Write residuals, slopes and scales, and the logarithms of what is weighed."""
    lanes = room["lanes"]
    vx, vy, v_variance = velocity
    long_scale_m = p.long_scale_m
    short_share = p.short_share
    short_scale_m = p.short_scale_m
    for i in range(n):
        age = lanes[AGE, i]
        dx = place[0] - vx * age - lanes[X, i]
        dy = place[1] - vy * age - lanes[Y, i]
        distance = math.sqrt(dx * dx + dy * dy + lanes[RISE2, i])
        inverse = 1.0 / max(distance, NEAR_M)
        off = lanes[MEASURED, i] - distance
        hx = dx * inverse
        hy = dy * inverse
        noise = lanes[NOISE2, i] + (hx * hx + hy * hy) * v_variance * age * age
        along = hx * (s[0] * hx + 2.0 * s[1] * hy) + hy * (s[2] * hy)
        scale = math.sqrt(noise + along)
        lanes[HX, i] = hx
        lanes[HY, i] = hy
        lanes[OFF, i] = off
        lanes[NOISE, i] = noise
        lanes[SCALE, i] = scale
        z = off / scale
        lanes[ODD, i] = min(z * z, SURPRISE_OF_ONE_MAX)
        is_long = off > 0.0
        tail = long_scale_m if is_long else short_scale_m
        share = lanes[LONG, i] if is_long else short_share
        away = abs(off)
        z = away / scale
        lanes[AWAY, i] = away
        lanes[TAIL, i] = tail
        lanes[SHARE, i] = share / tail
        lanes[P, i] = (1.0 - lanes[LONG, i] - short_share) / (SQRT_TWO_PI * scale)
        lanes[DIRECT, i] = -0.5 * z * z
        lanes[BLOCKED, i] = -min(away / tail, 500.0)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def weigh_ranges(room: Record, n: int) -> None:
    """Write the weight of each range (`rtls.positioning.kernels.likelihood.range_weight`)."""
    lanes = room["lanes"]
    for i in range(n):
        lanes[DIRECT, i] = math.exp(lanes[DIRECT, i])
        lanes[BLOCKED, i] = math.exp(lanes[BLOCKED, i])
    for i in range(n):
        direct = lanes[P, i] * lanes[DIRECT, i]
        blocked = lanes[SHARE, i] * lanes[BLOCKED, i]
        p_direct = direct / (direct + blocked)
        scale = lanes[SCALE, i]
        pull = scale * scale / (lanes[TAIL, i] * max(lanes[AWAY, i], scale))
        weight = p_direct + (1.0 - p_direct) * min(pull, 1.0)
        lanes[P, i] = p_direct
        lanes[WEIGHT, i] = weight * (lanes[TRUST, i] / lanes[NOISE, i])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def add_ranges(room: Record, n: int) -> tuple[Symmetric3, Vector3, float, float]:
    """Return the weighted normal matrix, right side, and mean surprise and misfit."""
    lanes = room["lanes"]
    j00 = 0.0
    j10 = 0.0
    j11 = 0.0
    g0 = 0.0
    g1 = 0.0
    surprise = 0.0
    misfit = 0.0
    for i in range(n):
        odd = lanes[ODD, i]
        off = lanes[OFF, i]
        surprise += odd * (LONG_RANGE_SURPRISE if off > 0.0 else 1.0)
        misfit += min(odd, MISFIT_OF_ONE_MAX)
        wx = lanes[WEIGHT, i] * lanes[HX, i]
        wy = lanes[WEIGHT, i] * lanes[HY, i]
        j00 += wx * lanes[HX, i]
        j10 += wx * lanes[HY, i]
        j11 += wy * lanes[HY, i]
        g0 += wx * off
        g1 += wy * off
    return (j00, j10, j11, 0.0, 0.0, 0.0), (g0, g1, 0.0), surprise / n, misfit / n


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def gather_ranges(
    room: Record,
    n: int,
    p: Parameters,
    place: Vector3,
    velocity: Vector3,
    s: Symmetric3,
) -> tuple[Symmetric3, Vector3, float, float]:
    """Return what `gather_information` returns, of the ranges laid out in ``room``."""
    compare_ranges(room, n, p, place, velocity, s)
    weigh_ranges(room, n)
    return add_ranges(room, n)


@njit(cache=True, nogil=True, error_model="numpy")
def note_first_ranges(room: Record, rows: Floats, n: int) -> None:
    """Write the innovations, which are the residuals at the prediction, back to the rows."""
    lanes = room["lanes"]
    for i in range(n):
        rows[i, INNOVATION] = lanes[OFF, i] / lanes[SCALE, i]


@njit(cache=True, nogil=True, error_model="numpy")
def note_last_ranges(room: Record, rows: Floats, n: int) -> None:
    """Write what the last iteration found of each range back to the rows."""
    lanes = room["lanes"]
    for i in range(n):
        rows[i, RESIDUAL] = lanes[OFF, i]
        rows[i, P_DIRECT] = lanes[P, i]
