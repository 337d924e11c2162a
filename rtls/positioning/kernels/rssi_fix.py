"""Find the positions of many tags at once from how strongly the same anchors hear them.

Layer: kernels. Takes: RSSI, (n_tags, n_anchors), NaN where unheard. Gives: solutions of
rtls.positioning.kernels.robust_fix to rtls.positioning.multilateration.
"""

import math

import numpy as np
from numba import njit

from rtls.positioning.kernels.likelihood import RSSI_KIND
from rtls.positioning.kernels.records import AnchorRecords, Bytes, Floats, Parameters, wide
from rtls.positioning.kernels.robust_fix import solve_rows
from rtls.positioning.kernels.rows import ROW_WIDTH, ROWS_A_READING, fill_rows


@njit(cache=True, nogil=True, error_model="numpy")
def fix_rssi(
    rssi: Floats,
    anchors: AnchorRecords,
    p: Parameters,
    solutions: Floats,
    is_located: Bytes,
) -> None:
    """Write one solution a tag; where the anchors leave it undetermined the row stays as it is."""
    kind = wide(RSSI_KIND)
    own_row = wide(0)
    rows = np.empty((rssi.shape[1] + ROWS_A_READING, ROW_WIDTH))
    for i in range(rssi.shape[0]):
        n = wide(0)
        for j in range(rssi.shape[1]):
            n += fill_rows(
                rows, n, anchors, p, j, kind, rssi[i, j], math.nan, math.nan, own_row, own_row
            )
        is_located[i] = 0
        if n > 0 and solve_rows(rows, n, p, anchors.own[0]["box"], solutions[i]):
            is_located[i] = 1
