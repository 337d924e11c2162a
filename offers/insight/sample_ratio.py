"""Raise the alarm where arms have not the sizes that they were meant to have.

Layer: rules. Takes: how many shoppers were counted in each arm, and the shares planned.
Gives: `SampleRatio`. A split that is off (a lost log line, a redirect, a bot) makes every other
number of the experiment worthless, so this is looked at first: Fabijan et al., "Diagnosing sample
ratio mismatch in online controlled experiments", KDD 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from offers.model.errors import InvalidSample
from offers.model.experiments.estimate import Numbers

ALARM_LEVEL: Final = 0.001
PRIOR_SHOPPERS: Final = 1_000.0
"""how firmly the planned shares are believed in, in shoppers: small drifts are found late"""
SHARES_TOLERANCE: Final = 1e-9
ARMS_MIN: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """How well the sizes of the arms fit the plan."""

    chi_square: float
    p_value: float
    """for a single look"""
    evidence: float
    """ln of the e-value of the sequential test: that of one look or of a thousand"""
    is_alarm: bool
    """of the sequential test: wrong in at most 1 of 1,000 experiments, however often asked"""


def sample_ratio(
    counts: Sequence[int], shares: Sequence[float], *, alarm_level: float = ALARM_LEVEL
) -> SampleRatio:
    """Return how the counts fit the shares, by Pearson's χ² and by a test safe for daily looks.

    The alarm is that of Lindon & Malek, "Anytime-valid inference for multinomial count data",
    NeurIPS 2022: the Bayes factor of a Dirichlet prior around the planned shares against the shares
    themselves is an e-process, and reaches 1 / α with a probability of at most α (Ville).

    It raises `InvalidSample` if there are not two arms or more, a count is below zero, or the
    shares do not sum to 1.

    Examples
    --------
    >>> sample_ratio([5_010, 4_990], [0.5, 0.5]).is_alarm
    False
    >>> sample_ratio([5_300, 4_700], [0.5, 0.5]).is_alarm
    True
    """
    found, planned = np.asarray(counts, np.float64), np.asarray(shares, np.float64)
    _check(found, planned, alarm_level)
    total = float(found.sum())
    expected = planned * total
    chi_square = float(((found - expected) ** 2 / expected).sum()) if total else 0.0
    evidence = float(log_evidence(found[None, :], planned)[0])
    return SampleRatio(
        chi_square=chi_square,
        p_value=float(special.chdtrc(len(planned) - 1, chi_square)),
        evidence=evidence,
        is_alarm=evidence >= -float(np.log(alarm_level)),
    )


def log_evidence(counts: Numbers, shares: Numbers) -> Numbers:
    """Return ln of the Bayes factor for each row of counts.

    counts : (looks, arms), shares : (arms,).
    """
    prior = PRIOR_SHOPPERS * shares
    total = counts.sum(axis=1)
    together = special.gammaln(PRIOR_SHOPPERS) - special.gammaln(PRIOR_SHOPPERS + total)
    each = special.gammaln(prior + counts) - special.gammaln(prior) - counts * np.log(shares)
    evidence: Numbers = together + each.sum(axis=1)
    return evidence


def _check(counts: Numbers, shares: Numbers, alarm_level: float) -> None:
    if counts.ndim != 1 or len(counts) < ARMS_MIN or counts.shape != shares.shape:
        raise InvalidSample(
            f"counts are {counts.tolist()} and shares {shares.tolist()}; expected two arms or "
            "more, one number of each for every arm. Count arms without shoppers as 0."
        )
    if not (np.isfinite(counts).all() and (counts >= 0.0).all()):
        raise InvalidSample(
            f"counts are {counts.tolist()}; expected 0 or more in each arm. Count shoppers, once "
            "each."
        )
    if not (shares > 0.0).all() or not abs(float(shares.sum()) - 1.0) <= SHARES_TOLERANCE:
        raise InvalidSample(
            f"shares are {shares.tolist()}; expected above 0 and 1 in sum. Give what was planned, "
            "not what was found."
        )
    if not 0.0 < alarm_level < 1.0:
        raise InvalidSample(
            f"alarm_level is {alarm_level}; expected above 0 and below 1. The usual one is "
            f"{ALARM_LEVEL}."
        )
