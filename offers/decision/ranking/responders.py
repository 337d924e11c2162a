"""Score which of the customers whom a campaign addresses will redeem anything of it.

Layer: rules. Takes: a `Panel` and the pairs asked about. Gives: a score for each pair.
"""

from typing import Final

import numpy as np

from offers.decision.ranking.boosting import Boosting, Floats, boost, logistic_slope, tree_scores
from offers.decision.ranking.customer_habits import habits
from offers.decision.ranking.logistic import fit_logistic
from offers.decision.ranking.offer_affinity import OfferGrid, offer_grid
from offers.decision.ranking.offer_choice import past_campaigns
from offers.model.ranking.panel import Codes, Numbers, Panel

TREES: Final = Boosting(trees=100, depth=2, rate=0.06, shrink=10.0, h_min=5.0)
SHRINK: Final = 20.0
REDEEMERS_MIN: Final = 10
BY_PAIR: Final = 11
"""the first columns of offer_affinity speak of a pair; all are summed over a campaign's offers"""
BY_CUSTOMER: Final = slice(18, 24)
BY_CAMPAIGN: Final = slice(25, None)
BEST_OFFERS: Final = 8
PRONENESS: Final = 1
"""the column of BY_CUSTOMER that speaks where nothing could be learnt: redemptions by campaign"""


def score_responders(panel: Panel, *, customer: Codes, campaign: Codes) -> Numbers:
    """Return the log-odds that each customer redeems any offer of the campaign."""
    rows, truths = [], []
    for example in past_campaigns(panel):
        as_of = panel.since(float(panel.campaigns.start_age_days[example.campaign]))
        rows.append(_described(as_of, example.grid))
        truths.append(example.redeemed.max(axis=1))
    asked = np.zeros((len(customer), 0))
    for one in np.unique(campaign):
        mine = np.flatnonzero(campaign == one)
        people = np.unique(customer[mine])
        x = _described(panel, _grid(panel, int(one), people))
        if not asked.shape[1]:
            asked = np.zeros((len(customer), x.shape[1]))
        asked[mine] = x[np.searchsorted(people, customer[mine])]
    if sum(float(truth.sum()) for truth in truths) < REDEEMERS_MIN:
        prone: Numbers = asked[:, PRONENESS] if asked.shape[1] else np.zeros(len(customer))
        return prone
    return _learnt(np.concatenate(rows), np.concatenate(truths), asked)


def _learnt(x: Floats, truth: Floats, asked: Floats) -> Numbers:
    share = (truth.sum() + 0.5) / (len(truth) + 1.0)
    trees = boost(x, logistic_slope(truth), base=float(np.log(share / (1 - share))), how=TREES)
    plain = fit_logistic(_squeezed(x), truth, weight=None, shrink=SHRINK)
    return 0.5 * (tree_scores(trees, asked) + plain.scores(_squeezed(asked)))


def _squeezed(x: Floats) -> Floats:
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)), np.float64)


def _grid(panel: Panel, campaign: int, people: Codes) -> OfferGrid:
    offers = np.unique(panel.offer_items.offer[panel.offer_items.campaign == campaign])
    if not len(offers):  # nothing is known of its offers: the customer alone speaks
        offers = np.zeros(1, np.int64)
    return offer_grid(panel, campaign, people, offers)


def _described(panel: Panel, grid: OfferGrid) -> Floats:
    """Return one row a customer: what holds of him, and the best and sum of what suits him."""
    pair = grid.x[:, :, :BY_PAIR]
    best = np.sort(pair, axis=1)[:, -BEST_OFFERS:, :].mean(axis=1)
    habit, _ = habits(panel)
    return np.column_stack(
        [
            grid.x[:, 0, BY_CUSTOMER],
            grid.x[:, 0, BY_CAMPAIGN],
            pair.sum(axis=1),
            pair.max(axis=1),
            best,
            habit[grid.people],
        ]
    )
