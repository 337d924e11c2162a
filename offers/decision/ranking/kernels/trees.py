"""Grow a regression tree over binned columns, and sum the leaves that rows fall into.

Layer: kernels. Takes: bins, gradients and curvatures of a loss. Gives: the arrays of a tree. The
gain is that of XGBoost (Chen & Guestrin 2016, eq. 7), the tree is complete to a fixed depth, so
that node `n` has the children `2n + 1` and `2n + 2` and no list has to be kept.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

Bins = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@njit(cache=True, nogil=True, error_model="numpy")
def best_split(sums: Floats, shrink: float, h_min: float) -> tuple[int, int]:
    """Return the column and bin whose split gains most, or -1 where none gains.

    sums : (n_columns, n_bins, 2), gradients and curvatures.
    """
    g_all, h_all = 0.0, 0.0
    for b in range(sums.shape[1]):
        g_all += sums[0, b, 0]
        h_all += sums[0, b, 1]
    best, best_u, best_b = 1e-9, -1, 255
    whole = g_all * g_all / (h_all + shrink)
    for u in range(sums.shape[0]):
        g_left, h_left = 0.0, 0.0
        for b in range(sums.shape[1] - 1):
            g_left += sums[u, b, 0]
            h_left += sums[u, b, 1]
            h_right = h_all - h_left
            if h_left < h_min or h_right < h_min:
                continue
            g_right = g_all - g_left
            gain = (
                g_left * g_left / (h_left + shrink) + g_right * g_right / (h_right + shrink) - whole
            )
            if gain > best:
                best, best_u, best_b = gain, u, b
    return best_u, best_b


@njit(cache=True, nogil=True, error_model="numpy")
def grow_tree(
    bins: Bins,
    g: Floats,
    h: Floats,
    used: Ints,
    bins_max: int,
    depth: int,
    shrink: float,
    h_min: float,
    split_feature: Ints,
    split_bin: Ints,
    node_of: Ints,
) -> None:
    """Choose the splits of a complete tree of ``depth``, level by level.

    bins : (n_rows, n_features); a row goes left where its bin is at most the split's.
    split_feature, split_bin : (2 ** depth - 1,), written; feature -1 sends every row left.
    node_of : (n_rows,), zero on entry; the leaf of each row on return.
    """
    n_rows = bins.shape[0]
    first = 0
    for level in range(depth):
        n_nodes = 1 << level
        sums = np.zeros((n_nodes, len(used), bins_max, 2))
        for i in range(n_rows):
            node = node_of[i]
            for u in range(len(used)):
                b = bins[i, used[u]]
                sums[node, u, b, 0] += g[i]
                sums[node, u, b, 1] += h[i]
        for node in range(n_nodes):
            u, b = best_split(sums[node], shrink, h_min)
            split_feature[first + node] = used[u] if u >= 0 else -1
            split_bin[first + node] = b
        for i in range(n_rows):
            node = node_of[i]
            feature = split_feature[first + node]
            is_right = feature >= 0 and bins[i, feature] > split_bin[first + node]
            node_of[i] = 2 * node + (1 if is_right else 0)
        first += n_nodes


@njit(cache=True, nogil=True, error_model="numpy")
def sum_of_leaves(
    x: Floats,
    feature: Ints,
    threshold: Floats,
    left: Ints,
    right: Ints,
    value: Floats,
    root: Ints,
    out: Floats,
) -> None:
    """Add to ``out`` the value of the leaf that each row of ``x`` falls into, over all trees.

    x : (n_rows, n_features). A node without children has feature -1. A row goes left where its
    value is at most the threshold; NaN goes left.
    """
    for i in range(x.shape[0]):
        total = 0.0
        for t in range(len(root)):
            node = root[t]
            while feature[node] >= 0:
                is_right = x[i, feature[node]] > threshold[node]
                node = right[node] if is_right else left[node]
            total += value[node]
        out[i] += total
