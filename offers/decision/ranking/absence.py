"""Score who will stay away for the next four weeks.

Layer: rules. Takes: a `Panel`. Gives: log-odds by customer. The past is cut again and again, and
each time what came after teaches what the habits before it meant.
"""

from typing import Final

import numpy as np

from offers.decision.ranking.boosting import Boosting, Floats, boost, logistic_slope, tree_scores
from offers.decision.ranking.customer_habits import habits
from offers.decision.ranking.logistic import fit_logistic
from offers.model.ranking.panel import Numbers, Panel

HORIZON_DAYS: Final = 28.0
STEP_DAYS: Final = 14.0
CUTS_MAX: Final = 13
HISTORY_DAYS_MIN: Final = 42.0
ABSENT_MIN: Final = 20
TREES: Final = Boosting(trees=150, depth=3, rate=0.05, shrink=10.0, h_min=20.0)
RECENCY: Final = 22
"""the column of customer_habits that speaks where nothing could be learnt"""


def score_absence(panel: Panel) -> Numbers:
    """Return for each customer the log-odds of no purchase in the next 28 days."""
    now, _ = habits(panel)
    x, absent = _examples(panel)
    if absent.sum() < ABSENT_MIN or len(absent) - absent.sum() < ABSENT_MIN:
        quiet: Numbers = np.log1p(now[:, RECENCY]) - np.log1p(HORIZON_DAYS)
        return quiet
    share = float(absent.mean())
    trees = boost(x, logistic_slope(absent), base=float(np.log(share / (1 - share))), how=TREES)
    plain = fit_logistic(_squeezed(x), absent, weight=None, shrink=1.0)
    return 0.5 * (tree_scores(trees, now) + plain.scores(_squeezed(now)))


def _examples(panel: Panel) -> tuple[Floats, Floats]:
    """Return habits as of earlier instants, and who then stayed away."""
    bought = panel.purchases
    rows, truths = [np.empty((0, 1))], [np.empty(0)]
    for cut in range(CUTS_MAX):
        ago = HORIZON_DAYS + cut * STEP_DAYS
        if ago > panel.history_days - HISTORY_DAYS_MIN:
            break
        came = (bought.age_days <= ago) & (bought.age_days > ago - HORIZON_DAYS)
        absent = np.ones(panel.sizes.customers)
        absent[bought.customer[came]] = 0.0
        before = panel.since(ago)
        known = np.unique(before.purchases.customer)
        rows.append(habits(before)[0][known])
        truths.append(absent[known])
    return np.concatenate(rows[1:] or rows), np.concatenate(truths)


def _squeezed(x: Floats) -> Floats:
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)), np.float64)
