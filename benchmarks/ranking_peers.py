"""Rank the same folds in plain ways, and measure any ranking: the peers of benchmarks/ranking.py.

Takes: the panel of a fold and what is asked. Gives: scores by popularity, by own decayed history,
by logistic regression; nDCG, average precision, AUC, weighted error, with errors by customer.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from inaisle.ranking.rank_panel import RankInput
from offers.decision.ranking.customer_habits import habits, trips
from offers.decision.ranking.logistic import fit_logistic
from offers.decision.ranking.offer_affinity import decayed, offer_grid
from offers.decision.ranking.offer_choice import POPULAR, past_campaigns
from offers.decision.ranking.pair_sums import PairBook
from offers.decision.ranking.shelf_features import ShelfRows
from offers.model.ranking.panel import Panel

Array = npt.NDArray[np.float64]

TOP = 10
BOOTSTRAPS = 200


def by_group(group: Array, truth: Array, score: Array) -> pd.DataFrame:
    """Return nDCG@10 and average precision of each group that has a hit."""
    frame = pd.DataFrame({"group": group, "truth": truth, "score": score})
    # ties are broken at random but always alike: the order of the table must not help anybody
    frame["tie"] = np.random.default_rng(0).random(len(frame))
    frame = frame.sort_values(["group", "score", "tie"], ascending=[True, False, True])
    frame["rank"] = frame.groupby("group").cumcount() + 1
    frame["gain"] = np.where(frame["rank"] <= TOP, frame["truth"] / np.log2(frame["rank"] + 1), 0)
    frame["hits"] = frame.groupby("group")["truth"].cumsum()
    frame["precision"] = frame["truth"] * frame["hits"] / frame["rank"]
    sums = frame.groupby("group")[["gain", "truth", "precision"]].sum()
    sums = sums[sums["truth"] > 0]
    ideal = np.cumsum(1 / np.log2(np.arange(2, TOP + 2)))
    best = ideal[np.minimum(sums["truth"].astype(int), TOP) - 1]
    return pd.DataFrame({"ndcg": sums["gain"] / best, "ap": sums["precision"] / sums["truth"]})


def auc(truth: Array, score: Array) -> float:
    """Return the area under the curve, ties counting half."""
    rank = pd.Series(score).rank().to_numpy()
    hits = truth.sum()
    if not 0 < hits < len(truth):
        return np.nan
    return (rank[truth > 0].sum() - hits * (hits + 1) / 2) / hits / (len(truth) - hits)


def by_customer(customer: Array, statistic: Callable[[Array], float], seed: int = 0) -> float:
    """Return the standard error of a statistic of rows, customers drawn anew with replacement."""
    draws = np.random.default_rng(seed)
    people, code = np.unique(customer, return_inverse=True)
    order = np.argsort(code, kind="stable")
    starts = np.searchsorted(code[order], np.arange(len(people) + 1))
    values = []
    for _ in range(BOOTSTRAPS):
        drawn = draws.integers(0, len(people), len(people))
        values.append(statistic(np.concatenate([order[starts[p] : starts[p + 1]] for p in drawn])))
    return float(np.nanstd(values))


def peers_of_offers(given: RankInput) -> dict[str, Array]:
    """Score t1: demand of the offer's items, own purchases of them, both in a regression."""
    panel, codes = given.panel, given.asked.codes
    x = None
    for one in np.unique(codes["campaign_id"]):
        rows = np.flatnonzero(codes["campaign_id"] == one)
        people, offers = (np.unique(codes[c][rows]) for c in ("customer_id", "offer_id"))
        grid = offer_grid(panel, int(one), people, offers)
        if x is None:
            x = np.zeros((len(codes["offer_id"]), grid.x.shape[2]))
        x[rows] = grid.rows(codes["customer_id"][rows], codes["offer_id"][rows])
    peers = {"popularity": x[:, POPULAR], "own history": x[:, 1] + 1e-3 * x[:, POPULAR]}
    past = past_campaigns(panel)
    two = [1, POPULAR]
    rows = np.concatenate([p.grid.x.reshape(-1, x.shape[1])[:, two] for p in past])
    truth = np.concatenate([p.redeemed.ravel() for p in past])
    peers["logistic"] = fit_logistic(rows, truth, weight=None, shrink=1.0).scores(x[:, two])
    return peers


