"""Choose one candidate while learning, and say how likely each of them was.

Layer: rules. Takes: a `Belief`, the features of all candidates, and a seed made of the decision's
id. Gives: scores and propensities of all, the index of the chosen one, beliefs that have learnt.
The propensities are fixed first and the choice is drawn from them, so they are true, not estimated:
what was logged can be weighed honestly (inverse propensity) years later.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from offers.model.errors import InvalidPanel
from offers.model.ranking.belief import Belief
from offers.model.ranking.panel import Numbers

DRAWS: Final = 256
CHANCE_LEFT: Final = 0.02
"""shared among all candidates, so that none is ever impossible"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One choice among candidates, with all that is logged of it."""

    index: int
    scores: Numbers
    """(n,): the expected reward of each"""
    propensities: Numbers
    """(n,): the probability with which each was drawn; their sum is 1"""


def choose(belief: Belief, x: Numbers, *, seed: str, chance_left: float = CHANCE_LEFT) -> Chosen:
    """Draw one of the candidates by linear Thompson sampling.

    Parameters
    ----------
    belief
        What the rewards seen so far say.
    x
        (n, d): the features of each candidate, in the order of the belief.
    seed
        The id of the decision; the same id and candidates give the same choice, bit for bit.
    chance_left
        The probability that is shared among all candidates, whatever the belief says.

    It raises `InvalidPanel` if there is no candidate, a feature is missing or not finite, or the
    chance is no probability.

    Examples
    --------
    >>> from offers.model.ranking.belief import belief_about
    >>> sure = belief_about(("popularity",), np.array([1.0]), sigma=np.array([1e-6]))
    >>> chosen = choose(sure, np.array([[0.1], [0.9]]), seed="an id", chance_left=0.1)
    >>> chosen.propensities
    array([0.05, 0.95])
    """
    _check(belief, x, chance_left)
    p = propensities(belief, x, seed=seed, chance_left=chance_left)
    return Chosen(index=drawn_by(p, seed=seed), scores=x @ belief.mean, propensities=p)


def propensities(belief: Belief, x: Numbers, *, seed: str, chance_left: float) -> Numbers:
    """Return how often each candidate is the best of a draw of weights, and a little for all.

    x : (n, d).
    """
    standard = _generator(seed, "weights").standard_normal((len(belief.features), DRAWS))
    score: Numbers = (x @ belief.mean)[:, None] + (x @ belief.spread) @ standard
    won: Numbers = np.bincount(np.argmax(score, axis=0), minlength=len(x)) / DRAWS
    # Equal candidates win equally often: whoever stands first must not profit from it.
    mixed = (1.0 - chance_left) * _shared_among_equals(won, x) + chance_left / len(x)
    whole: Numbers = mixed / mixed.sum()
    return whole


def drawn_by(probabilities: Numbers, *, seed: str) -> int:
    """Return an index, drawn with the given probabilities by what the seed says."""
    at = _generator(seed, "choice").random() * float(probabilities.sum())
    index = int(np.searchsorted(np.cumsum(probabilities), at, side="right"))
    return min(index, len(probabilities) - 1)


def learnt(belief: Belief, x: Numbers, rewards: Numbers) -> Belief:
    """Return the belief after rewards of chosen candidates; their order does not matter.

    x : (n, d), rewards : (n,).
    """
    weight = belief.noise**-2
    return Belief(
        features=belief.features,
        precision=belief.precision + weight * (x.T @ x),
        pull=belief.pull + weight * (x.T @ rewards),
        noise=belief.noise,
    )


def _shared_among_equals(won: Numbers, x: Numbers) -> Numbers:
    _, group = np.unique(x, axis=0, return_inverse=True)
    if int(group.max()) + 1 == len(x):
        return won
    shared: Numbers = (np.bincount(group, won) / np.bincount(group))[group]
    return shared


def _generator(seed: str, purpose: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{purpose}:{seed}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16])))


def _check(belief: Belief, x: Numbers, chance_left: float) -> None:
    if x.ndim != 2 or not len(x) or x.shape[1] != len(belief.features):  # noqa: PLR2004
        raise InvalidPanel(
            f"candidates have the shape {x.shape}; expected one row or more of "
            f"{len(belief.features)} features: {', '.join(belief.features)}."
        )
    if not np.isfinite(x).all():
        row, column = (int(at) for at in np.argwhere(~np.isfinite(x))[0])
        raise InvalidPanel(
            f"candidate {row} has {belief.features[column]} {x[row, column]}; expected a finite "
            "number. Give 0 for what is not known."
        )
    if not 0.0 < chance_left <= 1.0:
        raise InvalidPanel(
            f"chance_left is {chance_left}; expected above 0 and at most 1. Without it a candidate "
            "may be impossible, and nothing can be learnt about it from the log."
        )
