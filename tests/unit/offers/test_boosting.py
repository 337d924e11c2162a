"""boosting, logistic, pair_sums: the small learners of the ranking, against plain twins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.decision.ranking.boosting import Boosting, boost, logistic_slope, tree_scores
from offers.decision.ranking.logistic import chance, fit_logistic
from offers.decision.ranking.pair_sums import PairBook
from offers.decision.ranking.shelf_choice import choice_slope
from offers.model.errors import InvalidPanel
from offers.model.ranking.trees import TreeSum


def step_data(count: int) -> tuple[np.ndarray, np.ndarray]:
    """A one where the first column is above zero and the second is told; the third is noise."""
    draws = np.random.default_rng(7)
    x = draws.normal(size=(count, 3))
    x[::5, 1] = np.nan
    return x, ((x[:, 0] > 0) & np.isfinite(x[:, 1])).astype(float)


def test_trees_find_a_rule_that_no_line_can_draw() -> None:
    """Habits are full of steps: never bought, not since a month, on offer."""
    x, truth = step_data(2_000)
    trees = boost(x, logistic_slope(truth), base=0.0, how=Boosting(trees=60, depth=3, rate=0.3))
    p = chance(tree_scores(trees, x))
    assert np.mean((p > 0.5) == (truth > 0)) > 0.98


def test_the_trees_of_a_row_are_summed_like_a_walk_by_hand() -> None:
    """The kernel that scores is checked against the plainest walk there is."""
    x, truth = step_data(300)
    trees = boost(x, logistic_slope(truth), base=-0.3, how=Boosting(trees=7, depth=3))

    def walked(row: np.ndarray) -> float:
        total = trees.base
        for root in trees.root:
            node = int(root)
            while trees.feature[node] >= 0:
                is_right = row[trees.feature[node]] > trees.threshold[node]
                node = int(trees.right[node] if is_right else trees.left[node])
            total += float(trees.value[node])
        return total

    assert tree_scores(trees, x) == pytest.approx([walked(row) for row in x])


def test_growing_lowers_the_loss_with_every_tree() -> None:
    """A wrong sign or a leaf that belongs to another row shows at once."""
    x, truth = step_data(500)
    losses = []
    for count in (1, 5, 20, 60):
        scores = tree_scores(
            boost(x, logistic_slope(truth), base=0.0, how=Boosting(trees=count, rate=0.2)), x
        )
        losses.append(float(np.mean(np.logaddexp(0.0, scores) - truth * scores)))
    assert losses == sorted(losses, reverse=True)


def test_a_tree_that_would_walk_in_a_circle_is_refused() -> None:
    """A damaged model file must end in a message, not in a loop without end."""
    with pytest.raises(InvalidPanel, match=r"trees\.left names a node"):
        TreeSum(
            base=0.0,
            feature=np.array([0, -1]),
            threshold=np.zeros(2),
            left=np.array([0, -1]),
            right=np.array([1, -1]),
            value=np.zeros(2),
            root=np.array([0]),
        )


def test_the_regression_stands_where_its_slope_is_zero() -> None:
    """The optimum is checked by its own condition: nothing pulls any weight any more."""
    draws = np.random.default_rng(3)
    x = draws.normal(size=(400, 4))
    truth = (draws.random(400) < chance(2.0 * x[:, 0] - 3.0)).astype(float)
    weight = draws.integers(1, 5, 400).astype(float)
    fitted = fit_logistic(x, truth, weight=weight, shrink=2.0)
    z = (x - fitted.middle) / fitted.scale
    off = weight * (chance(fitted.scores(x)) - truth)
    assert z.T @ off + 2.0 * fitted.weights[1:] == pytest.approx(np.zeros(4), abs=1e-3)
    assert off.sum() == pytest.approx(0.0, abs=1e-3)


def test_one_redemption_in_a_thousand_does_not_break_the_fit() -> None:
    """Full Newton steps from zero run away on rare events; halved ones do not."""
    x = np.zeros((2_000, 2))
    x[:, 0] = np.arange(2_000) % 7
    x[:2, 1] = 9.0
    truth = np.zeros(2_000)
    truth[:2] = 1.0
    fitted = fit_logistic(x, truth, weight=np.where(truth > 0, 1.0, 10.0), shrink=1.0)
    assert np.isfinite(fitted.weights).all()
    assert np.abs(fitted.weights).max() < 50
    assert fitted.scores(x)[:2].min() > fitted.scores(x)[2:].max()


pairs = st.lists(st.tuples(st.integers(-1, 5), st.integers(-1, 5)), max_size=30)


@given(pairs, pairs)
def test_sums_over_pairs_are_those_of_a_dictionary(
    rows: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    """The slow twin; a missing code belongs to nobody, on either side."""
    first, second = (np.array([row[n] for row in rows], np.int64) for n in (0, 1))
    book = PairBook(first, second)
    book.ask(*(np.array([pair[n] for pair in asked], np.int64) for n in (0, 1)))
    weight = np.arange(1.0, len(rows) + 1.0)
    plain: dict[tuple[int, int], list[float]] = {}
    for row, value in zip(rows, weight, strict=True):
        if min(row) >= 0:
            plain.setdefault(row, []).append(float(value))
    assert list(book.sums(weight)) == [sum(plain.get(pair, [])) for pair in asked]
    assert list(book.least(weight, otherwise=-7.0)) == [
        min(plain.get(pair, [-7.0])) for pair in asked
    ]
    assert list(book.greatest(weight, otherwise=-7.0)) == [
        max(plain.get(pair, [-7.0])) for pair in asked
    ]


def test_the_slope_of_a_choice_is_the_derivative_of_its_loss() -> None:
    """Checked by small differences: a request's candidates compete with each other alone."""
    request = np.array([0, 0, 0, 1, 1])
    truth = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    scores = np.array([0.3, -0.2, 1.0, 0.5, 0.1])

    def loss(s: np.ndarray) -> float:
        total = 0.0
        for one in (0, 1):
            mine = request == one
            taken = truth[mine] / truth[mine].sum()
            total += float(np.log(np.exp(s[mine]).sum()) - taken @ s[mine])
        return total

    slope, curve = choice_slope(request, truth)(scores)
    small = 1e-6
    for at in range(5):
        moved = scores.copy()
        moved[at] += small
        assert (loss(moved) - loss(scores)) / small == pytest.approx(slope[at], abs=1e-5)
    assert curve.min() > 0.0
