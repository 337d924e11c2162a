"""Judge an experiment, or the global holdout, as it stands today.

Layer: rules. Takes: `Outcomes` of its metric and of its guardrails. Gives: an `ExperimentReport`
with the one thing to do next. First the split is looked at, then the guardrails, then the lift: a
split that is off makes every other number worthless. All verdicts hold at any number of looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from offers.insight.adjusted import adjusted_of
from offers.insight.factorial import Effect, interactions, main_effects
from offers.insight.guardrail import GuardrailReport, GuardrailVerdict, guardrail_report
from offers.insight.lift import Lift, lift_of
from offers.insight.sample_ratio import SampleRatio, sample_ratio
from offers.insight.sequential import SHOPPERS_MIN, sequential_interval
from offers.model.experiments.estimate import Interval, Sample
from offers.model.experiments.experiment import Experiment, Guardrail
from offers.model.experiments.outcomes import Outcomes


class Advice(StrEnum):
    """What follows from the numbers."""

    REPAIR_SPLIT = "repair_split"
    """the arms have not the sizes that were planned: find what loses shoppers, believe no number"""
    STOP = "stop"
    """a guardrail is surely broken"""
    WAIT = "wait"
    """too few shoppers to say anything"""
    BETTER = "better"
    """an arm surely earns more than the control"""
    WORSE = "worse"
    """none does, and one surely earns less"""
    OPEN = "open"
    """both are possible yet"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFigures:
    """One arm; the first is the control."""

    name: str
    share: float
    """what was planned"""
    shoppers: int
    mean: float | None
    """of the metric, per shopper; None: nobody was assigned"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailFigures:
    """What an arm does to a metric that must not get worse."""

    arm: str
    report: GuardrailReport


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectFigures:
    """What levels do on their own or together, and what is possible at any look."""

    effect: Effect
    sequential: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentReport:
    """Everything that can be said today."""

    advice: Advice
    arms: tuple[ArmFigures, ...]
    ratio: SampleRatio | None
    """None: nobody was assigned"""
    lifts: tuple[Lift, ...]
    """of each arm against the control, where both have two shoppers or more"""
    guardrails: tuple[GuardrailFigures, ...]
    effects: tuple[EffectFigures, ...]
    """of designs with several factors"""
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The arms as they were planned."""

    names: tuple[str, ...]
    shares: tuple[float, ...]


def plan_of(experiment: Experiment) -> Plan:
    """Return the arms of an experiment: all get the same share."""
    arms = experiment.arms
    return Plan(names=tuple(arm.name for arm in arms), shares=(1.0 / len(arms),) * len(arms))


def experiment_report(
    plan: Plan,
    outcomes: Outcomes,
    *,
    guardrails: Sequence[tuple[Guardrail, Outcomes]] = (),
    experiment: Experiment | None = None,
) -> ExperimentReport:
    """Return what can be said.

    Parameters
    ----------
    plan
        The arms, the control first.
    outcomes
        The metric that the arms are judged by.
    guardrails
        Each with the outcomes of its metric.
    experiment
        For the effects of factors; None: there are none, as in the global holdout.
    """
    arms = _arms(plan, outcomes)
    samples = _samples(plan, outcomes)
    has_any = any(arm.shoppers for arm in arms)
    ratio = sample_ratio([arm.shoppers for arm in arms], plan.shares) if has_any else None
    control = samples[0]
    treated = [sample for sample in samples[1:] if sample is not None]
    lifts = tuple(lift_of(sample, control) for sample in treated) if control is not None else ()
    held = tuple(
        figures
        for guardrail, of_metric in guardrails
        for figures in _guarded(guardrail, plan, of_metric)
    )
    return ExperimentReport(
        advice=_advice(ratio, held, lifts),
        arms=arms,
        ratio=ratio,
        lifts=lifts,
        guardrails=held,
        effects=() if experiment is None else _effects(experiment, samples),
        is_cut=outcomes.is_cut,
    )


def _arms(plan: Plan, outcomes: Outcomes) -> tuple[ArmFigures, ...]:
    counts = outcomes.counts(len(plan.names))
    return tuple(
        ArmFigures(
            name=name,
            share=share,
            shoppers=counts[number],
            mean=float(outcomes.value[outcomes.arm == number].mean()) if counts[number] else None,
        )
        for number, (name, share) in enumerate(zip(plan.names, plan.shares, strict=True))
    )


def _samples(plan: Plan, outcomes: Outcomes) -> list[Sample | None]:
    return [outcomes.sample(number, name) for number, name in enumerate(plan.names)]


def _guarded(guardrail: Guardrail, plan: Plan, outcomes: Outcomes) -> list[GuardrailFigures]:
    control, *others = _samples(plan, outcomes)
    if control is None:
        return []
    figures = []
    for sample in others:
        if sample is not None:
            # What was known before is taken out here as well: harm is found in half the time.
            treated, calm = adjusted_of((sample, control)).samples
            report = guardrail_report(guardrail, treated=treated, control=calm)
            figures.append(GuardrailFigures(arm=sample.arm, report=report))
    return figures


def _effects(experiment: Experiment, samples: Sequence[Sample | None]) -> tuple[EffectFigures, ...]:
    known = {sample.arm: sample for sample in samples if sample is not None}
    if len(experiment.factors) == 1 or len(known) < len(samples):
        return ()  # one factor: its lifts say it; an empty arm: no effect can be told from others
    effects = (*main_effects(experiment, known), *interactions(experiment, known))
    return tuple(
        EffectFigures(effect=effect, sequential=sequential_interval(effect.estimate))
        for effect in effects
    )


def _advice(
    ratio: SampleRatio | None, guardrails: Sequence[GuardrailFigures], lifts: Sequence[Lift]
) -> Advice:
    if ratio is not None and ratio.is_alarm:
        return Advice.REPAIR_SPLIT
    if any(one.report.verdict is GuardrailVerdict.BROKEN for one in guardrails):
        return Advice.STOP
    if not any(lift.per_shopper.shoppers >= SHOPPERS_MIN for lift in lifts):
        return Advice.WAIT
    if any(lift.sequential.low > 0.0 for lift in lifts):
        return Advice.BETTER
    return Advice.WORSE if any(lift.sequential.high < 0.0 for lift in lifts) else Advice.OPEN
