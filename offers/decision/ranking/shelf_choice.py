"""Score which items of a category a shopper who stands before it buys now.

Layer: rules. Takes: a `Panel` and candidates. Gives: a score a candidate, to be compared within a
request. Past baskets are the examples: each bought from a shelf of what its store had sold lately.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from offers.decision.ranking.boosting import Boosting, Floats, Slope, boost, tree_scores
from offers.decision.ranking.logistic import Logistic, fit_logistic
from offers.decision.ranking.pair_sums import sum_by
from offers.decision.ranking.shelf_features import ShelfRows, shelf_features
from offers.model.ranking.panel import Codes, Numbers, Panel
from offers.model.ranking.trees import TreeSum

SPAN_DAYS: Final = 14.0
CUTS: Final = 2
REQUESTS_A_CUT: Final = 3_000
STOCK_DAYS: Final = 56.0
SHELF_MIN: Final = 5
CANDIDATES_MAX: Final = 30
HISTORY_DAYS_MIN: Final = 28.0
REQUESTS_MIN: Final = 50
TREES: Final = Boosting(trees=150, depth=5, rate=0.10, shrink=5.0, h_min=3.0)
OWN, DEMAND = 4, 30
"""columns of shelf_features: own purchases with the longest half-life, demand here and in all"""

Scorer = Callable[[Numbers], Numbers]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfExamples:
    """Candidates of past baskets, described, and which of them were taken."""

    x: Floats
    truth: Floats
    request: Codes
    """sorted: the rows of a request stand together"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfModel:
    """What past baskets teach: trees and a regression, whose scores are added."""

    trees: TreeSum
    plain: Logistic

    def scores(self, x: Numbers) -> Numbers:
        """Return the score of each candidate's features."""
        return tree_scores(self.trees, x) + self.plain.scores(x)


def score_shelf(panel: Panel, rows: ShelfRows, *, model: ShelfModel | None = None) -> Numbers:
    """Return a score for each candidate, by a trained model or by what the panel itself teaches."""
    x = shelf_features(panel, rows)
    if model is None:
        examples = shelf_examples(panel)
        if examples is None:
            return by_history(x)
        model = learn_shelf(examples)
    return model.scores(x)


def shelf_examples(panel: Panel, *, seed: int = 1) -> ShelfExamples | None:
    """Return what past baskets teach; None where there are too few."""
    draws = np.random.default_rng(seed)
    parts, truths, requests, first = [], [], [], 0
    for cut in range(CUTS):
        ago = SPAN_DAYS * (cut + 1)
        if ago > panel.history_days - HISTORY_DAYS_MIN:
            break
        rows, truth = past_shelves(panel, ago, draws)
        if not len(truth):
            continue
        parts.append(shelf_features(panel.since(ago), rows))
        truths.append(truth)
        requests.append(rows.request + first)
        first += int(rows.request.max()) + 1
    if first < REQUESTS_MIN:
        return None
    return ShelfExamples(
        x=np.concatenate(parts), truth=np.concatenate(truths), request=np.concatenate(requests)
    )


def by_history(x: Numbers) -> Numbers:
    """Return own decayed purchases plus demand: what is known without any example."""
    score: Numbers = 5.0 * x[:, OWN] + x[:, DEMAND]
    return score


def learn_shelf(examples: ShelfExamples) -> ShelfModel:
    """Return the model of our own trees."""
    slope = choice_slope(examples.request, examples.truth)
    return with_trees(boost(examples.x, slope, base=0.0, how=TREES), examples)


def with_trees(trees: TreeSum, examples: ShelfExamples) -> ShelfModel:
    """Return the model of trees that anybody grew, with the regression of the same examples."""
    plain = fit_logistic(examples.x, examples.truth, weight=None, shrink=1.0)
    return ShelfModel(trees=trees, plain=plain)


def choice_slope(request: Codes, truth: Floats) -> Slope:
    """Return the slope of the loss of a choice: of the candidates of a request some are taken."""
    count = int(request.max()) + 1
    share = truth / np.maximum(sum_by(request, truth, count), 1.0)[request]

    def slope(scores: Floats) -> tuple[Floats, Floats]:
        top = np.full(count, -np.inf)
        np.maximum.at(top, request, scores)
        odds = np.exp(scores - top[request])
        p = odds / sum_by(request, odds, count)[request]
        return p - share, np.maximum(p * (1.0 - p), 1e-4)

    return slope


def past_shelves(
    panel: Panel, ago: float, draws: np.random.Generator, *, candidates_max: int = CANDIDATES_MAX
) -> tuple[ShelfRows, Floats]:
    """Return shelves before which baskets of the `SPAN_DAYS` after ``ago`` were filled.

    The shelf of a store is what it had sold in the weeks before ``ago``, so that nothing of it is
    known from later.
    """
    bought, category = panel.purchases, panel.items.category[panel.purchases.item]
    width = int(category.max(initial=0)) + 1
    has_category = category >= 0
    is_stock = (bought.age_days > ago) & (bought.age_days <= ago + STOCK_DAYS) & has_category
    shelf_key = bought.store[is_stock] * width + category[is_stock]
    stock = np.unique(np.column_stack([shelf_key, bought.item[is_stock]]), axis=0)
    is_known = np.zeros(panel.sizes.customers, np.bool_)
    is_known[bought.customer[bought.age_days > ago]] = True
    is_then = (bought.age_days <= ago) & (bought.age_days > ago - SPAN_DAYS) & has_category
    rows = np.flatnonzero(is_then & is_known[bought.customer])
    visit = bought.basket[rows] * width + category[rows]
    order = np.argsort(visit, kind="stable")
    rows, visit = rows[order], visit[order]
    starts = (
        np.flatnonzero(np.r_[True, visit[1:] != visit[:-1]]) if len(visit) else np.empty(0, int)
    )
    ends = np.r_[starts[1:], len(visit)]
    found: list[tuple[int, Codes, int]] = []
    for at in draws.permutation(len(starts)):
        row = int(rows[starts[at]])
        key = bought.store[row] * width + category[row]
        low, high = np.searchsorted(stock[:, 0], (key, key + 1))
        shelf = stock[low:high, 1]
        taken = np.intersect1d(bought.item[rows[starts[at] : ends[at]]], shelf)
        if len(taken) and len(shelf) >= SHELF_MIN:
            left = draws.permutation(np.setdiff1d(shelf, taken))
            items = np.r_[taken, left][:candidates_max]
            found.append((row, items, min(len(taken), len(items))))
        if len(found) == REQUESTS_A_CUT:
            break
    return _rows_of(panel, found, ago)


def _rows_of(
    panel: Panel, found: list[tuple[int, Codes, int]], ago: float
) -> tuple[ShelfRows, Floats]:
    sizes = np.array([len(items) for _, items, _ in found], np.int64)
    row = np.repeat(np.array([row for row, _, _ in found], np.int64), sizes)
    taken = [np.arange(len(items)) < count for _, items, count in found]
    items = [items for _, items, _ in found]
    empty = np.empty(0, np.int64)
    rows = ShelfRows(
        request=np.repeat(np.arange(len(found)), sizes),
        customer=panel.purchases.customer[row],
        store=panel.purchases.store[row],
        item=np.concatenate(items) if items else empty,
        lag_days=ago - panel.purchases.age_days[row],
    )
    return rows, np.concatenate(taken).astype(np.float64) if taken else np.empty(0)
