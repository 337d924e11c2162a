"""Foretell what each customer will spend in the next 13 weeks.

Layer: rules. Takes: a `Panel`. Gives: sales by customer. A decayed average of the customer's own
sales is nearly everything; trees learn from earlier quarters when it is too high or too low. They
go down the absolute error, which favours the median: half of the answer stays the plain average,
whose sum is right.
"""

from typing import Final

import numpy as np

from offers.decision.ranking.boosting import Boosting, Floats, Slope, boost, tree_scores
from offers.decision.ranking.customer_habits import HALF_LIVES_DAYS, habits
from offers.decision.ranking.pair_sums import sum_by
from offers.model.ranking.panel import Numbers, Panel

HORIZON_DAYS: Final = 91.0
STEP_DAYS: Final = 14.0
CUTS_MAX: Final = 5
HISTORY_DAYS_MIN: Final = 56.0
CUSTOMERS_MIN: Final = 50
TREES: Final = Boosting(trees=150, depth=3, rate=0.05, shrink=30.0, h_min=20.0)
AVERAGED: Final = {30.0: 0.25, 60.0: 0.5, 120.0: 0.25}
"""how much the average of each half-life counts"""
LEARNT_SHARE: Final = 0.6
SOFT_SHARE: Final = 0.15
"""of a customer's scale, below which an error counts by its square: a median has no curvature"""


def foretell_sales(panel: Panel) -> Numbers:
    """Return for each customer the sales of the next 91 days, zero or more."""
    x, rates = habits(panel)
    plain = plain_sales(rates)
    rows, rates_then, spent = _examples(panel)
    if len(spent) < CUSTOMERS_MIN or spent.sum() <= 0.0:
        return plain
    plain_then = plain_sales(rates_then)
    unit = float(np.mean(plain_then)) or 1.0
    scale_then, scale = _scale(plain_then, unit), _scale(plain, unit)
    trees = boost(rows, _absolute_slope(spent, plain_then, scale_then), base=0.0, how=TREES)
    learnt = np.maximum(plain + tree_scores(trees, x) * scale, 0.0)
    return LEARNT_SHARE * learnt + (1.0 - LEARNT_SHARE) * plain


def plain_sales(rates: Floats) -> Numbers:
    """Return the decayed averages of a customer's sales, carried on for 91 days."""
    a_day = sum(share * rates[:, HALF_LIVES_DAYS.index(half)] for half, share in AVERAGED.items())
    return np.maximum(HORIZON_DAYS * np.asarray(a_day, np.float64), 0.0)


def _scale(plain: Numbers, unit: float) -> Numbers:
    """Return how far off a forecast may be: more for who buys more, by a square root."""
    return np.asarray(np.sqrt(plain * 0.4 * unit) + 0.04 * unit, np.float64)


def _absolute_slope(spent: Floats, plain: Floats, scale: Floats) -> Slope:
    soft, whole = np.maximum(SOFT_SHARE * scale, 1e-9), float(scale.mean())

    def slope(scores: Floats) -> tuple[Floats, Floats]:
        off = plain + scores * scale - spent
        length = np.sqrt(off * off + soft * soft)
        return off / length * scale / whole, scale * scale / length / whole

    return slope


def _examples(panel: Panel) -> tuple[Floats, Floats, Floats]:
    """Return habits and rates as of earlier instants, and what was then spent."""
    bought = panel.purchases
    rows, rates, spent = [np.empty((0, 1))], [np.empty((0, 1))], [np.empty(0)]
    for cut in range(CUTS_MAX):
        ago = HORIZON_DAYS + cut * STEP_DAYS
        if cut and ago > panel.history_days - HISTORY_DAYS_MIN:
            break
        later = (bought.age_days <= ago) & (bought.age_days > ago - HORIZON_DAYS)
        sales = sum_by(bought.customer[later], bought.sales[later], panel.sizes.customers)
        before = panel.since(ago)
        known = np.unique(before.purchases.customer)
        habit, rate = habits(before)
        rows.append(habit[known])
        rates.append(rate[known])
        spent.append(sales[known])
    return np.concatenate(rows[1:]), np.concatenate(rates[1:]), np.concatenate(spent)
