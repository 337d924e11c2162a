"""Keep two explanations of a track's movement, that it stands and that it walks, and weigh them.

Layer: kernels. Takes: a track and the information of one instant. Gives: predicted and updated
modes, and both together, to rtls.positioning.kernels.track_epoch.

Interacting multiple models (Blom and Bar-Shalom 1988): the modes are mixed by how likely a tag
changes its mind meanwhile, each is predicted by its own law and updated with the same readings, and
the evidence of the readings weighs them. Both are close together, so the readings are linearised
once, at the place that suits both: their log likelihood there is the parabola g'δ - δ'Jδ/2.
"""

import math

from numba import njit

from rtls.positioning.kernels.motion import (
    OO,
    OU,
    OV,
    OX,
    OY,
    SOO,
    SOX,
    SOY,
    UU,
    UX,
    UY,
    VU,
    VV,
    VX,
    VY,
    XX,
    YX,
    YY,
    carry_stand,
    carry_walk,
)
from rtls.positioning.kernels.records import Floats, Parameters, Record
from rtls.positioning.kernels.small_solve import Symmetric3, invert3

P_MIN = 1e-3  # a mode given up entirely would never come back
Vector3 = tuple[float, float, float]


@njit(cache=True, nogil=True, error_model="numpy")
def predict_modes(track: Record, dt_s: float, p: Parameters) -> None:
    """Mix the modes by their changes within ``dt_s`` seconds and carry each through them."""
    if dt_s <= 0.0:
        return
    changed = 1.0 - math.exp(-dt_s / p.mode_memory_s)
    p_stand = track["p_standing"]
    p_walk = 1.0 - p_stand
    stays = p_stand * (1.0 - (1.0 - p.standing_prior) * changed)
    starts = p_stand - stays
    stops = p_walk * p.standing_prior * changed
    walks = p_walk - stops
    mix_modes(track, stays / (stays + stops), walks / (walks + starts), p)
    track["p_standing"] = stays + stops
    carry_walk(track["walk_state"], track["walk_cov"], dt_s, p)
    carry_stand(track["stand_cov"], dt_s, p)


@njit(cache=True, nogil=True, error_model="numpy")
def mix_modes(track: Record, stood: float, walked: float, p: Parameters) -> None:
    """Mix in place: of who stands now ``stood`` stood before, of who walks ``walked`` walked."""
    s = track["stand_state"]
    w = track["walk_state"]
    apart = (w[0] - s[0], w[1] - s[1], w[4] - s[2])
    still = track["stand_cov"]
    before = (still[XX], still[YX], still[YY], still[SOX], still[SOY], still[SOO])
    mix_stand(still, track["walk_cov"], apart, stood)
    mix_walk(track["walk_cov"], before, apart, w[2], w[3], walked, p)
    came = 1.0 - stood
    left = 1.0 - walked
    s[0] += came * apart[0]
    s[1] += came * apart[1]
    s[2] += came * apart[2]
    w[0] -= left * apart[0]
    w[1] -= left * apart[1]
    w[2] *= walked
    w[3] *= walked
    w[4] -= left * apart[2]


@njit(cache=True, nogil=True, error_model="numpy")
def mix_stand(still: Floats, gait: Floats, apart: Vector3, stood: float) -> None:
    """Mix the covariance of the standing mode with who has just stopped."""
    dx, dy, do = apart
    came = 1.0 - stood
    between = stood * came
    still[XX] = stood * still[XX] + came * gait[XX] + between * dx * dx
    still[YX] = stood * still[YX] + came * gait[YX] + between * dx * dy
    still[YY] = stood * still[YY] + came * gait[YY] + between * dy * dy
    still[SOX] = stood * still[SOX] + came * gait[OX] + between * do * dx
    still[SOY] = stood * still[SOY] + came * gait[OY] + between * do * dy
    still[SOO] = stood * still[SOO] + came * gait[OO] + between * do * do


