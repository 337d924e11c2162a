"""Carry a track through time, as one that stands and as one that walks.

Layer: kernels. Takes: state and packed covariance of one track. Gives: the same later to
rtls.positioning.kernels.modes.

Walking, the velocity is an Ornstein-Uhlenbeck process per axis (Singer's model one order lower): it
forgets itself with `speed_memory_s` and spreads towards `speed_sd_m_s`, as people in a shop walk.
A coasting track therefore comes to rest instead of leaving the building. Standing, the place
wanders by next to nothing.
"""

import math

from numba import njit

from rtls.positioning.kernels.records import Floats, Parameters

# Packed lower triangle of (x, y, vx, vy, offset).
XX, YX, YY = 0, 1, 2
UX, UY, UU = 3, 4, 5
VX, VY, VU, VV = 6, 7, 8, 9
OX, OY, OU, OV, OO = 10, 11, 12, 13, 14
# The same of (x, y, offset), as a standing track has it; xx, yx and yy stay where they are.
SOX, SOY, SOO = 3, 4, 5
SERIES_BELOW = 0.02


@njit(cache=True, nogil=True, error_model="numpy")
def spread_of_walk(dt_s: float, p: Parameters) -> tuple[float, float, float, float, float]:
    """Return what is kept of a velocity, how far it carries, and the spread (xx, xv, vv)."""
    memory = p.speed_memory_s
    ratio = dt_s / memory
    keep = math.exp(-ratio)
    reach = memory * (1.0 - keep)
    variance = p.speed_sd_m_s * p.speed_sd_m_s
    spread_vv = variance * (1.0 - keep * keep)
    spread_xv = variance * memory * (1.0 - keep) ** 2
    if ratio < SERIES_BELOW:  # the closed form loses all digits here
        spread_xx = variance * memory * memory * ratio**3 * (2.0 / 3.0 - 0.5 * ratio)
    else:
        spread_xx = variance * memory * memory * (2.0 * ratio - 3.0 + 4.0 * keep - keep * keep)
    return keep, reach, spread_xx, spread_xv, spread_vv


@njit(cache=True, nogil=True, error_model="numpy")
def drifted(offset_variance: float, dt_s: float, p: Parameters) -> float:
    """Return the variance of a device's offset after ``dt_s``: never more than before it was met.

    The offset belongs to the device; it drifts with how it is carried.
    """
    return min(offset_variance + p.offset_drift_db2_s * dt_s, p.offset_sd_db * p.offset_sd_db)


@njit(cache=True, nogil=True, error_model="numpy")
def carry_walk(state: Floats, cov: Floats, dt_s: float, p: Parameters) -> None:
    """Predict the walking mode by ``dt_s`` seconds, in place."""
    if dt_s <= 0.0:
        return
    keep, reach, spread_xx, spread_xv, spread_vv = spread_of_walk(dt_s, p)
    state[0] += reach * state[2]
    state[1] += reach * state[3]
    state[2] *= keep
    state[3] *= keep
    cov[XX] += reach * (2.0 * cov[UX] + reach * cov[UU]) + spread_xx
    cov[YX] += reach * (cov[UY] + cov[VX] + reach * cov[VU])
    cov[YY] += reach * (2.0 * cov[VY] + reach * cov[VV]) + spread_xx
    cov[UX] = keep * (cov[UX] + reach * cov[UU]) + spread_xv
    cov[UY] = keep * (cov[UY] + reach * cov[VU])
    cov[VX] = keep * (cov[VX] + reach * cov[VU])
    cov[VY] = keep * (cov[VY] + reach * cov[VV]) + spread_xv
    cov[UU] = keep * keep * cov[UU] + spread_vv
    cov[VU] = keep * keep * cov[VU]
    cov[VV] = keep * keep * cov[VV] + spread_vv
    cov[OX] += reach * cov[OU]
    cov[OY] += reach * cov[OV]
    cov[OU] *= keep
    cov[OV] *= keep
    cov[OO] = drifted(cov[OO], dt_s, p)


@njit(cache=True, nogil=True, error_model="numpy")
def carry_stand(cov: Floats, dt_s: float, p: Parameters) -> None:
    """Predict the standing mode by ``dt_s`` seconds, in place: who stands sways and turns."""
    if dt_s <= 0.0:
        return
    spread = p.standing_sway_m2_s * dt_s
    cov[XX] += spread
    cov[YY] += spread
    cov[SOO] = drifted(cov[SOO], dt_s, p)


@njit(cache=True, nogil=True, error_model="numpy")
def log_density(u: float, v: float, uu: float, vu: float, vv: float) -> float:
    """Return the log density of (u, v) under N(0, [[uu, vu], [vu, vv]]), without the constant."""
    determinant = max(uu * vv - vu * vu, 1e-18)
    form = (vv * u * u - 2.0 * vu * u * v + uu * v * v) / determinant
    return -0.5 * (form + math.log(determinant))
