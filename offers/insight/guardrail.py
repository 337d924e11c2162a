"""Say whether an arm harms a metric that must not get worse.

Layer: rules. Takes: a `Guardrail` and the samples of its metric. Gives: a `GuardrailVerdict` from
an interval that is safe for daily looks, so that harm may stop an experiment on any day.
"""

from dataclasses import dataclass
from enum import Enum

from offers.insight.difference import difference_of
from offers.insight.sequential import TIGHTEST_AT_USUAL, sequential_interval
from offers.model.experiments.estimate import LEVEL_USUAL, Interval, Sample
from offers.model.experiments.experiment import Guardrail, WorseWhen


class GuardrailVerdict(Enum):
    """What the data say so far."""

    HOLDS = "holds"
    """it is worse by less than the margin, or not at all"""
    BROKEN = "broken"
    """it is worse by more than the margin: stop"""
    OPEN = "open"
    """both are possible yet"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailReport:
    """The verdict, and how much worse the metric is per shopper."""

    guardrail: Guardrail
    verdict: GuardrailVerdict
    harm: Interval
    """above zero is worse, whichever direction the metric has"""


def guardrail_report(
    guardrail: Guardrail,
    *,
    treated: Sample,
    control: Sample,
    level: float = LEVEL_USUAL,
    tightest_at: int = TIGHTEST_AT_USUAL,
) -> GuardrailReport:
    """Return whether the margin is kept: non-inferiority by an interval.

    The level is that of one guardrail: of twenty at 95 % one may speak wrongly.
    """
    found = difference_of(treated, control)
    interval = sequential_interval(found, level=level, tightest_at=tightest_at)
    if guardrail.worse_when is WorseWhen.LOWER:
        harm = Interval(low=-interval.high, high=-interval.low, level=level)
    else:
        harm = interval
    return GuardrailReport(guardrail=guardrail, verdict=_verdict(harm, guardrail), harm=harm)


def _verdict(harm: Interval, guardrail: Guardrail) -> GuardrailVerdict:
    if harm.low > guardrail.margin:
        return GuardrailVerdict.BROKEN
    if harm.high <= guardrail.margin:
        return GuardrailVerdict.HOLDS
    return GuardrailVerdict.OPEN
