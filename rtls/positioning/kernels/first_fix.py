"""Start a track from its links, or restart one that sits in the wrong place.

Layer: kernels. Takes: the links of a track. Gives: a located track to
rtls.positioning.kernels.track_epoch.
"""

from numba import njit

from rtls.positioning.kernels.likelihood import RANGE_KIND, RSSI_KIND
from rtls.positioning.kernels.links import age_rows, rows_of_links
from rtls.positioning.kernels.motion import OO, OX, OY, UU, VV, XX, YX, YY
from rtls.positioning.kernels.records import AnchorRecords, Floats, Parameters, Record
from rtls.positioning.kernels.robust_fix import COST, cost_at, solve_rows
from rtls.positioning.kernels.rows import ANCHOR


@njit(cache=True, nogil=True, error_model="numpy")
def likeliest_floor(track: Record, anchors: AnchorRecords, since_ms: int) -> int:
    """Return the floor of the loudest, else nearest, anchor heard after ``since_ms``."""
    best = -1e18
    floor = track["floor"]
    for k in range(track["link_anchor"].size):
        anchor = track["link_anchor"][k] - 1
        if anchor < 0 or anchor >= anchors.own.size or track["link_heard_ms"][k] <= since_ms:
            continue
        value = track["link_value"][k]
        if track["link_kind"][k] == RANGE_KIND:
            nearness = -value  # metres and decibels do not compare, but both rank their own kind
        else:
            nearness = value - anchors.own[anchor]["rssi_at_1m"] - 1e6
        if nearness > best:
            best = nearness
            floor = anchors.own[anchor]["floor"]
    return int(floor)


@njit(cache=True, nogil=True, error_model="numpy")
def start_track(track: Record, solution: Floats, p: Parameters) -> None:
    """Set a track to a fix, with the velocity unknown."""
    cov = track["cov"]
    for k in range(cov.size):
        cov[k] = 0.0
    track["state"][0] = solution[0]
    track["state"][1] = solution[1]
    track["state"][2] = 0.0
    track["state"][3] = 0.0
    track["state"][4] = solution[2]
    cov[XX] = solution[3]
    cov[YX] = solution[4]
    cov[YY] = solution[5]
    cov[OX] = solution[6]
    cov[OY] = solution[7]
    cov[OO] = solution[8]
    cov[UU] = p.speed_sd_m_s * p.speed_sd_m_s
    cov[VV] = cov[UU]
    track["z_m"] = p.tag_height_m
    track["at_ms"] = track["heard_at_ms"]
    track["surprise"] = 1.0
    track["unit_variance"] = 1.0
    track["floor_doubt"] = 0.0
    track["is_located"] = 1


@njit(cache=True, nogil=True, error_model="numpy")
def lives_on_rssi(track: Record) -> bool:
    """Say whether no range carries the track."""
    return bool(track["kinds"] == 1 << RSSI_KIND)


@njit(cache=True, nogil=True, error_model="numpy")
def seek_fix(
    rows: Floats,
    solution: Floats,
    track: Record,
    anchors: AnchorRecords,
    p: Parameters,
) -> None:
    """Start a track from its links, or restart one that disagrees with them.

    A running track is given up only where the fix explains the same readings better by
    `recovery_cost`: surprise alone may be a crowd of blocked paths.
    """
    since = track["heard_at_ms"] - int(p.first_fix_window_ms)
    is_located = track["is_located"] == 1
    if not is_located:
        track["floor"] = likeliest_floor(track, anchors, since)
    n = rows_of_links(rows, track, anchors, p, track["floor"], since)
    age_rows(rows, n, p)
    if n == 0:
        return
    box = anchors.own[int(rows[0, ANCHOR])]["box"]
    if not solve_rows(rows, n, p, box, solution):
        return
    if is_located:
        state = track["state"]
        held = cost_at(rows, n, p, box, state[0], state[1], state[4])
        enough = p.recovery_cost_rssi if lives_on_rssi(track) else p.recovery_cost
        if held - solution[COST] < enough:
            return
    start_track(track, solution, p)
