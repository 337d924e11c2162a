"""Update one track with all readings of one instant.

Layer: kernels. Takes: rows of calibrated readings and a predicted track. Gives: the track's
posterior to rtls.positioning.kernels.track_epoch.

Readings touch only place and offset. So the posterior of these three is sought by re-weighted
Gauss-Newton (iterated Kalman update, Bell and Cathey 1993), starting at the prediction, and the
velocity follows through its prior correlation. All readings of an instant are linearised at the
same point: their order means nothing.
"""

import math

from numba import njit

from rtls.positioning.kernels.likelihood import RANGE_KIND, range_weight, student_weight
from rtls.positioning.kernels.motion import (
    OO,
    OU,
    OV,
    OX,
    OY,
    UU,
    UX,
    UY,
    VU,
    VV,
    VX,
    VY,
    XX,
    YX,
    YY,
)
from rtls.positioning.kernels.records import Floats, Parameters
from rtls.positioning.kernels.rows import (
    AGE_S,
    CREDIT,
    INNOVATION,
    KIND,
    SIGMA,
    belief_of_nearness,
    residual_and_slope,
    way_inside,
)
from rtls.positioning.kernels.small_solve import Symmetric3, invert3

ITERATIONS_MAX = 5
STEP_M_DONE = 1e-3  # a hundredth of what UWB resolves
SURPRISE_OF_ONE_MAX = 25.0
MISFIT_OF_ONE_MAX = 9.0
LONG_RANGE_SURPRISE = 0.1  # a long range is no sign that the track is wrong: paths get blocked


@njit(cache=True, nogil=True, error_model="numpy")
def spread_along(s: Symmetric3, hx: float, hy: float, ho: float) -> float:
    """Return h' S h."""
    return (
        hx * (s[0] * hx + 2.0 * s[1] * hy + 2.0 * s[3] * ho)
        + hy * (s[2] * hy + 2.0 * s[4] * ho)
        + ho * ho * s[5]
    )


@njit(cache=True, nogil=True, error_model="numpy")
def gather_information(
    rows: Floats,
    n: int,
    p: Parameters,
    near: tuple[float, float, float],
    place: tuple[float, float, float],
    velocity: tuple[float, float, float],
    s: Symmetric3,
    iteration: int,
) -> tuple[float, float, float, float, float, float, float, float, float, float, float]:
    """Return the weighted normal matrix, right side and mean surprise and misfit at ``place``.

    ``s`` is what is still unknown of the place: while that is much, a large residual says little
    against the reading, so the weights tighten only as the place settles.
    """
    pull, away_x, away_y = near
    j00 = pull if away_x != 0.0 else 0.0
    j10 = 0.0
    j11 = pull if away_y != 0.0 else 0.0
    j20 = 0.0
    j21 = 0.0
    j22 = 0.0
    g0 = pull * away_x
    g1 = pull * away_y
    g2 = 0.0
    surprise = 0.0
    misfit = 0.0
    vx, vy, v_variance = velocity
    for i in range(n):
        age = rows[i, AGE_S]
        residual, hx, hy, ho = residual_and_slope(
            rows[i], place[0] - vx * age, place[1] - vy * age, place[2]
        )
        noise = rows[i, SIGMA] ** 2 + (hx * hx + hy * hy) * v_variance * age * age
        scale = math.sqrt(noise + spread_along(s, hx, hy, ho))
        if iteration == 0:
            rows[i, INNOVATION] = residual / scale
        odd = min((residual / scale) ** 2, SURPRISE_OF_ONE_MAX)
        misfit += min(odd, MISFIT_OF_ONE_MAX) / n
        if rows[i, KIND] == RANGE_KIND:
            weight = range_weight(
                residual, scale, p.long_share, p.long_scale_m, p.short_share, p.short_scale_m
            )
            odd *= LONG_RANGE_SURPRISE if residual > 0.0 else 1.0
        else:
            weight = student_weight(residual, scale, p.student_dof)
        surprise += odd / n
        weight *= rows[i, CREDIT] / noise
        j00 += weight * hx * hx
        j10 += weight * hx * hy
        j11 += weight * hy * hy
        j20 += weight * hx * ho
        j21 += weight * hy * ho
        j22 += weight * ho * ho
        g0 += weight * hx * residual
        g1 += weight * hy * residual
        g2 += weight * ho * residual
    return j00, j10, j11, j20, j21, j22, g0, g1, g2, surprise, misfit


