"""Run one epoch through all tracks that were heard in it.

Layer: kernels. Takes: reading columns sorted by tag and time, track columns, anchor columns.
Gives: updated tracks and one fix row for each located tag to rtls.positioning.tracking.
"""

import math

import numpy as np
from numba import njit

from rtls.positioning.kernels.columns import (
    AnchorColumns,
    FixColumns,
    Floats,
    Ints,
    Parameters,
    ReadingColumns,
    Records,
    TrackColumns,
    fix_columns,
    reading_columns,
    track_columns,
)
from rtls.positioning.kernels.likelihood import RANGE_KIND, RSSI_KIND
from rtls.positioning.kernels.links import (
    age_rows,
    bias_covariance,
    credit_of_repeat,
    remember_link,
    rows_of_links,
)
from rtls.positioning.kernels.measure import update_with_rows
from rtls.positioning.kernels.motion import (
    OO,
    UU,
    VV,
    XX,
    YX,
    YY,
    carry,
    standing_probability,
)
from rtls.positioning.kernels.robust_fix import SOLUTION_WIDTH, cost_at, solve_rows
from rtls.positioning.kernels.rows import (
    AGE_S,
    ANCHOR,
    CREDIT,
    KIND,
    ROW_WIDTH,
    ROWS_MAX,
    VALUE,
    fill_row,
)

UNHEARD = -1e9
FLOOR_MEMORY = 0.1  # weight of the newest instant in the running doubt about the floor
FLOOR_DOUBT_MAX = 0.6
INTERVAL_MEMORY = 0.1


@njit(cache=True, nogil=True, error_model="numpy")
def end_of_instant(readings: ReadingColumns, begin: int, end: int, p: Parameters) -> int:
    """Return where the readings that count as one instant with ``begin`` end."""
    last = begin + 1
    limit = min(end, begin + ROWS_MAX)
    while last < limit and (
        readings.heard_at_ms[last] - readings.heard_at_ms[begin] <= p.instant_ms
    ):
        last += 1
    return last


@njit(cache=True, nogil=True, error_model="numpy")
def take_instant(
    rows: Floats,
    readings: ReadingColumns,
    begin: int,
    end: int,
    tracks: TrackColumns,
    slot: int,
    anchors: AnchorColumns,
    p: Parameters,
    time_ms: int,
) -> int:
    """Fill ``rows`` from readings[begin:end] as of ``time_ms``; return how many are on the floor.

    Their links are remembered, and what they say of the floor is weighed.
    """
    n = 0
    own = UNHEARD
    other = UNHEARD
    for i in range(begin, end):
        anchor = readings.anchor[i]
        kind = readings.kind[i]
        if not fill_row(
            rows[n],
            anchors,
            p,
            anchor,
            kind,
            readings.value[i],
            readings.sigma[i],
            tracks.calibration_row[slot],
        ):
            continue
        heard = readings.heard_at_ms[i]
        gap = remember_link(
            tracks, slot, anchor, kind, heard, readings.value[i], readings.sigma[i], p
        )
        tracks.heard_at_ms[slot] = max(tracks.heard_at_ms[slot], heard)
        # The loudest or nearest anchor names the floor: slabs cost 15 dB and more.
        nearness = -rows[n, VALUE] if kind == RANGE_KIND else rows[n, VALUE]
        if anchors.floor[anchor] != tracks.floor[slot]:
            other = max(other, nearness)
            continue
        own = max(own, nearness)
        rows[n, CREDIT] = credit_of_repeat(kind, gap, p)
        rows[n, AGE_S] = 0.001 * (time_ms - heard)
        n += 1
    if tracks.is_located[slot] and max(own, other) > UNHEARD:
        says_other = 1.0 if other > own else 0.0
        tracks.floor_doubt[slot] += FLOOR_MEMORY * (says_other - tracks.floor_doubt[slot])
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def update_instant(
    rows: Floats,
    n: int,
    time_ms: int,
    tracks: TrackColumns,
    slot: int,
    anchors: AnchorColumns,
    p: Parameters,
) -> None:
    """Carry the track to ``time_ms`` and update it with ``rows[:n]``."""
    state = tracks.state[slot]
    cov = tracks.cov[slot]
    carry(state, cov, 0.001 * (time_ms - tracks.at_ms[slot]), p)
    tracks.at_ms[slot] = max(tracks.at_ms[slot], time_ms)
    surprise, misfit = update_with_rows(rows, n, p, anchors.box[int(rows[0, ANCHOR])], state, cov)
    if surprise >= 0.0:
        tracks.surprise[slot] += p.surprise_memory * (surprise - tracks.surprise[slot])
        tracks.unit_variance[slot] += p.surprise_memory * (misfit - tracks.unit_variance[slot])
    if not (math.isfinite(state[2]) and cov[XX] > 0.0 and cov[YY] > 0.0 and cov[UU] > 0.0):
        tracks.is_located[slot] = 0  # rounding has eaten the covariance: start again


