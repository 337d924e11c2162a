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
    near = np.zeros((out.shape[0], 3))
    wide = np.zeros((out.shape[0], 2))
    touched = np.zeros(out.shape[0], np.int64)
    for node in range(len(node_xy)):
        count, all_near, all_wide = gather(
            node_xy[node],
            node_floor[node],
            bin_xy,
            bin_floor,
            starts,
            anchor,
            sums,
            width_m,
            near,
            wide,
            touched,
        )
        for a in range(out.shape[0]):
            out[a, node, 0] = np.nan
            out[a, node, 1] = USUAL_SPREAD_DB
            out[a, node, 2] = SHARE_MIN
        for k in range(count):
            a = touched[k]
            write_node(out[a, node], near[a], wide[a], all_near, all_wide)


@njit(cache=True, nogil=True, error_model="numpy")
def gather(
    xy: Floats,
    floor: int,
    bin_xy: Floats,
    bin_floor: Whole,
    starts: Whole,
    anchor: Whole,
    sums: Floats,
    width_m: float,
    near: Floats,
    wide: Floats,
    touched: Whole,
) -> tuple[int, float, float]:
    """Add up what was heard around one node in ``near`` and ``wide``, by anchor.

    Returns how many anchors were ``touched``, and the readings of all, by either kernel.
    """
    narrow_2 = -0.5 / (width_m * width_m)
    wide_2 = narrow_2 / (WIDE * WIDE)
    reach_2 = (REACH * WIDE * width_m) ** 2
    count = 0
    all_near, all_wide = 0.0, 0.0
    for place in range(len(bin_xy)):
        if bin_floor[place] != floor:
            continue
        dx = bin_xy[place, 0] - xy[0]
        dy = bin_xy[place, 1] - xy[1]
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
    return count, all_near, all_wide


@njit(cache=True, nogil=True, error_model="numpy")
def write_node(out: Singles, near: Floats, wide: Floats, all_near: float, all_wide: float) -> None:
    """Write strength, spread and share of one anchor at one node; empty its sums for the next."""
    heard = near[0]
    mean = (near[1] + STRENGTH_COUNT * wide[1] / wide[0]) / (heard + STRENGTH_COUNT)
    squares = near[2] - 2.0 * mean * near[1] + mean * mean * heard
    squares = max(squares, 0.0) + SPREAD_COUNT * USUAL_SPREAD_DB * USUAL_SPREAD_DB
    share = (heard + SHARE_COUNT * wide[0] / all_wide) / (all_near + SHARE_COUNT)
    out[0] = mean
    out[1] = math.sqrt(squares / (heard + SPREAD_COUNT))
    out[2] = max(share, SHARE_MIN)
    near[:] = 0.0
    wide[:] = 0.0
