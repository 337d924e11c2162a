"""Find the zones on the straight way between the last fix of a tag and this one.

Layer: kernels. Takes: fixes, the last ones, and the arrays of rtls.geofence.zone_index. Gives: rows
that say PASSED to rtls.geofence.crossing, where the rule is explained.

A zone is looked at once for the whole way, and integrated over only where it can reach `p_enter`:
most zones that a walker comes by are those that he is in, and those tell of themselves.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from rtls.geofence.kernels.gaussian_in_zone import (
    BOX_SIGMAS,
    bias_of_kinds,
    mass_in_zone,
    widened_factor,
)
from rtls.geofence.kernels.point_in_zone import ZoneGrid, ZoneShapes, floor_position
from rtls.geofence.kernels.records import Fix, Row, Trail
from rtls.geofence.kernels.stay_slots import (
    BETWEEN_FIXES,
    PASSED,
    StepRules,
    find_open,
    none_yet,
)

Floats = npt.NDArray[np.float64]
Records = npt.NDArray[np.void]

GAP_MS_MAX = 10_000
"""Who is silent for longer may have been anywhere."""
STEP_M = 0.5
"""A shorter step crosses no zone that the fixes at its ends do not see."""
STEPS_MAX = 32
SPEED_SD_M_S = 0.5
"""How far the walk may bend away from the straight line."""
AT_X, AT_Y, FACTOR_X, FACTOR_XY, FACTOR_Y, REACH_X, REACH_Y, THEN_MS = range(8)
WAY_COLUMNS = 8
OUTSIDE_P_MAX = 0.501
"""More of a Gaussian than a half, and the error of the integral, is in no box beside its mean."""


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def is_sound(place: Trail | Fix) -> bool:
    """Tell whether every number of a place is finite."""
    return bool(
        np.isfinite(place.x_m)
        and np.isfinite(place.y_m)
        and np.isfinite(place.cov_xx)
        and np.isfinite(place.cov_xy)
        and np.isfinite(place.cov_yy)
    )


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def lay_way(
    way: Floats, before: Trail, fix: Fix, length_m: float, at_ms: int, bias_m: float
) -> int:
    """Write places on the line from ``before`` to ``fix``, every half metre, the end included.

    The ends are independent to first order, so their covariances mix by the squares of their
    shares; a Brownian bridge adds what nobody has seen. Returns how many places there are.
    """
    steps = int(min(math.ceil(length_m / STEP_M), STEPS_MAX))
    gap_ms = at_ms - before.at_ms
    bend_m = SPEED_SD_M_S * gap_ms / 1e3
    for k in range(steps):
        share = (k + 1) / steps
        rest = 1.0 - share
        bend_m2 = bend_m * bend_m * share * rest
        xx = rest * rest * before.cov_xx + share * share * fix.cov_xx + bend_m2
        xy = rest * rest * before.cov_xy + share * share * fix.cov_xy
        yy = rest * rest * before.cov_yy + share * share * fix.cov_yy + bend_m2
        factor_x, factor_xy, factor_y = widened_factor(xx, xy, yy, bias_m)
        way[k, AT_X] = rest * before.x_m + share * fix.x_m
        way[k, AT_Y] = rest * before.y_m + share * fix.y_m
        way[k, FACTOR_X] = factor_x
        way[k, FACTOR_XY] = factor_xy
        way[k, FACTOR_Y] = factor_y
        way[k, REACH_X] = BOX_SIGMAS * factor_x
        way[k, REACH_Y] = BOX_SIGMAS * math.sqrt(factor_xy * factor_xy + factor_y * factor_y)
        way[k, THEN_MS] = np.rint(share * gap_ms)  # since `before`: exact, being below 2^53
    return steps


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def mass_at(shapes: ZoneShapes, zone: int, place: Floats, p_least: float) -> float:
    """Return P(zone) at one place of the way; 0 where that is surely below ``p_least``."""
    x = place[AT_X]
    y = place[AT_Y]
    box = shapes.box[zone]
    if box[0] > x + place[REACH_X] or box[2] < x - place[REACH_X]:
        return 0.0
    if box[1] > y + place[REACH_Y] or box[3] < y - place[REACH_Y]:
        return 0.0
    is_beside = x < box[0] or x > box[2] or y < box[1] or y > box[3]
    if is_beside and p_least > OUTSIDE_P_MAX:
        return 0.0
    lower = (place[FACTOR_X], place[FACTOR_XY], place[FACTOR_Y])
    p = mass_in_zone(shapes, zone, x, y, lower)
    return p if p >= p_least else 0.0


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def best_on_way(
    shapes: ZoneShapes, zone: int, way: Floats, steps: int, p_least: float
) -> tuple[float, int]:
    """Return the highest P(zone) before the end of the way, 0 if below ``p_least``, and where."""
    best = 0.0
    at = 0
    for k in range(steps - 1):
        p = mass_at(shapes, zone, way[k], p_least)
        if p > 0.0 and p >= best:
            best = p
            at = k
    return best, at


@njit(cache=True, nogil=True, error_model="numpy")
def write_pass(
    rows: Records, begun: int, used: int, tag: int, zone: int, p: float, then_ms: int, at_ms: int
) -> int:
    """Insert a row among those of its tag, which begin at ``begun`` and rise by zone."""
    place = used
    while place > begun and rows[place - 1].zone > zone:
        rows[place] = rows[place - 1]
        place -= 1
    row: Row = rows[place]
    row.tag = tag
    row.zone = zone
    row.what = PASSED
    row.reason = BETWEEN_FIXES
    row.is_late = 0
    row.at_ms = then_ms
    row.decided_at_ms = at_ms
    row.entered_at_ms = then_ms
    row.evidence_at_ms = at_ms
    row.threshold_ms = 0.0
    row.dwell_ms = 0.0
    row.dwell_ms_low = 0.0
    row.dwell_ms_high = 0.0
    row.probability = p
    return used + 1


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def box_of_way(way: Floats, steps: int) -> tuple[float, float, float, float]:
    """Return low x, high x, low y, high y of what the places before the end may reach."""
    x0 = y0 = np.inf
    x1 = y1 = -np.inf
    for k in range(steps - 1):
        x0 = min(x0, way[k, AT_X] - way[k, REACH_X])
        x1 = max(x1, way[k, AT_X] + way[k, REACH_X])
        y0 = min(y0, way[k, AT_Y] - way[k, REACH_Y])
        y1 = max(y1, way[k, AT_Y] + way[k, REACH_Y])
    return x0, x1, y0, y1


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def pass_zones(
    grid: ZoneGrid,
    shapes: ZoneShapes,
    position: int,
    way: Floats,
    steps: int,
    p_listed: float,
    stays: Records,
    rules: StepRules,
    tag: int,
    before_ms: int,
    at_ms: int,
    rows: Records,
    used: int,
) -> int:
    """Write a row for each zone that one tag passed on its way; return the rows used."""
    begun = used
    x0, x1, y0, y1 = box_of_way(way, steps)
    origin_x = grid.origin[position, 0]
    origin_y = grid.origin[position, 1]
    columns = grid.columns[position]
    left = int(min(max((x0 - origin_x) * grid.cells_a_m, 0.0), columns))
    right = int(min(max((x1 - origin_x) * grid.cells_a_m, -1.0), columns - 1.0))
    low = int(min(max((y0 - origin_y) * grid.cells_a_m, 0.0), grid.rows[position]))
    high = int(min(max((y1 - origin_y) * grid.cells_a_m, -1.0), grid.rows[position] - 1.0))
    for row in range(low, high + 1):
        for column in range(left, right + 1):
            cell = grid.first_cell[position] + row * columns + column
            for entry in range(grid.cell_start[cell], grid.cell_start[cell + 1]):
                zone = grid.cell_zone[entry]
                if zone >= rules.zones.size:
                    continue  # a halo, which is only left
                # Met in the first cell that it shares with the way, so once.
                own_column = int(max((shapes.box[zone, 0] - origin_x) * grid.cells_a_m, 0.0))
                own_row = int(max((shapes.box[zone, 1] - origin_y) * grid.cells_a_m, 0.0))
                if max(own_column, left) != column or max(own_row, low) != row:
                    continue
                if find_open(stays, zone) >= 0:
                    continue
                rule = rules.zones[zone]
                p, k = best_on_way(shapes, zone, way, steps, max(rule.p_enter, p_listed))
                if p == 0.0:
                    continue
                p_hold = max(rule.p_hold, p_listed)
                if mass_at(shapes, zone, way[steps - 1], p_hold) > 0.0:
                    continue  # about to be in it
                then_ms = before_ms + int(way[k, THEN_MS])
                used = write_pass(rows, begun, used, tag, zone, p, then_ms, at_ms)
    return used


@njit(cache=True, nogil=True, error_model="numpy")
def pass_tags(
    grid: ZoneGrid,
    shapes: ZoneShapes,
    bias_m: Floats,
    p_listed: float,
    trails: Records,
    fixes: Records,
    first: int,
    at_ms: int,
    stays: Records,
    rules: StepRules,
    way: Floats,
    rows: Records,
) -> tuple[int, int]:
    """Find what the tags of ``fixes`` passed, from row ``first`` on, and keep the fixes as last.

    Stops before a tag whose rows might not fit. Returns the row to go on with, and the rows used.

    Parameters
    ----------
    grid, shapes
        The coarse grid (zones by their boxes) and the polygons.
    bias_m
        (n_kinds,) frozen bias, one sigma per axis, by reading kind.
    p_listed
        Zones less probable than this count as 0.
    trails
        (capacity,) `TRAIL_DTYPE`, changed in place.
    fixes
        (n,) `FIX_DTYPE`, each tag at most once.
    first
        Row to begin with.
    at_ms
        Their instant.
    stays
        (capacity, `SLOTS`) `STAY_DTYPE` before this instant.
    rules
        Of the zones.
    way
        (`STEPS_MAX`, `WAY_COLUMNS`), to reckon in.
    rows
        `ROW_DTYPE`, written; at least as long as there are zones.
    """
    used = none_yet()
    for place in range(first, fixes.size):
        if rows.size - used < rules.zones.size:
            return place, used
        fix: Fix = fixes[place]
        last: Trail = trails[fix.tag]
        length_m = math.hypot(fix.x_m - last.x_m, fix.y_m - last.y_m)
        is_walk = length_m > STEP_M and at_ms - last.at_ms <= GAP_MS_MAX
        if is_walk and last.floor == fix.floor and fix.p_standing < rules.p_standing_min:
            position = floor_position(grid.floor, fix.floor)
            if position >= 0 and is_sound(last) and is_sound(fix):
                bias = bias_of_kinds(fix.kinds, bias_m)
                steps = lay_way(way, last, fix, length_m, at_ms, bias)
                used = pass_zones(
                    grid, shapes, position, way, steps, p_listed, stays[fix.tag], rules, fix.tag,
                    last.at_ms, at_ms, rows, used,
                )  # fmt: skip
        last.at_ms = at_ms
        last.x_m = fix.x_m
        last.y_m = fix.y_m
        last.cov_xx = fix.cov_xx
        last.cov_xy = fix.cov_xy
        last.cov_yy = fix.cov_yy
        last.floor = fix.floor
    return fixes.size, used
