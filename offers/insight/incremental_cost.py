"""Say what a further euro of sales has cost.

Layer: rules. Takes: the `Lift` of an arm against its control, and what its redemptions cost.
Gives: a `Kpi`. Without a control nobody knows what would have been bought anyway, so there is no
number then.
"""

from dataclasses import dataclass

from offers.insight.lift import Lift
from offers.model.experiments.estimate import Interval
from offers.model.insight.kpi import Kpi, KpiName, Withheld, missing, told

NAME = KpiName.COST_PER_INCREMENTAL_EURO


@dataclass(frozen=True, slots=True, kw_only=True)
class Controlled:
    """What an arm has brought and cost against its control, in the same time."""

    sales: Lift
    cost_minor: int
    """what discounts took off the baskets of the arm, beyond those of its control"""
    is_split_off: bool = False
    """whether the arms have not the sizes that were planned: then no number can be believed"""


def cost_per_incremental_euro(found: Controlled | None) -> Kpi:
    """Return cost over lift; the reason why there is none without a control."""
    if found is None:
        return missing(NAME, Withheld.NO_EXPERIMENT)
    if found.is_split_off:
        return missing(NAME, Withheld.SPLIT_IS_OFF)
    lift, cost_minor = found.sales, found.cost_minor
    whole = lift.whole
    if whole.low <= 0.0:
        return missing(NAME, Withheld.NO_CLEAR_LIFT)
    # Neither bound is zero: the interval lies above it.
    interval = Interval(low=cost_minor / whole.high, high=cost_minor / whole.low, level=whole.level)
    shoppers = lift.per_shopper.shoppers
    return told(NAME, cost_minor / lift.whole_minor, shoppers=shoppers, interval=interval)
