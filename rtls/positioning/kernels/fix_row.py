"""State a track as of an instant: one row of a fix.

Layer: kernels. Takes: a track. Gives: `FIX_DTYPE` rows to rtls.positioning.kernels.track_epoch.
"""

import math

from numba import njit

from rtls.positioning.kernels.modes import join_modes
from rtls.positioning.kernels.motion import XX, YX, YY, carry_stand, carry_walk, spread_of_walk
from rtls.positioning.kernels.records import Floats, Parameters, Record


@njit(cache=True, nogil=True, error_model="numpy")
def write_fix(
    fix: Record,
    slot: int,
    track: Record,
    p: Parameters,
    at_ms: int,
    spare: Record,
) -> None:
    """Write the track as of ``at_ms`` to ``fix``; ``spare`` is a track to reckon in."""
    dt_s = 0.001 * (at_ms - track["at_ms"])
    if dt_s > 0.0:
        look_ahead(spare, track, dt_s, p)
        write_row(fix, spare["state"], spare["cov"], track)
        fix["p_standing"] = spare["p_standing"]
    else:
        write_row(fix, track["state"], track["cov"], track)
        fix["p_standing"] = track["p_standing"]
    fix["tag"] = slot
    fix["floor"] = track["floor"]
    fix["z_m"] = track["z_m"]
    fix["evidence_at_ms"] = track["heard_at_ms"]
    fix["kinds"] = track["kinds"]


@njit(cache=True, nogil=True, error_model="numpy")
def look_ahead(spare: Record, track: Record, dt_s: float, p: Parameters) -> None:
    """Write to ``spare`` where the track will be in ``dt_s`` seconds without a reading.

    Both modes go on by their own law; nobody is believed to change his mind and be back where he
    was, but who stands may have begun to walk, so his place spreads by as much.
    """
    for i in range(track["walk_state"].size):
        spare["walk_state"][i] = track["walk_state"][i]
    for i in range(track["walk_cov"].size):
        spare["walk_cov"][i] = track["walk_cov"][i]
    for i in range(track["stand_state"].size):
        spare["stand_state"][i] = track["stand_state"][i]
    for i in range(track["stand_cov"].size):
        spare["stand_cov"][i] = track["stand_cov"][i]
    p_standing = track["p_standing"]
    spare["p_standing"] = p_standing
    carry_walk(spare["walk_state"], spare["walk_cov"], dt_s, p)
    carry_stand(spare["stand_cov"], dt_s, p)
    changed = 1.0 - math.exp(-dt_s / p.mode_memory_s)
    _, _, spread, _, _ = spread_of_walk(dt_s, p)
    started = (1.0 - p.standing_prior) * changed * spread
    spare["stand_cov"][XX] += started
    spare["stand_cov"][YY] += started
    join_modes(spare)
    spare["p_standing"] = p_standing + (p.standing_prior - p_standing) * changed


@njit(cache=True, nogil=True, error_model="numpy")
def write_row(fix: Record, state: Floats, cov: Floats, track: Record) -> None:
    """Write place, velocity and covariance."""
    fix["x_m"] = state[0]
    fix["y_m"] = state[1]
    # Residuals beyond the stated noise say that the noise was understated by as much (the
    # geodesists' variance of unit weight).
    factor = max(track["unit_variance"], 1.0)
    fix["cov_xx"] = factor * (cov[XX] + track["bias_cov"][0])
    fix["cov_xy"] = factor * (cov[YX] + track["bias_cov"][1])
    fix["cov_yy"] = factor * (cov[YY] + track["bias_cov"][2])
    fix["vx_m_s"] = state[2]
    fix["vy_m_s"] = state[3]
