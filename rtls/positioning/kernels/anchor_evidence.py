"""Gather by anchor how often it is heard and how its readings fit the tracks.

Layer: kernels. Takes: readings and innovations of one epoch. Gives: `HEALTH_DTYPE` sums, which the
rule of rtls.positioning.anchor_health reads and resets, and which weigh the anchor's readings.
"""

import math

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


@njit(cache=True, nogil=True, error_model="numpy")
def note_places(fixes: Records, tags: Records, since_ms: int, place_m: float) -> int:
    """Return how many tags heard after ``since_ms`` are at a new place, and note where.

    A place is new where it is more than ``place_m`` from the last one noted of the tag.
    """
    new = 0
    for i in range(fixes.size):
        if fixes[i]["evidence_at_ms"] <= since_ms:
            continue
        own = tags[fixes[i]["tag"]]
        held = own["place_m"]
        away_m = math.hypot(fixes[i]["x_m"] - held[0], fixes[i]["y_m"] - held[1])
        if own["has_place"] == 0 or away_m > place_m:
            held[0] = fixes[i]["x_m"]
            held[1] = fixes[i]["y_m"]
            own["has_place"] = 1
            new += 1
    return new
