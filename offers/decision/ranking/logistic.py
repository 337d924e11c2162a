"""Fit a logistic regression by damped Newton steps.

Layer: rules. Takes: rows, truths, weights. Gives: a `Logistic` to scorers. It is the plain model
that everything cleverer is blended with: on few examples it errs least.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from offers.model.errors import InvalidPanel
from offers.model.ranking.panel import Numbers

STEPS_MAX: Final = 60
HALVINGS_MAX: Final = 12
STILL: Final = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """Weights of standardised columns."""

    middle: Numbers
    scale: Numbers
    weights: Numbers
    """the constant first"""

    def __post_init__(self) -> None:
        width = len(self.middle)
        if len(self.scale) != width or len(self.weights) != width + 1:
            raise InvalidPanel(
                f"the regression has {width} middles, {len(self.scale)} scales and "
                f"{len(self.weights)} weights; expected one of each a column and a constant. "
                "Train the model again."
            )

    def scores(self, x: Numbers) -> Numbers:
        """Return the log-odds of each row of ``x``."""
        scores: Numbers = self.weights[0] + ((x - self.middle) / self.scale) @ self.weights[1:]
        return scores


def fit_logistic(x: Numbers, truth: Numbers, *, weight: Numbers | None, shrink: float) -> Logistic:
    """Return the regression of ``truth`` on the columns of ``x``.

    Parameters
    ----------
    x
        (n, d), finite.
    truth
        (n,): 0 or 1.
    weight
        (n,): how many examples a row stands for; None: one.
    shrink
        The precision of the belief that a weight is zero.
    """
    w = np.ones(len(x)) if weight is None else weight
    middle, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > STILL, scale, 1.0)
    z = np.column_stack([np.ones(len(x)), (x - middle) / scale])
    ridge = np.full(z.shape[1], shrink)
    ridge[0] = STILL
    b = np.zeros(z.shape[1])
    share = (np.sum(w * truth) + 0.5) / (np.sum(w) + 1.0)
    b[0] = np.log(share / (1.0 - share))
    loss = _loss(z, truth, w, ridge, b)
    for _ in range(STEPS_MAX):
        step = _newton_step(z, truth, w, ridge, b)
        # Far from the optimum a full step can overshoot for ever: halve it until it helps.
        for _ in range(HALVINGS_MAX):
            tried = _loss(z, truth, w, ridge, b - step)
            if tried <= loss:
                break
            step = step / 2.0
        else:
            break
        gain, b, loss = loss - tried, b - step, tried
        if gain < STILL * (1.0 + abs(loss)):
            break
    return Logistic(middle=middle, scale=scale, weights=b)


def chance(log_odds: Numbers) -> Numbers:
    """Return the probability of log-odds."""
    p: Numbers = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -40.0, 40.0)))
    return p


def _loss(z: Numbers, truth: Numbers, w: Numbers, ridge: Numbers, b: Numbers) -> float:
    s = z @ b
    return float(np.sum(w * (np.logaddexp(0.0, s) - truth * s)) + 0.5 * np.sum(ridge * b * b))


def _newton_step(z: Numbers, truth: Numbers, w: Numbers, ridge: Numbers, b: Numbers) -> Numbers:
    p = chance(z @ b)
    slope = z.T @ (w * (p - truth)) + ridge * b
    curve = (z * (w * p * (1.0 - p))[:, None]).T @ z + np.diag(ridge + STILL)
    return np.asarray(np.linalg.solve(curve, slope), np.float64)
