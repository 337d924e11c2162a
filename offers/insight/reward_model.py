"""Say what each candidate of a log would probably have earned, by what others like it earned.

Layer: rules. Takes: `LoggedChoices` and the features of their candidates. Gives: (m,) expected
rewards to the doubly robust value. Decisions are halved, and each half is told by a model of the
other: a model that has seen a reward would repeat it, and call that a forecast (cross-fitting:
Chernozhukov et al., The Econometrics Journal 21, 2018).
"""

from typing import Final

import numpy as np

from offers.model.errors import InvalidSample
from offers.model.experiments.estimate import Numbers
from offers.model.experiments.logged_choices import LoggedChoices

SHRINK: Final = 10.0
"""as if so many decisions had said that a feature does nothing"""


def expected_rewards(log: LoggedChoices, features: Numbers) -> Numbers:
    """Return (m,) rewards by two ridge regressions, each on the other half of the decisions.

    Parameters
    ----------
    log
        What was chosen among what, and what came of it.
    features
        (m, d), one row for each candidate in the order of the log.

    Raises
    ------
    InvalidSample
        If there is not one row of finite numbers for each candidate.
    """
    rows = len(log.propensity)
    if features.ndim != 2 or len(features) != rows or not np.isfinite(features).all():  # noqa: PLR2004
        raise InvalidSample(
            f"features have the shape {features.shape}; expected ({rows}, d) finite numbers, one "
            "row for each logged candidate."
        )
    half_of_decision = np.arange(len(log.decisions)) % 2
    half_of_row = half_of_decision[log.of_decision]
    expected = np.empty(rows)
    for half in (0, 1):
        taught = log.chosen_row[half_of_decision != half]
        asked = half_of_row == half
        reward = log.reward[half_of_decision != half]
        expected[asked] = _told(features[taught], reward, features[asked])
    return expected


def _told(x: Numbers, reward: Numbers, asked: Numbers) -> Numbers:
    middle, mean = x.mean(axis=0), float(reward.mean())
    spread = x.std(axis=0)
    scale = np.where(spread > 0.0, spread, 1.0)  # what never differs says nothing
    z = (x - middle) / scale
    slope = np.linalg.solve(z.T @ z + SHRINK * np.eye(x.shape[1]), z.T @ (reward - mean))
    told: Numbers = mean + ((asked - middle) / scale) @ slope
    return told
