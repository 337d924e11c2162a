"""Score which of a campaign's offers a customer will redeem, and who will redeem any.

Layer: rules. Takes: a `Panel` and the pairs asked about. Gives: a score for each. Every past
campaign is an example: described as of its start, and judged by what was redeemed since.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from offers.decision.ranking.boosting import Boosting, Floats, Slope, boost, tree_scores
from offers.decision.ranking.logistic import Logistic, chance, fit_logistic
from offers.decision.ranking.offer_affinity import OfferGrid, offer_grid
from offers.model.ranking.panel import Codes, Numbers, Panel
from offers.model.ranking.trees import TreeSum

SETTLED_DAYS: Final = 10.0
"""a campaign younger than that has hardly been redeemed yet"""
HISTORY_DAYS_MIN: Final = 14.0
REDEEMED_MIN: Final = 10
"""fewer redemptions teach nothing: the prior speaks alone"""
PRIOR_ROWS: Final = 30.0
"""own history is added with this weight over the number of redemptions: few teach little"""
PASSED_SHARE: Final = 0.1
"""of the offers that were not redeemed, how many are kept as examples"""
TREES: Final = Boosting(trees=150, depth=2, rate=0.06, shrink=5.0, h_min=2.0)
SHRINK: Final = 20.0
OWN, POPULAR = 1, 12
"""columns of offer_affinity: own purchases with a half-life of 90 days, demand of everybody"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferModel:
    """What past campaigns teach; nothing where there were none."""

    plain: Logistic | None
    trees: TreeSum | None
    redeemed: float
    """how many redemptions it was learnt from"""

    def scores(self, x: Numbers) -> Numbers:
        """Return the log-odds of each row; by own history and demand where nothing was learnt."""
        if self.plain is None or self.trees is None:
            return 2.0 * x[:, OWN] + 0.5 * x[:, POPULAR] - 8.0
        trust = min(PRIOR_ROWS / max(self.redeemed, 1.0), 1.0)
        return 0.5 * (self.plain.scores(x) + tree_scores(self.trees, x)) + trust * x[:, OWN]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCampaign:
    """A campaign that was described as of its start, and what was redeemed since."""

    campaign: int
    grid: OfferGrid
    redeemed: Numbers
    """(n_people, n_offers): 0 or 1"""


def past_campaigns(panel: Panel) -> list[PastCampaign]:
    """Return the campaigns that began long enough ago, each as of its start."""
    start = panel.campaigns.start_age_days
    is_past = (start >= SETTLED_DAYS) & (start <= panel.history_days - HISTORY_DAYS_MIN)
    found = []
    for campaign in np.flatnonzero(is_past):
        grid = _grid_of(panel.since(float(start[campaign])), int(campaign))
        if grid is not None:
            found.append(
                PastCampaign(
                    campaign=int(campaign),
                    grid=grid,
                    redeemed=_redeemed(panel, int(campaign), grid),
                )
            )
    return found


def learn_offers(past: list[PastCampaign], *, seed: int = 1) -> OfferModel:
    """Return the model of which offers were redeemed."""
    redeemed = sum(float(example.redeemed.sum()) for example in past)
    if redeemed < REDEEMED_MIN:
        return OfferModel(plain=None, trees=None, redeemed=redeemed)
    draws = np.random.default_rng(seed)
    rows, truths = [], []
    for example in past:
        truth = example.redeemed.ravel()
        kept = (truth > 0) | (draws.random(len(truth)) < PASSED_SHARE)
        rows.append(example.grid.x.reshape(len(truth), -1)[kept])
        truths.append(truth[kept])
    x, y = np.concatenate(rows), np.concatenate(truths)
    weight = np.where(y > 0, 1.0, 1.0 / PASSED_SHARE)
    share = float(np.average(y, weights=weight))
    return OfferModel(
        redeemed=redeemed,
        plain=fit_logistic(x, y, weight=weight, shrink=SHRINK),
        trees=boost(
            x,
            weighted_logistic_slope(y, weight),
            base=float(np.log(share / (1.0 - share))),
            how=TREES,
        ),
    )


def score_offers(panel: Panel, *, customer: Codes, campaign: Codes, offer: Codes) -> Numbers:
    """Return the log-odds that each customer redeems the offer of the campaign."""
    model = learn_offers(past_campaigns(panel))
    scores = np.zeros(len(customer))
    for one in np.unique(campaign):
        rows = np.flatnonzero(campaign == one)
        people, offers = np.unique(customer[rows]), np.unique(offer[rows])
        grid = offer_grid(panel, int(one), people, offers)
        scores[rows] = model.scores(grid.rows(customer[rows], offer[rows]))
    return scores


def weighted_logistic_slope(truth: Floats, weight: Floats) -> Slope:
    """Return the slope of the logistic loss where a row stands for several examples."""

    def slope(scores: Floats) -> tuple[Floats, Floats]:
        p = chance(scores)
        return weight * (p - truth), weight * p * (1.0 - p)

    return slope


def _grid_of(panel: Panel, campaign: int) -> OfferGrid | None:
    people = np.unique(panel.addressed.customer[panel.addressed.campaign == campaign])
    offers = np.unique(panel.offer_items.offer[panel.offer_items.campaign == campaign])
    if not len(people) or not len(offers):
        return None
    return offer_grid(panel, campaign, people, offers)


def _redeemed(panel: Panel, campaign: int, grid: OfferGrid) -> Numbers:
    rows = panel.redeemed
    is_ours = (
        (rows.campaign == campaign)
        & np.isin(rows.customer, grid.people)
        & np.isin(rows.offer, grid.offers)
    )
    truth = np.zeros((len(grid.people), len(grid.offers)))
    truth[
        np.searchsorted(grid.people, rows.customer[is_ours]),
        np.searchsorted(grid.offers, rows.offer[is_ours]),
    ] = 1.0
    return truth
