"""Find one position from readings alone: a closed-form start, then robust Gauss-Newton.

Layer: kernels. Takes: rows of calibrated readings. Gives: position, tag offset, covariance and cost
to rtls.positioning.multilateration and to the filter, which starts and restarts from it.
"""

import math

from numba import njit

from rtls.positioning.kernels.bearing_start import cross_bearings, ray_start
from rtls.positioning.kernels.closed_form import (
    bancroft_start,
    centroid_start,
    is_determined,
    linearised_start,
    mean_position,
)
from rtls.positioning.kernels.hyperbolic_start import chan_start
from rtls.positioning.kernels.likelihood import (
    RANGE_KIND,
    RSSI_KIND,
    TDOA_KIND,
    huber_cost,
    huber_weight,
    student_cost,
    student_weight,
)
from rtls.positioning.kernels.records import Floats, Parameters
from rtls.positioning.kernels.residuals import (
    belief_of_nearness,
    residual_and_slope,
    way_inside,
)
from rtls.positioning.kernels.rows import KIND, SIGMA
from rtls.positioning.kernels.small_solve import invert3

ITERATIONS_MAX = 20
STEP_M_DONE = 1e-4
DAMPING_FIRST = 1e-3
DAMPING_MAX = 1e6
LATTICE = 6  # places along each side of the box that a fix from RSSI tries first

# A solution is x, y, offset, covariance (00, 10, 11, 20, 21, 22), cost, iterations.
COST = 9
ITERATIONS = 10
SOLUTION_WIDTH = 11


@njit(cache=True, nogil=True, error_model="numpy")
def cost_at(
    rows: Floats, n: int, p: Parameters, box: Floats, x: float, y: float, offset: float
) -> float:
    """Return the robust cost of all rows at one place, ½ z² each where they agree."""
    away_x, away_y = way_inside(box, x, y)
    cost = 0.5 * belief_of_nearness(rows, n, p) * (away_x * away_x + away_y * away_y)
    cost += 0.5 * (offset / p.offset_sd_db) ** 2
    for i in range(n):
        residual, _, _, _ = residual_and_slope(rows[i], x, y, offset)
        kind = rows[i, KIND]
        if kind == RANGE_KIND:
            cost += huber_cost(residual, rows[i, SIGMA], p.huber_long_sigmas, p.huber_short_sigmas)
        elif kind == TDOA_KIND:
            both = p.huber_short_sigmas
            cost += huber_cost(residual, rows[i, SIGMA], both, both)
        else:
            cost += student_cost(residual, rows[i, SIGMA], p.student_dof)
    return cost


@njit(cache=True, nogil=True, error_model="numpy")
def weight_of(row: Floats, residual: float, p: Parameters) -> float:
    """Return what a residual leaves of a row's information, 1/unit²."""
    scale = row[SIGMA]
    kind = row[KIND]
    if kind == RANGE_KIND:
        weight = huber_weight(residual, scale, p.huber_long_sigmas, p.huber_short_sigmas)
    elif kind == TDOA_KIND:
        weight = huber_weight(residual, scale, p.huber_short_sigmas, p.huber_short_sigmas)
    else:
        weight = student_weight(residual, scale, p.student_dof)
    return float(weight / (scale * scale))


@njit(cache=True, nogil=True, error_model="numpy")
def add_information(
    rows: Floats, n: int, p: Parameters, box: Floats, x: float, y: float, offset: float
) -> tuple[float, float, float, float, float, float, float, float, float]:
    """Return the re-weighted normal matrix (00, 10, 11, 20, 21, 22) and right side at one place."""
    near = belief_of_nearness(rows, n, p)
    away_x, away_y = way_inside(box, x, y)
    j00 = near if away_x != 0.0 else 0.0
    j10 = 0.0
    j11 = near if away_y != 0.0 else 0.0
    j20 = 0.0
    j21 = 0.0
    j22 = 1.0 / (p.offset_sd_db * p.offset_sd_db)
    g0 = near * away_x
    g1 = near * away_y
    g2 = -offset * j22
    for i in range(n):
        residual, hx, hy, ho = residual_and_slope(rows[i], x, y, offset)
        weight = weight_of(rows[i], residual, p)
        j00 += weight * hx * hx
        j10 += weight * hx * hy
        j11 += weight * hy * hy
        j20 += weight * hx * ho
        j21 += weight * hy * ho
        j22 += weight * ho * ho
        g0 += weight * hx * residual
        g1 += weight * hy * residual
        g2 += weight * ho * residual
    return j00, j10, j11, j20, j21, j22, g0, g1, g2


@njit(cache=True, nogil=True, error_model="numpy")
def offset_at(rows: Floats, n: int, p: Parameters, x: float, y: float) -> float:
    """Return the tag offset that suits the RSSI at one place: the mean residual, drawn to 0."""
    weight_sum = 1.0 / (p.offset_sd_db * p.offset_sd_db)
    total = 0.0
    for i in range(n):
        if rows[i, KIND] == RSSI_KIND:
            residual, _, _, _ = residual_and_slope(rows[i], x, y, 0.0)
            weight = 1.0 / (rows[i, SIGMA] * rows[i, SIGMA])
            weight_sum += weight
            total += weight * residual
    return total / weight_sum


