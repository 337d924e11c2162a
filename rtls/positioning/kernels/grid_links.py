"""Keep what each link of a tag said: what waits for the next update, and the mean of late.

Layer: kernels. Takes: RSSI readings. Gives: the links of an update to
rtls.positioning.kernels.grid_update.
"""

import math

from numba import njit

from rtls.positioning.kernels.grid_records import (
    ANCHOR,
    DOUBT,
    SAVED,
    VALUE,
    GridParameters,
    Scratch,
)
from rtls.positioning.kernels.records import Record, Records, wide

TRUST_MIN = 0.01
COUNT_MAX = 4.0  # adverts of one moment fade together: more of them say no more


@njit(cache=True, nogil=True, error_model="numpy")
def note_link(belief: Record, anchor: int, heard_at_ms: int, value: float) -> None:
    """Add a reading to what waits; where there is no room the eldest link gives way."""
    width = belief["link_anchor"].size
    place = wide(0)
    eldest = wide(0)
    is_known = False
    for k in range(width):
        held = belief["link_anchor"][k]
        if held == anchor + 1:
            place = k
            is_known = True
            break
        if held == 0:
            place = k
            break
        if belief["link_heard_ms"][k] < belief["link_heard_ms"][eldest]:
            eldest = k
        place = eldest
    if not is_known:
        belief["link_anchor"][place] = anchor + 1
        belief["link_count"][place] = 0
        belief["link_weight"][place] = 0.0
        belief["link_heard_ms"][place] = 0
    if belief["link_count"][place] == 0:
        belief["link_sum"][place] = 0.0
    belief["link_sum"][place] += value
    belief["link_count"][place] += 1
    belief["link_heard_ms"][place] = max(belief["link_heard_ms"][place], heard_at_ms)


@njit(cache=True, nogil=True, error_model="numpy")
def settle_links(belief: Record, p: GridParameters, at_ms: int) -> None:
    """Take what waits into the running mean of each link; the old fades with `link_mean_s`."""
    fade = math.exp(-0.001 * max(at_ms - belief["at_ms"], 0) / p.link_mean_s)
    for k in range(belief["link_anchor"].size):
        if belief["link_anchor"][k] == 0:
            break  # links fill their places from the first on
        belief["link_weight"][k] *= fade
        count = belief["link_count"][k]
        if count > 0:
            weight = belief["link_weight"][k] + count
            mean = belief["link_mean"][k]
            belief["link_mean"][k] = mean + (belief["link_sum"][k] - count * mean) / weight
            belief["link_weight"][k] = weight


@njit(cache=True, nogil=True, error_model="numpy")
def gather_links(
    s: Scratch,
    belief: Record,
    p: GridParameters,
    health: Records,
    since_ms: int,
    only_new: bool,  # noqa: FBT001  kernels know no keywords
) -> int:
    """Write the links to the scratch: those that wait, or the means of those heard of late."""
    n = wide(0)
    for k in range(belief["link_anchor"].size):
        anchor = belief["link_anchor"][k] - 1
        if anchor < 0:
            break
        if anchor >= health.size:
            continue
        if only_new:
            if belief["link_count"][k] == 0:
                continue
            value = belief["link_sum"][k] / belief["link_count"][k]
            count = min(float(belief["link_count"][k]), COUNT_MAX)
        else:
            if belief["link_heard_ms"][k] < since_ms:
                continue
            value = belief["link_mean"][k]
            count = min(max(float(belief["link_weight"][k]), 1.0), COUNT_MAX)
        s.links[n, ANCHOR] = anchor
        s.links[n, VALUE] = value
        s.links[n, SAVED] = p.noise_db * p.noise_db * (1.0 - 1.0 / count)
        s.links[n, DOUBT] = 1.0 / max(health[anchor]["weight"], TRUST_MIN)
        n += 1
    return n
