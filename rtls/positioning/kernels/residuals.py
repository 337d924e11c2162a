"""Compare a row with a place: measured less expected, and the slope of the expected.

Layer: kernels. Takes: rows of calibrated readings. Gives: residuals and slopes to the fix and the
filter, one function for every kind of reading.
"""

import math

from numba import njit

from rtls.positioning.kernels.likelihood import (
    AZIMUTH_ROW,
    DB_PER_NEPER,
    EASTING_ROW,
    ELEVATION_ROW,
    NEAR_FIELD_M,
    NORTHING_ROW,
    RANGE_KIND,
    RSSI_KIND,
    TDOA_KIND,
)
from rtls.positioning.kernels.records import Floats, Parameters
from rtls.positioning.kernels.rows import (
    ANCHOR_X,
    ANCHOR_Y,
    CREDIT,
    EXPONENT,
    KIND,
    REF_RISE_SQUARED,
    REF_X,
    REF_Y,
    RISE,
    RISE_SQUARED,
    VALUE,
)

NEAR_M = 1e-6
BELOW_M = 0.05  # straight below an anchor the azimuth says nothing


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def residual_and_slope(  # noqa: PLR0911  one way out for each kind
    row: Floats, x: float, y: float, offset: float
) -> tuple[float, float, float, float]:
    """Return measured less expected, and the slope of the expected in x, y and the offset."""
    kind = row[KIND]
    dx = x - row[ANCHOR_X]
    dy = y - row[ANCHOR_Y]
    squared = dx * dx + dy * dy + row[RISE_SQUARED]
    if kind == RANGE_KIND:
        distance = math.sqrt(squared)
        inverse = 1.0 / max(distance, NEAR_M)
        return row[VALUE] - distance, dx * inverse, dy * inverse, 0.0
    if kind == RSSI_KIND:
        squared = max(squared, NEAR_FIELD_M * NEAR_FIELD_M)
        loss = DB_PER_NEPER * row[EXPONENT]
        expected = offset - 0.5 * loss * math.log(squared)
        return row[VALUE] - expected, -loss * dx / squared, -loss * dy / squared, 1.0
    if kind == TDOA_KIND:
        distance = max(math.sqrt(squared), NEAR_M)
        ex = x - row[REF_X]
        ey = y - row[REF_Y]
        other = max(math.sqrt(ex * ex + ey * ey + row[REF_RISE_SQUARED]), NEAR_M)
        residual = row[VALUE] - (distance - other)
        return residual, dx / distance - ex / other, dy / distance - ey / other, 0.0
    if kind == EASTING_ROW:
        return row[VALUE] - x, 1.0, 0.0, 0.0
    if kind == NORTHING_ROW:
        return row[VALUE] - y, 0.0, 1.0, 0.0
    flat = max(math.sqrt(dx * dx + dy * dy), BELOW_M)
    slant = max(math.sqrt(squared), NEAR_M)
    if kind == AZIMUTH_ROW:
        # Errors of an array are errors of direction: across the line of sight, so towards the
        # zenith an azimuth is known less and less.
        turn = row[VALUE] - math.atan2(dy, dx)
        turn -= 2.0 * math.pi * math.floor(turn / (2.0 * math.pi) + 0.5)
        return turn * flat / slant, -dy / (flat * slant), dx / (flat * slant), 0.0
    if kind == ELEVATION_ROW:
        steep = row[RISE] / (slant * slant * flat)
        return row[VALUE] - math.atan2(-row[RISE], flat), steep * dx, steep * dy, 0.0
    return 0.0, 0.0, 0.0, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def way_inside(box: Floats, x: float, y: float) -> tuple[float, float]:
    """Return the way from (x, y) back into the box of the anchors; (0, 0) where it is inside."""
    dx = max(box[0] - x, 0.0) + min(box[1] - x, 0.0)
    dy = max(box[2] - y, 0.0) + min(box[3] - y, 0.0)
    return dx, dy


@njit(cache=True, nogil=True, error_model="numpy")
def belief_of_nearness(rows: Floats, n: int, p: Parameters) -> float:
    """Return the information (1/m²) that a tag outside the anchors' box is pulled back with.

    Far outside, all anchors are heard alike and the tag's offset explains the rest: a valley
    without an end. That they hear the tag at all says it is not far from among them. The other
    kinds need no such belief.
    """
    credit = 0.0
    heard = 0
    for i in range(n):
        if rows[i, KIND] == RSSI_KIND:
            credit += rows[i, CREDIT]
            heard += 1
    if heard == 0:
        return 0.0
    return credit / heard / (p.outside_sd_m * p.outside_sd_m)
