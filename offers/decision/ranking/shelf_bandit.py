"""Choose an item for each shopper at a shelf while learning from what came of earlier choices.

Layer: rules. Takes: a `Panel`, then shoppers with candidates, and rewards that come later.
Gives: the chosen item and the true probability with which it was drawn. What the panel teaches is
the prior: the chance that each candidate is taken. Thompson sampling learns where that is wrong.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from offers.decision.ranking.boosting import Boosting, boost, tree_scores
from offers.decision.ranking.logistic import fit_logistic
from offers.decision.ranking.shelf_choice import (
    HISTORY_DAYS_MIN,
    Scorer,
    choice_slope,
    past_shelves,
)
from offers.decision.ranking.shelf_memory import COLUMNS, ShelfMemory
from offers.decision.ranking.thompson import Chosen, choose, learnt
from offers.model.errors import InvalidPanel
from offers.model.ranking.belief import belief_about
from offers.model.ranking.panel import Codes, Numbers, Panel

FEATURES: Final = ("chance", "own", "demand", "luck of the item", "luck with the customer", "any")
MEANS: Final = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 0.0])
SIGMAS: Final = np.array([0.10, 0.05, 0.05, 0.2, 0.2, 0.05])
"""how far a reward may be from what the panel foretells"""
CHANCE_LEFT: Final = 0.005
"""four times as much cost a fiftieth of the rewards; of ten, 1/propensity is at most 2,000"""
AGO_DAYS: Final = (14.0, 28.0)
SHELF_SIZE: Final = 10
EXAMPLES_MIN: Final = 50
WAITING_MAX: Final = 100_000
LUCK_ROWS: Final = 20.0
"""so many rewards are needed until half of what they say is believed"""
LUCK_ROWS_OF_PAIR: Final = 5.0
PAIRS_MAX: Final = 200_000
"""of customers and items whose luck is remembered"""
TREES: Final = Boosting(trees=120, depth=4, rate=0.08, shrink=5.0, h_min=3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A choice whose reward has not come yet."""

    customer: int
    item: int
    x: Numbers
    """(1, d)"""


class ShelfBandit:
    """One stream of choices. Same panel, same stream, same choices."""

    def __init__(self, panel: Panel, *, seed: str) -> None:
        self.seed = seed
        self.score = _learnt_before(panel)
        self.memory = ShelfMemory(panel)
        self.belief = belief_about(FEATURES, MEANS, sigma=SIGMAS)
        self.waiting: dict[str, Waiting] = {}
        self.luck = np.zeros(panel.sizes.items)
        self.tried = np.zeros(panel.sizes.items)
        self.luck_of_pair: dict[tuple[int, int], tuple[float, float]] = {}

    def decide(self, decision: str, *, customer: int, items: Codes) -> Chosen:
        """Choose one of the items.

        Raises
        ------
        InvalidPanel
            If a choice of that name still waits for its reward.
        """
        if decision in self.waiting:
            raise InvalidPanel(
                f"id {decision!r} was decided before and waits for its reward; expected another "
                "id for each decision."
            )
        x = self._described(customer, items)
        chosen = choose(self.belief, x, seed=f"{self.seed}/{decision}", chance_left=CHANCE_LEFT)
        if len(self.waiting) >= WAITING_MAX:  # its reward will hardly come any more
            del self.waiting[next(iter(self.waiting))]
        self.waiting[decision] = Waiting(
            customer=customer, item=int(items[chosen.index]), x=x[[chosen.index]]
        )
        return chosen

    def reward(self, decision: str, reward: float) -> bool:
        """Learn from the reward of a choice; return whether such a choice waited for one."""
        made = self.waiting.pop(decision, None)
        if made is None:
            return False
        self.belief = learnt(self.belief, made.x, np.array([reward]))
        self._remember_luck(made, reward - float(made.x[0, 0]))
        if reward > 0.0:
            self.memory.take(made.customer, made.item)
        return True

    def _remember_luck(self, made: Waiting, surplus: float) -> None:
        """Add how far the reward was above what the panel had foretold."""
        self.luck[made.item] += surplus
        self.tried[made.item] += 1.0
        pair = (made.customer, made.item)
        if pair in self.luck_of_pair or len(self.luck_of_pair) < PAIRS_MAX:
            luck, tried = self.luck_of_pair.get(pair, (0.0, 0.0))
            self.luck_of_pair[pair] = (luck + surplus, tried + 1.0)

    def _described(self, customer: int, items: Codes) -> Numbers:
        known = self.memory.features(customer, items)
        scores = self.score(known)
        odds = np.exp(scores - scores.max())
        share = np.exp(known[:, 6])
        luck = np.array(
            [self.luck_of_pair.get((customer, int(item)), (0.0, 0.0)) for item in items]
        )
        return np.column_stack(
            [
                odds / odds.sum(),
                known[:, 2],
                share / share.sum(),
                self.luck[items] / (self.tried[items] + LUCK_ROWS),
                luck[:, 0] / (luck[:, 1] + LUCK_ROWS_OF_PAIR),
                np.full(len(items), 1.0 / len(items)),
            ]
        )


def _learnt_before(panel: Panel) -> Scorer:
    """Return what scores the features of ShelfMemory, learnt from past baskets."""
    draws = np.random.default_rng(1)
    parts, truths, requests, first = [], [], [], 0
    for ago in AGO_DAYS:
        if ago > panel.history_days - HISTORY_DAYS_MIN:
            break
        rows, truth = past_shelves(panel, ago, draws, candidates_max=SHELF_SIZE)
        if not len(truth):
            continue
        memory = ShelfMemory(panel.since(ago))
        starts = np.flatnonzero(np.r_[True, rows.request[1:] != rows.request[:-1]])
        for low, high in zip(starts, np.r_[starts[1:], len(truth)], strict=True):
            parts.append(memory.features(int(rows.customer[low]), rows.item[low:high]))
        truths.append(truth)
        requests.append(rows.request + first)
        first += int(rows.request.max()) + 1
    if first < EXAMPLES_MIN:
        return lambda x: 2.0 * x[:, 8] + x[:, 6]
    x, truth, request = np.concatenate(parts), np.concatenate(truths), np.concatenate(requests)
    assert x.shape[1] == COLUMNS
    trees = boost(x, choice_slope(request, truth), base=0.0, how=TREES)
    plain = fit_logistic(x, truth, weight=None, shrink=1.0)
    return lambda asked: 0.6 * tree_scores(trees, asked) + 0.4 * plain.scores(asked)
