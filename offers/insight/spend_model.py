"""Expect what a shopper spends on a day: Gamma-Gamma.

Layer: rules. Takes: how many days and their mean, a row a shopper. Gives: a fitted `SpendModel` to
offers.insight.lifetime_value.

Fader & Hardie, "The Gamma-Gamma model of monetary value" (2013): spends of a shopper are
Gamma(p, ν), and ν ~ Gamma(q, gamma). Equations (1a) for the likelihood, (5) for the mean to come:
who was seen seldom is drawn towards everybody's mean.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from offers.model.errors import InvalidSample

Numbers = npt.NDArray[np.float64]
RIDGE: Final = 1e-3
LOG_BOUND: Final = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendModel:
    """The three numbers of Gamma-Gamma; `scale` is the mean that spends were divided by."""

    p: float
    q: float
    gamma: float
    scale: float

    def log_likelihood(self, days: Numbers, means: Numbers) -> Numbers:
        """Return (n,) ln of how likely each shopper's mean over so many days was."""
        p, q, gamma, m = self.p, self.q, self.gamma, means / self.scale
        whole = p * days
        together: Numbers = (
            special.gammaln(whole + q)
            - special.gammaln(whole)
            - special.gammaln(q)
            + q * math.log(gamma)
            + (whole - 1.0) * np.log(m)
            + whole * np.log(days)
            - (whole + q) * np.log(gamma + m * days)
            - math.log(self.scale)
        )
        return together

    def expected_spend(self, days: Numbers, means: Numbers) -> Numbers:
        """Return (n,) the mean to come; of no days it is everybody's, whatever the mean says."""
        m = np.where(days > 0, means / self.scale, 0.0)
        spend: Numbers = (
            self.scale * self.p * (self.gamma + m * days) / (self.p * days + self.q - 1.0)
        )
        return spend


def fit_spends(days: Numbers, means: Numbers) -> SpendModel:
    """Return the model that makes the means likeliest; the same for the same data.

    Raises
    ------
    InvalidSample
        If a row has no day or no spend.
    """
    if not len(days) or not bool(((days > 0) & (means > 0)).all()):
        raise InvalidSample(
            "a shopper has no day or no spend; expected both above 0 in one row at least. Leave "
            "out who has not bought."
        )
    scale = float(means.mean())

    # Loaded by who fits: it would take a tenth of each start of the service.
    from scipy import optimize

    def loss(logs: Numbers) -> float:
        found = float(_model(logs, scale).log_likelihood(days, means).mean())
        return RIDGE * float(logs @ logs) - found

    found = optimize.minimize(
        loss, np.zeros(3), method="L-BFGS-B", bounds=[(-LOG_BOUND, LOG_BOUND)] * 3
    )
    return _model(found.x, scale)


def _model(logs: Numbers, scale: float) -> SpendModel:
    p, above_one, gamma = np.exp(logs).tolist()
    # The mean of all is finite only where q is above 1.
    return SpendModel(p=p, q=1.0 + above_one, gamma=gamma, scale=scale)
