"""Say what one arm earns more than another for each shopper, and how surely.

Layer: rules. Takes: `Sample`s. Gives: an `Estimate`; `fixed_interval` for a single look at an end
that was planned. Who looks every day takes `offers.insight.sequential` instead.
"""

import math

from scipy import special

from offers.model.experiments.estimate import (
    LEVEL_USUAL,
    Estimate,
    Interval,
    Numbers,
    Sample,
    check_level,
)


def mean_of(values: Numbers) -> Estimate:
    """Return the mean of a column and its standard error."""
    n = len(values)
    return Estimate(
        value=float(values.mean()),
        standard_error=float(values.std(ddof=1)) / math.sqrt(n),
        degrees_of_freedom=n - 1,
        shoppers=n,
    )


def difference_of(treated: Sample, control: Sample) -> Estimate:
    """Return mean of the treated minus mean of the control (Welch, Biometrika 34, 1947).

    The arms may differ in size and in spread.
    """
    a, b = mean_of(treated.values), mean_of(control.values)
    variance_a, variance_b = a.standard_error**2, b.standard_error**2
    variance = variance_a + variance_b
    split = variance_a**2 / a.degrees_of_freedom + variance_b**2 / b.degrees_of_freedom
    return Estimate(
        value=a.value - b.value,
        standard_error=math.sqrt(variance),
        degrees_of_freedom=variance**2 / split if split else a.degrees_of_freedom,
        shoppers=a.shoppers + b.shoppers,
    )


def fixed_interval(estimate: Estimate, *, level: float = LEVEL_USUAL) -> Interval:
    """Return Student's interval. It holds for one look that was planned beforehand, no more.

    Examples
    --------
    >>> found = Estimate(value=5.0, standard_error=1.0, degrees_of_freedom=1e6, shoppers=99)
    >>> round(fixed_interval(found).low, 2)
    3.04
    """
    check_level(level)
    quantile = float(special.stdtrit(estimate.degrees_of_freedom, 0.5 + level / 2.0))
    reach = quantile * estimate.standard_error
    return Interval(low=estimate.value - reach, high=estimate.value + reach, level=level)
