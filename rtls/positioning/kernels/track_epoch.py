"""Run one epoch through all tracks that were heard in it.

Layer: kernels. Takes: readings sorted by tag and time, tracks, anchors.
Gives: updated tracks and one fix row for each located tag to rtls.positioning.tracking.
"""

import math

import numpy as np
from numba import njit

from rtls.positioning.kernels.anchor_evidence import note_anchors_heard, note_innovations
from rtls.positioning.kernels.first_fix import lives_on_rssi, seek_fix
from rtls.positioning.kernels.fix_row import write_fix
from rtls.positioning.kernels.floors import floor_index_of, weigh_floors
from rtls.positioning.kernels.frozen_bias import note_carriers
from rtls.positioning.kernels.likelihood import RANGE_KIND
from rtls.positioning.kernels.link_bias import (
    UNKNOWNS_MAX,
    WORK_ROWS,
    correct_range,
    learn_biases,
)
from rtls.positioning.kernels.links import (
    credit_of_repeat,
    memory_of_blocking,
    note_links,
    remember_link,
    share_blocked,
)
from rtls.positioning.kernels.measure import settle
from rtls.positioning.kernels.modes import join_modes, predict_modes, update_modes
from rtls.positioning.kernels.motion import UU, XX, YY
from rtls.positioning.kernels.range_lanes import LANES
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
    GAP_MS,
    LINK,
    LONG_SHARE,
    ROW_WIDTH,
    ROWS_A_READING,
    ROWS_MAX,
    fill_reading,
    link_of,
)

