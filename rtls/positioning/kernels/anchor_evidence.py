"""Gather by anchor how often it is heard and how its readings fit the tracks.

Layer: kernels. Takes: readings and innovations of one epoch. Gives: `HEALTH_DTYPE` sums, which the
rule of rtls.positioning.anchor_health reads and resets, and which weigh the anchor's readings.
"""

from numba import njit

from rtls.positioning.kernels.records import Floats, Records
from rtls.positioning.kernels.rows import ANCHOR, INNOVATION

INNOVATION_MAX = 5.0
INTERVAL_MEMORY = 0.1


@njit(cache=True, nogil=True, error_model="numpy")
def note_anchors_heard(readings: Records, health: Records) -> None:
    """Keep when each anchor was last heard, by any tag, and its usual interval between epochs."""
    for i in range(readings.size):
        anchor = readings[i]["anchor"]
        if 0 <= anchor < health.size:
            own = health[anchor]
            own["newest_ms"] = max(own["newest_ms"], readings[i]["heard_at_ms"])
    for k in range(health.size):
        own = health[k]
        if own["newest_ms"] <= own["heard_at_ms"]:
            continue
        if own["heard_at_ms"] > 0:
            gap = float(own["newest_ms"] - own["heard_at_ms"])
            if own["interval_ms"] <= 0.0:
                own["interval_ms"] = gap
            else:
                own["interval_ms"] += INTERVAL_MEMORY * (gap - own["interval_ms"])
        own["heard_at_ms"] = own["newest_ms"]


@njit(cache=True, nogil=True, error_model="numpy")
def note_innovations(rows: Floats, n: int, health: Records) -> None:
    """Add the normalised innovations of ``rows[:n]`` to the sums of their anchors."""
    for i in range(n):
        own = health[int(rows[i, ANCHOR])]
        z = min(max(rows[i, INNOVATION], -INNOVATION_MAX), INNOVATION_MAX)
        own["residual_sum"] += z
        own["residual_sq_sum"] += z * z
        own["count"] += 1
