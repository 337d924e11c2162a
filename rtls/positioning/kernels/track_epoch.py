"""Run one epoch through all tracks that were heard in it.

Layer: kernels. Takes: readings sorted by tag and time, tracks, anchors.
Gives: updated tracks and one fix row for each located tag to rtls.positioning.tracking.
"""

import math

import numpy as np
from numba import njit

from rtls.positioning.kernels.anchor_evidence import note_anchors_heard, note_innovations
from rtls.positioning.kernels.first_fix import lives_on_rssi, seek_fix
from rtls.positioning.kernels.likelihood import RANGE_KIND
from rtls.positioning.kernels.links import (
    bias_covariance,
    credit_of_repeat,
    remember_link,
    rows_of_links,
)
from rtls.positioning.kernels.measure import update_with_rows
from rtls.positioning.kernels.motion import (
    UU,
    XX,
    YX,
    YY,
    carry,
    standing_probability,
)
from rtls.positioning.kernels.records import (
    AnchorRecords,
    Floats,
    Ints,
    Parameters,
    Record,
    Records,
    wide,
)
from rtls.positioning.kernels.robust_fix import SOLUTION_WIDTH
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
def end_of_instant(readings: Records, begin: int, end: int, p: Parameters) -> int:
    """Return where the readings that count as one instant with ``begin`` end."""
    last = begin + 1
    limit = min(end, begin + ROWS_MAX)
    while last < limit and (
        readings[last]["heard_at_ms"] - readings[begin]["heard_at_ms"] <= p.instant_ms
    ):
        last += 1
    return last


@njit(cache=True, nogil=True, error_model="numpy")
def take_instant(
    rows: Floats,
    readings: Records,
    begin: int,
    end: int,
    track: Record,
    anchors: AnchorRecords,
    health: Records,
    p: Parameters,
    time_ms: int,
) -> int:
    """Fill ``rows`` from readings[begin:end] as of ``time_ms``; return how many are on the floor.

    Their links are remembered, and what they say of the floor is weighed.
    """
    n = wide(0)
    own = UNHEARD
    other = UNHEARD
    for i in range(begin, end):
        anchor = wide(readings[i]["anchor"])
        kind = wide(readings[i]["kind"])
        if 0 <= anchor < health.size and health[anchor]["weight"] <= 0.0:
            continue  # an anchor that nobody trusts carries no track, not even as a link
        if not fill_row(
            rows[n],
            anchors,
            p,
            anchor,
            kind,
            readings[i]["value"],
            readings[i]["sigma"],
            wide(track["calibration_row"]),
        ):
            continue
        heard = readings[i]["heard_at_ms"]
        gap = remember_link(
            track, anchor, kind, heard, readings[i]["value"], readings[i]["sigma"], p
        )
        track["heard_at_ms"] = max(track["heard_at_ms"], heard)
        # The loudest or nearest anchor names the floor: slabs cost 15 dB and more.
        nearness = -rows[n, VALUE] if kind == RANGE_KIND else rows[n, VALUE]
        if anchors.own[anchor]["floor"] != track["floor"]:
            other = max(other, nearness)
            continue
        own = max(own, nearness)
        rows[n, CREDIT] = credit_of_repeat(kind, gap, p) * health[anchor]["weight"]
        rows[n, AGE_S] = 0.001 * (time_ms - heard)
        n += 1
    if track["is_located"] and max(own, other) > UNHEARD:
        says_other = 1.0 if other > own else 0.0
        track["floor_doubt"] += FLOOR_MEMORY * (says_other - track["floor_doubt"])
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def update_instant(
    rows: Floats,
    n: int,
    time_ms: int,
    track: Record,
    anchors: AnchorRecords,
    health: Records,
    p: Parameters,
) -> None:
    """Carry the track to ``time_ms`` and update it with ``rows[:n]``."""
    state = track["state"]
    cov = track["cov"]
    carry(state, cov, 0.001 * (time_ms - track["at_ms"]), p)
    track["at_ms"] = max(track["at_ms"], time_ms)
    box = anchors.own[int(rows[0, ANCHOR])]["box"]
    surprise, misfit = update_with_rows(rows, n, p, box, state, cov)
    if surprise >= 0.0:
        note_innovations(rows, n, health)
        track["surprise"] += p.surprise_memory * (surprise - track["surprise"])
        track["unit_variance"] += p.surprise_memory * (misfit - track["unit_variance"])
    if not (math.isfinite(state[2]) and cov[XX] > 0.0 and cov[YY] > 0.0 and cov[UU] > 0.0):
        track["is_located"] = 0  # rounding has eaten the covariance: start again


