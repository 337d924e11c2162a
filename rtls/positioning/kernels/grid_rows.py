"""Weigh the mass of one tag by coarse ranges, angles, differences of distances and positions.

Layer: kernels. Takes: the youngest reading of each link of a track. Gives: costs to
rtls.positioning.kernels.grid_update, beside those of RSSI.

A reading is laid out, calibrated and compared with a place by the same rows as in the Gaussian
filter; only that it is compared with every node of the list. A node is a cell: what a reading
changes across it is noise.
"""

import math

from numba import njit

from rtls.positioning.kernels.frozen_bias import bias_covariance, kinds_heard
from rtls.positioning.kernels.grid_records import GridModel, Ranging, Scratch
from rtls.positioning.kernels.likelihood import (
    RANGE_KIND,
    RSSI_KIND,
    SQRT_TWO_PI,
    TDOA_KIND,
    student_cost,
)
from rtls.positioning.kernels.links import (
    age_rows,
    credit_of_repeat,
    remember_link,
    rows_of_links,
)
from rtls.positioning.kernels.records import Floats, Parameters, Record, Records, wide
from rtls.positioning.kernels.residuals import residual_and_slope
from rtls.positioning.kernels.rows import ANCHOR, KIND, LONG_SHARE, SIGMA, link_of

TRUST_MIN = 0.01
OTHER_FLOOR_NATS = 4.0  # a slab blocks: what is heard through it is as odd as a long detour
DENSITY_MIN = 1e-12
INNOVATION_MAX = 5.0
SQUARE_MAX = 9.0


@njit(cache=True, nogil=True, error_model="numpy")
def note_row(track: Record, r: Ranging, reading: Record) -> None:
    """Keep a reading of another kind than RSSI as the youngest of its link."""
    anchor = wide(reading["anchor"])
    if 0 <= anchor < r.anchors.own.size and math.isfinite(reading["value"]):
        link = link_of(r.anchors, anchor, wide(track["calibration_row"]))
        remember_link(track, link, r.noise, reading)


@njit(cache=True, nogil=True, error_model="numpy")
def cost_of_row(row: Floats, residual: float, scale: float, p: Parameters) -> float:
    """Return minus the log density of a residual; ranges over a detour are long, never short."""
    kind = row[KIND]
    if kind != RANGE_KIND and kind != TDOA_KIND:  # noqa: PLR1714  kernels know no sets
        return student_cost(residual, scale, p.student_dof)
    share = row[LONG_SHARE]
    tail = p.long_scale_m
    if kind == RANGE_KIND and residual < 0.0:
        share = p.short_share
        tail = p.short_scale_m
    away = abs(residual)
    z = away / scale
    direct = (
        (1.0 - row[LONG_SHARE] - p.short_share) / (SQRT_TWO_PI * scale) * math.exp(-0.5 * z * z)
    )
    blocked = share / (tail + scale) * math.exp(-away / (tail + scale))
    return -math.log(direct + blocked + DENSITY_MIN)


