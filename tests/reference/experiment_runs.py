"""Play thousands of experiments whose truth is known: shoppers, spends, and a bandit's log.

Money is as in a shop: most shoppers of a day buy nothing, a few buy much.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offers.model.experiments.estimate import Sample
from offers.model.experiments.logged_choices import LoggedChoices, TargetPolicy
from offers.model.ids import DecisionId

Numbers = npt.NDArray[np.float64]
BUYS = 0.6
"""the share of shoppers who buy at all"""
MEAN_MINOR = BUYS * 2 * 1_000.0
"""the mean of `spends`: a gamma of shape 2 and scale 10 euros, for those who buy"""


def spends(rng: np.random.Generator, shape: tuple[int, ...]) -> Numbers:
    """Return minor units of as many shoppers."""
    bought = rng.random(shape) < BUYS
    return np.where(bought, rng.standard_gamma(2.0, shape) * 1_000.0, 0.0)


def arms_of_one(
    rng: np.random.Generator, shoppers: int, *, lift_minor: float
) -> tuple[Sample, Sample]:
    """Return treated and control, with what each spent before; habit explains half of it."""
    found = []
    for name, lift in (("treated", lift_minor), ("control", 0.0)):
        before = spends(rng, (shoppers,))
        values = 0.7 * before + 0.7 * spends(rng, (shoppers,)) + lift
        found.append(Sample(arm=name, values=values, before=before))
    return found[0], found[1]


@dataclass(frozen=True)
class Look:
    """What is known of every run at the end of one day."""

    shoppers: int
    """of both arms"""
    difference: Numbers
    standard_error: Numbers


def looks_at_nothing(runs: int, *, days: int, a_day: int, seed: int) -> Iterator[Look]:
    """Play A/A experiments side by side, ``a_day`` new shoppers an arm, and look every evening."""
    rng = np.random.default_rng(seed)
    total, squares = np.zeros((runs, 2)), np.zeros((runs, 2))
    for day in range(1, days + 1):
        new = spends(rng, (runs, 2, a_day))
        total += new.sum(axis=2)
        squares += (new**2).sum(axis=2)
        n = day * a_day
        mean = total / n
        variance = (squares - n * mean**2) / (n - 1)
        yield Look(
            shoppers=2 * n,
            difference=mean[:, 0] - mean[:, 1],
            standard_error=np.sqrt(variance.sum(axis=1) / n),
        )


@dataclass(frozen=True)
class Bandit:
    """A log, a policy to be judged by it, and what that policy is truly worth."""

    target: TargetPolicy
    truth: float


def played_bandit(seed: int, *, decisions: int, candidates: int = 4) -> Bandit:
    """Log a careful policy over contexts; the target is bolder, the model of rewards half right.

    The truth is not estimated: the context has two kinds, equally frequent, and the mean reward of
    each candidate in each kind is known.
    """
    rng = np.random.default_rng(seed)
    worth = np.random.default_rng(7).uniform(10.0, 100.0, (2, candidates))  # by kind of context
    logging, bolder = _policy(worth, 0.01), _policy(worth, 0.05)
    kind = rng.integers(0, 2, decisions)
    cumulative = np.cumsum(logging[kind], axis=1)
    chosen = (rng.random(decisions)[:, None] > cumulative).sum(axis=1).clip(0, candidates - 1)
    reward = worth[kind, chosen] * rng.exponential(1.0, decisions)
    log = LoggedChoices(
        decisions=tuple(DecisionId(f"d{number}") for number in range(decisions)),
        start=np.arange(0, decisions * candidates + 1, candidates),
        propensity=logging[kind].ravel(),
        chosen=chosen,
        reward=reward,
    )
    target = TargetPolicy(
        log=log,
        probability=bolder[kind].ravel(),
        expected_reward=(0.8 * worth + 5.0)[kind].ravel(),
    )
    return Bandit(target=target, truth=float((bolder * worth).sum(axis=1).mean()))


def _policy(worth: Numbers, boldness: float) -> Numbers:
    preference = np.exp(boldness * worth)
    whole: Numbers = preference / preference.sum(axis=1, keepdims=True)
    return whole
