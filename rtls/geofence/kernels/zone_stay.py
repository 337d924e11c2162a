"""Step one stay: let a candidate enter or drop, a visit go on, falter, dwell or end.

Layer: kernels. Takes: a stay and P(zone) now. Gives: the stay changed, and rows of what happened.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from rtls.geofence.kernels.records import Fix, Row, Rule, Stay
from rtls.geofence.kernels.stay_slots import (
    ABSENT,
    CANDIDATE,
    COUNTED,
    COUNTS,
    DWELL,
    DWELL_REACHED,
    ENTERED,
    FREE,
    HIGH,
    INSIDE,
    LEAVING,
    LEFT,
    LOST,
    LOW,
    PASSED,
    SLOTS,
    WALKED_AWAY,
    StepRules,
    clear_counts,
    count_time,
    find_open,
    is_held_elsewhere,
    is_inside,
    settle_pending,
)

Records = npt.NDArray[np.void]


@njit(cache=True, nogil=True, error_model="numpy")
def write_row(row: Row, stay: Stay, tag: int, what: int, at_ms: int, decided_at_ms: int) -> None:
    """Write one row of what happened; `dwell_ms` and its bounds are those of this visit."""
    row.tag = tag
    row.zone = stay.zone
    row.what = what
    row.reason = stay.reason
    row.is_late = stay.is_late
    row.at_ms = at_ms
    row.decided_at_ms = decided_at_ms
    row.entered_at_ms = stay.entered_at_ms
    row.evidence_at_ms = stay.evidence_at_ms
    row.threshold_ms = 0
    row.dwell_ms = stay.visit[DWELL]
    row.dwell_ms_low = stay.visit[LOW]
    row.dwell_ms_high = stay.visit[HIGH]
    row.probability = stay.p


@njit(cache=True, nogil=True, error_model="numpy")
def close_stay(stay: Stay, rows: Records, used: int, tag: int, left_at_ms: int, at_ms: int) -> int:
    """End a visit at ``left_at_ms`` and remember what was dwelt; return the rows used."""
    left_at_ms = max(left_at_ms, stay.entered_at_ms)
    longest = float(left_at_ms - stay.entered_at_ms)
    for count in range(COUNTS):  # nothing may be counted beyond the end of the visit
        stay.visit[count] = min(stay.visit[count], longest)
    write_row(rows[used], stay, tag, LEFT, left_at_ms, at_ms)
    for count in range(COUNTS):
        stay.carried[count] += stay.visit[count]
    clear_counts(stay.visit)
    clear_counts(stay.pending)
    stay.phase = ABSENT
    stay.left_at_ms = left_at_ms
    stay.has_left = 1
    return used + 1


@njit(cache=True, nogil=True, error_model="numpy")
def drop_candidate(stay: Stay) -> None:
    """Take back a candidate that did not become a visit; an earlier visit stays remembered."""
    clear_counts(stay.visit)
    clear_counts(stay.pending)
    stay.phase = ABSENT if stay.has_left else FREE


@njit(cache=True, nogil=True, error_model="numpy")
def reach_thresholds(stay: Stay, rule: Rule, rows: Records, used: int, tag: int, at_ms: int) -> int:
    """Write a row for each threshold that the dwell has now reached; return the rows used."""
    counted = stay.carried[COUNTED] + stay.visit[COUNTED]
    dwell = stay.carried[DWELL] + stay.visit[DWELL]
    low = stay.carried[LOW] + stay.visit[LOW]
    while stay.reached < rule.n_thresholds:
        threshold = rule.threshold_ms[stay.reached]
        if dwell < threshold or low < rule.p_dwell * counted:
            break
        row = rows[used]
        write_row(row, stay, tag, DWELL_REACHED, at_ms, at_ms)
        row.threshold_ms = threshold
        row.dwell_ms = dwell
        row.dwell_ms_low = low
        row.dwell_ms_high = stay.carried[HIGH] + stay.visit[HIGH]
        row.probability = low / counted
        stay.reached += 1
        used += 1
    return used


@njit(cache=True, nogil=True, error_model="numpy")
def step_candidate(
    stays: Records,
    slot: int,
    rules: StepRules,
    rows: Records,
    used: int,
    fix: Fix,
    at_ms: int,
    is_heard: int,
    is_lost: int,
) -> int:
    """Let a candidate enter, wait, or be dropped; return the rows used.

    One that is dropped because the tag walked on has been passed. A tag that stands and only
    flickers over an edge passes nothing.
    """
    stay = stays[slot]
    rule = rules.zones[stay.zone]
    tag = fix.tag
    has_parent = rule.parent < 0 or find_open(stays, rule.parent) >= 0
    is_out = is_heard and stay.p < rule.p_hold
    if is_lost or not has_parent or is_out:
        if is_out and not is_lost and has_parent and fix.p_standing < rules.p_standing_min:
            write_row(rows[used], stay, tag, PASSED, stay.entered_at_ms, at_ms)
            rows[used].reason = WALKED_AWAY
            rows[used].probability = stay.p_best
            used += 1
        drop_candidate(stay)
        return used
    is_ripe = is_heard and at_ms - stay.since_ms >= rule.min_enter_ms
    is_free = is_inside(stays, rule.parent) and not is_held_elsewhere(stays, stay.zone, rules)
    if is_ripe and is_free:
        stay.phase = INSIDE
        stay.reason = WALKED_AWAY
        write_row(rows[used], stay, tag, ENTERED, stay.entered_at_ms, at_ms)
        used += 1
    return used


@njit(cache=True, nogil=True, error_model="numpy")
def parent_left_at(stays: Records, parent: int, at_ms: int) -> int:
    """Return when the tag left the parent, now if that is forgotten."""
    for slot in range(SLOTS):
        if stays[slot].phase == ABSENT and stays[slot].zone == parent:
            return int(stays[slot].left_at_ms)
    return at_ms


@njit(cache=True, nogil=True, error_model="numpy")
def step_visit(
    stays: Records,
    slot: int,
    rules: StepRules,
    rows: Records,
    used: int,
    tag: int,
    p_near: float,
    is_walking: int,
    at_ms: int,
    is_heard: int,
    is_lost: int,
) -> int:
    """Let a visit go on, falter, recover or end; return the rows used.

    ``p_near`` is P of the zone widened by its exit tolerance, 0 where it has none. Nobody leaves
    without a step: who has not walked since P fell is more likely to be misplaced, and is waited
    for longer.
    """
    stay = stays[slot]
    rule = rules.zones[stay.zone]
    if is_heard and stay.phase == INSIDE and stay.p <= rule.p_exit:
        stay.phase = LEAVING
        stay.since_ms = at_ms
        stay.has_walked = 0
    elif is_heard and stay.phase == LEAVING and stay.p > rule.p_exit:
        stay.phase = INSIDE
    if stay.phase == LEAVING:
        if is_walking:
            stay.has_walked = 1
        delay_ms = float(rule.exit_delay_ms)
        if not stay.has_walked:
            delay_ms *= rules.standing_patience
        if p_near > rule.p_exit:
            delay_ms = max(delay_ms, float(rule.tolerance_timeout_ms))
        is_over = is_lost or at_ms - stay.since_ms >= delay_ms
        if is_over or not is_inside(stays, rule.parent):
            return close_stay(stay, rows, used, tag, stay.since_ms, at_ms)
        return used
    if is_lost:
        stay.reason = LOST
        return close_stay(stay, rows, used, tag, stay.evidence_at_ms, at_ms)
    if not is_inside(stays, rule.parent):
        return close_stay(stay, rows, used, tag, parent_left_at(stays, rule.parent, at_ms), at_ms)
    return used


@njit(cache=True, nogil=True, error_model="numpy")
def has_walked(stay: Stay, rules: StepRules, fix: Fix) -> int:
    """Tell whether the tag walks, and is off from where it was last probably inside.

    Who was silent for as long as leaving takes may have walked unseen.
    """
    if fix.evidence_at_ms - stay.evidence_at_ms >= rules.zones[stay.zone].exit_delay_ms:
        return 1
    off_x = fix.x_m - stay.held_x_m
    off_y = fix.y_m - stay.held_y_m
    is_off = off_x * off_x + off_y * off_y >= rules.step_m * rules.step_m
    return int(is_off and fix.p_standing < rules.p_standing_min)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def step_stay(
    stays: Records,
    slot: int,
    rules: StepRules,
    fix: Fix,
    p: float,
    p_near: float,
    at_ms: int,
    is_heard: int,
    is_late: int,
    grace_ms: float,
    rows: Records,
    used: int,
) -> int:
    """Step one stay; return the rows used."""
    stay = stays[slot]
    rule = rules.zones[stay.zone]
    if stay.phase == ABSENT:
        if at_ms - stay.left_at_ms >= rule.reset_after_ms:
            stay.phase = FREE
        return used
    is_walking = 0
    if is_heard:
        is_walking = has_walked(stay, rules, fix)
        stay.evidence_at_ms = max(stay.evidence_at_ms, fix.evidence_at_ms)
        stay.is_late = is_late
        if p >= rule.p_hold:
            stay.held_x_m = fix.x_m
            stay.held_y_m = fix.y_m
    is_lost = at_ms - stay.evidence_at_ms > grace_ms
    if not is_lost:
        count_time(stay, rules, p, fix.p_standing, at_ms)
        if is_heard:
            settle_pending(stay, p >= rule.p_hold)
    if stay.phase == CANDIDATE:
        stay.p_best = max(stay.p_best, p)
        used = step_candidate(stays, slot, rules, rows, used, fix, at_ms, is_heard, is_lost)
    else:
        tag = fix.tag
        used = step_visit(
            stays, slot, rules, rows, used, tag, p_near, is_walking, at_ms, is_heard, is_lost
        )
    if stay.phase == INSIDE:
        used = reach_thresholds(stay, rule, rows, used, fix.tag, at_ms)
    return used
