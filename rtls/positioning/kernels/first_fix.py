"""Start a track from its links, or restart one that sits in the wrong place.

Layer: kernels. Takes: the links of a track. Gives: a located track to
rtls.positioning.kernels.track_epoch.
"""

from numba import njit

from rtls.positioning.kernels.likelihood import RANGE_KIND, RSSI_KIND
from rtls.positioning.kernels.links import age_rows, rows_of_links
from rtls.positioning.kernels.motion import OO, OX, OY, SOO, SOX, SOY, UU, VV, XX, YX, YY
from rtls.positioning.kernels.records import AnchorRecords, Floats, Parameters, Record, wide
from rtls.positioning.kernels.residuals import residual_and_slope
from rtls.positioning.kernels.robust_fix import COST, cost_at, solve_rows
from rtls.positioning.kernels.rows import ANCHOR, KIND, LEARNT, LINK


@njit(cache=True, nogil=True, error_model="numpy")
def start_track(track: Record, solution: Floats, p: Parameters) -> None:
    """Set both modes of a track to a fix, with the velocity unknown."""
    stand = track["stand_state"]
    walk = track["walk_state"]
    stand[0], stand[1], stand[2] = solution[0], solution[1], solution[2]
    walk[0], walk[1], walk[2], walk[3], walk[4] = solution[0], solution[1], 0.0, 0.0, solution[2]
    still = track["stand_cov"]
    still[XX], still[YX], still[YY] = solution[3], solution[4], solution[5]
    still[SOX], still[SOY], still[SOO] = solution[6], solution[7], solution[8]
    moving = track["walk_cov"]
    for k in range(moving.size):
        moving[k] = 0.0
    moving[XX], moving[YX], moving[YY] = solution[3], solution[4], solution[5]
    moving[OX], moving[OY], moving[OO] = solution[6], solution[7], solution[8]
    moving[UU] = p.speed_sd_m_s * p.speed_sd_m_s
    moving[VV] = moving[UU]
    track["p_standing"] = p.standing_prior
    track["z_m"] = p.tag_height_m
    track["at_ms"] = track["heard_at_ms"]
    track["surprise"] = 1.0
    track["unit_variance"] = 1.0
    track["is_located"] = 1


@njit(cache=True, nogil=True, error_model="numpy")
def lives_on_rssi(track: Record) -> bool:
    """Say whether nothing but signal strength carries the track."""
    return bool(track["kinds"] == 1 << RSSI_KIND)


@njit(cache=True, nogil=True, error_model="numpy")
def seek_fix(
    rows: Floats,
    solution: Floats,
    track: Record,
    anchors: AnchorRecords,
    p: Parameters,
) -> bool:
    """Start a track from its links, or restart one that disagrees with them; say whether it did.

    A running track is given up only where the fix explains the same readings better by
    `recovery_cost`: surprise alone may be a crowd of blocked paths.
    """
    since = track["heard_at_ms"] - int(p.first_fix_window_ms)
    n = rows_of_links(rows, track, anchors, p, wide(track["floor"]), since)
    age_rows(rows, n, p)
    if n == 0:
        return False
    box = anchors.own[int(rows[0, ANCHOR])]["box"]
    if not solve_rows(rows, n, p, box, solution):
        return False
    if track["is_located"] == 1:
        state = track["state"]
        held = cost_at(rows, n, p, box, state[0], state[1], state[4])
        enough = p.recovery_cost_rssi if lives_on_rssi(track) else p.recovery_cost
        if held - solution[COST] < enough:
            return False
    start_track(track, solution, p)
    for i in range(n):
        if rows[i, KIND] == RANGE_KIND:
            residual, _, _, _ = residual_and_slope(rows[i], solution[0], solution[1], solution[2])
            track["link_residual"][int(rows[i, LINK])] = residual + rows[i, LEARNT]
    return True