def peers_of_responders(given: RankInput) -> dict[str, Array]:
    """Score t2: past redemptions, coupons used, sales and trips in a regression."""
    panel, codes = given.panel, given.asked.codes
    who = codes["customer_id"]
    past = past_campaigns(panel)
    x = _simple_customer(panel)
    rows, truth = [], []
    for example in past:
        as_of = panel.since(float(panel.campaigns.start_age_days[example.campaign]))
        rows.append(_simple_customer(as_of)[example.grid.people])
        truth.append(example.redeemed.max(axis=1))
    plain = fit_logistic(np.concatenate(rows), np.concatenate(truth), weight=None, shrink=1.0)
    return {
        "popularity": x[who, 2],
        "own history": x[who, 0] + 1e-3 * x[who, 1],
        "logistic": plain.scores(x[who]),
    }


def _simple_customer(panel: Panel) -> Array:
    bought, count = panel.purchases, panel.sizes.customers
    return np.column_stack(
        [
            np.log1p(np.bincount(panel.redeemed.customer, minlength=count)),
            np.log1p(np.bincount(bought.customer, bought.coupon > 0, count)),
            np.log1p(np.bincount(bought.customer, np.maximum(bought.sales, 0.0), count)),
        ]
    )


def peers_of_shelf(
    panel: Panel, rows: ShelfRows, examples: ShelfRows, truth: Array, examples_panel: Panel
) -> dict[str, Array]:
    """Score t4: demand in the store, own decayed purchases of the item, both in a regression."""

    def simple(of: Panel, asked: ShelfRows) -> Array:
        bought = of.purchases
        own = PairBook(bought.customer, bought.item)
        own.ask(asked.customer, asked.item)
        here = PairBook(bought.store, bought.item)
        here.ask(asked.store, asked.item)
        weight = decayed(bought.age_days, 120.0)
        return np.column_stack([np.log1p(own.sums(weight)), np.log1p(here.sums(weight))])

    x = simple(panel, rows)
    plain = fit_logistic(simple(examples_panel, examples), truth, weight=None, shrink=1.0)
    return {
        "popularity": x[:, 1],
        "own history": x[:, 0] + 1e-3 * x[:, 1],
        "logistic": plain.scores(x),
    }


def peers_of_sales(given: RankInput) -> dict[str, Array]:
    """Foretell t5: the mean of all, and the decayed average of each customer."""
    _, rates = habits(given.panel)
    who = given.asked.codes["customer_id"]
    quarter = 91.0 * rates[:, 8]
    known = np.unique(given.panel.purchases.customer)
    return {
        "popularity": np.full(len(who), quarter[known].mean()),
        "last quarter again": quarter[who],
        "own history": (91.0 * rates[:, 2])[who],
    }


def peers_of_absence(given: RankInput) -> dict[str, Array]:
    """Score t6: days since the last trip, the same by the usual gap, both in a regression."""

    def simple(panel: Panel) -> Array:
        customer, age, _ = trips(panel)
        count = panel.sizes.customers
        last = np.full(count, 400.0)
        np.minimum.at(last, customer, age)
        number = np.bincount(customer, minlength=count)
        return np.column_stack([np.log1p(last), np.log1p(number / max(panel.history_days, 1.0))])

    panel, who = given.panel, given.asked.codes["customer_id"]
    x, earlier = simple(panel), panel.since(28.0)
    came = np.zeros(panel.sizes.customers)
    came[panel.purchases.customer[panel.purchases.age_days <= 28.0]] = 1.0
    known = np.unique(earlier.purchases.customer)
    plain = fit_logistic(simple(earlier)[known], 1.0 - came[known], weight=None, shrink=1.0)
    return {"own history": x[who, 0], "popularity": -x[who, 1], "logistic": plain.scores(x)[who]}
