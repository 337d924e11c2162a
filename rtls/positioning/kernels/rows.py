"""Lay out one reading as rows of floats, calibrated and ready to be compared with a position.

Layer: kernels. Takes: reading, anchor and link columns. Gives: rows to the fix and the filter.

A row is one equation. A position gives two, an angle with elevation too.
"""

import math

from numba import njit

from rtls.positioning.kernels.likelihood import (
    AOA_KIND,
    AZIMUTH_ROW,
    EASTING_ROW,
    ELEVATION_ROW,
    NORTHING_ROW,
    POSITION_KIND,
    RANGE_KIND,
    RSSI_KIND,
    TDOA_KIND,
)
from rtls.positioning.kernels.records import AnchorRecords, Floats, Parameters, Record

# Columns of a row.
KIND, ANCHOR_X, ANCHOR_Y, RISE_SQUARED, VALUE, SIGMA, EXPONENT, AGE_S, CREDIT = range(9)
BIAS_SD, ANCHOR, INNOVATION, REF_X, REF_Y, REF_RISE_SQUARED, RISE = range(9, 16)
LINK, LONG_SHARE, P_DIRECT, RESIDUAL, LEARNT, COMMON, GAP_MS = range(16, 23)
ROW_WIDTH = 23
ROWS_MAX = 64  # readings of one instant; more are taken as a further instant
ROWS_A_READING = 2
NO_LINK = -1.0
RANGE_M_MAX = 1_000.0
COORDINATE_M_MAX = 10_000.0
RSSI_DBM_MIN = -130.0
RSSI_DBM_MAX = 20.0
ANGLE_MAX = 4.0 * math.pi
SIGMA_FACTOR_MIN = 0.2  # a sender that claims more than five times our precision is not believed


@njit(cache=True, nogil=True, error_model="numpy")
def link_of(anchors: AnchorRecords, anchor: int, calibration_row: int) -> Record:
    """Return what is known of the link of a tag to ``anchor``; row 0 knows of any tag."""
    row = calibration_row if 0 <= calibration_row < anchors.links.shape[0] else 0
    link: Record = anchors.links[row, anchor]
    return link


@njit(cache=True, nogil=True, error_model="numpy")
def fill_rows(
    rows: Floats,
    n: int,
    anchors: AnchorRecords,
    p: Parameters,
    anchor: int,
    kind: int,
    value: float,
    value_2: float,
    sigma: float,
    ref_anchor: int,
    calibration_row: int,
) -> int:
    """Calibrate one reading into ``rows`` from ``n`` on; return how many rows it gave."""
    if anchor < 0 or anchor >= anchors.own.size:
        return 0
    own = anchors.own[anchor]
    link = link_of(anchors, anchor, calibration_row)
    other = own
    if 0 <= ref_anchor < anchors.own.size:
        other = anchors.own[ref_anchor]
    else:
        ref_anchor = anchor
    return fill_reading(
        rows, n, own, other, link, p, anchor, kind, value, value_2, sigma, ref_anchor
    )


@njit(cache=True, nogil=True, error_model="numpy")
def fill_reading(  # noqa: PLR0911  one way out for each kind
    rows: Floats,
    n: int,
    own: Record,
    other: Record,
    link: Record,
    p: Parameters,
    anchor: int,
    kind: int,
    value: float,
    value_2: float,
    sigma: float,
    ref_anchor: int,
) -> int:
    """Calibrate one reading of the anchor ``own`` into ``rows`` from ``n`` on.

    Returns how many rows it gave: none where it says nothing usable. A reading that is not finite
    or out of range is refused here as well as at admission: what enters a covariance stays in it.
    ``other`` is the second anchor of a difference, ``anchor`` itself where there is none. Records,
    and not the table: that would be counted as handed on with each reading.
    """
    if not math.isfinite(value):
        return 0
    row = rows[n]
    begin_row(row, own, p, anchor)
    row[KIND] = kind
    if kind == RANGE_KIND:
        return fill_range(row, link, p, value, sigma) if own["is_placed"] else 0
    if kind == POSITION_KIND:
        return fill_position(rows, n, p, value, value_2, sigma)
    if own["is_placed"] == 0:
        return 0
    if kind == RSSI_KIND:
        return fill_rssi(row, own, p, value, sigma)
    if kind == TDOA_KIND:
        return fill_tdoa(row, other, p, value, sigma) if ref_anchor != anchor else 0
    if kind == AOA_KIND:
        return fill_angles(rows, n, p, value + own["yaw_rad"], value_2, sigma)
    return 0


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def begin_row(row: Floats, own: Record, p: Parameters, anchor: int) -> None:
    """Write what any row of an anchor has."""
    rise = own["z_m"] - p.tag_height_m
    row[ANCHOR] = anchor
    row[ANCHOR_X] = own["x_m"]
    row[ANCHOR_Y] = own["y_m"]
    row[RISE_SQUARED] = rise * rise
    row[RISE] = rise
    row[AGE_S] = 0.0
    row[CREDIT] = 1.0
    row[EXPONENT] = 0.0
    row[LINK] = NO_LINK
    row[LONG_SHARE] = p.long_share
    row[P_DIRECT] = 1.0
    row[LEARNT] = 0.0
    row[COMMON] = 0.0
    row[GAP_MS] = -1.0


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def fill_range(row: Floats, link: Record, p: Parameters, value: float, sigma: float) -> int:
    """Complete the row of a range, less what its link and its tag are expected to add."""
    if value < 0.0 or value > RANGE_M_MAX:
        return 0
    common = link["common"]
    row[COMMON] = common
    row[VALUE] = (value - link["bias_m"]) / (1.0 + link["slope"]) - common * p.range_bias_common_m
    own = link["bias_sd_m"]
    shared = common * p.range_bias_common_sd_m
    row[BIAS_SD] = math.sqrt(own * own + shared * shared + p.range_bias_place_sd_m**2)
    row[SIGMA] = math.sqrt(p.range_sigma_m**2 + row[BIAS_SD] ** 2)
    believe(row, sigma)
    return 1


