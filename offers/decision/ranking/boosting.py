"""Learn a sum of trees from rows and a loss, step by step down its gradient.

Layer: rules. Takes: columns, and a function that gives gradient and curvature. Gives: a `TreeSum`.
Same rows, same trees: columns are left out by a seeded draw, nothing else is random.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.decision.ranking.kernels.trees import grow_tree, sum_of_leaves
from offers.decision.ranking.pair_sums import sum_by
from offers.model.ranking.trees import TreeSum

Floats = npt.NDArray[np.float64]
Slope = Callable[[Floats], tuple[Floats, Floats]]
"""from scores to the gradient and curvature of the loss in each row"""
BINS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosting:
    """How trees are grown."""

    trees: int = 120
    depth: int = 4
    rate: float = 0.06
    shrink: float = 5.0
    """added to the curvature of a leaf: small leaves say little"""
    h_min: float = 5.0
    """the least curvature a leaf may have"""
    columns_share: float = 0.6
    seed: int = 1


def boost(x: Floats, slope: Slope, *, base: float, how: Boosting) -> TreeSum:
    """Return the trees that were grown over the rows of ``x``, from the constant ``base``.

    x : (n_rows, n_features), finite or NaN.
    """
    edges = [_edges_of(x[:, j]) for j in range(x.shape[1])]
    bins = np.empty(x.shape, np.uint8)
    for j, edge in enumerate(edges):
        bins[:, j] = np.searchsorted(edge, np.nan_to_num(x[:, j], nan=-np.inf), side="left")
    draws = np.random.default_rng(how.seed)
    scores = np.full(len(x), base)
    columns_used = max(1, round(how.columns_share * x.shape[1]))
    grown = []
    for _ in range(how.trees):
        g, h = slope(scores)
        used = np.sort(draws.choice(x.shape[1], columns_used, replace=False))
        feature = np.full(2**how.depth - 1, -1, np.int64)
        cut = np.zeros(2**how.depth - 1, np.int64)
        leaf = np.zeros(len(x), np.int64)
        grow_tree(bins, g, h, used, BINS, how.depth, how.shrink, how.h_min, feature, cut, leaf)
        n_leaves = 2**how.depth
        g_sum = sum_by(leaf, g, n_leaves)
        h_sum = sum_by(leaf, h, n_leaves)
        value = -how.rate * g_sum / (h_sum + how.shrink)
        scores += value[leaf]
        grown.append((feature, _thresholds(feature, cut, edges), value))
    return _tree_sum(grown, base=base, depth=how.depth)


def tree_scores(trees: TreeSum, x: Floats) -> Floats:
    """Return the score of each row of ``x``."""
    out = np.full(len(x), trees.base)
    rows = np.ascontiguousarray(x, dtype=np.float64)
    sum_of_leaves(
        rows, trees.feature, trees.threshold, trees.left, trees.right, trees.value, trees.root, out
    )
    return out


def logistic_slope(truth: Floats) -> Slope:
    """Return the slope of the logistic loss: how likely is a one in each row."""

    def slope(scores: Floats) -> tuple[Floats, Floats]:
        p = 1.0 / (1.0 + np.exp(-scores))
        return p - truth, p * (1.0 - p)

    return slope


def _edges_of(column: Floats) -> Floats:
    known = column[np.isfinite(column)]
    values = np.unique(known)
    if len(values) > BINS - 1:
        values = np.unique(np.quantile(known, np.linspace(0.0, 1.0, BINS)[1:-1]))
    elif len(values):
        values = values[:-1]
    return np.asarray(values, np.float64)


def _thresholds(
    feature: npt.NDArray[np.int64], cut: npt.NDArray[np.int64], edges: list[Floats]
) -> Floats:
    return np.array(
        [
            edges[f][b] if f >= 0 and b < len(edges[f]) else np.inf
            for f, b in zip(feature, cut, strict=True)
        ]
    )


def _tree_sum(
    grown: list[tuple[npt.NDArray[np.int64], Floats, Floats]], *, base: float, depth: int
) -> TreeSum:
    inner, leaves = 2**depth - 1, 2**depth
    nodes = inner + leaves
    own = np.arange(inner)
    never = np.full(leaves, -1)
    return TreeSum(
        base=base,
        # a node that splits nothing asks column 0 whether it is at most infinity
        feature=np.concatenate([np.r_[np.maximum(f, 0), never] for f, _, _ in grown]),
        threshold=np.concatenate([np.r_[t, np.zeros(leaves)] for _, t, _ in grown]),
        left=np.concatenate([np.r_[2 * own + 1, never] + t * nodes for t in range(len(grown))]),
        right=np.concatenate([np.r_[2 * own + 2, never] + t * nodes for t in range(len(grown))]),
        value=np.concatenate([np.r_[np.zeros(inner), v] for _, _, v in grown]),
        root=np.arange(len(grown), dtype=np.int64) * nodes,
    )