@njit(cache=True, nogil=True, error_model="numpy")
def likeliest_floor(tracks: TrackColumns, slot: int, anchors: AnchorColumns, since_ms: int) -> int:
    """Return the floor of the loudest, else nearest, anchor heard after ``since_ms``."""
    best = -1e18
    floor = tracks.floor[slot]
    for k in range(tracks.link_anchor.shape[1]):
        anchor = tracks.link_anchor[slot, k] - 1
        if anchor < 0 or anchor >= anchors.floor.size or tracks.link_heard_ms[slot, k] <= since_ms:
            continue
        value = tracks.link_value[slot, k]
        if tracks.link_kind[slot, k] == RANGE_KIND:
            nearness = -value  # metres and decibels do not compare, but both rank their own kind
        else:
            nearness = value - anchors.rssi_at_1m[anchor] - 1e6
        if nearness > best:
            best = nearness
            floor = anchors.floor[anchor]
    return int(floor)


@njit(cache=True, nogil=True, error_model="numpy")
def start_track(tracks: TrackColumns, slot: int, solution: Floats, p: Parameters) -> None:
    """Set a track to a fix, with the velocity unknown."""
    cov = tracks.cov[slot]
    for k in range(15):
        cov[k] = 0.0
    tracks.state[slot, 0] = solution[0]
    tracks.state[slot, 1] = solution[1]
    tracks.state[slot, 2] = 0.0
    tracks.state[slot, 3] = 0.0
    tracks.state[slot, 4] = solution[2]
    cov[XX] = solution[3]
    cov[YX] = solution[4]
    cov[YY] = solution[5]
    cov[10] = solution[6]
    cov[11] = solution[7]
    cov[OO] = solution[8]
    cov[UU] = p.speed_sd_m_s * p.speed_sd_m_s
    cov[VV] = cov[UU]
    tracks.z_m[slot] = p.tag_height_m
    tracks.at_ms[slot] = tracks.heard_at_ms[slot]
    tracks.surprise[slot] = 1.0
    tracks.unit_variance[slot] = 1.0
    tracks.floor_doubt[slot] = 0.0
    tracks.is_located[slot] = 1


@njit(cache=True, nogil=True, error_model="numpy")
def lives_on_rssi(tracks: TrackColumns, slot: int) -> bool:
    """Say whether no range carries the track."""
    return bool(tracks.kinds[slot] == 1 << RSSI_KIND)