@njit(cache=True, nogil=True, error_model="numpy")
def try_start(
    rows: Floats,
    n: int,
    p: Parameters,
    box: Floats,
    best: tuple[float, float, float, float],
    x: float,
    y: float,
) -> tuple[float, float, float, float]:
    """Return (x, y, offset, cost) of this place if it costs less than ``best``, else that."""
    offset = offset_at(rows, n, p, x, y)
    cost = cost_at(rows, n, p, box, x, y, offset)
    if cost < best[3]:
        return x, y, offset, cost
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def best_start(rows: Floats, n: int, p: Parameters, box: Floats) -> tuple[float, float, float]:
    """Return the place and offset of least cost among what each kind suggests.

    Descent stays in the valley it starts in. Where only RSSI speaks, or nothing has a closed form,
    a lattice over the box is tried as well: the cost of RSSI has several valleys.
    """
    best = (0.5 * (box[0] + box[1]), 0.5 * (box[2] + box[3]), 0.0, math.inf)
    known = 0
    x, y, used = linearised_start(rows, n)
    if used > 0:
        best = try_start(rows, n, p, box, best, x, y)
        known += used
    x, y, used = bancroft_start(rows, n)
    if used > 0:
        best = try_start(rows, n, p, box, best, x, y)
    x, y, used = chan_start(rows, n)
    if used > 0:
        best = try_start(rows, n, p, box, best, x, y)
        known += used
    x, y, crossing = cross_bearings(rows, n)
    if crossing > 0.0:
        best = try_start(rows, n, p, box, best, x, y)
        known += 1
    x, y, used = ray_start(rows, n)
    if used > 0:
        best = try_start(rows, n, p, box, best, x, y)
        known += 1
    x, y, used = mean_position(rows, n)
    if used > 0:
        best = try_start(rows, n, p, box, best, x, y)
        known += used
    if known == 0:
        x, y = centroid_start(rows, n)
        best = try_start(rows, n, p, box, best, x, y)
        for i in range(LATTICE):
            for j in range(LATTICE):
                x = box[0] + (box[1] - box[0]) * (i + 0.5) / LATTICE
                y = box[2] + (box[3] - box[2]) * (j + 0.5) / LATTICE
                best = try_start(rows, n, p, box, best, x, y)
    return best[0], best[1], best[2]


@njit(cache=True, nogil=True, error_model="numpy")
def solve_rows(rows: Floats, n: int, p: Parameters, box: Floats, solution: Floats) -> bool:
    """Solve position and offset from ``rows[:n]`` into ``solution``; False where undetermined."""
    if not is_determined(rows, n, p.anchor_spread_m_min):
        return False
    x, y, offset = best_start(rows, n, p, box)
    x, y, offset, used = descend(rows, n, p, box, x, y, offset)
    solution[ITERATIONS] = used
    return write_solution(rows, n, p, box, solution, x, y, offset)


@njit(cache=True, nogil=True, error_model="numpy")
def descend(
    rows: Floats,
    n: int,
    p: Parameters,
    box: Floats,
    x: float,
    y: float,
    offset: float,
) -> tuple[float, float, float, int]:
    """Return the bottom of the valley that (x, y, offset) lies in, and the iterations taken.

    Levenberg-Marquardt on the re-weighted normal equations: a step is taken only when it lowers
    the cost that the weights belong to, so the slope always matches the residual.
    """
    damping = DAMPING_FIRST
    cost = cost_at(rows, n, p, box, x, y, offset)
    used = 0
    while used < ITERATIONS_MAX:
        used += 1
        j00, j10, j11, j20, j21, j22, g0, g1, g2 = add_information(rows, n, p, box, x, y, offset)
        lift = 1.0 + damping
        inverse, is_regular = invert3(j00 * lift, j10, j11 * lift, j20, j21, j22 * lift)
        if not is_regular:
            break
        step_x = inverse[0] * g0 + inverse[1] * g1 + inverse[3] * g2
        step_y = inverse[1] * g0 + inverse[2] * g1 + inverse[4] * g2
        step_o = inverse[3] * g0 + inverse[4] * g1 + inverse[5] * g2
        trial = cost_at(rows, n, p, box, x + step_x, y + step_y, offset + step_o)
        is_tiny = step_x * step_x + step_y * step_y < STEP_M_DONE * STEP_M_DONE
        if trial <= cost:
            x += step_x
            y += step_y
            offset += step_o
            cost = trial
            damping *= 0.1
        else:
            damping *= 10.0
        if is_tiny or damping > DAMPING_MAX:
            break
    return x, y, offset, used


@njit(cache=True, nogil=True, error_model="numpy")
def write_solution(
    rows: Floats,
    n: int,
    p: Parameters,
    box: Floats,
    solution: Floats,
    x: float,
    y: float,
    offset: float,
) -> bool:
    """Write place, covariance and cost; False where anything is not finite."""
    j00, j10, j11, j20, j21, j22, _, _, _ = add_information(rows, n, p, box, x, y, offset)
    covariance, is_regular = invert3(j00, j10, j11, j20, j21, j22)
    if not is_regular:
        return False
    solution[0] = x
    solution[1] = y
    solution[2] = offset
    for k in range(6):
        solution[3 + k] = covariance[k]
    solution[COST] = cost_at(rows, n, p, box, x, y, offset)
    return math.isfinite(x) and math.isfinite(y) and math.isfinite(covariance[0])
