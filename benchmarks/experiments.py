"""Count how often the statistics of experiments are wrong, where the truth is known.

A/A experiments of 28 days with a look every evening; intervals of a lift in money; planted and fair
splits; a bandit's log of a careful policy against what a bolder one is truly worth. The control is
the usual test, looked at daily: the harness has to see it fail.
"""

from collections.abc import Callable

import numpy as np

from offers.insight.lift import lift_of
from offers.insight.policy_value import (
    PolicyValue,
    doubly_robust,
    inverse_propensity,
    self_normalised,
)
from offers.insight.sample_ratio import log_evidence
from offers.insight.sequential import reach_in_standard_errors
from offers.model.experiments.logged_choices import TargetPolicy
from tests.reference.experiment_runs import arms_of_one, looks_at_nothing, played_bandit

Row = dict[str, str | float | bool]
RUNS = 4_000
DAYS = 28
A_DAY = 100
LIFTS = 10_000
LIFT_MINOR = 50.0
LOGS = 1_000
SPLIT_RUNS = 2_000
FAIR = np.full(3, 1 / 3)


def run() -> list[Row]:
    """Play them all; return the figures."""
    return [*_looks(), *_lifts(), *_splits(), *_policies()]


def _looks() -> list[Row]:
    naive, sequential = np.zeros(RUNS, bool), np.zeros(RUNS, bool)
    for look in looks_at_nothing(RUNS, days=DAYS, a_day=A_DAY, seed=101):
        off = np.abs(look.difference) / look.standard_error
        naive |= off > 1.96
        sequential |= off > reach_in_standard_errors(
            look.shoppers, level=0.95, tightest_at=2 * A_DAY * DAYS
        )
    return [
        _most("A/A with daily looks: false alarms", sequential.mean(), 0.05),
        _least("control: the usual test with daily looks", naive.mean(), 0.15),
    ]


def _lifts() -> list[Row]:
    rng = np.random.default_rng(102)
    hit, reductions = 0, []
    for _ in range(LIFTS):
        found = lift_of(*arms_of_one(rng, 300, lift_minor=LIFT_MINOR))
        hit += found.fixed.low <= LIFT_MINOR <= found.fixed.high
        reductions.append(found.variance_reduction or 0.0)
    return [
        _least("95 % intervals of a lift: hold the truth", hit / LIFTS, 0.94),
        _most("the same, not too wide", hit / LIFTS, 0.96),
        _least("variance taken out by CUPED", float(np.mean(reductions)), 0.4),
    ]


def _splits() -> list[Row]:
    lost = np.array([1.0, 1.0, 0.93]) / 2.93
    return [
        _least("planted split found, 7 % of an arm lost", _alarms(lost, 103), 0.99),
        _most("fair splits: false alarms", _alarms(FAIR, 104), 0.001),
    ]


def _alarms(shares: np.ndarray, seed: int) -> float:
    new = np.random.default_rng(seed).multinomial(3_000, shares, (SPLIT_RUNS, DAYS))
    counts = np.cumsum(new, axis=1).reshape(-1, 3).astype(np.float64)
    evidence = log_evidence(counts, FAIR).reshape(SPLIT_RUNS, DAYS)
    return float((evidence >= np.log(1_000.0)).any(axis=1).mean())


def _policies() -> list[Row]:
    played = [played_bandit(seed, decisions=1_000) for seed in range(LOGS)]
    estimators: tuple[Callable[[TargetPolicy], PolicyValue], ...] = (
        inverse_propensity,
        self_normalised,
        doubly_robust,
    )
    rows = []
    for estimator in estimators:
        found = [(estimator(bandit.target), bandit.truth) for bandit in played]
        off = np.array([(one.value - truth) / one.standard_error for one, truth in found])
        errors = [one.standard_error for one, _ in found]
        name = found[0][0].estimator
        rows += [
            _least(f"{name}: within 3 s.e. of the truth", (np.abs(off) < 3.0).mean(), 0.99),
            {"name": f"{name}: standard error", "value": float(np.mean(errors)), "unit": "minor"},
        ]
    return rows


def _least(name: str, value: float, target: float) -> Row:
    return {"name": name, "value": float(value), "unit": "share", "target": target}


def _most(name: str, value: float, target: float) -> Row:
    return {**_least(name, value, target), "is_floor": False}


if __name__ == "__main__":
    for figure in run():
        print(figure)
