"""Leave out readings that only repeat what their anchor said before.

Layer: rules. Takes: readings of one epoch, the links of each tag. Gives: the readings without the
stale ones to rtls.positioning.locator, and counts by anchor to rtls.positioning.anchor_health.

An anchor that hangs goes on sending the last value of each tag: a ghost that stands still. But a
live link repeats itself too: whole dBm by rounding, smoothed values by smoothing. So each link
learns how often it does, as a share p of its readings. A run of n equal values then has a chance of
p to the n, and is stale below 1e-6. Two things keep a quiet night from looking like a fault: p
begins at 0.95 where values are whole numbers (0.5 where they have decimals) and is never taken
above 0.98, so that a run takes 270, 20 or 680 readings; and the tag's other links must have changed
ten times meanwhile. A tag with one link is therefore never judged: there only the numbers of
rtls.ingest.measurement_order tell.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.reading import ReadingArray
from rtls.positioning.kernels.stale_values import mark_stale

LINKS: Final = 12
REPEATS_DTYPE: Final = np.dtype(
    [
        (
            "links",
            [
                ("value", np.float64),
                ("value_2", np.float64),
                ("same", np.float64),  # transitions to the same value, with the prior
                ("changed", np.float64),
                ("heard_at_ms", np.int64),
                ("run", np.int64),  # repetitions of `value` so far
                ("changes_before", np.int64),  # of all links of the tag, when the run began
                ("anchor", np.int32),  # index + 1; 0 where the place is free
                ("kind", np.int32),
            ],
            (LINKS,),
        ),
        ("changes", np.int64),  # of all links of the tag, ever
        (
            "place_m",
            np.float64,
            (2,),
        ),  # where it last was evidence (rtls.positioning.anchor_health)
        ("has_place", np.int64),
    ],
    align=True,
)


def without_stale(
    readings: ReadingArray, *, repeats: npt.NDArray[np.void], watch: npt.NDArray[np.void]
) -> ReadingArray:
    """Return the readings that are news.

    Parameters
    ----------
    readings
        `READING_DTYPE`, sorted by (tag, heard_at_ms, …).
    repeats
        `REPEATS_DTYPE`, (capacity,): updated in place.
    watch
        `WATCH_DTYPE`, (n_anchors,): its counts and kinds are updated in place.
    """
    if not readings.size:
        return readings
    writable = readings if readings.flags.writeable else readings.copy()
    marks = np.empty(readings.size, np.uint8)
    if not mark_stale(writable, repeats, watch, marks):
        return readings
    kept: ReadingArray = writable[marks == 0]
    return kept
