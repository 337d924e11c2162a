"""Name the columns that the kernels read and write, so that a call is not a row of bare arrays.

Layer: kernels. Takes: structured arrays from rtls.positioning.
Gives: named tuples of columns, which numba takes apart at no cost, to the other kernels.

The columns are taken inside compiled code: a column of a one-row array would come in as
contiguous, which is another type and so another compilation in the middle of the day.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Records = npt.NDArray[np.void]


class ReadingColumns(NamedTuple):
    """Columns of `READING_DTYPE`, each (n_readings,), sorted by tag, then by time."""

    tag: Ints
    anchor: Ints
    kind: Bytes
    heard_at_ms: Longs
    value: Floats
    sigma: Floats


class AnchorColumns(NamedTuple):
    """What is known of the anchors, (n_anchors,), and of links, (n_rows, n_anchors).

    ``box`` is (n_anchors, 4): low x, high x, low y, high y of all anchors of the same floor.
    """

    x_m: Floats
    y_m: Floats
    z_m: Floats
    floor: Ints
    box: Floats
    rssi_at_1m: Floats
    exponent: Floats
    rssi_sigma_db: Floats
    rssi_bias_sd_db: Floats
    bias_m: Floats
    slope: Floats
    bias_sd_m: Floats


class TrackColumns(NamedTuple):
    """Columns of `TRACK_DTYPE`, (capacity,) or (capacity, width)."""

    state: Floats
    cov: Floats
    bias_cov: Floats
    z_m: Floats
    at_ms: Longs
    heard_at_ms: Longs
    first_heard_at_ms: Longs
    interval_ms: Floats
    p_standing: Floats
    surprise: Floats
    unit_variance: Floats
    floor_doubt: Floats
    link_heard_ms: Longs
    link_value: Floats
    link_sigma: Floats
    link_anchor: Ints
    link_kind: Bytes
    floor: Ints
    calibration_row: Ints
    kinds: Bytes
    is_located: Bytes


class FixColumns(NamedTuple):
    """Columns of `FIX_DTYPE`, (n_fixes,)."""

    tag: Ints
    floor: Ints
    x_m: Floats
    y_m: Floats
    z_m: Floats
    cov_xx: Floats
    cov_xy: Floats
    cov_yy: Floats
    vx_m_s: Floats
    vy_m_s: Floats
    p_standing: Floats
    evidence_at_ms: Longs
    kinds: Bytes


class Parameters(NamedTuple):
    """Numbers of `MeasurementSettings` and `TrackingSettings`, where they are explained."""

    range_sigma_m: float
    long_share: float
    long_scale_m: float
    short_share: float
    short_scale_m: float
    student_dof: float
    offset_sd_db: float
    range_correlation_s: float
    rssi_correlation_s: float
    bias_cap_m: float
    tag_height_m: float
    speed_sd_m_s: float
    speed_memory_s: float
    standing_speed_sd_m_s: float
    standing_prior: float
    offset_drift_db2_s: float
    instant_ms: float
    first_fix_window_ms: float
    lost_after_ms: float
    surprise_max: float
    surprise_memory: float
    recovery_cost: float
    bias_window_ms: float
    huber_long_sigmas: float
    huber_short_sigmas: float
    anchor_spread_m_min: float
    outside_sd_m: float
    rssi_mean_s: float
    recheck_ms: float
    recovery_cost_rssi: float


@njit(cache=True, nogil=True)
def reading_columns(readings: Records) -> ReadingColumns:
    """Return writable views of the columns of a `READING_DTYPE` array."""
    return ReadingColumns(
        readings["tag"],
        readings["anchor"],
        readings["kind"],
        readings["heard_at_ms"],
        readings["value"],
        readings["sigma"],
    )


@njit(cache=True, nogil=True)
def track_columns(tracks: Records) -> TrackColumns:
    """Return writable views of the columns of a `TRACK_DTYPE` array."""
    return TrackColumns(
        tracks["state"],
        tracks["cov"],
        tracks["bias_cov"],
        tracks["z_m"],
        tracks["at_ms"],
        tracks["heard_at_ms"],
        tracks["first_heard_at_ms"],
        tracks["interval_ms"],
        tracks["p_standing"],
        tracks["surprise"],
        tracks["unit_variance"],
        tracks["floor_doubt"],
        tracks["link_heard_ms"],
        tracks["link_value"],
        tracks["link_sigma"],
        tracks["link_anchor"],
        tracks["link_kind"],
        tracks["floor"],
        tracks["calibration_row"],
        tracks["kinds"],
        tracks["is_located"],
    )


@njit(cache=True, nogil=True)
def fix_columns(fixes: Records) -> FixColumns:
    """Return writable views of the columns of a `FIX_DTYPE` array."""
    return FixColumns(
        fixes["tag"],
        fixes["floor"],
        fixes["x_m"],
        fixes["y_m"],
        fixes["z_m"],
        fixes["cov_xx"],
        fixes["cov_xy"],
        fixes["cov_yy"],
        fixes["vx_m_s"],
        fixes["vy_m_s"],
        fixes["p_standing"],
        fixes["evidence_at_ms"],
        fixes["kinds"],
    )
