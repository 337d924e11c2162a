"""Gather what all readings of one instant say of a track.

Layer: kernels. Takes: rows of calibrated readings and a predicted track. Gives: curvature and slope
of their log likelihood, where they meet the prediction, to rtls.positioning.kernels.track_epoch.

Readings touch only place and offset. So the most probable place of these three is sought by
re-weighted Gauss-Newton (iterated Kalman update, Bell and Cathey 1993), starting at the prediction.
All readings of an instant are linearised at the same point: their order means nothing.
"""

import math

from numba import njit

from rtls.positioning.kernels.likelihood import (
    LONG_RANGE_SURPRISE,
    MISFIT_OF_ONE_MAX,
    RANGE_KIND,
    SURPRISE_OF_ONE_MAX,
    TDOA_KIND,
    range_weight,
    student_weight,
)
from rtls.positioning.kernels.motion import OO, OX, OY, UU, VV, XX, YX, YY
from rtls.positioning.kernels.range_lanes import (
    gather_ranges,
    load_ranges,
    note_first_ranges,
    note_last_ranges,
)
from rtls.positioning.kernels.records import Floats, Parameters, Record
from rtls.positioning.kernels.residuals import (
    belief_of_nearness,
    residual_and_slope,
    way_inside,
)
from rtls.positioning.kernels.rows import (
    AGE_S,
    CREDIT,
    INNOVATION,
    KIND,
    LONG_SHARE,
    P_DIRECT,
    RESIDUAL,
    SIGMA,
)
from rtls.positioning.kernels.small_solve import Symmetric3, invert3

ITERATIONS_MAX = 5
STEP_M_DONE = 0.03  # the last step is taken: its square over the distance is left, a millimetre
Vector3 = tuple[float, float, float]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def spread_along(s: Symmetric3, hx: float, hy: float, ho: float) -> float:
    """Return h' S h."""
    return (
        hx * (s[0] * hx + 2.0 * s[1] * hy + 2.0 * s[3] * ho)
        + hy * (s[2] * hy + 2.0 * s[4] * ho)
        + ho * ho * s[5]
    )


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def weigh_row(
    row: Floats, residual: float, scale: float, p: Parameters
) -> tuple[float, float, float]:
    """Return the weight of a row, how surprising it is, and its squared misfit, both bounded."""
    odd = min((residual / scale) ** 2, SURPRISE_OF_ONE_MAX)
    misfit = min(odd, MISFIT_OF_ONE_MAX)
    kind = row[KIND]
    if kind == RANGE_KIND:
        weight, row[P_DIRECT] = range_weight(
            residual, scale, row[LONG_SHARE], p.long_scale_m, p.short_share, p.short_scale_m
        )
        return weight, odd * (LONG_RANGE_SURPRISE if residual > 0.0 else 1.0), misfit
    if kind == TDOA_KIND:  # a detour to the one anchor is as likely as to the other
        weight, row[P_DIRECT] = range_weight(
            abs(residual), scale, p.long_share, p.long_scale_m, p.short_share, p.short_scale_m
        )
        return weight, odd * LONG_RANGE_SURPRISE, misfit
    return student_weight(residual, scale, p.student_dof), odd, misfit


