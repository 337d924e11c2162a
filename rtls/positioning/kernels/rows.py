"""Lay out one reading as a row of floats, calibrated and ready to be compared with a position.

Layer: kernels. Takes: reading, anchor and link columns. Gives: rows to the fix and the filter.
"""

import math

from numba import njit

from rtls.positioning.kernels.likelihood import DB_PER_NEPER, NEAR_FIELD_M, RANGE_KIND, RSSI_KIND
from rtls.positioning.kernels.records import AnchorRecords, Floats, Parameters

# Columns of a row.
KIND, ANCHOR_X, ANCHOR_Y, RISE_SQUARED, VALUE, SIGMA, EXPONENT, AGE_S, CREDIT = range(9)
BIAS_SD, ANCHOR, INNOVATION = range(9, 12)
ROW_WIDTH = 12
ROWS_MAX = 64  # readings of one instant; more are taken as a further instant
RANGE_M_MAX = 1_000.0
RSSI_DBM_MIN = -130.0
RSSI_DBM_MAX = 20.0
SIGMA_FACTOR_MIN = 0.2  # a sender that claims more than five times our precision is not believed


@njit(cache=True, nogil=True, error_model="numpy")
def fill_row(
    row: Floats,
    anchors: AnchorRecords,
    p: Parameters,
    anchor: int,
    kind: int,
    value: float,
    sigma: float,
    calibration_row: int,
) -> bool:
    """Calibrate one reading into ``row``; False where it says nothing usable.

    A reading that is not finite or out of range is refused here as well as at admission: what
    enters a covariance stays in it.
    """
    if anchor < 0 or anchor >= anchors.own.size or not math.isfinite(value):
        return False
    own = anchors.own[anchor]
    rise = own["z_m"] - p.tag_height_m
    row[KIND] = kind
    row[ANCHOR] = anchor
    row[ANCHOR_X] = own["x_m"]
    row[ANCHOR_Y] = own["y_m"]
    row[RISE_SQUARED] = rise * rise
    row[AGE_S] = 0.0
    row[CREDIT] = 1.0
    if kind == RANGE_KIND:
        if value < 0.0 or value > RANGE_M_MAX:
            return False
        link_row = calibration_row if 0 <= calibration_row < anchors.links.shape[0] else 0
        link = anchors.links[link_row, anchor]
        row[VALUE] = (value - link["bias_m"]) / (1.0 + link["slope"])
        row[BIAS_SD] = link["bias_sd_m"]
        row[SIGMA] = math.sqrt(p.range_sigma_m**2 + row[BIAS_SD] ** 2)
        row[EXPONENT] = 0.0
    elif kind == RSSI_KIND:
        if value < RSSI_DBM_MIN or value > RSSI_DBM_MAX:
            return False
        row[VALUE] = value - own["rssi_at_1m"]
        # Student's t with scale s has the standard deviation s √(ν / (ν - 2)).
        row[SIGMA] = own["rssi_sigma_db"] * math.sqrt(1.0 - 2.0 / p.student_dof)
        row[EXPONENT] = own["exponent"]
        row[BIAS_SD] = own["rssi_bias_sd_db"]
    else:
        return False
    if math.isfinite(sigma) and sigma > 0.0:
        row[SIGMA] = max(sigma, SIGMA_FACTOR_MIN * row[SIGMA])
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def residual_and_slope(
    row: Floats, x: float, y: float, offset: float
) -> tuple[float, float, float, float]:
    """Return measured less expected, and the slope of the expected in x, y and the offset."""
    dx = x - row[ANCHOR_X]
    dy = y - row[ANCHOR_Y]
    squared = dx * dx + dy * dy + row[RISE_SQUARED]
    if row[KIND] == RANGE_KIND:
        distance = math.sqrt(squared)
        across = max(distance, 1e-6)
        return row[VALUE] - distance, dx / across, dy / across, 0.0
    squared = max(squared, NEAR_FIELD_M * NEAR_FIELD_M)
    loss = DB_PER_NEPER * row[EXPONENT]
    expected = offset - 0.5 * loss * math.log(squared)
    return row[VALUE] - expected, -loss * dx / squared, -loss * dy / squared, 1.0


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
    without an end. That they hear the tag at all says it is not far from among them. Ranges need
    no such belief.
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
