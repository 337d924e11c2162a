"""Carry a track through time, and judge whether it stands.

Layer: kernels. Takes: state and packed covariance of one track. Gives: the same later to the filter
and to the emitted fix.

Velocity is an Ornstein-Uhlenbeck process per axis (Singer's model one order lower): it forgets
itself with `speed_memory_s` and spreads towards `speed_sd_m_s`, as people in a shop walk and stop.
A coasting track therefore comes to rest instead of leaving the building.
"""

import math

from numba import njit

from rtls.positioning.kernels.records import Floats, Parameters

# Packed lower triangle of (x, y, vx, vy, offset).
XX, YX, YY = 0, 1, 2
UX, UY, UU = 3, 4, 5
VX, VY, VU, VV = 6, 7, 8, 9
OX, OY, OU, OV, OO = 10, 11, 12, 13, 14
SERIES_BELOW = 0.02


@njit(cache=True, nogil=True, error_model="numpy")
def carry(state: Floats, cov: Floats, dt_s: float, p: Parameters) -> None:
    """Predict ``state`` and ``cov`` by ``dt_s`` seconds, in place."""
    if dt_s <= 0.0:
        return
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
    # The offset belongs to the device; it drifts with how it is carried, never beyond its prior.
    cov[OO] = min(cov[OO] + p.offset_drift_db2_s * dt_s, p.offset_sd_db * p.offset_sd_db)


@njit(cache=True, nogil=True, error_model="numpy")
def standing_probability(state: Floats, cov: Floats, p: Parameters) -> float:
    """Return P(stands) from the velocity and its covariance.

    Two hypotheses explain the estimated velocity: a stand, whose true velocity is nearly nothing,
    and a walk, drawn from the speeds of a shop. Where the velocity is not known the prior stays.
    """
    rest = p.standing_speed_sd_m_s**2
    walk = p.speed_sd_m_s**2
    log_stand = log_density(state[2], state[3], cov[UU] + rest, cov[VU], cov[VV] + rest)
    log_walk = log_density(state[2], state[3], cov[UU] + walk, cov[VU], cov[VV] + walk)
    odds = (1.0 - p.standing_prior) / p.standing_prior
    return 1.0 / (1.0 + odds * math.exp(min(log_walk - log_stand, 500.0)))


@njit(cache=True, nogil=True, error_model="numpy")
def log_density(u: float, v: float, uu: float, vu: float, vv: float) -> float:
    """Return the log density of (u, v) under N(0, [[uu, vu], [vu, vv]]), without the constant."""
    determinant = max(uu * vv - vu * vu, 1e-18)
    form = (vv * u * u - 2.0 * vu * u * v + uu * v * v) / determinant
    return -0.5 * (form + math.log(determinant))