INTERVAL_MEMORY = 0.1
REVIEW_MS = 1_000  # how often floor and frozen errors are looked at again
STANDS_FROM = 0.5
# Arrays within a record are not counted as they are handed on: an array of its own would be, at
# every call, which was an eighth of the filter's time.
ROOM_DTYPE = np.dtype(
    [
        ("rows", np.float64, (ROWS_A_READING * ROWS_MAX, ROW_WIDTH)),
        ("work", np.float64, (WORK_ROWS, UNKNOWNS_MAX)),
        ("solution", np.float64, (SOLUTION_WIDTH,)),
        ("lanes", np.float64, (LANES, ROWS_MAX)),
    ]
)


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


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def fill_known(
    rows: Floats, n: int, reading: Record, anchors: AnchorRecords, link: Record, p: Parameters
) -> int:
    """Calibrate a reading of a known anchor into ``rows``; return how many rows it gave."""
    anchor = wide(reading["anchor"])
    ref = wide(reading["ref_anchor"])
    if not 0 <= ref < anchors.own.size:
        ref = anchor
    return fill_reading(
        rows,
        n,
        anchors.own[anchor],
        anchors.own[ref],
        link,
        p,
        anchor,
        wide(reading["kind"]),
        reading["value"],
        reading["value_2"],
        reading["sigma"],
        ref,
    )


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def note_link_of_row(
    rows: Floats, k: int, credit: float, age_s: float, place: int, gap_ms: float
) -> None:
    """Write what the link of a row says of it."""
    rows[k, CREDIT] = credit
    rows[k, AGE_S] = age_s
    rows[k, LINK] = place
    rows[k, GAP_MS] = gap_ms


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
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

    Their links are remembered.
    """
    n = wide(0)
    last_gap = -2.0  # of no link
    last_kind = wide(0)
    last_flags = wide(0)
    news = 1.0
    memory = 1.0
    for i in range(begin, end):
        reading = readings[i]
        anchor = wide(reading["anchor"])
        kind = wide(reading["kind"])
        if not 0 <= anchor < anchors.own.size or health[anchor]["weight"] <= 0.0:
            continue  # an anchor that nobody trusts carries no track, not even as a link
        own = anchors.own[anchor]
        link = link_of(anchors, anchor, wide(track["calibration_row"]))
        added = fill_known(rows, n, reading, anchors, link, p)
        if added == 0:
            continue
        heard = reading["heard_at_ms"]
        place, gap = remember_link(track, link, p, reading)
        track["heard_at_ms"] = max(track["heard_at_ms"], heard)
        if own["floor"] != track["floor"]:
            continue
        # The links of a tag are mostly heard together: one exponential serves them all.
        if gap != last_gap or kind != last_kind or reading["flags"] != last_flags:
            last_gap = gap
            last_kind = kind
            last_flags = wide(reading["flags"])
            news = credit_of_repeat(kind, gap, last_flags, p)
            memory = memory_of_blocking(gap, p)
        credit = news * health[anchor]["weight"]
        for k in range(n, n + added):
            note_link_of_row(rows, k, credit, 0.001 * (time_ms - heard), place, gap)
        if kind == RANGE_KIND:
            correct_range(rows[n], track, p, reading["sigma"])
            rows[n, LONG_SHARE] = share_blocked(track["link_blocked"][place], gap, memory, p)
        n += added
    return n


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def update_instant(
    room: Record,
    rows: Floats,
    n: int,
    time_ms: int,
    track: Record,
    anchors: AnchorRecords,
    health: Records,
    p: Parameters,
) -> None:
    """Carry the track to ``time_ms`` and update it with ``rows[:n]``."""
    predict_modes(track, 0.001 * (time_ms - track["at_ms"]), p)
    join_modes(track)
    track["at_ms"] = max(track["at_ms"], time_ms)
    box = anchors.own[int(rows[0, ANCHOR])]["box"]
    state = track["state"]
    cov = track["cov"]
    at, curve, g, odd, is_sound = settle(room, rows, n, p, box, state, cov)
    if is_sound and update_modes(track, at, curve, g):
        join_modes(track)
        if track["p_standing"] < STANDS_FROM:
            # Frozen multipath speaks against an anchor for as long as somebody stands.
            note_innovations(rows, n, health)
        note_links(rows, n, track)
        track["surprise"] += p.surprise_memory * (odd[0] - track["surprise"])
        track["unit_variance"] += p.surprise_memory * (odd[1] - track["unit_variance"])
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
        for f in range(track["floor_log_odds"].size):
            track["floor_log_odds"][f] = 0.0


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def run_tag(
    readings: Records,
    begin: int,
    end: int,
    track: Record,
    anchors: AnchorRecords,
    health: Records,
    p: Parameters,
    room: Record,
) -> None:
    """Take readings[begin:end], all of one tag, into its track."""
    rows = room["rows"][0:]
    work = room["work"][0:]
    solution = room["solution"][0:]
    note_time(readings, begin, end, track, p)
    before_ms = track["heard_at_ms"]
    first = begin
    while first < end:
        last = end_of_instant(readings, first, end, p)
        time_ms = max(readings[last - 1]["heard_at_ms"], track["at_ms"])
        n = take_instant(rows, readings, first, last, track, anchors, health, p, time_ms)
        if n > 0 and track["is_located"]:
            update_instant(room, rows, n, time_ms, track, anchors, health, p)
        first = last
    # Counted from each tag's own first reading: a shop does not look at everybody at once.
    begun_ms = track["first_heard_at_ms"]
    after_ms = track["heard_at_ms"]
    is_review = (before_ms - begun_ms) // REVIEW_MS != (after_ms - begun_ms) // REVIEW_MS
    if is_review or not track["is_located"]:
        review_floor(work[0], track, anchors, p, before_ms)
    is_due = lives_on_rssi(track) and (
        (before_ms - begun_ms) // p.recheck_ms != (after_ms - begun_ms) // p.recheck_ms
    )
    is_new = False
    if is_due or not track["is_located"] or track["surprise"] > p.surprise_max:
        is_new = seek_fix(rows, solution, track, anchors, p)
    if is_new:
        join_modes(track)
    if track["is_located"] and (is_new or is_review):
        review_biases(rows, work, track, anchors, p)


@njit(cache=True, nogil=True, error_model="numpy")
def review_floor(
    levels: Floats, track: Record, anchors: AnchorRecords, p: Parameters, before_ms: int
) -> None:
    """Weigh the floors; a track that is decidedly on another one starts anew there."""
    if anchors.floors.size == 1:
        track["floor"] = anchors.floors[0]
        return
    since = track["heard_at_ms"] - int(p.first_fix_window_ms)
    gap_ms = track["heard_at_ms"] - before_ms
    say = min(max(0.001 * gap_ms, 0.001 * REVIEW_MS), 1.0) if track["is_located"] else 1.0
    best = weigh_floors(levels, track, anchors, p, since, say)
    odds = track["floor_log_odds"]
    held = floor_index_of(track["floor"], anchors)
    if not track["is_located"]:
        track["floor"] = anchors.floors[best]
    elif odds[best] - odds[held] > p.floor_change_odds:
        track["floor"] = anchors.floors[best]
        track["is_located"] = 0


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def review_biases(
    rows: Floats, work: Floats, track: Record, anchors: AnchorRecords, p: Parameters
) -> None:
    """Learn the errors of ranges where the tag has come to a new place; say what they leave."""
    state = track["state"]
    place = track["bias_place"]
    away = math.hypot(state[0] - place[0], state[1] - place[1])
    is_new_place = track["bias_at_ms"] == 0 or away > p.bias_step_m
    if is_new_place and learn_biases(work, track, anchors, p):
        place[0] = state[0]
        place[1] = state[1]
        track["bias_at_ms"] = track["heard_at_ms"]
    note_carriers(rows, work, track, anchors, p)


@njit(cache=True, nogil=True, error_model="numpy")
def track_epoch(
    readings: Records,
    tracks: Records,
    anchors: AnchorRecords,
    health: Records,
    p: Parameters,
    epoch_end_ms: int,
    fixes: Records,
    room: Records,
) -> int:
    """Take a whole epoch into the tracks; return the number of fixes written.

    ``fixes`` has room for one row a tag. A tag slot outside the tracks is passed over. ``health``
    is by anchor. ``room`` is one `ROOM_DTYPE` to reckon in.
    """
    note_anchors_heard(readings, health)
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
            run_tag(readings, begin, end, track, anchors, health, p, room[0])
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
