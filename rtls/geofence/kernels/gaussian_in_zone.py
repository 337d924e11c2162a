"""Integrate a two-dimensional Gaussian over polygons, exactly up to rounding.

Layer: kernels. Takes: fixes and the arrays of rtls.geofence.zone_index. Gives: P(zone) a fix.

The polygon is whitened with the Cholesky factor of the covariance; then each edge a to b spans a
triangle with the mean, whose mass is its angle less two values of Owen's T function (Owen 1956,
"Tables for computing bivariate normal probabilities"; DiDonato and Hageman 1982 for polygons).
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from rtls.geofence.kernels.point_in_zone import ZoneGrid, ZoneShapes, floor_position

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Records = npt.NDArray[np.void]

ZONES_A_FIX_MAX = 32
"""Zones listed for one fix; the most probable are kept, the rest is counted."""
BOX_SIGMAS = 4.0
"""A zone whose box is farther than this on an axis holds less than 1e-4 of the mass."""
FAR_SIGMAS = 6.0
SIGMA_M_MIN = 1e-3
CORRELATION_MAX = 0.999999
VARIANCE_MAX = 1e8

_root = math.sqrt(1.0 / 2.0)
_nodes, _weights = np.polynomial.legendre.leggauss(8)
NODES = (_nodes + 1.0) / 2.0
WEIGHTS = _weights / (4.0 * math.pi)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def owen_t(h: float, a: float) -> float:
    """Return Owen's T(h, a), h >= 0, with an error below 1e-7."""
    if h > FAR_SIGMAS or a == 0.0:
        return 0.0
    slope = abs(a)
    total = 0.0
    if slope > 1.0:  # T(h, a) by T(ah, 1/a): the integrand stays smooth on [0, 1]
        tail = math.erfc(h * _root) / 2.0
        tail_far = math.erfc(slope * h * _root) / 2.0
        total = (tail + tail_far) / 2.0 - tail * tail_far - owen_t_within(slope * h, 1.0 / slope)
    else:
        total = owen_t_within(h, slope)
    return total if a > 0.0 else -total


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def owen_t_within(h: float, a: float) -> float:
    """Return Owen's T(h, a) for 0 <= a <= 1 by Gauss-Legendre quadrature."""
    if h > FAR_SIGMAS:
        return 0.0
    half = -0.5 * h * h
    total = 0.0
    for node in range(NODES.size):
        square = 1.0 + (a * NODES[node]) ** 2
        total += WEIGHTS[node] * math.exp(half * square) / square
    return a * total


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def mass_of_edge(ax: float, ay: float, bx: float, by: float) -> float:
    """Return the signed standard normal mass of the triangle (0, a, b)."""
    cross = ax * by - ay * bx
    ex = bx - ax
    ey = by - ay
    length = math.sqrt(ex * ex + ey * ey)
    if length == 0.0 or abs(cross) < 1e-14 * length:
        return 0.0  # the mean lies on the edge's line: a triangle without area
    distance = abs(cross) / length
    along_a = (ax * ex + ay * ey) / length / distance
    along_b = (bx * ex + by * ey) / length / distance
    angle = math.atan2(cross, ax * bx + ay * by) / (2.0 * math.pi)
    ring = owen_t(distance, along_b) - owen_t(distance, along_a)
    return angle - ring if cross > 0.0 else angle + ring


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def mass_in_zone(
    shapes: ZoneShapes, zone: int, x: float, y: float, lower: tuple[float, float, float]
) -> float:
    """Return the mass of the Gaussian at (x, y) inside a zone.

    ``lower`` is the Cholesky factor of its covariance: xx, yx, yy.
    """
    xx, yx, yy = lower
    total = 0.0
    start = shapes.ring_start[zone]
    ax = (shapes.corner[start, 0] - x) / xx
    ay = (shapes.corner[start, 1] - y - yx * ax) / yy
    for corner in range(start + 1, shapes.ring_start[zone + 1]):
        bx = (shapes.corner[corner, 0] - x) / xx
        by = (shapes.corner[corner, 1] - y - yx * bx) / yy
        total += mass_of_edge(ax, ay, bx, by)
        ax = bx
        ay = by
    return min(abs(total), 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def widened_factor(xx: float, xy: float, yy: float, bias_m: float) -> tuple[float, float, float]:
    """Return the Cholesky factor of a covariance widened by a bias, made sound where it is not."""
    least = SIGMA_M_MIN * SIGMA_M_MIN
    wide_x = min(max(xx, 0.0) + bias_m * bias_m + least, VARIANCE_MAX)
    wide_y = min(max(yy, 0.0) + bias_m * bias_m + least, VARIANCE_MAX)
    bound = CORRELATION_MAX * math.sqrt(wide_x * wide_y)
    cross = min(max(xy, -bound), bound)
    factor_x = math.sqrt(wide_x)
    factor_xy = cross / factor_x
    return factor_x, factor_xy, math.sqrt(wide_y - factor_xy * factor_xy)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def bias_of_kinds(kinds: int, bias_m: Floats) -> float:
    """Return the frozen bias of the sharpest technology used; of the bluntest if none is named."""
    least = np.inf
    most = 0.0
    for kind in range(bias_m.size):
        most = max(most, bias_m[kind])
        if kinds & (1 << kind):
            least = min(least, bias_m[kind])
    return most if np.isinf(least) else least


@njit(cache=True, nogil=True, error_model="numpy")
def keep_zone(
    zone: Ints, probability: Floats, start: int, end: int, candidate: int, p: float
) -> int:
    """Insert a zone into one fix's list, rising by zone; return the new end.

    A full list loses its least probable zone.
    """
    if end - start == ZONES_A_FIX_MAX:
        least = start
        for entry in range(start + 1, end):
            if probability[entry] < probability[least]:
                least = entry
        if p <= probability[least]:
            return end
        for entry in range(least, end - 1):
            zone[entry] = zone[entry + 1]
            probability[entry] = probability[entry + 1]
        end -= 1
    place = end
    while place > start and zone[place - 1] > candidate:
        zone[place] = zone[place - 1]
        probability[place] = probability[place - 1]
        place -= 1
    zone[place] = candidate
    probability[place] = p
    return end + 1


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def list_zones(
    grid: ZoneGrid,
    shapes: ZoneShapes,
    position: int,
    at: tuple[float, float],
    lower: tuple[float, float, float],
    p_listed: float,
    zone: Ints,
    probability: Floats,
    start: int,
) -> tuple[int, int]:
    """List the zones of one fix; return the end of its list and how many did not fit.

    The coarse grid gives the zones whose box meets the ellipse's box. A zone is taken in the
    first cell that both boxes share, so that it is met once without marking it.
    """
    x, y = at
    xx, yx, yy = lower
    reach_x = BOX_SIGMAS * xx
    reach_y = BOX_SIGMAS * math.sqrt(yx * yx + yy * yy)
    density = 1.0 / (2.0 * math.pi * xx * yy)
    x0 = grid.origin[position, 0]
    y0 = grid.origin[position, 1]
    columns = grid.columns[position]
    left = int(min(max((x - reach_x - x0) * grid.cells_a_m, 0.0), columns))
    right = int(min(max((x + reach_x - x0) * grid.cells_a_m, -1.0), columns - 1.0))
    low = int(min(max((y - reach_y - y0) * grid.cells_a_m, 0.0), grid.rows[position]))
    high = int(min(max((y + reach_y - y0) * grid.cells_a_m, -1.0), grid.rows[position] - 1.0))
    end = start
    lost = 0
    for row in range(low, high + 1):
        for column in range(left, right + 1):
            cell = grid.first_cell[position] + row * columns + column
            for entry in range(grid.cell_start[cell], grid.cell_start[cell + 1]):
                candidate = grid.cell_zone[entry]
                box = shapes.box[candidate]
                own_column = int(max((box[0] - x0) * grid.cells_a_m, 0.0))
                own_row = int(max((box[1] - y0) * grid.cells_a_m, 0.0))
                if max(own_column, left) != column or max(own_row, low) != row:
                    continue
                if box[0] > x + reach_x or box[2] < x - reach_x:
                    continue
                if box[1] > y + reach_y or box[3] < y - reach_y:
                    continue
                if shapes.area[candidate] * density < p_listed:
                    continue  # P cannot exceed area × the peak of the density
                p = mass_in_zone(shapes, candidate, x, y, lower)
                if p >= p_listed:
                    lost += end - start == ZONES_A_FIX_MAX
                    end = keep_zone(zone, probability, start, end, candidate, p)
    return end, lost


@njit(cache=True, nogil=True, error_model="numpy")
def zones_of_fixes(
    grid: ZoneGrid,
    shapes: ZoneShapes,
    fixes: Records,
    bias_m: Floats,
    p_listed: float,
    row_start: Ints,
    zone: Ints,
    probability: Floats,
) -> int:
    """Write P(zone) of each fix as CSR, rising by zone; return how many zones did not fit.

    Parameters
    ----------
    grid, shapes
        The coarse grid (zones by their boxes) and the polygons.
    fixes
        (n,) `FIX_DTYPE`; one that is not finite is in no zone.
    bias_m
        (n_kinds,) frozen bias, one sigma per axis, by reading kind.
    p_listed
        Zones less probable than this are left out.
    row_start
        (n + 1,) written.
    zone, probability
        Written; must hold n × `ZONES_A_FIX_MAX`.
    """
    end = int(np.int64(0))  # a literal is another type, for which callees compile once more
    lost_all = 0
    row_start[0] = 0
    for row in range(fixes.size):
        fix = fixes[row]
        position = floor_position(grid.floor, fix.floor)
        sound = (
            np.isfinite(fix.x_m)
            and np.isfinite(fix.y_m)
            and np.isfinite(fix.cov_xx)
            and np.isfinite(fix.cov_xy)
            and np.isfinite(fix.cov_yy)
        )
        if position >= 0 and sound:
            bias = bias_of_kinds(fix.kinds, bias_m)
            lower = widened_factor(fix.cov_xx, fix.cov_xy, fix.cov_yy, bias)
            end, lost = list_zones(
                grid, shapes, position, (fix.x_m, fix.y_m), lower, p_listed, zone, probability, end
            )
            lost_all += lost
        row_start[row + 1] = end
    return lost_all
