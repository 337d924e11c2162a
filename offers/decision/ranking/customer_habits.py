"""Describe how often and for how much each customer buys, as of the instant of a panel.

Layer: rules. Takes: a `Panel`. Gives: one row of numbers a customer, to the scorers of coming sales
and of absence. Windows longer than the history are cut to it, so that a short history gives the
same kind of numbers as a long one.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from offers.decision.ranking.pair_sums import sum_by
from offers.model.ranking.panel import Codes, Numbers, Panel

Floats = npt.NDArray[np.float64]
WINDOWS_DAYS: Final = (7.0, 14.0, 28.0, 56.0, 91.0, 182.0, 364.0)
HALF_LIVES_DAYS: Final = (14.0, 30.0, 60.0, 120.0)
NEVER_DAYS: Final = 1_000.0


def trips(panel: Panel) -> tuple[Codes, Numbers, Numbers]:
    """Return customer, age in days and sales of each basket, oldest first within a customer."""
    bought = panel.purchases
    _, first, basket = np.unique(bought.basket, return_index=True, return_inverse=True)
    sales = sum_by(basket, bought.sales, len(first))
    customer, age = bought.customer[first], bought.age_days[first]
    order = np.lexsort((-age, customer))
    return customer[order], age[order], sales[order]


def habits(panel: Panel) -> tuple[Floats, Floats]:
    """Return the features (n_customers, n_features) and the decayed rates of sales a day.

    The rates are one column for each of `HALF_LIVES_DAYS`, then one for each of `WINDOWS_DAYS`.
    """
    count = panel.sizes.customers
    customer, age, sales = trips(panel)
    span = max(panel.history_days, 1.0)
    rates = np.column_stack(
        [_decayed_rate(customer, age, sales, half, span, count) for half in HALF_LIVES_DAYS]
        + [_window_rate(customer, age, sales, days, span, count) for days in WINDOWS_DAYS]
    )
    ones = np.ones(len(age))
    visits = np.column_stack(
        [_decayed_rate(customer, age, ones, half, span, count) for half in HALF_LIVES_DAYS]
        + [_window_rate(customer, age, ones, days, span, count) for days in WINDOWS_DAYS]
    )
    return np.column_stack([np.log1p(rates), visits, _gaps(customer, age, count)]), rates


def _decayed_rate(
    customer: Codes, age: Numbers, value: Numbers, half_days: float, span: float, count: int
) -> Floats:
    per_day = np.log(2.0) / half_days
    seen = (1.0 - np.exp(-per_day * span)) / per_day
    rate: Numbers = sum_by(customer, value * np.exp(-per_day * age), count) / seen
    return rate


def _window_rate(
    customer: Codes, age: Numbers, value: Numbers, days: float, span: float, count: int
) -> Floats:
    return sum_by(customer, value * (age <= days), count) / min(days, span)


def _gaps(customer: Codes, age: Numbers, count: int) -> Floats:
    """Return recency, tenure and the gaps between trips: mean, spread, longest, due-ness."""
    recency, tenure = np.full(count, NEVER_DAYS), np.zeros(count)
    np.minimum.at(recency, customer, age)
    np.maximum.at(tenure, customer, age)
    days = np.unique(np.column_stack([customer, np.floor(age).astype(np.int64)]), axis=0)
    who, day = days[:, 0], days[:, 1]
    is_same = who[1:] == who[:-1]
    gap, owner = (day[1:] - day[:-1])[is_same].astype(np.float64), who[1:][is_same]
    n = np.bincount(owner, minlength=count)
    mean = sum_by(owner, gap, count) / np.maximum(n, 1)
    square = sum_by(owner, gap * gap, count) / np.maximum(n, 1)
    spread = np.sqrt(np.maximum(square - mean * mean, 0.0))
    longest = np.zeros(count)
    np.maximum.at(longest, owner, gap)
    last_gaps = _recent_gap(owner, gap, count)
    shrunk = (mean * n + 14.0 * 2.0) / (n + 2.0)
    beyond = sum_by(owner, gap > recency[owner], count) / np.maximum(n, 1)
    over_28 = sum_by(owner, np.maximum(gap - 28.0, 0.0), count) / np.maximum(tenure, 1.0)
    return np.column_stack([
        recency, tenure, n, mean, spread, longest, last_gaps, recency / shrunk,
        np.where(n > 0, recency / np.maximum(longest, 1.0), 1.0), beyond, over_28,
    ])  # fmt: skip


def _recent_gap(owner: Codes, gap: Numbers, count: int) -> Floats:
    """Return the mean of the newest gaps, each older one counting seven tenths of the next."""
    order = np.arange(len(owner))
    first = np.searchsorted(owner, np.arange(count))
    weight = 0.7 ** np.minimum(order - first[owner], 60)
    total = sum_by(owner, weight, count)
    return sum_by(owner, weight * gap, count) / np.maximum(total, 1e-9)