@njit(cache=True, nogil=True, error_model="numpy")
def fill_rssi(row: Floats, own: Record, p: Parameters, value: float, sigma: float) -> int:
    """Complete the row of a signal strength, in dB above what the anchor hears at one metre."""
    if value < RSSI_DBM_MIN or value > RSSI_DBM_MAX:
        return 0
    row[VALUE] = value - own["rssi_at_1m"]
    # Student's t with scale s has the standard deviation s √(ν / (ν - 2)).
    row[SIGMA] = own["rssi_sigma_db"] * math.sqrt(1.0 - 2.0 / p.student_dof)
    row[EXPONENT] = own["exponent"]
    row[BIAS_SD] = own["rssi_bias_sd_db"]
    believe(row, sigma)
    return 1


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def believe(row: Floats, sigma: float) -> None:
    """Take the sender's sigma where it states one."""
    if math.isfinite(sigma) and sigma > 0.0:
        row[SIGMA] = max(sigma, SIGMA_FACTOR_MIN * row[SIGMA])


@njit(cache=True, nogil=True, error_model="numpy")
def fill_tdoa(row: Floats, other: Record, p: Parameters, value: float, sigma: float) -> int:
    """Complete the row of a difference of distances."""
    if abs(value) > RANGE_M_MAX or other["is_placed"] == 0:
        return 0
    rise = other["z_m"] - p.tag_height_m
    row[VALUE] = value
    row[REF_X] = other["x_m"]
    row[REF_Y] = other["y_m"]
    row[REF_RISE_SQUARED] = rise * rise
    row[BIAS_SD] = p.tdoa_bias_sd_m
    row[SIGMA] = math.sqrt(p.tdoa_sigma_m**2 + p.tdoa_bias_sd_m**2)
    believe(row, sigma)
    return 1


@njit(cache=True, nogil=True, error_model="numpy")
def fill_angles(
    rows: Floats, n: int, p: Parameters, azimuth: float, elevation: float, sigma: float
) -> int:
    """Complete the row of an azimuth in the frame, and add one for its elevation if any."""
    row = rows[n]
    if abs(azimuth) > ANGLE_MAX:
        return 0
    row[KIND] = AZIMUTH_ROW
    row[VALUE] = azimuth
    row[BIAS_SD] = p.aoa_bias_sd_rad
    row[SIGMA] = p.aoa_sigma_rad
    believe(row, sigma)
    if not abs(elevation) <= 0.5 * math.pi or n + 1 >= rows.shape[0]:
        return 1
    copy_row(rows, n)
    rows[n + 1, KIND] = ELEVATION_ROW
    rows[n + 1, VALUE] = elevation
    return 2


@njit(cache=True, nogil=True, error_model="numpy")
def fill_position(
    rows: Floats, n: int, p: Parameters, east: float, north: float, sigma: float
) -> int:
    """Complete the rows of a position that another system has computed."""
    is_place = abs(east) <= COORDINATE_M_MAX and abs(north) <= COORDINATE_M_MAX
    if not is_place or n + 1 >= rows.shape[0]:
        return 0
    row = rows[n]
    row[KIND] = EASTING_ROW
    row[VALUE] = east
    row[BIAS_SD] = p.position_bias_sd_m
    row[SIGMA] = p.position_sigma_m
    believe(row, sigma)
    if math.isfinite(sigma):
        # What a system says of its own spread holds for what it cannot see as well.
        row[BIAS_SD] = max(p.position_bias_sd_m, 0.5 * min(sigma, COORDINATE_M_MAX))
    copy_row(rows, n)
    rows[n + 1, KIND] = NORTHING_ROW
    rows[n + 1, VALUE] = north
    return 2


@njit(cache=True, nogil=True, error_model="numpy")
def copy_row(rows: Floats, n: int) -> None:
    """Write row ``n`` once more, behind itself."""
    for column in range(ROW_WIDTH):
        rows[n + 1, column] = rows[n, column]