@njit(cache=True, nogil=True, error_model="numpy")
def gather_information(
    rows: Floats,
    n: int,
    p: Parameters,
    place: Vector3,
    velocity: Vector3,
    s: Symmetric3,
    iteration: int,
) -> tuple[Symmetric3, Vector3, float, float]:
    """Return the weighted normal matrix, right side and mean surprise and misfit at ``place``.

    ``s`` is what is still unknown of the place: while that is much, a large residual says little
    against the reading, so the weights tighten only as the place settles.
    """
    j00 = 0.0
    j10 = 0.0
    j11 = 0.0
    j20 = 0.0
    j21 = 0.0
    j22 = 0.0
    g0 = 0.0
    g1 = 0.0
    g2 = 0.0
    surprise = 0.0
    misfit = 0.0
    vx, vy, v_variance = velocity
    for i in range(n):
        row = rows[i]
        age = row[AGE_S]
        residual, hx, hy, ho = residual_and_slope(
            row, place[0] - vx * age, place[1] - vy * age, place[2]
        )
        noise = row[SIGMA] ** 2 + (hx * hx + hy * hy) * v_variance * age * age
        scale = math.sqrt(noise + spread_along(s, hx, hy, ho))
        row[RESIDUAL] = residual
        if iteration == 0:
            row[INNOVATION] = residual / scale
        weight, odd, miss = weigh_row(row, residual, scale, p)
        surprise += odd
        misfit += miss
        weight *= row[CREDIT] / noise
        wx = weight * hx
        wy = weight * hy
        wo = weight * ho
        j00 += wx * hx
        j10 += wx * hy
        j11 += wy * hy
        j20 += wx * ho
        j21 += wy * ho
        j22 += wo * ho
        g0 += wx * residual
        g1 += wy * residual
        g2 += wo * residual
    return (j00, j10, j11, j20, j21, j22), (g0, g1, g2), surprise / n, misfit / n


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def gather_rows(
    room: Record,
    is_ranged: bool,  # noqa: FBT001  kernels know no keywords
    rows: Floats,
    n: int,
    p: Parameters,
    place: Vector3,
    velocity: Vector3,
    s: Symmetric3,
    iteration: int,
) -> tuple[Symmetric3, Vector3, float, float]:
    """Gather the rows side by side where all are ranges, else row by row; both give the same."""
    if not is_ranged:
        return gather_information(rows, n, p, place, velocity, s, iteration)
    found = gather_ranges(room, n, p, place, velocity, s)
    if iteration == 0:
        note_first_ranges(room, rows, n)
    return found


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def step_to_meet(known: Symmetric3, away: Vector3, g: Vector3, s: Symmetric3) -> Vector3:
    """Return the Gauss-Newton step; the prediction is ``away`` and known by its inverse."""
    b0 = g[0] + known[0] * away[0] + known[1] * away[1] + known[3] * away[2]
    b1 = g[1] + known[1] * away[0] + known[2] * away[1] + known[4] * away[2]
    b2 = g[2] + known[3] * away[0] + known[4] * away[1] + known[5] * away[2]
    return (
        s[0] * b0 + s[1] * b1 + s[3] * b2,
        s[1] * b0 + s[2] * b1 + s[4] * b2,
        s[3] * b0 + s[4] * b1 + s[5] * b2,
    )


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def settle(
    room: Record, rows: Floats, n: int, p: Parameters, box: Floats, state: Floats, cov: Floats
) -> tuple[Vector3, Symmetric3, Vector3, tuple[float, float], bool]:
    """Seek where the readings meet the prediction (``state``, ``cov``).

    Returns that place and offset, curvature and slope of the readings' log likelihood there, and
    surprise and misfit at the prediction.
    """
    s = (cov[XX], cov[YX], cov[YY], cov[OX], cov[OY], cov[OO])
    known, is_regular = invert3(s[0], s[1], s[2], s[3], s[4], s[5])
    at = (state[0], state[1], state[4])
    curve = s
    g = at
    first = (-1.0, -1.0)
    if not is_regular:
        return at, curve, g, first, False
    velocity = (state[2], state[3], 0.5 * (cov[UU] + cov[VV]))
    pull = belief_of_nearness(rows, n, p)
    is_ranged = load_ranges(room, rows, n)
    step = at
    for iteration in range(ITERATIONS_MAX):
        if iteration > 0:
            at = (at[0] + step[0], at[1] + step[1], at[2] + step[2])
        curve, g, surprise, misfit = gather_rows(
            room, is_ranged, rows, n, p, at, velocity, s, iteration
        )
        if iteration == 0:
            first = (surprise, misfit)
        if pull > 0.0:
            curve, g = drawn_inside(pull, box, at, curve, g)
        s, is_regular = invert3(
            known[0] + curve[0],
            known[1] + curve[1],
            known[2] + curve[2],
            known[3] + curve[3],
            known[4] + curve[4],
            known[5] + curve[5],
        )
        if not is_regular:
            return at, curve, g, first, False
        away = (state[0] - at[0], state[1] - at[1], state[4] - at[2])
        step = step_to_meet(known, away, g, s)
        if step[0] * step[0] + step[1] * step[1] < STEP_M_DONE * STEP_M_DONE:
            break
    if is_ranged:
        note_last_ranges(room, rows, n)
    is_finite = math.isfinite(step[0]) and math.isfinite(step[1]) and math.isfinite(step[2])
    return at, curve, g, first, is_finite


@njit(cache=True, nogil=True, error_model="numpy")
def drawn_inside(
    pull: float, box: Floats, at: Vector3, curve: Symmetric3, g: Vector3
) -> tuple[Symmetric3, Vector3]:
    """Add the belief that a tag heard by strength is not far outside the anchors' box."""
    away_x, away_y = way_inside(box, at[0], at[1])
    firm_x = pull if away_x != 0.0 else 0.0
    firm_y = pull if away_y != 0.0 else 0.0
    return (
        (curve[0] + firm_x, curve[1], curve[2] + firm_y, curve[3], curve[4], curve[5]),
        (g[0] + pull * away_x, g[1] + pull * away_y, g[2]),
    )
