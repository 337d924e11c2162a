"""State what is believed about how rewards follow from features, and how surely.

Layer: nouns. Takes: a model file, or what was learnt from rewards. Gives: `Belief` to Thompson
sampling. A belief is never changed: a reward makes a new one.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from offers.model.errors import InvalidPanel
from offers.model.ranking.panel import Numbers

FEATURES_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Belief:
    """A normal distribution of the weights of a linear model (Agrawal & Goyal 2013).

    Not slotted, since the factor that draws stand on is worked out once and kept.
    """

    features: tuple[str, ...]
    """what each column means, in order"""
    precision: Numbers
    """(d, d): the inverse covariance of the weights"""
    pull: Numbers
    """(d,): the precision times the mean of the weights"""
    noise: float = 0.3
    """the standard deviation of a single reward"""

    def __post_init__(self) -> None:
        d = len(self.features)
        if not 1 <= d <= FEATURES_MAX or len(set(self.features)) != d:
            raise InvalidPanel(
                f"belief.features is {list(self.features)[:5]}…; expected 1 to {FEATURES_MAX} "
                "different names."
            )
        if self.precision.shape != (d, d) or self.pull.shape != (d,):
            raise InvalidPanel(
                f"belief.precision is {self.precision.shape} and pull {self.pull.shape}; expected "
                f"({d}, {d}) and ({d},) for {d} features. Train the model again."
            )
        if not (np.isfinite(self.precision).all() and np.isfinite(self.pull).all()):
            raise InvalidPanel("belief holds numbers that are not finite. Train the model again.")
        if not 0.0 < self.noise < np.inf:
            raise InvalidPanel(f"belief.noise is {self.noise}; expected a number above zero.")
        if not np.allclose(self.precision, self.precision.T):
            raise InvalidPanel("belief.precision is not symmetric. Train the model again.")
        try:
            np.linalg.cholesky(self.precision)
        except np.linalg.LinAlgError as error:
            raise InvalidPanel(
                "belief.precision is not positive definite; expected some certainty in every "
                "direction. Train the model again."
            ) from error

    @cached_property
    def mean(self) -> Numbers:
        """Return the expected weights."""
        return np.asarray(np.linalg.solve(self.precision, self.pull), np.float64)

    @cached_property
    def spread(self) -> Numbers:
        """Return S (d, d) with S Sᵀ the covariance: S times standard normals is a draw."""
        factor = np.linalg.inv(np.linalg.cholesky(self.precision))
        return np.asarray(factor.T, np.float64)


def belief_about(
    features: tuple[str, ...], mean: Numbers, *, sigma: Numbers, noise: float = 0.3
) -> Belief:
    """Return the belief that each weight is its mean, give or take its sigma.

    Raises
    ------
    InvalidPanel
        If a sigma is zero, less, or not finite.
    """
    if not (np.isfinite(sigma).all() and (sigma > 0.0).all()):
        raise InvalidPanel("belief.sigma holds zero or less; expected what each mean may be off.")
    precision = np.diag(1.0 / sigma**2)
    return Belief(features=features, precision=precision, pull=mean / sigma**2, noise=noise)
