"""Find the positions of many tags at once, each from all its readings of one instant.

Layer: kernels. Takes: readings of any kinds, sorted by tag. Gives: solutions of
rtls.positioning.kernels.robust_fix to rtls.positioning.multilateration.
"""

import numpy as np
from numba import njit

from rtls.positioning.kernels.records import AnchorRecords, Bytes, Floats, Parameters, Records, wide
from rtls.positioning.kernels.robust_fix import solve_rows
from rtls.positioning.kernels.rows import (
    ANCHOR,
    ROW_WIDTH,
    ROWS_A_READING,
    ROWS_MAX,
    fill_rows,
)


@njit(cache=True, nogil=True, error_model="numpy")
def fix_readings(
    readings: Records,
    anchors: AnchorRecords,
    p: Parameters,
    solutions: Floats,
    is_located: Bytes,
) -> int:
    """Write one solution a tag, in the order of the tags; return how many tags there are.

    Where the anchors leave a tag undetermined its row stays as it is. More than `ROWS_MAX`
    readings of a tag are passed over.
    """
    rows = np.empty((ROWS_A_READING * ROWS_MAX, ROW_WIDTH))
    own_row = wide(0)
    tags = 0
    begin = 0
    while begin < readings.size:
        end = begin
        n = wide(0)
        while end < readings.size and readings[end]["tag"] == readings[begin]["tag"]:
            reading = readings[end]
            if n + ROWS_A_READING <= rows.shape[0]:
                n += fill_rows(
                    rows,
                    n,
                    anchors,
                    p,
                    wide(reading["anchor"]),
                    wide(reading["kind"]),
                    reading["value"],
                    reading["value_2"],
                    reading["sigma"],
                    wide(reading["ref_anchor"]),
                    own_row,
                )
            end += 1
        is_located[tags] = 0
        if n > 0:
            box = anchors.own[int(rows[0, ANCHOR])]["box"]
            if solve_rows(rows, n, p, box, solutions[tags]):
                is_located[tags] = 1
        tags += 1
        begin = end
    return tags
