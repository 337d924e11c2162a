"""Tell which readings of an epoch the state can take, and count the others by reason.

Layer: kernels. Takes: readings in order, and when each tag was last heard. Gives: a mark for each
reading, and counts, to rtls.positioning.known_readings.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from rtls.positioning.kernels.records import Bytes, Records

Longs = npt.NDArray[np.int64]

NO_TAG, NO_ANCHOR, TOO_OLD, TOO_YOUNG = range(4)
REASONS = 4
NEVER = -1  # what stands for a free slot among the times that tags were heard


@njit(cache=True, nogil=True, error_model="numpy")
def mark_known(
    readings: Records,
    heard_ms: Longs,
    n_anchors: int,
    oldest_ms: int,
    end_ms: int,
    marks: Bytes,
    counts: Longs,
) -> int:
    """Mark the readings that can be taken, note ``end_ms`` for their tags; return how many.

    A reading can be left out for more than one reason, and counts for each of them.
    """
    taken = 0
    for i in range(readings.size):
        reading = readings[i]
        tag = reading["tag"]
        anchor = reading["anchor"]
        has_tag = 0 <= tag < heard_ms.size and heard_ms[tag] != NEVER
        has_anchor = 0 <= anchor < n_anchors and reading["ref_anchor"] < n_anchors
        is_old = reading["heard_at_ms"] < oldest_ms
        is_young = reading["heard_at_ms"] > end_ms
        marks[i] = has_tag and has_anchor and not is_old and not is_young
        if marks[i]:
            heard_ms[tag] = end_ms
            taken += 1
            continue
        counts[NO_TAG] += not has_tag
        counts[NO_ANCHOR] += not has_anchor
        counts[TOO_OLD] += is_old
        counts[TOO_YOUNG] += is_young
    return taken
