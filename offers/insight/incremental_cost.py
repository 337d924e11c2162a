"""Say what a further euro of sales has cost.

Layer: rules. Takes: the `Lift` of an arm against its control, and what its redemptions cost.
Gives: a `Kpi`. Without a control nobody knows what would have been bought anyway, so there is no
number then.
"""

from offers.insight.lift import Lift
from offers.model.experiments.estimate import Interval
from offers.model.insight.kpi import Kpi, KpiName, Withheld, missing, told

NAME = KpiName.COST_PER_INCREMENTAL_EURO


def cost_per_incremental_euro(lift: Lift | None, *, cost_minor: int) -> Kpi:
    """Return cost over lift.

    Parameters
    ----------
    lift
        Of the whole treated arm, in minor units of sales; None where there is no experiment.
    cost_minor
        What the redemptions of the treated arm took off baskets, in the same time.
    """
    if lift is None:
        return missing(NAME, Withheld.NO_EXPERIMENT)
    whole = lift.whole
    if whole.low <= 0.0:
        return missing(NAME, Withheld.NO_CLEAR_LIFT)
    # Neither bound is zero: the interval lies above it.
    interval = Interval(low=cost_minor / whole.high, high=cost_minor / whole.low, level=whole.level)
    shoppers = lift.per_shopper.shoppers
    return told(NAME, cost_minor / lift.whole_minor, shoppers=shoppers, interval=interval)
