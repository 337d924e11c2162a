"""Say from the log of one policy what another one would have earned, before it is launched.

Layer: rules. Takes: a `TargetPolicy` over `LoggedChoices`. Gives: `PolicyValue`s per decision.

With w = π(chosen) / propensity and reward r over n decisions:
IPS Σ w r / n (Horvitz & Thompson, JASA 47, 1952); SNIPS Σ w r / Σ w (Swaminathan & Joachims,
NeurIPS 2015); doubly robust Σ [Σₐ π(a) q(a) + w (r − q(chosen))] / n (Dudík, Langford & Li, ICML
2011); clipped: IPS with min(w, limit) (Ionides, JCGS 17, 2008), which is biased. The effective
sample size (Σ w)² / Σ w² (Kish 1965) says on how many decisions a figure really stands.
"""

import math
from dataclasses import dataclass

import numpy as np

from offers.model.errors import InvalidSample
from offers.model.experiments.estimate import Numbers
from offers.model.experiments.logged_choices import TargetPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyValue:
    """What a policy is worth for each decision."""

    estimator: str
    value: float
    standard_error: float
    effective_decisions: float
    """how many decisions of the policy itself would say as much"""
    is_biased: bool = False
    """whether it is off even with endless data"""


def weights_of(target: TargetPolicy) -> Numbers:
    """Return (n,): how much more likely the target was to choose what was chosen."""
    rows = target.log.chosen_row
    weights: Numbers = target.probability[rows] / target.log.propensity[rows]
    return weights


def inverse_propensity(target: TargetPolicy) -> PolicyValue:
    """Return the IPS value: unbiased, and wild where the policies differ much."""
    w = weights_of(target)
    return _mean("ips", w * target.log.reward, w)


def clipped(target: TargetPolicy, *, limit: float) -> PolicyValue:
    """Return the IPS value with weights cut at a limit: calmer, and biased towards zero.

    Raises
    ------
    InvalidSample
        If the limit is not above zero.
    """
    if not limit > 0.0:
        raise InvalidSample(
            f"limit is {limit}; expected a number above zero. The usual ones are 10 to 100."
        )
    w = weights_of(target)
    cut = np.minimum(w, limit)
    return _mean("clipped ips", cut * target.log.reward, cut, is_biased=bool((w > limit).any()))


def self_normalised(target: TargetPolicy) -> PolicyValue:
    """Return the SNIPS value: its bias fades with 1 / n, its error is that of a ratio.

    Raises
    ------
    InvalidSample
        If the target would have chosen none of what was chosen.
    """
    w, reward = weights_of(target), target.log.reward
    whole = float(w.sum())
    if not whole > 0.0:
        raise InvalidSample(
            "target probability is 0 for everything that was chosen; expected some overlap. "
            "Nothing can be said from this log: explore, or test the policy on shoppers."
        )
    value = float(w @ reward) / whole
    error = math.sqrt(float((w**2 * (reward - value) ** 2).sum())) / whole
    return PolicyValue(
        estimator="snips", value=value, standard_error=error, effective_decisions=_effective(w)
    )


def doubly_robust(target: TargetPolicy) -> PolicyValue:
    """Return the DR value: right if either the propensities or the model are right.

    Raises
    ------
    InvalidSample
        If the target brings no expected rewards.
    """
    q = target.expected_reward
    if q is None:
        raise InvalidSample(
            "expected_reward is missing; expected what a model says of each candidate. Train one "
            "on other decisions, or take the self-normalised value."
        )
    w = weights_of(target)
    by_model = np.add.reduceat(target.probability * q, target.log.start[:-1])
    terms = by_model + w * (target.log.reward - q[target.log.chosen_row])
    return _mean("doubly robust", terms, w)


def _mean(name: str, terms: Numbers, w: Numbers, *, is_biased: bool = False) -> PolicyValue:
    return PolicyValue(
        estimator=name,
        value=float(terms.mean()),
        standard_error=float(terms.std(ddof=1)) / math.sqrt(len(terms)),
        effective_decisions=_effective(w),
        is_biased=is_biased,
    )


def _effective(w: Numbers) -> float:
    squares = float((w**2).sum())
    return float(w.sum()) ** 2 / squares if squares else 0.0