@njit(cache=True, nogil=True, error_model="numpy")
def mix_walk(
    gait: Floats,
    still: Symmetric3,
    apart: Vector3,
    u: float,
    v: float,
    walked: float,
    p: Parameters,
) -> None:
    """Mix the covariance of the walking mode with who has just started.

    Who starts to walk may go anywhere: his velocity is drawn anew.
    """
    dx, dy, do = apart
    left = 1.0 - walked
    between = walked * left
    fresh = left * p.speed_sd_m_s * p.speed_sd_m_s
    gait[XX] = walked * gait[XX] + left * still[0] + between * dx * dx
    gait[YX] = walked * gait[YX] + left * still[1] + between * dx * dy
    gait[YY] = walked * gait[YY] + left * still[2] + between * dy * dy
    gait[UX] = walked * gait[UX] + between * u * dx
    gait[UY] = walked * gait[UY] + between * u * dy
    gait[UU] = walked * gait[UU] + fresh + between * u * u
    gait[VX] = walked * gait[VX] + between * v * dx
    gait[VY] = walked * gait[VY] + between * v * dy
    gait[VU] = walked * gait[VU] + between * v * u
    gait[VV] = walked * gait[VV] + fresh + between * v * v
    gait[OX] = walked * gait[OX] + left * still[3] + between * do * dx
    gait[OY] = walked * gait[OY] + left * still[4] + between * do * dy
    gait[OU] = walked * gait[OU] + between * do * u
    gait[OV] = walked * gait[OV] + between * do * v
    gait[OO] = walked * gait[OO] + left * still[5] + between * do * do


@njit(cache=True, nogil=True, error_model="numpy")
def join_modes(track: Record) -> None:
    """Write both modes together, by their first two moments, to `state` and `cov`."""
    s = track["stand_state"]
    w = track["walk_state"]
    still = track["stand_cov"]
    gait = track["walk_cov"]
    state = track["state"]
    cov = track["cov"]
    stand = track["p_standing"]
    walk = 1.0 - stand
    between = stand * walk
    dx = w[0] - s[0]
    dy = w[1] - s[1]
    do = w[4] - s[2]
    u = w[2]
    v = w[3]
    state[0] = s[0] + walk * dx
    state[1] = s[1] + walk * dy
    state[2] = walk * u
    state[3] = walk * v
    state[4] = s[2] + walk * do
    cov[XX] = stand * still[XX] + walk * gait[XX] + between * dx * dx
    cov[YX] = stand * still[YX] + walk * gait[YX] + between * dx * dy
    cov[YY] = stand * still[YY] + walk * gait[YY] + between * dy * dy
    cov[UX] = walk * gait[UX] + between * u * dx
    cov[UY] = walk * gait[UY] + between * u * dy
    cov[UU] = walk * gait[UU] + between * u * u
    cov[VX] = walk * gait[VX] + between * v * dx
    cov[VY] = walk * gait[VY] + between * v * dy
    cov[VU] = walk * gait[VU] + between * v * u
    cov[VV] = walk * gait[VV] + between * v * v
    cov[OX] = stand * still[SOX] + walk * gait[OX] + between * do * dx
    cov[OY] = stand * still[SOY] + walk * gait[OY] + between * do * dy
    cov[OU] = walk * gait[OU] + between * do * u
    cov[OV] = walk * gait[OV] + between * do * v
    cov[OO] = stand * still[SOO] + walk * gait[OO] + between * do * do


@njit(cache=True, nogil=True, error_model="numpy")
def meet_evidence(
    mean: Vector3, prior: Symmetric3, at: Vector3, curve: Symmetric3, g: Vector3
) -> tuple[Vector3, Symmetric3, Symmetric3, float, bool]:
    """Return posterior mean and covariance, the prior's inverse, and the log evidence.

    ``curve`` and ``g`` are curvature and slope of the log likelihood ``at`` a place. With the prior
    N(mean, P), J the curvature, μ = mean - at, b = P⁻¹ μ + g and S = (P⁻¹ + J)⁻¹ the evidence is
    √(|S| / |P|) exp(b'Sb/2 - μ'P⁻¹μ/2).
    """
    known, is_regular = invert3(prior[0], prior[1], prior[2], prior[3], prior[4], prior[5])
    s, is_sound = invert3(
        known[0] + curve[0],
        known[1] + curve[1],
        known[2] + curve[2],
        known[3] + curve[3],
        known[4] + curve[4],
        known[5] + curve[5],
    )
    if not (is_regular and is_sound):
        return mean, prior, known, 0.0, False
    x = mean[0] - at[0]
    y = mean[1] - at[1]
    o = mean[2] - at[2]
    kx = known[0] * x + known[1] * y + known[3] * o
    ky = known[1] * x + known[2] * y + known[4] * o
    ko = known[3] * x + known[4] * y + known[5] * o
    bx = kx + g[0]
    by = ky + g[1]
    bo = ko + g[2]
    mx = s[0] * bx + s[1] * by + s[3] * bo
    my = s[1] * bx + s[2] * by + s[4] * bo
    mo = s[3] * bx + s[4] * by + s[5] * bo
    evidence = 0.5 * (bx * mx + by * my + bo * mo - x * kx - y * ky - o * ko)
    shrunk = determinant3(s) / determinant3(prior)
    evidence += 0.5 * math.log(max(shrunk, 1e-300))
    return (at[0] + mx, at[1] + my, at[2] + mo), s, known, evidence, math.isfinite(evidence)


