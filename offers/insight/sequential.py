"""Say what is possible at every look, however often one looks.

Layer: rules. Takes: an `Estimate` of a mean or of a difference of means. Gives: an `Interval` that
holds at all looks together, so that a test may be stopped on any day.

Asymptotic confidence sequence by the mixture of normals: Waudby-Smith, Arbour, Sinha, Kennedy &
Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", Annals of
Statistics 52 (2024), equation (5) and appendix B.2 for how to tune it; the mixture is Robbins'
(Annals of Mathematical Statistics 41, 1970).
"""

import math
from typing import Final

from offers.model.errors import InvalidSample
from offers.model.experiments.estimate import LEVEL_USUAL, Estimate, Interval, check_level

SHOPPERS_MIN: Final = 200
"""before that many the sequence claims nothing: its law of large numbers has not begun"""
TIGHTEST_AT_USUAL: Final = 5_000
"""shoppers at which the interval is as tight as it can be; fix it before the first look"""


def sequential_interval(
    estimate: Estimate, *, level: float = LEVEL_USUAL, tightest_at: int = TIGHTEST_AT_USUAL
) -> Interval:
    """Return the interval of this look; the truth lies in those of all looks at the given level.

    With n shoppers, standard error s and α = 1 − level it reaches
    s · √(2 (n ρ² + 1) / (n ρ²) · ln(√(n ρ² + 1) / α)) to both sides.

    Parameters
    ----------
    estimate
        What is known at this look, of all shoppers so far.
    level
        How often the whole sequence must hold.
    tightest_at
        The number of shoppers that decides ρ. It must not be chosen after having looked.

    It raises `InvalidSample` if the level is none or ``tightest_at`` is not above zero.

    Examples
    --------
    >>> found = Estimate(value=5.0, standard_error=1.0, degrees_of_freedom=998, shoppers=5_000)
    >>> round(sequential_interval(found).low, 2)
    1.96
    """
    check_level(level)
    if estimate.shoppers < SHOPPERS_MIN:
        return Interval(low=-math.inf, high=math.inf, level=level)
    times = reach_in_standard_errors(estimate.shoppers, level=level, tightest_at=tightest_at)
    reach = times * estimate.standard_error
    return Interval(low=estimate.value - reach, high=estimate.value + reach, level=level)


def reach_in_standard_errors(shoppers: int, *, level: float, tightest_at: int) -> float:
    """Return how many standard errors the interval reaches to each side at a look.

    Raises
    ------
    InvalidSample
        If ``tightest_at`` is not above zero.
    """
    if tightest_at < 1:
        raise InvalidSample(
            f"tightest_at is {tightest_at}; expected 1 or more. Give the number of shoppers that "
            "the experiment is planned for."
        )
    alpha = 1.0 - level
    spent = -2.0 * math.log(alpha)
    rho_squared = (spent + math.log(spent + 1.0)) / tightest_at
    ahead = shoppers * rho_squared
    return math.sqrt(2.0 * (ahead + 1.0) / ahead * math.log(math.sqrt(ahead + 1.0) / alpha))
