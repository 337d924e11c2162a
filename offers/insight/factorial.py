"""Say what each factor does on its own, and what two of them do together.

Layer: rules. Takes: an `Experiment` and one `Sample` for each of its arms. Gives: `Effect`s. An
effect is a weighted sum of the means of arms (a contrast: Montgomery, Design and Analysis of
Experiments, ch. 5), so that all shoppers speak about every factor.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from offers.insight.difference import mean_of
from offers.model.errors import InvalidSample
from offers.model.experiments.estimate import Estimate, Numbers, Sample
from offers.model.experiments.experiment import Arm, Experiment

Choice = tuple[int, str]
"""a factor by its place, and one of its levels"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What levels do against the first levels of their factors."""

    levels: tuple[tuple[str, str], ...]
    """factor and level: one pair for a main effect, two for an interaction"""
    estimate: Estimate


def main_effects(experiment: Experiment, samples: Mapping[str, Sample]) -> tuple[Effect, ...]:
    """Return, for each level but the first, what it adds on average over all other factors.

    It raises `InvalidSample` if the sample of an arm is missing.
    """
    means = _means(experiment, samples)
    return tuple(_effect(experiment, means, (choice,)) for choice in _choices(experiment))


def interactions(experiment: Experiment, samples: Mapping[str, Sample]) -> tuple[Effect, ...]:
    """Return, for each pair of levels of two factors, what it adds to the sum of both.

    Zero: the factors do not care about each other. Above: they do more together. It raises
    `InvalidSample` if the sample of an arm is missing.
    """
    pairs = (pair for pair in combinations(_choices(experiment), 2) if pair[0][0] != pair[1][0])
    means = _means(experiment, samples)
    return tuple(_effect(experiment, means, pair) for pair in pairs)


def _choices(experiment: Experiment) -> tuple[Choice, ...]:
    return tuple(
        (at, level) for at, factor in enumerate(experiment.factors) for level in factor.levels[1:]
    )


def _effect(
    experiment: Experiment, means: Sequence[Estimate], choices: tuple[Choice, ...]
) -> Effect:
    weights = np.array([_weight(experiment, arm, choices) for arm in experiment.arms])
    return Effect(
        levels=tuple((experiment.factors[at].name, level) for at, level in choices),
        estimate=_contrast(weights, means),
    )


def _weight(experiment: Experiment, arm: Arm, choices: tuple[Choice, ...]) -> float:
    """Return +1 or −1 for an arm with the chosen or the first levels, shared with its peers."""
    sign = 1.0
    for at, level in choices:
        if arm.levels[at] == experiment.factors[at].levels[0]:
            sign = -sign
        elif arm.levels[at] != level:
            return 0.0
    chosen = {at for at, _ in choices}
    others = (len(f.levels) for at, f in enumerate(experiment.factors) if at not in chosen)
    return sign / math.prod(others)


def _contrast(weights: Numbers, means: Sequence[Estimate]) -> Estimate:
    parts = weights**2 * np.array([mean.standard_error**2 for mean in means])
    freedom = np.array([mean.degrees_of_freedom for mean in means])
    split = float((parts**2 / freedom).sum())
    return Estimate(
        value=float(weights @ np.array([mean.value for mean in means])),
        standard_error=math.sqrt(float(parts.sum())),
        degrees_of_freedom=float(parts.sum()) ** 2 / split if split else float(freedom.min()),
        shoppers=sum(mean.shoppers for mean, w in zip(means, weights, strict=True) if w),
    )


def _means(experiment: Experiment, samples: Mapping[str, Sample]) -> list[Estimate]:
    return [_mean_of(arm, samples) for arm in experiment.arms]


def _mean_of(arm: Arm, samples: Mapping[str, Sample]) -> Estimate:
    sample = samples.get(arm.name)
    if sample is None:
        raise InvalidSample(
            f"samples lack the arm {arm.name!r}; expected one of every arm. Without it no effect "
            "of its factors can be told from the others."
        )
    return mean_of(sample.values)
