"""Say how a report of an experiment is written.

Layer: edges. Takes: an `ExperimentReport`. Gives: bodies to the report routes, and their schemas to
the OpenAPI document. What is unbounded, because too few shoppers were assigned, is null.
"""

import math

from pydantic import Field

from offers.api.schema import Body
from offers.insight.experiment_report import (
    Advice,
    ArmFigures,
    EffectFigures,
    ExperimentReport,
    GuardrailFigures,
)
from offers.insight.guardrail import GuardrailVerdict
from offers.insight.lift import Lift
from offers.insight.sample_ratio import SampleRatio
from offers.model.experiments.estimate import Interval

ADVICE_WORDS: dict[Advice, str] = {
    Advice.REPAIR_SPLIT: "The arms have not the sizes that were planned. Something loses shoppers: "
    "find it, and believe no other number.",
    Advice.STOP: "A guardrail is surely broken. Stop the experiment.",
    Advice.WAIT: "Too few shoppers to say anything yet.",
    Advice.BETTER: "An arm surely earns more than the control. It may be adopted today.",
    Advice.WORSE: "An arm surely earns less than the control, and none more.",
    Advice.OPEN: "Both better and worse are possible yet. Go on until the planned end.",
}


class BoundsBody(Body):
    """What the data leave possible; null: without bound, since too few were assigned."""

    low: float | None
    high: float | None
    level: float = Field(examples=[0.95])

    @classmethod
    def of(cls, interval: Interval) -> "BoundsBody":
        """Render an interval."""
        return cls(low=_finite(interval.low), high=_finite(interval.high), level=interval.level)


class ArmBody(Body):
    """An arm; the first is the control."""

    arm: str = Field(examples=["five"])
    share: float = Field(description="what was planned", examples=[0.5])
    shoppers: int = Field(description="assigned so far, whether or not they bought")
    mean: float | None = Field(description="of the metric, per shopper")

    @classmethod
    def of(cls, arm: ArmFigures) -> "ArmBody":
        """Render an arm."""
        return cls(arm=arm.name, share=arm.share, shoppers=arm.shoppers, mean=arm.mean)


class SampleRatioBody(Body):
    """How well the sizes of the arms fit the plan."""

    chi_square: float
    p_value: float = Field(description="for a single look; the alarm holds for any number")
    is_alarm: bool

    @classmethod
    def of(cls, ratio: SampleRatio) -> "SampleRatioBody":
        """Render a sample ratio."""
        return cls(chi_square=ratio.chi_square, p_value=ratio.p_value, is_alarm=ratio.is_alarm)


class LiftBody(Body):
    """What an arm earned more than it would have, had it been the control."""

    arm: str
    control: str
    per_shopper: float = Field(
        description="in the unit of the metric: minor units of money, pieces"
    )
    standard_error: float
    variance_reduction: float | None = Field(
        description="taken out by what shoppers did before (CUPED); null: nothing was known"
    )
    fixed: BoundsBody = Field(description="per shopper, for one look that was planned")
    sequential: BoundsBody = Field(description="per shopper, for any number of looks")
    whole: int = Field(description="of all shoppers of the arm together")
    whole_interval: BoundsBody = Field(description="of `whole`, for any number of looks")

    @classmethod
    def of(cls, lift: Lift) -> "LiftBody":
        """Render a lift."""
        return cls(
            arm=lift.treated,
            control=lift.control,
            per_shopper=lift.per_shopper.value,
            standard_error=lift.per_shopper.standard_error,
            variance_reduction=lift.variance_reduction,
            fixed=BoundsBody.of(lift.fixed),
            sequential=BoundsBody.of(lift.sequential),
            whole=lift.whole_minor,
            whole_interval=BoundsBody.of(lift.whole),
        )


class GuardrailBody(Body):
    """Whether an arm harms a metric that must not get worse."""

    arm: str
    metric: str
    margin: float
    verdict: GuardrailVerdict
    harm: BoundsBody = Field(description="per shopper; above zero is worse")

    @classmethod
    def of(cls, figures: GuardrailFigures) -> "GuardrailBody":
        """Render a guardrail."""
        guardrail = figures.report.guardrail
        return cls(
            arm=figures.arm,
            metric=guardrail.metric,
            margin=guardrail.margin,
            verdict=figures.report.verdict,
            harm=BoundsBody.of(figures.report.harm),
        )


class EffectBody(Body):
    """What a level does on average, or two levels together beyond the sum of both."""

    levels: dict[str, str] = Field(examples=[{"offer": "five"}])
    per_shopper: float
    sequential: BoundsBody

    @classmethod
    def of(cls, figures: EffectFigures) -> "EffectBody":
        """Render an effect."""
        return cls(
            levels=dict(figures.effect.levels),
            per_shopper=figures.effect.estimate.value,
            sequential=BoundsBody.of(figures.sequential),
        )


class ExperimentReportBody(Body):
    """What can be said today, the most important first."""

    advice: Advice
    in_words: str
    metric: str = Field(examples=["revenue-minor"])
    arms: tuple[ArmBody, ...]
    sample_ratio: SampleRatioBody | None
    lifts: tuple[LiftBody, ...]
    guardrails: tuple[GuardrailBody, ...]
    effects: tuple[EffectBody, ...] = Field(description="of designs with several factors")
    is_cut: bool = Field(description="whether only those assigned first were looked at")

    @classmethod
    def of(cls, report: ExperimentReport, *, metric: str) -> "ExperimentReportBody":
        """Render a report."""
        ratio = report.ratio
        return cls(
            advice=report.advice,
            in_words=ADVICE_WORDS[report.advice],
            metric=metric,
            arms=tuple(map(ArmBody.of, report.arms)),
            sample_ratio=None if ratio is None else SampleRatioBody.of(ratio),
            lifts=tuple(map(LiftBody.of, report.lifts)),
            guardrails=tuple(map(GuardrailBody.of, report.guardrails)),
            effects=tuple(map(EffectBody.of, report.effects)),
            is_cut=report.is_cut,
        )


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