@njit(cache=True, nogil=True, error_model="numpy")
def seek_fix(
    rows: Floats,
    solution: Floats,
    tracks: TrackColumns,
    slot: int,
    anchors: AnchorColumns,
    p: Parameters,
) -> None:
    """Start a track from its links, or restart one that disagrees with them.

    A running track is given up only where the fix explains the same readings better by
    `recovery_cost`: surprise alone may be a crowd of blocked paths.
    """
    since = tracks.heard_at_ms[slot] - int(p.first_fix_window_ms)
    is_located = tracks.is_located[slot] == 1
    if not is_located:
        tracks.floor[slot] = likeliest_floor(tracks, slot, anchors, since)
    n = rows_of_links(rows, tracks, slot, anchors, p, tracks.floor[slot], since)
    age_rows(rows, n, p)
    if n == 0:
        return
    box = anchors.box[int(rows[0, ANCHOR])]
    if not solve_rows(rows, n, p, box, solution):
        return
    if is_located:
        state = tracks.state[slot]
        held = cost_at(rows, n, p, box, state[0], state[1], state[4])
        enough = p.recovery_cost_rssi if lives_on_rssi(tracks, slot) else p.recovery_cost
        if held - solution[SOLUTION_WIDTH - 1] < enough:
            return
    start_track(tracks, slot, solution, p)


@njit(cache=True, nogil=True, error_model="numpy")
def note_time(
    readings: ReadingColumns, begin: int, end: int, tracks: TrackColumns, slot: int, p: Parameters
) -> None:
    """Keep the tag's own interval, and give up a track not heard for too long."""
    youngest = readings.heard_at_ms[end - 1]
    if tracks.heard_at_ms[slot] == 0 and tracks.first_heard_at_ms[slot] == 0:
        tracks.first_heard_at_ms[slot] = readings.heard_at_ms[begin]
        return
    gap = float(max(youngest - tracks.heard_at_ms[slot], 0))
    if tracks.interval_ms[slot] <= 0.0:
        tracks.interval_ms[slot] = gap
    else:
        tracks.interval_ms[slot] += INTERVAL_MEMORY * (gap - tracks.interval_ms[slot])
    if gap > p.lost_after_ms:
        tracks.is_located[slot] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def run_tag(
    readings: ReadingColumns,
    begin: int,
    end: int,
    tracks: TrackColumns,
    slot: int,
    anchors: AnchorColumns,
    p: Parameters,
    rows: Floats,
    solution: Floats,
) -> None:
    """Take readings[begin:end], all of one tag, into its track."""
    note_time(readings, begin, end, tracks, slot, p)
    before_ms = tracks.heard_at_ms[slot]
    first = begin
    while first < end:
        last = end_of_instant(readings, first, end, p)
        time_ms = max(readings.heard_at_ms[last - 1], tracks.at_ms[slot])
        n = take_instant(rows, readings, first, last, tracks, slot, anchors, p, time_ms)
        if n > 0 and tracks.is_located[slot]:
            update_instant(rows, n, time_ms, tracks, slot, anchors, p)
        first = last
    if tracks.floor_doubt[slot] > FLOOR_DOUBT_MAX:
        tracks.is_located[slot] = 0
    is_due = lives_on_rssi(tracks, slot) and (
        before_ms // p.recheck_ms != tracks.heard_at_ms[slot] // p.recheck_ms
    )
    if is_due or not tracks.is_located[slot] or tracks.surprise[slot] > p.surprise_max:
        seek_fix(rows, solution, tracks, slot, anchors, p)
    if tracks.is_located[slot]:
        tracks.p_standing[slot] = standing_probability(tracks.state[slot], tracks.cov[slot], p)
        note_carriers(rows, tracks, slot, anchors, p)


@njit(cache=True, nogil=True, error_model="numpy")
def note_carriers(
    rows: Floats, tracks: TrackColumns, slot: int, anchors: AnchorColumns, p: Parameters
) -> None:
    """Keep which kinds carry the track now, and what their frozen biases leave of its place."""
    since = tracks.heard_at_ms[slot] - int(p.bias_window_ms)
    n = rows_of_links(rows, tracks, slot, anchors, p, tracks.floor[slot], since)
    kinds = 0
    for i in range(n):
        kinds |= 1 << int(rows[i, KIND])
    tracks.kinds[slot] = kinds
    state = tracks.state[slot]
    xx, yx, yy = bias_covariance(rows, n, p, state[0], state[1], state[4])
    tracks.bias_cov[slot, 0] = xx
    tracks.bias_cov[slot, 1] = yx
    tracks.bias_cov[slot, 2] = yy


