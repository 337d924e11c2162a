"""Spread what was heard at surveyed places over the nodes between them, by a Gaussian kernel.

Layer: kernels. Takes: sums of readings by place and anchor. Gives: expected strength, its spread
and the share of readings for each anchor and node to rtls.positioning.radio_map_fit.

Two widths at once (Nadaraya 1964, Watson 1964): the narrow kernel follows the walls; the wide one
is what it falls back to, as so many readings more, where few were heard nearby.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]

WIDE = 2.5  # the wide kernel, in widths of the narrow one
REACH = 2.5  # kernels end at so many widths
STRENGTH_COUNT = 1.0  # readings that the wide kernel's mean strength counts for
SHARE_COUNT = 20.0  # readings that the wide kernel's shares count for
SPREAD_COUNT = 4.0  # readings that the usual spread counts for
USUAL_SPREAD_DB = 5.0
SHARE_MIN = 1e-5  # of an anchor never heard within reach: it may be new, or from another floor


@njit(cache=True, nogil=True, error_model="numpy")
def smooth(
    node_xy: Floats,
    node_floor: Whole,
    bin_xy: Floats,
    bin_floor: Whole,
    starts: Whole,
    anchor: Whole,
    sums: Floats,
    width_m: float,
    out: Singles,
) -> None:
    """Fill ``out`` for each node.

    Parameters
    ----------
    node_xy, node_floor
        (n, 2) f8, (n,) i8.
    bin_xy, bin_floor
        (b, 2) f8, (b,) i8: the surveyed places.
    starts
        (b + 1,) i8: rows of place i are starts[i] to starts[i + 1].
    anchor, sums
        (r,) i8, (r, 3) f8: number of readings, their sum and sum of squares.
    width_m
        Of the narrow kernel.
    out
        (a, n, 3) f4: strength dBm (NaN where never heard within reach), spread dB, share.
    """
    n_anchors = out.shape[0]
    near = np.zeros((n_anchors, 3))
    wide = np.zeros((n_anchors, 2))
    touched = np.zeros(n_anchors, np.int64)
    narrow_2 = -0.5 / (width_m * width_m)
    wide_2 = narrow_2 / (WIDE * WIDE)
    reach_2 = (REACH * WIDE * width_m) ** 2
    for node in range(len(node_xy)):
        count = 0
        all_near, all_wide = 0.0, 0.0
        for place in range(len(bin_xy)):
            if bin_floor[place] != node_floor[node]:
                continue
            dx = bin_xy[place, 0] - node_xy[node, 0]
            dy = bin_xy[place, 1] - node_xy[node, 1]
            d_2 = dx * dx + dy * dy
            if d_2 > reach_2:
                continue
            w, v = math.exp(narrow_2 * d_2), math.exp(wide_2 * d_2)
            for row in range(starts[place], starts[place + 1]):
                a = anchor[row]
                if wide[a, 0] == 0.0:
                    touched[count] = a
                    count += 1
                near[a, 0] += w * sums[row, 0]
                near[a, 1] += w * sums[row, 1]
                near[a, 2] += w * sums[row, 2]
                wide[a, 0] += v * sums[row, 0]
                wide[a, 1] += v * sums[row, 1]
                all_near += w * sums[row, 0]
                all_wide += v * sums[row, 0]
        for a in range(n_anchors):
            out[a, node, 0] = np.nan
            out[a, node, 1] = USUAL_SPREAD_DB
            out[a, node, 2] = SHARE_MIN
        for k in range(count):
            a = touched[k]
            heard = near[a, 0]
            mean = (near[a, 1] + STRENGTH_COUNT * wide[a, 1] / wide[a, 0]) / (
                heard + STRENGTH_COUNT
            )
            squares = near[a, 2] - 2.0 * mean * near[a, 1] + mean * mean * heard
            squares = max(squares, 0.0) + SPREAD_COUNT * USUAL_SPREAD_DB * USUAL_SPREAD_DB
            share = (heard + SHARE_COUNT * wide[a, 0] / all_wide) / (all_near + SHARE_COUNT)
            out[a, node, 0] = mean
            out[a, node, 1] = math.sqrt(squares / (heard + SPREAD_COUNT))
            out[a, node, 2] = max(share, SHARE_MIN)
            near[a, 0] = near[a, 1] = near[a, 2] = 0.0
            wide[a, 0] = wide[a, 1] = 0.0
