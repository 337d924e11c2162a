"""Say what an arm has earned in money, against the control, with its error.

Layer: rules. Takes: minor units per shopper of two arms. Gives: `Lift` to reports. Everybody who
was assigned counts, also who never saw an offer: who sees one has chosen to come.
"""

from dataclasses import dataclass

from offers.insight.adjusted import adjusted_of
from offers.insight.difference import difference_of, fixed_interval
from offers.insight.sequential import TIGHTEST_AT_USUAL, sequential_interval
from offers.model.experiments.estimate import LEVEL_USUAL, Estimate, Interval, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """What the treated arm earned more than it would have, had it been the control."""

    treated: str
    control: str
    per_shopper: Estimate
    """in minor units"""
    variance_reduction: float | None
    """by numbers from before the experiment; None where there were none"""
    fixed: Interval
    """minor units per shopper, for one look that was planned"""
    sequential: Interval
    """minor units per shopper, for any number of looks"""
    whole_minor: int
    """of all shoppers of the treated arm together, rounded to the minor unit"""
    whole: Interval
    """in minor units, for any number of looks"""


def lift_of(
    treated: Sample,
    control: Sample,
    *,
    level: float = LEVEL_USUAL,
    tightest_at: int = TIGHTEST_AT_USUAL,
) -> Lift:
    """Return the lift, adjusted for what was known before where both samples tell it.

    It raises `InvalidSample` if the level is none.
    """
    reduction = None
    a, b = treated, control
    if treated.before is not None and control.before is not None:
        adjusted = adjusted_of((treated, control))
        (a, b), reduction = adjusted.samples, adjusted.variance_reduction
    found = difference_of(a, b)
    sequential = sequential_interval(found, level=level, tightest_at=tightest_at)
    shoppers = len(treated.values)
    return Lift(
        treated=treated.arm,
        control=control.arm,
        per_shopper=found,
        variance_reduction=reduction,
        fixed=fixed_interval(found, level=level),
        sequential=sequential,
        whole_minor=round(found.value * shoppers),
        whole=sequential.scaled(shoppers),
    )