@njit(cache=True, nogil=True, error_model="numpy")
def settle(
    rows: Floats, n: int, p: Parameters, box: Floats, state: Floats, cov: Floats
) -> tuple[float, float, float, Symmetric3, tuple[float, float], bool]:
    """Seek the most probable place and offset; return them, their covariance surprise, misfit."""
    prior = (cov[XX], cov[YX], cov[YY], cov[OX], cov[OY], cov[OO])
    known, is_regular = invert3(*prior)
    x = state[0]
    y = state[1]
    o = state[4]
    first = (-1.0, -1.0)
    if not is_regular:
        return x, y, o, prior, first, False
    velocity = (state[2], state[3], 0.5 * (cov[UU] + cov[VV]))
    s = prior
    pull = belief_of_nearness(rows, n, p)
    for iteration in range(ITERATIONS_MAX):
        away_x, away_y = way_inside(box, x, y)
        j00, j10, j11, j20, j21, j22, g0, g1, g2, surprise, misfit = gather_information(
            rows, n, p, (pull, away_x, away_y), (x, y, o), velocity, s, iteration
        )
        if iteration == 0:
            first = (surprise, misfit)
        dx = state[0] - x
        dy = state[1] - y
        do = state[4] - o
        g0 += known[0] * dx + known[1] * dy + known[3] * do
        g1 += known[1] * dx + known[2] * dy + known[4] * do
        g2 += known[3] * dx + known[4] * dy + known[5] * do
        s, is_regular = invert3(
            known[0] + j00,
            known[1] + j10,
            known[2] + j11,
            known[3] + j20,
            known[4] + j21,
            known[5] + j22,
        )
        if not is_regular:
            return x, y, o, prior, first, False
        step_x = s[0] * g0 + s[1] * g1 + s[3] * g2
        step_y = s[1] * g0 + s[2] * g1 + s[4] * g2
        step_o = s[3] * g0 + s[4] * g1 + s[5] * g2
        x += step_x
        y += step_y
        o += step_o
        if step_x * step_x + step_y * step_y < STEP_M_DONE * STEP_M_DONE:
            break
    is_finite = math.isfinite(x) and math.isfinite(y) and math.isfinite(o)
    return x, y, o, s, first, is_finite


@njit(cache=True, nogil=True, error_model="numpy")
def update_with_rows(
    rows: Floats, n: int, p: Parameters, box: Floats, state: Floats, cov: Floats
) -> tuple[float, float]:
    """Update ``state`` and ``cov`` in place; return surprise and misfit, -1 where it failed.

    With prior S of (x, y, offset) and C its covariance with the velocity, the gain is K = C S⁻¹:
    the velocity moves by K δ and its covariance by K (S⁺ - S) K'.
    """
    x, y, o, s, odd, is_sound = settle(rows, n, p, box, state, cov)
    if not is_sound:
        return -1.0, -1.0
    known, _ = invert3(cov[XX], cov[YX], cov[YY], cov[OX], cov[OY], cov[OO])
    u0 = cov[UX] * known[0] + cov[UY] * known[1] + cov[OU] * known[3]
    u1 = cov[UX] * known[1] + cov[UY] * known[2] + cov[OU] * known[4]
    u2 = cov[UX] * known[3] + cov[UY] * known[4] + cov[OU] * known[5]
    v0 = cov[VX] * known[0] + cov[VY] * known[1] + cov[OV] * known[3]
    v1 = cov[VX] * known[1] + cov[VY] * known[2] + cov[OV] * known[4]
    v2 = cov[VX] * known[3] + cov[VY] * known[4] + cov[OV] * known[5]
    dx = x - state[0]
    dy = y - state[1]
    do = o - state[4]
    state[0] = x
    state[1] = y
    state[2] += u0 * dx + u1 * dy + u2 * do
    state[3] += v0 * dx + v1 * dy + v2 * do
    state[4] = o
    ux = u0 * s[0] + u1 * s[1] + u2 * s[3]
    uy = u0 * s[1] + u1 * s[2] + u2 * s[4]
    uo = u0 * s[3] + u1 * s[4] + u2 * s[5]
    vx = v0 * s[0] + v1 * s[1] + v2 * s[3]
    vy = v0 * s[1] + v1 * s[2] + v2 * s[4]
    vo = v0 * s[3] + v1 * s[4] + v2 * s[5]
    # K S = C, so K (S⁺ - S) K' = (K S⁺ - C) K'.
    cov[UU] += (ux - cov[UX]) * u0 + (uy - cov[UY]) * u1 + (uo - cov[OU]) * u2
    cov[VU] += (vx - cov[VX]) * u0 + (vy - cov[VY]) * u1 + (vo - cov[OV]) * u2
    cov[VV] += (vx - cov[VX]) * v0 + (vy - cov[VY]) * v1 + (vo - cov[OV]) * v2
    cov[UX], cov[UY], cov[OU] = ux, uy, uo
    cov[VX], cov[VY], cov[OV] = vx, vy, vo
    cov[XX], cov[YX], cov[YY] = s[0], s[1], s[2]
    cov[OX], cov[OY], cov[OO] = s[3], s[4], s[5]
    return odd