@njit(cache=True, nogil=True, error_model="numpy")
def determinant3(a: Symmetric3) -> float:
    """Return the determinant of a packed symmetric matrix."""
    return (
        a[0] * (a[2] * a[5] - a[4] * a[4])
        + a[1] * (a[3] * a[4] - a[1] * a[5])
        + a[3] * (a[1] * a[4] - a[3] * a[2])
    )


@njit(cache=True, nogil=True, error_model="numpy")
def update_modes(track: Record, at: Vector3, curve: Symmetric3, g: Vector3) -> bool:
    """Update both modes and their weights with the evidence of one instant; False if it failed."""
    s = track["stand_state"]
    still = track["stand_cov"]
    prior = (still[XX], still[YX], still[YY], still[SOX], still[SOY], still[SOO])
    mean, after, _, for_stand, is_sound = meet_evidence((s[0], s[1], s[2]), prior, at, curve, g)
    for_walk, is_walk_sound = update_walk(track["walk_state"], track["walk_cov"], at, curve, g)
    if not (is_sound and is_walk_sound):
        return False
    s[0], s[1], s[2] = mean
    still[XX], still[YX], still[YY], still[SOX], still[SOY], still[SOO] = after
    p_stand = track["p_standing"]
    odds = (1.0 - p_stand) / p_stand * math.exp(min(max(for_walk - for_stand, -500.0), 500.0))
    track["p_standing"] = min(max(1.0 / (1.0 + odds), P_MIN), 1.0 - P_MIN)
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def update_walk(
    state: Floats, cov: Floats, at: Vector3, curve: Symmetric3, g: Vector3
) -> tuple[float, bool]:
    """Update the walking mode in place; return its log evidence.

    Readings touch only place and offset. With their prior P and its covariance C with the velocity
    the gain is K = C P⁻¹: the velocity moves by K δ and its covariance by K (S - P) K'.
    """
    prior = (cov[XX], cov[YX], cov[YY], cov[OX], cov[OY], cov[OO])
    mean, s, known, evidence, is_sound = meet_evidence(
        (state[0], state[1], state[4]), prior, at, curve, g
    )
    if not is_sound:
        return 0.0, False
    u0 = cov[UX] * known[0] + cov[UY] * known[1] + cov[OU] * known[3]
    u1 = cov[UX] * known[1] + cov[UY] * known[2] + cov[OU] * known[4]
    u2 = cov[UX] * known[3] + cov[UY] * known[4] + cov[OU] * known[5]
    v0 = cov[VX] * known[0] + cov[VY] * known[1] + cov[OV] * known[3]
    v1 = cov[VX] * known[1] + cov[VY] * known[2] + cov[OV] * known[4]
    v2 = cov[VX] * known[3] + cov[VY] * known[4] + cov[OV] * known[5]
    dx = mean[0] - state[0]
    dy = mean[1] - state[1]
    do = mean[2] - state[4]
    state[0], state[1], state[4] = mean
    state[2] += u0 * dx + u1 * dy + u2 * do
    state[3] += v0 * dx + v1 * dy + v2 * do
    ux = u0 * s[0] + u1 * s[1] + u2 * s[3]
    uy = u0 * s[1] + u1 * s[2] + u2 * s[4]
    uo = u0 * s[3] + u1 * s[4] + u2 * s[5]
    vx = v0 * s[0] + v1 * s[1] + v2 * s[3]
    vy = v0 * s[1] + v1 * s[2] + v2 * s[4]
    vo = v0 * s[3] + v1 * s[4] + v2 * s[5]
    # K P = C, so K (S - P) K' = (K S - C) K'.
    cov[UU] += (ux - cov[UX]) * u0 + (uy - cov[UY]) * u1 + (uo - cov[OU]) * u2
    cov[VU] += (vx - cov[VX]) * u0 + (vy - cov[VY]) * u1 + (vo - cov[OV]) * u2
    cov[VV] += (vx - cov[VX]) * v0 + (vy - cov[VY]) * v1 + (vo - cov[OV]) * v2
    cov[UX], cov[UY], cov[OU] = ux, uy, uo
    cov[VX], cov[VY], cov[OV] = vx, vy, vo
    cov[XX], cov[YX], cov[YY] = s[0], s[1], s[2]
    cov[OX], cov[OY], cov[OO] = s[3], s[4], s[5]
    return evidence, True
