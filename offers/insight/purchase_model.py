"""Expect how often a shopper will buy again: BG/NBD.

Layer: rules. Takes: `Buyers`. Gives: a fitted `PurchaseModel` to offers.insight.lifetime_value.

Fader, Hardie & Lee, "'Counting your customers' the easy way", Marketing Science 24 (2005): while
alive a shopper buys at rate λ ~ Gamma(r, α), and after each purchase goes for ever with probability
p ~ Beta(a, b). Equations (6) for the likelihood and (10) for what is to come.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from offers.model.errors import InvalidSample

Numbers = npt.NDArray[np.float64]
RIDGE: Final = 1e-3  # keeps the optimum in sight where the data cannot tell a from b
START: Final = (0.0, 1.0, 0.0, 1.0)
AWAY_FROM_ONE: Final = 1e-6  # at a = 1 the formula is 0 / 0, and its limit is what lies beside it
LOG_BOUND: Final = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyers:
    """What is known of each shopper, in weeks.

    Parameters
    ----------
    repeats
        (n,) Days with a purchase after the first one.
    last_w
        (n,) From the first purchase to the last; 0 without repeats.
    known_w
        (n,) From the first purchase to now.
    """

    repeats: Numbers
    last_w: Numbers
    known_w: Numbers

    def __post_init__(self) -> None:
        shapes = {self.repeats.shape, self.last_w.shape, self.known_w.shape}
        if len(shapes) != 1 or self.repeats.ndim != 1:
            raise InvalidSample(
                f"buyers have the shapes {sorted(shapes)}; expected three columns as long."
            )
        is_right = (self.repeats >= 0) & (self.last_w >= 0) & (self.last_w <= self.known_w)
        if not bool(is_right.all()):
            raise InvalidSample(
                f"buyer {int(np.flatnonzero(~is_right)[0])} bought last after now or before the "
                "first purchase; expected 0 <= last_w <= known_w."
            )

    def rows(self, which: npt.NDArray[np.generic]) -> "Buyers":
        """Return some of the rows."""
        return Buyers(
            repeats=self.repeats[which], last_w=self.last_w[which], known_w=self.known_w[which]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseModel:
    """The four numbers of BG/NBD, by week."""

    r: float
    alpha: float
    a: float
    b: float

    def log_likelihood(self, buyers: Buyers) -> Numbers:
        """Return (n,) ln of how likely each shopper's purchases were."""
        x, known = buyers.repeats, buyers.known_w
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        often = special.gammaln(r + x) - special.gammaln(r) + r * math.log(alpha)
        stays = special.betaln(a, b + x) - special.betaln(a, b)
        alive = stays - (r + x) * np.log(alpha + known)
        # Who has not bought again cannot have gone: one goes after a purchase.
        later = np.maximum(x, 1.0)
        gone = special.betaln(a + 1.0, b + later - 1.0) - special.betaln(a, b)
        gone = gone - (r + x) * np.log(alpha + buyers.last_w)
        together: Numbers = often + np.where(x > 0, np.logaddexp(alive, gone), alive)
        return together

    def expected_repeats(self, buyers: Buyers, weeks: float) -> Numbers:
        """Return (n,) days with a purchase to be expected in the weeks to come."""
        x, known = buyers.repeats, buyers.known_w
        r, alpha, b = self.r, self.alpha, self.b
        a = self.a + AWAY_FROM_ONE if abs(self.a - 1.0) < AWAY_FROM_ONE else self.a
        share = weeks / (alpha + known + weeks)
        series = special.hyp2f1(r + x, b + x, a + b + x - 1.0, share)
        shrunk = np.exp((r + x) * (np.log(alpha + known) - np.log(alpha + known + weeks)))
        expected = (a + b + x - 1.0) / (a - 1.0) * (1.0 - shrunk * series)
        odds = np.exp((r + x) * (np.log(alpha + known) - np.log(alpha + buyers.last_w)))
        is_gone = np.where(x > 0, a / (b + np.maximum(x, 1.0) - 1.0) * odds, 0.0)
        ahead: Numbers = np.maximum(expected / (1.0 + is_gone), 0.0)
        return ahead


def fit_purchases(buyers: Buyers) -> PurchaseModel:
    """Return the model that makes the purchases likeliest; the same for the same data."""
    columns = np.stack([buyers.repeats, buyers.last_w, buyers.known_w])
    distinct, weight = np.unique(columns, axis=1, return_counts=True)
    few = Buyers(repeats=distinct[0], last_w=distinct[1], known_w=distinct[2])
    share = weight / weight.sum()

    # Loaded by who fits: it would take a tenth of each start of the service.
    from scipy import optimize

    def loss(logs: Numbers) -> float:
        found = float(share @ _model(logs).log_likelihood(few))
        return RIDGE * float(logs @ logs) - found

    found = optimize.minimize(
        loss, np.array(START), method="L-BFGS-B", bounds=[(-LOG_BOUND, LOG_BOUND)] * len(START)
    )
    return _model(found.x)


def _model(logs: Numbers) -> PurchaseModel:
    r, alpha, a, b = np.exp(logs).tolist()
    return PurchaseModel(r=r, alpha=alpha, a=a, b=b)
