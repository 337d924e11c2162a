"""Choose by tag which filter takes its readings, and keep which tags have precise readings.

Layer: kernels. Takes: readings sorted by tag, beliefs and tracks. Gives: a mark for each reading to
rtls.positioning.grid_choice, where the rule is explained.
"""

import math

from numba import njit

from rtls.positioning.kernels.likelihood import RSSI_KIND
from rtls.positioning.kernels.records import Bytes, Floats, Record, Records, wide

COARSE_M = 2.0  # for a finer reading the Gaussian filter is the better one: decision 0014


@njit(cache=True, nogil=True, error_model="numpy")
def spread_m(reading: Record, usual: Floats) -> float:
    """Return how far, in metres, a reading may be from what it measures."""
    kind = wide(reading["kind"])
    if kind == RSSI_KIND or kind >= usual.shape[0]:
        return math.inf
    sigma = reading["sigma"]
    if math.isfinite(sigma) and sigma > 0.0:
        return float(sigma * usual[kind, 1])
    return float(usual[kind, 0])


@njit(cache=True, nogil=True, error_model="numpy")
def mark_coarse(
    readings: Records,
    beliefs: Records,
    tracks: Records,
    blank: Records,
    usual: Floats,
    at_ms: int,
    precise_for_ms: int,
    marks: Bytes,
) -> int:
    """Mark the readings of tags that are followed on the grid; return how many there are.

    Parameters
    ----------
    readings
        `READING_DTYPE`, sorted by tag; of tags that the beliefs have.
    beliefs
        `BELIEF_DTYPE`, (capacity,): that of a tag which leaves the grid is cleared.
    tracks
        `TRACK_DTYPE`, (capacity,): such a tag is to be located anew.
    blank
        (1,) `BELIEF_DTYPE`, zero.
    usual
        (kinds, 2): spread in metres where none is stated, and metres for a unit of sigma.
    at_ms, precise_for_ms
        The instant, and for how long a tag that was ranged stays off the grid.
    marks
        (n,) written.
    """
    coarse = 0
    begin = 0
    while begin < readings.size:
        slot = readings[begin]["tag"]
        end = begin
        is_precise = False
        while end < readings.size and readings[end]["tag"] == slot:
            is_precise = is_precise or spread_m(readings[end], usual) < COARSE_M
            end += 1
        if is_precise:
            if beliefs[slot]["used"] > 0:
                beliefs[slot] = blank[0]
                tracks[slot]["is_located"] = 0
            beliefs[slot]["precise_ms"] = at_ms
        precise_ms = beliefs[slot]["precise_ms"]
        is_coarse = precise_ms == 0 or at_ms - precise_ms > precise_for_ms
        for i in range(begin, end):
            marks[i] = is_coarse
        coarse += (end - begin) * is_coarse
        begin = end
    return coarse
