"""Find, take and count a tag's stays: the few slots a tag has, one a zone.

Layer: kernels. Takes: the slots of one tag. Gives: slots and counts to zone_stay and zone_step.

Time that passes in silence is *pending*: the next evidence from inside the zone counts it, evidence
from elsewhere drops it. So dwell never rests on a guess.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from rtls.geofence.kernels.records import Stay

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Records = npt.NDArray[np.void]

FREE = 0
CANDIDATE = 1
INSIDE = 2
LEAVING = 3
ABSENT = 4  # outside, but what was dwelt may still go on

ENTERED = 0
DWELL_REACHED = 1
LEFT = 2
PASSED = 3

WALKED_AWAY = 0
LOST = 1
BETWEEN_FIXES = 2

# What a stay counts, in ms: the clock, its lower and upper bound, and the time that counted.
DWELL = 0
LOW = 1
HIGH = 2
COUNTED = 3
COUNTS = 4

SLOTS = 12
"""Zones that a tag is in or lately was: five levels of nesting, twice, and something over."""
THRESHOLDS_MAX = 4
ROWS_A_TAG_MAX = SLOTS * (1 + THRESHOLDS_MAX)
"""No tag can cause more rows in one step: a stay that enters may reach all its thresholds."""

NO_SLOT_LEFT = 0
ABSENCE_FORGOTTEN = 1
COUNTERS = 2


class StepRules(NamedTuple):
    """What holds for all tags: the zones' rules and the patience with silence.

    ``zones`` (n_zones,) `RULE_DTYPE`; ``depth_max`` of nesting; ``grace_ms`` (n_kinds,) by reading
    kind; ``grace_intervals`` times a tag's own interval, up to ``grace_ms_max``; ``p_certain``
    from which on time counts in full; ``p_standing_min`` below which the tag clearly walks;
    ``standing_patience`` times the exit delay is waited for one who has not walked ``step_m``.

    A zone's own grace takes the place of those by kind, its halo is the index of the same zone
    widened by its exit tolerance, -1 where it has none.
    """

    zones: Records
    depth_max: int
    grace_ms: Floats
    grace_intervals: float
    grace_ms_max: float
    p_certain: float
    p_standing_min: float
    standing_patience: float
    step_m: float


@njit(cache=True, nogil=True, error_model="numpy")
def none_yet() -> int:
    """Return 0 in 64 bits: as a literal it is another type, for which callees compile once more."""
    return int(np.int64(0))


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def grace_of(rules: StepRules, zone: int, kinds: int, interval_ms: float) -> float:
    """Return how long a tag may be silent: as the zone says, else its most patient kind.

    Its own habit if that is longer: bursts with long gaps between them are no absence.
    """
    longest = float(rules.zones[zone].grace_ms)
    if longest == 0.0:
        for kind in range(rules.grace_ms.size):
            if kinds == 0 or kinds & (1 << kind):
                longest = max(longest, rules.grace_ms[kind])
    habit = rules.grace_intervals * interval_ms
    if np.isfinite(habit):
        longest = max(longest, habit)
    return min(longest, rules.grace_ms_max)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def find_open(stays: Records, zone: int) -> int:
    """Return the slot of the tag's stay in ``zone`` that is not over, -1 if there is none."""
    for slot in range(SLOTS):
        if stays[slot].zone == zone and CANDIDATE <= stays[slot].phase <= LEAVING:
            return slot
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def is_inside(stays: Records, zone: int) -> bool:
    """Tell whether the tag has entered ``zone`` and not left; no zone (-1) always holds it."""
    if zone < 0:
        return True
    slot = find_open(stays, zone)
    return slot >= 0 and stays[slot].phase != CANDIDATE


@njit(cache=True, nogil=True, error_model="numpy")
def is_within(rules: StepRules, zone: int, other: int) -> bool:
    """Tell whether ``other`` is ``zone`` or one of its ancestors."""
    while zone >= 0:
        if zone == other:
            return True
        zone = rules.zones[zone].parent
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def is_held_elsewhere(stays: Records, zone: int, rules: StepRules) -> bool:
    """Tell whether the tag is in another zone of the same level, and has not left it.

    Nobody stands at two shelves at once. Without this a tag on the edge of two would enter and
    leave the one while it never left the other.
    """
    for slot in range(SLOTS):
        stay = stays[slot]
        if not INSIDE <= stay.phase <= LEAVING:
            continue
        if rules.zones[stay.zone].level != rules.zones[zone].level:
            continue
        if not is_within(rules, zone, stay.zone) and not is_within(rules, stay.zone, zone):
            return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def clear_counts(counts: Floats) -> None:
    """Set all counts to zero."""
    for count in range(COUNTS):
        counts[count] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def take_slot(stays: Records, zone: int, counters: Longs) -> int:
    """Return a slot for a stay in ``zone``: its own of before, a free one, the oldest absence."""
    chosen = -1
    for slot in range(SLOTS):
        stay = stays[slot]
        if stay.phase == ABSENT and stay.zone == zone:
            return slot
        if stay.phase == FREE and chosen < 0:
            chosen = slot
    if chosen >= 0:
        return chosen
    for slot in range(SLOTS):
        stay = stays[slot]
        if stay.phase == ABSENT:
            older = chosen < 0 or stay.left_at_ms < stays[chosen].left_at_ms
            same = chosen >= 0 and stay.left_at_ms == stays[chosen].left_at_ms
            if older or (same and stay.zone < stays[chosen].zone):
                chosen = slot
    if chosen < 0:
        counters[NO_SLOT_LEFT] += 1
    else:
        counters[ABSENCE_FORGOTTEN] += 1
        stays[chosen].phase = FREE
    return chosen


@njit(cache=True, nogil=True, error_model="numpy")
def weight_of(rules: StepRules, zone: int, p: float, p_standing: float) -> float:
    """Return how much a moment counts: all where certain, P where probable, nothing while walking.

    At ``p_certain`` honest noise cannot be told from certainty; a soft product there would make a
    correct stand late by its own uncertainty.
    """
    if p < rules.zones[zone].p_hold or not p_standing >= rules.p_standing_min:
        return 0.0
    return 1.0 if p >= rules.p_certain else p


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def count_time(stay: Stay, rules: StepRules, p: float, p_standing: float, at_ms: int) -> None:
    """Count the time since the last step as pending; it is worth the weaker of its two ends."""
    passed = float(at_ms - stay.stepped_at_ms)
    weight = weight_of(rules, stay.zone, p, p_standing)
    weaker = min(weight, stay.weight)
    least = min(p, stay.p)
    if weaker > 0.0:
        stay.pending[DWELL] += passed * weaker
        stay.pending[LOW] += passed * least
        stay.pending[COUNTED] += passed
    if least > rules.zones[stay.zone].p_exit:
        stay.pending[HIGH] += passed
    stay.p = p
    stay.weight = weight
    stay.stepped_at_ms = at_ms


@njit(cache=True, nogil=True, error_model="numpy")
def settle_pending(stay: Stay, is_confirmed: int) -> None:
    """Count what is pending if evidence confirms it; what may have been counts in any case."""
    stay.visit[HIGH] += stay.pending[HIGH]
    if is_confirmed:
        stay.visit[DWELL] += stay.pending[DWELL]
        stay.visit[LOW] += stay.pending[LOW]
        stay.visit[COUNTED] += stay.pending[COUNTED]
    clear_counts(stay.pending)