@njit(cache=True, nogil=True, error_model="numpy")
def note_time(readings: Records, begin: int, end: int, track: Record, p: Parameters) -> None:
    """Keep the tag's own interval, and give up a track not heard for too long."""
    youngest = readings[end - 1]["heard_at_ms"]
    if track["heard_at_ms"] == 0 and track["first_heard_at_ms"] == 0:
        track["first_heard_at_ms"] = readings[begin]["heard_at_ms"]
        return
    gap = float(max(youngest - track["heard_at_ms"], 0))
    if track["interval_ms"] <= 0.0:
        track["interval_ms"] = gap
    else:
        track["interval_ms"] += INTERVAL_MEMORY * (gap - track["interval_ms"])
    if gap > p.lost_after_ms:
        track["is_located"] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def run_tag(
    readings: Records,
    begin: int,
    end: int,
    track: Record,
    anchors: AnchorRecords,
    health: Records,
    p: Parameters,
    rows: Floats,
    solution: Floats,
) -> None:
    """Take readings[begin:end], all of one tag, into its track."""
    note_time(readings, begin, end, track, p)
    before_ms = track["heard_at_ms"]
    first = begin
    while first < end:
        last = end_of_instant(readings, first, end, p)
        time_ms = max(readings[last - 1]["heard_at_ms"], track["at_ms"])
        n = take_instant(rows, readings, first, last, track, anchors, health, p, time_ms)
        if n > 0 and track["is_located"]:
            update_instant(rows, n, time_ms, track, anchors, health, p)
        first = last
    if track["floor_doubt"] > FLOOR_DOUBT_MAX:
        track["is_located"] = 0
    # Counted from each tag's own first reading: a shop does not recheck everybody at once.
    begun_ms = track["first_heard_at_ms"]
    is_due = lives_on_rssi(track) and (
        (before_ms - begun_ms) // p.recheck_ms != (track["heard_at_ms"] - begun_ms) // p.recheck_ms
    )
    if is_due or not track["is_located"] or track["surprise"] > p.surprise_max:
        seek_fix(rows, solution, track, anchors, p)
    if track["is_located"]:
        track["p_standing"] = standing_probability(track["state"], track["cov"], p)
        note_carriers(rows, track, anchors, p)


@njit(cache=True, nogil=True, error_model="numpy")
def note_carriers(rows: Floats, track: Record, anchors: AnchorRecords, p: Parameters) -> None:
    """Keep which kinds carry the track now, and what their frozen biases leave of its place."""
    since = track["heard_at_ms"] - int(p.bias_window_ms)
    n = rows_of_links(rows, track, anchors, p, track["floor"], since)
    kinds = 0
    for i in range(n):
        kinds |= 1 << int(rows[i, KIND])
    track["kinds"] = kinds
    state = track["state"]
    xx, yx, yy = bias_covariance(rows, n, p, state[0], state[1], state[4])
    track["bias_cov"][0] = xx
    track["bias_cov"][1] = yx
    track["bias_cov"][2] = yy


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
    state = spare["state"]
    cov = spare["cov"]
    for i in range(state.size):
        state[i] = track["state"][i]
    for i in range(cov.size):
        cov[i] = track["cov"][i]
    carry(state, cov, 0.001 * (at_ms - track["at_ms"]), p)
    fix["tag"] = slot
    fix["floor"] = track["floor"]
    fix["x_m"] = state[0]
    fix["y_m"] = state[1]
    fix["z_m"] = track["z_m"]
    # Residuals beyond the stated noise say that the noise was understated by as much (the
    # geodesists' variance of unit weight).
    factor = max(track["unit_variance"], 1.0)
    fix["cov_xx"] = factor * (cov[XX] + track["bias_cov"][0])
    fix["cov_xy"] = factor * (cov[YX] + track["bias_cov"][1])
    fix["cov_yy"] = factor * (cov[YY] + track["bias_cov"][2])
    fix["vx_m_s"] = state[2]
    fix["vy_m_s"] = state[3]
    fix["p_standing"] = standing_probability(state, cov, p)
    fix["evidence_at_ms"] = track["heard_at_ms"]
    fix["kinds"] = track["kinds"]


@njit(cache=True, nogil=True, error_model="numpy")
def track_epoch(
    readings: Records,
    tracks: Records,
    anchors: AnchorRecords,
    health: Records,
    p: Parameters,
    epoch_end_ms: int,
    fixes: Records,
) -> int:
    """Take a whole epoch into the tracks; return the number of fixes written.

    ``fixes`` has room for one row a tag. A tag slot outside the tracks is passed over. ``health``
    is by anchor.
    """
    note_anchors_heard(readings, health)
    rows = np.empty((ROWS_MAX, ROW_WIDTH))
    solution = np.empty(SOLUTION_WIDTH)
    spare = tracks[:1].copy()
    written = 0
    begin = wide(0)
    n = readings.size
    while begin < n:
        slot = readings[begin]["tag"]
        end = begin + 1
        while end < n and readings[end]["tag"] == slot:
            end += 1
        if 0 <= slot < tracks.size:
            track = tracks[slot]
            run_tag(readings, begin, end, track, anchors, health, p, rows, solution)
            if track["is_located"]:
                write_fix(fixes[written], slot, track, p, epoch_end_ms, spare[0])
                written += 1
        begin = end
    return written


@njit(cache=True, nogil=True, error_model="numpy")
def coast_slots(slots: Ints, tracks: Records, p: Parameters, at_ms: int, fixes: Records) -> int:
    """Write the predicted fix of each located slot; the tracks stay as they are."""
    spare = tracks[:1].copy()
    written = 0
    for i in range(slots.size):
        slot = slots[i]
        if 0 <= slot < tracks.size and tracks[slot]["is_located"]:
            track = tracks[slot]
            write_fix(fixes[written], slot, track, p, at_ms, spare[0])
            written += 1
    return written
