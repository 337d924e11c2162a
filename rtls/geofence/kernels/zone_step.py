"""Step the stays of many tags by one instant, parents before their children.

Layer: kernels. Takes: P(zone) of each fix and the arrays of rtls.geofence.dwell. Gives: the stays
changed in place, and rows of what happened.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from rtls.geofence.kernels.records import Fix
from rtls.geofence.kernels.stay_slots import (
    ABSENT,
    CANDIDATE,
    FREE,
    ROWS_A_TAG_MAX,
    SLOTS,
    StepRules,
    clear_counts,
    find_open,
    grace_of,
    none_yet,
    take_slot,
    weight_of,
)
from rtls.geofence.kernels.zone_stay import step_stay

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Records = npt.NDArray[np.void]


@njit(cache=True, nogil=True, error_model="numpy")
def begin_stay(
    stays: Records, zone: int, rules: StepRules, fix: Fix, p: float, at_ms: int, counters: Longs
) -> None:
    """Make the tag a candidate for ``zone``, and let an earlier visit go on if it is recent."""
    slot = take_slot(stays, zone, counters)
    if slot < 0:
        return
    stay = stays[slot]
    known = stay.phase == ABSENT
    if not known or at_ms - stay.left_at_ms >= rules.zones[zone].reset_after_ms:
        clear_counts(stay.carried)
        stay.reached = 0
        stay.left_at_ms = 0
        stay.has_left = 0
    clear_counts(stay.visit)
    clear_counts(stay.pending)
    stay.has_walked = 0  # else of whoever had the slot: a snapshot does not hold free ones
    stay.reason = 0
    stay.zone = zone
    stay.phase = CANDIDATE
    stay.entered_at_ms = at_ms
    stay.since_ms = at_ms
    stay.stepped_at_ms = at_ms
    stay.evidence_at_ms = fix.evidence_at_ms
    stay.p = p
    stay.p_best = p
    stay.held_x_m = fix.x_m
    stay.held_y_m = fix.y_m
    stay.weight = weight_of(rules, zone, p, fix.p_standing)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def taken_slots(stays: Records) -> int:
    """Return how many slots there are up to the last one taken; most tags are in few zones."""
    for slot in range(SLOTS - 1, -1, -1):
        if stays[slot].phase != FREE:
            return slot + 1
    return 0


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def listed_probability(zone: int, zones: Ints, probability: Floats, start: int, end: int) -> float:
    """Return P of ``zone`` in one fix's list, 0 where it is not listed or there is none (-1)."""
    for entry in range(start, end):
        if zones[entry] == zone:
            return float(probability[entry])
    return 0.0


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def begin_stays(
    stays: Records,
    rules: StepRules,
    fix: Fix,
    depth: int,
    zone: Ints,
    probability: Floats,
    start: int,
    end: int,
    at_ms: int,
    counters: Longs,
) -> None:
    """Begin a stay in each probable zone of this depth whose parent has one."""
    for entry in range(start, end):
        candidate = zone[entry]
        if candidate >= rules.zones.size:
            continue  # a halo, which is only left, never entered
        rule = rules.zones[candidate]
        if rule.depth != depth or probability[entry] < rule.p_enter:
            continue
        if rule.parent >= 0 and find_open(stays, rule.parent) < 0:
            continue
        if find_open(stays, candidate) < 0:
            begin_stay(stays, candidate, rules, fix, probability[entry], at_ms, counters)


@njit(cache=True, nogil=True, error_model="numpy")
def step_tags(
    stays: Records,
    rules: StepRules,
    fixes: Records,
    first: int,
    row_start: Ints,
    zone: Ints,
    probability: Floats,
    interval_ms: Floats,
    is_late: Bytes,
    at_ms: int,
    is_heard: int,
    rows: Records,
    counters: Longs,
) -> tuple[int, int]:
    """Step all stays of the tags of ``fixes`` from row ``first`` on.

    Stops before a tag whose rows might not fit. Returns the row to go on with, and the rows used.

    Parameters
    ----------
    stays
        (capacity, `SLOTS`) `STAY_DTYPE`, changed in place.
    rules
        What holds for all tags.
    fixes
        (n,) `FIX_DTYPE`, each tag at most once.
    first
        Row to begin with.
    row_start, zone, probability
        P(zone) of each fix as CSR.
    interval_ms
        (capacity,) each tag's own usual interval between epochs with readings.
    is_late
        (n,) 1 where the fix stands on readings from a spool.
    at_ms
        The instant.
    is_heard
        Whether the fixes stand on new readings; else they are predictions for silent tags.
    rows
        `ROW_DTYPE`, written; at least `ROWS_A_TAG_MAX` long.
    counters
        (`COUNTERS`,) increased.
    """
    used = none_yet()
    for place in range(first, fixes.size):
        if rows.size - used < ROWS_A_TAG_MAX:
            return place, used
        fix = fixes[place]
        own = stays[fix.tag]
        start = row_start[place]
        end = row_start[place + 1]
        late = is_late[place]
        for depth in range(rules.depth_max + 1):
            if is_heard:
                begin_stays(own, rules, fix, depth, zone, probability, start, end, at_ms, counters)
            taken = taken_slots(own)
            # Visits first: one that ends now makes way for a candidate now.
            for is_turn_of_candidates in (0, 1):
                for slot in range(taken):
                    stay = own[slot]
                    if stay.phase == FREE or rules.zones[stay.zone].depth != depth:
                        continue
                    if (stay.phase == CANDIDATE) != is_turn_of_candidates:
                        continue
                    halo = rules.zones[stay.zone].halo
                    grace_ms = grace_of(rules, stay.zone, fix.kinds, interval_ms[fix.tag])
                    p = listed_probability(stay.zone, zone, probability, start, end)
                    p_near = 0.0
                    if halo >= 0:
                        p_near = listed_probability(halo, zone, probability, start, end)
                    used = step_stay(
                        own, slot, rules, fix, p, p_near, at_ms, is_heard, late, grace_ms, rows,
                        used,
                    )  # fmt: skip
    return fixes.size, used
