"""Weigh one reading: how much of its information a residual leaves standing.

Layer: kernels. Takes: a residual and its scale from the fix and the filter.
Gives: the IRLS weight ψ(e) σ² / e of the density in rtls.positioning.measurement.
"""

import math

from numba import njit

# ReadingKind as numbers; where a reading gives two rows, each has a kind of its own.
RSSI_KIND, RANGE_KIND, TDOA_KIND, AOA_KIND, POSITION_KIND = range(5)
AZIMUTH_ROW, EASTING_ROW, ELEVATION_ROW, NORTHING_ROW = AOA_KIND, POSITION_KIND, 5, 6
NEAR_FIELD_M = 0.3  # closer than this an antenna pattern, not a path-loss law, decides
DB_PER_NEPER = 10.0 / math.log(10.0)
SURPRISE_OF_ONE_MAX = 25.0
MISFIT_OF_ONE_MAX = 9.0
LONG_RANGE_SURPRISE = 0.1  # a long range is no sign that the track is wrong: paths get blocked
SQRT_TWO_PI = math.sqrt(2.0 * math.pi)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def range_weight(
    residual: float,
    scale: float,
    long_share: float,
    long_scale: float,
    short_share: float,
    short_scale: float,
) -> tuple[float, float]:
    """Return the weight of a range ``residual`` metres too long, and P(its path is direct).

    A blocked path makes a range longer, never shorter, so the long side has the heavier tail. The
    tails are exponential: their pull stays constant, hence a filter that is wrong itself still
    hears them and comes back, which a gate or a redescending loss would forbid.
    """
    if residual > 0.0:
        share, tail = long_share, long_scale
    else:
        share, tail = short_share, short_scale
    away = abs(residual)
    z = away / scale
    direct = (1.0 - long_share - short_share) / (SQRT_TWO_PI * scale)
    direct *= math.exp(-0.5 * z * z)
    blocked = share / tail * math.exp(-min(away / tail, 500.0))  # never 0, so never 0 / 0
    p_direct = direct / (direct + blocked)
    # The two limits of the mixture's score: e/σ² for a direct path, 1/λ for a blocked one.
    pull = scale * scale / (tail * max(away, scale))
    return p_direct + (1.0 - p_direct) * min(pull, 1.0), p_direct


@njit(cache=True, nogil=True, error_model="numpy")
def student_weight(residual: float, scale: float, dof: float) -> float:
    """Return the weight of Student's t with ``dof`` degrees of freedom."""
    z = residual / scale
    return (dof + 1.0) / (dof + z * z)


@njit(cache=True, nogil=True, error_model="numpy")
def huber_weight(residual: float, scale: float, long: float, short: float) -> float:
    """Return Huber's weight with a threshold in sigmas for either side."""
    z = residual / scale
    if z > long:
        return long / z
    if z < -short:
        return -short / z
    return 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def huber_cost(residual: float, scale: float, long: float, short: float) -> float:
    """Return Huber's loss, ½ z² near zero."""
    z = residual / scale
    if z > long:
        return long * (z - 0.5 * long)
    if z < -short:
        return short * (-z - 0.5 * short)
    return 0.5 * z * z


@njit(cache=True, nogil=True, error_model="numpy")
def student_cost(residual: float, scale: float, dof: float) -> float:
    """Return minus the log of Student's density, 0 at its top."""
    z = residual / scale
    return 0.5 * (dof + 1.0) * math.log1p(z * z / dof)