@njit(cache=True, nogil=True, error_model="numpy")
def scale_at(row: Floats, hx: float, hy: float, cell_m: float) -> float:
    """Return how far a reading may be from what a node expects: its noise, and the cell's width."""
    within = (hx * hx + hy * hy) * cell_m * cell_m / 12.0
    return math.sqrt(row[SIGMA] * row[SIGMA] + within)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_grid_rows(
    s: Scratch, r: Ranging, track: Record, health: Records, floor: int, since_ms: int, dt_s: float
) -> int:
    """Fill ``s.rows`` with the links of one floor heard after ``since_ms``; return how many.

    What each counts for, as its link was heard ``dt_s`` before, is left in ``s.credits``.
    """
    n = rows_of_links(s.rows, track, r.anchors, r.noise, floor, since_ms)
    age_rows(s.rows, n, r.noise)
    kept = wide(0)
    for i in range(n):
        if s.rows[i, KIND] == RSSI_KIND:
            continue
        trust = max(health[int(s.rows[i, ANCHOR])]["weight"], TRUST_MIN)
        for column in range(s.rows.shape[1]):
            s.rows[kept, column] = s.rows[i, column]
        s.rows[kept, SIGMA] /= math.sqrt(trust)
        s.credits[kept] = credit_of_repeat(int(s.rows[i, KIND]), 1e3 * dt_s, 0, r.noise)
        kept += 1
    return kept


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_rows(
    model: GridModel,
    s: Scratch,
    r: Ranging,
    track: Record,
    health: Records,
    n: int,
    since_ms: int,
    dt_s: float,
    credit: float,
) -> float:
    """Add the costs of all rows to the list; return its lowest cost.

    Costs of the list are still to be multiplied with ``credit``.
    """
    for which in range(r.anchors.floors.size):
        floor = r.anchors.floors[which]
        rows = fill_grid_rows(s, r, track, health, floor, since_ms, dt_s)
        if rows == 0:
            continue
        through_slab = 0.0
        for i in range(rows):
            through_slab += OTHER_FLOOR_NATS * s.credits[i]
        for k in range(n):
            node = s.node[k]
            if model.floor[node] != floor:
                s.cost[k] += through_slab / credit
                continue
            x = model.xy[node, 0]
            y = model.xy[node, 1]
            cost = 0.0
            for i in range(rows):
                residual, hx, hy, _ = residual_and_slope(s.rows[i], x, y, 0.0)
                scale = scale_at(s.rows[i], hx, hy, model.cell_m)
                cost += s.credits[i] * cost_of_row(s.rows[i], residual, scale, r.noise)
            s.cost[k] += cost / credit
    lowest = math.inf
    for k in range(n):
        lowest = min(lowest, s.cost[k])
    return lowest


@njit(cache=True, nogil=True, error_model="numpy")
def fit_of_rows(
    model: GridModel,
    s: Scratch,
    r: Ranging,
    track: Record,
    health: Records,
    node: int,
    since_ms: int,
    dt_s: float,
    is_walking: bool,  # noqa: FBT001  kernels know no keywords
) -> tuple[float, int]:
    """Tell the anchors how the rows fit a node; return the sum of squares and how many rows."""
    rows = fill_grid_rows(s, r, track, health, wide(model.floor[node]), since_ms, dt_s)
    squares = 0.0
    for i in range(rows):
        residual, hx, hy, _ = residual_and_slope(
            s.rows[i], model.xy[node, 0], model.xy[node, 1], 0.0
        )
        z = residual / scale_at(s.rows[i], hx, hy, model.cell_m)
        z = min(max(z, -INNOVATION_MAX), INNOVATION_MAX)
        squares += min(z * z, SQUARE_MAX)
        if is_walking:
            note = health[int(s.rows[i, ANCHOR])]
            note["residual_sum"] += z
            note["residual_sq_sum"] += z * z
            note["count"] += 1
    return squares, rows


@njit(cache=True, nogil=True, error_model="numpy")
def note_carriers_of_grid(s: Scratch, r: Ranging, track: Record, belief: Record) -> None:
    """Keep which kinds carry the tag, and what frozen errors of other kinds than RSSI leave."""
    since_ms = belief["at_ms"] - int(r.noise.bias_window_ms)
    kinds = kinds_heard(track, since_ms) & ~(1 << RSSI_KIND)
    for k in range(belief["link_heard_ms"].size):
        if belief["link_anchor"][k] == 0:
            break
        if belief["link_heard_ms"][k] > since_ms:
            kinds |= 1 << RSSI_KIND
            break
    track["kinds"] = kinds
    if kinds <= 1 << RSSI_KIND:
        return
    rows = rows_of_links(s.rows, track, r.anchors, r.noise, wide(belief["floor"]), since_ms)
    bias = track["bias_cov"]
    bias[0], bias[1], bias[2] = bias_covariance(
        s.rows, rows, r.noise, belief["x_m"], belief["y_m"], 0.0
    )
