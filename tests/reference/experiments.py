"""The statistics of experiments once more, slow and plain: loops, dictionaries, least squares."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from offers.model.experiments.estimate import Sample
from offers.model.experiments.logged_choices import TargetPolicy

Numbers = npt.NDArray[np.float64]


def log_evidence_by_urn(arrivals: Sequence[int], shares: Sequence[float], prior: float) -> float:
    """Bet on each shopper's arm by what an urn says, and sum up what the bets have won.

    The urn begins with the planned shares and gets a ball for every shopper (Pólya).
    """
    urn = [prior * share for share in shares]
    won = 0.0
    for arm in arrivals:
        won += math.log(urn[arm] / sum(urn) / shares[arm])
        urn[arm] += 1.0
    return won


def theta_by_regression(samples: Sequence[Sample]) -> float:
    """Regress values on a constant of each arm and on what was before."""
    rows, values = [], []
    for at, sample in enumerate(samples):
        assert sample.before is not None
        for value, before in zip(sample.values, sample.before, strict=True):
            rows.append([*(float(at == other) for other in range(len(samples))), before])
            values.append(value)
    found, *_ = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)
    return float(found[-1])


def main_effect(
    means: Mapping[tuple[str, ...], float], factor: int, level: str, first: str
) -> float:
    """Compare arms that differ in one factor only, and average."""
    differences = []
    for levels, mean in means.items():
        if levels[factor] == level:
            peer = (*levels[:factor], first, *levels[factor + 1 :])
            differences.append(mean - means[peer])
    return sum(differences) / len(differences)


def policy_values(target: TargetPolicy, *, limit: float) -> dict[str, tuple[float, float]]:
    """Walk the log, one decision after the other: value and standard error of each estimator."""
    log, q = target.log, target.expected_reward
    assert q is not None
    ips, cut, robust, weights = [], [], [], []
    for i in range(len(log.decisions)):
        first, end = int(log.start[i]), int(log.start[i + 1])
        row = first + int(log.chosen[i])
        w = float(target.probability[row] / log.propensity[row])
        reward = float(log.reward[i])
        by_model = sum(float(target.probability[a] * q[a]) for a in range(first, end))
        weights.append(w)
        ips.append(w * reward)
        cut.append(min(w, limit) * reward)
        robust.append(by_model + w * (reward - float(q[row])))
    value = sum(ips) / sum(weights)
    rewards = [float(reward) for reward in log.reward]
    ratio = sum((w * (r - value)) ** 2 for w, r in zip(weights, rewards, strict=True))
    return {
        "ips": _mean(ips),
        "clipped ips": _mean(cut),
        "doubly robust": _mean(robust),
        "snips": (value, math.sqrt(ratio) / sum(weights)),
    }


def _mean(terms: Sequence[float]) -> tuple[float, float]:
    mean = sum(terms) / len(terms)
    variance = sum((term - mean) ** 2 for term in terms) / (len(terms) - 1)
    return mean, math.sqrt(variance / len(terms))