@njit(cache=True, nogil=True, error_model="numpy")
def write_fix(
    fixes: FixColumns,
    k: int,
    tracks: TrackColumns,
    slot: int,
    p: Parameters,
    at_ms: int,
    state: Floats,
    cov: Floats,
) -> None:
    """Write the track as of ``at_ms`` to row ``k``; ``state`` and ``cov`` are scratch."""
    state[:] = tracks.state[slot]
    cov[:] = tracks.cov[slot]
    carry(state, cov, 0.001 * (at_ms - tracks.at_ms[slot]), p)
    fixes.tag[k] = slot
    fixes.floor[k] = tracks.floor[slot]
    fixes.x_m[k] = state[0]
    fixes.y_m[k] = state[1]
    fixes.z_m[k] = tracks.z_m[slot]
    # Residuals beyond the stated noise say that the noise was understated by as much (the
    # geodesists' variance of unit weight).
    factor = max(tracks.unit_variance[slot], 1.0)
    fixes.cov_xx[k] = factor * (cov[XX] + tracks.bias_cov[slot, 0])
    fixes.cov_xy[k] = factor * (cov[YX] + tracks.bias_cov[slot, 1])
    fixes.cov_yy[k] = factor * (cov[YY] + tracks.bias_cov[slot, 2])
    fixes.vx_m_s[k] = state[2]
    fixes.vy_m_s[k] = state[3]
    fixes.p_standing[k] = standing_probability(state, cov, p)
    fixes.evidence_at_ms[k] = tracks.heard_at_ms[slot]
    fixes.kinds[k] = tracks.kinds[slot]


@njit(cache=True, nogil=True, error_model="numpy")
def track_epoch(
    reading_rows: Records,
    track_rows: Records,
    anchors: AnchorColumns,
    p: Parameters,
    epoch_end_ms: int,
    fix_rows: Records,
) -> int:
    """Take a whole epoch into the tracks; return the number of fixes written.

    ``fix_rows`` has room for one row a tag. A tag slot outside the tracks is passed over.
    """
    readings = reading_columns(reading_rows)
    tracks = track_columns(track_rows)
    fixes = fix_columns(fix_rows)
    rows = np.empty((ROWS_MAX, ROW_WIDTH))
    solution = np.empty(SOLUTION_WIDTH)
    state = np.empty(5)
    cov = np.empty(15)
    written = 0
    begin = 0
    n = readings.tag.size
    while begin < n:
        slot = readings.tag[begin]
        end = begin + 1
        while end < n and readings.tag[end] == slot:
            end += 1
        if 0 <= slot < tracks.at_ms.size:
            run_tag(readings, begin, end, tracks, slot, anchors, p, rows, solution)
            if tracks.is_located[slot]:
                write_fix(fixes, written, tracks, slot, p, epoch_end_ms, state, cov)
                written += 1
        begin = end
    return written


@njit(cache=True, nogil=True, error_model="numpy")
def coast_slots(
    slots: Ints, track_rows: Records, p: Parameters, at_ms: int, fix_rows: Records
) -> int:
    """Write the predicted fix of each located slot; the tracks stay as they are."""
    tracks = track_columns(track_rows)
    fixes = fix_columns(fix_rows)
    state = np.empty(5)
    cov = np.empty(15)
    written = 0
    for i in range(slots.size):
        slot = slots[i]
        if 0 <= slot < tracks.at_ms.size and tracks.is_located[slot]:
            write_fix(fixes, written, tracks, slot, p, at_ms, state, cov)
            written += 1
    return written
