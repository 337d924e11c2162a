"""Plainly right twins of the key figures: loops over receipts and offers, and integrals.

Nothing here is rounded or withheld; the tests do that to both sides.
"""

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from scipy import integrate, stats


@dataclass(frozen=True)
class Receipt:
    """One receipt; `shopper` is below 0 where nobody may be followed."""

    shopper: int
    day: int
    paid_minor: int
    segment: int = -1


@dataclass(frozen=True)
class Made:
    """One offer and how far it came."""

    shopper: int
    day: int
    zone: int
    has_coupon: bool = True
    is_seen: bool = False
    is_redeemed: bool = False
    is_bought: bool = False


def figures(now: list[Receipt], before: list[Receipt]) -> dict[str, tuple[float, int]]:
    """Each figure and how many shoppers stand behind it; what divides by zero is not there."""
    days: defaultdict[int, set[int]] = defaultdict(set)
    count: defaultdict[int, int] = defaultdict(int)
    for one in now:
        if one.shopper >= 0:
            days[one.shopper].add(one.day)
            count[one.shopper] += 1
    earlier = {one.shopper for one in before if one.shopper >= 0}
    found: dict[str, tuple[float, int]] = {}
    if earlier:
        stayed = sum(1 for shopper in earlier if shopper in days)
        found["retention"] = (stayed / len(earlier), len(earlier))
    if days:
        again = sum(1 for shopper in days if len(days[shopper]) >= 2)
        found["repeat_rate"] = (again / len(days), len(days))
        found["purchase_frequency"] = (sum(count.values()) / len(days), len(days))
    if now:
        behind = len({one.shopper for one in now})
        found["mean_basket"] = (sum(one.paid_minor for one in now) / len(now), behind)
    return found


def funnel(offers: list[Made]) -> list[int]:
    """Offered, seen, redeemed, purchased: each shopper once for a zone and a day."""
    placed = [one for one in offers if one.zone >= 0]
    return [
        len({(one.shopper, one.zone, one.day) for one in placed if chosen(one)})
        for chosen in (
            lambda _: True,
            lambda one: one.is_seen,
            lambda one: one.is_redeemed,
            lambda one: one.is_bought,
        )
    ]


def repeats_to_come(
    model: tuple[float, float, float, float],
    seen: tuple[int, float, float],
    weeks: float,
) -> tuple[float, float]:
    """Ln of the likelihood of a shopper, and what is to come, by two integrals over λ and p."""
    (r, alpha, a, b), (x, last_w, known_w) = model, seen
    nodes, weights = np.polynomial.legendre.leggauss(300)
    shares, weights = (nodes + 1) / 2, weights / 2
    # Both priors are drawn by their quantiles, so that the square is from 0 to 1.
    rate = stats.gamma(r, scale=1 / alpha).ppf(shares)[:, None]
    leaves = stats.beta(a, b).ppf(shares)[None, :]
    alive = (1 - leaves) ** x * rate**x * np.exp(-rate * known_w)
    gone = leaves * (1 - leaves) ** (x - 1) * rate**x * np.exp(-rate * last_w) if x else 0.0
    ahead = alive * (1 - np.exp(-rate * leaves * weeks)) / leaves
    whole = float(weights @ (alive + gone) @ weights)
    return math.log(whole), float(weights @ ahead @ weights) / whole


def spend_to_come(model: tuple[float, float, float], days: int, mean: float) -> tuple[float, float]:
    """Ln of the density of a mean, and the mean to come, by an integral over the rate ν."""
    p, q, gamma = model
    rates = stats.gamma(q, scale=1 / gamma)

    def density(rate: float) -> float:
        return float(stats.gamma(p * days, scale=1 / (rate * days)).pdf(mean) * rates.pdf(rate))

    whole, _ = integrate.quad(density, 0, np.inf, epsabs=1e-12)
    ahead, _ = integrate.quad(lambda rate: density(rate) * p / rate, 0, np.inf, epsabs=1e-12)
    return math.log(whole), ahead / whole


def oddness(known: list[float], value: float) -> float:
    """How odd a value is beside those before it, as a normal deviate."""
    count, before = len(known), np.array(known)
    spread = float(before.std(ddof=1)) * math.sqrt((count + 1) / count)
    share = stats.t.cdf((value - float(before.mean())) / spread, count - 1)
    return float(stats.norm.ppf(share))


def first_alarm(
    values: list[float], *, learnt: int, slack: float, limit: float, odd_max: float
) -> tuple[str, int] | None:
    """The self-starting CUSUM of a series, each week judged from scratch."""
    up = down = 0.0
    for place in range(learnt, len(values)):
        odd = min(max(oddness(values[:place], values[place]), -odd_max), odd_max)
        up, down = max(up + odd - slack, 0.0), max(down - odd - slack, 0.0)
        if up > limit:
            return "up", place
        if down > limit:
            return "down", place
    return None
