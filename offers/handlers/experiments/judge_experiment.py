"""Judge an experiment or the global holdout by what its shoppers did.

Layer: flow. Takes: an experiment of the site, the time. Gives: an `ExperimentReport` to
merchandisers and to other reports. What shoppers did in the days before they were assigned takes
noise out of what they did after it.
"""

from typing import Final

from offers.handlers.experiments.start_experiment import own_run, settings_of
from offers.insight.experiment_report import (
    ExperimentReport,
    Plan,
    experiment_report,
    plan_of,
)
from offers.model.conditions.fact import DAY_MS
from offers.model.errors import InvalidExperiment, NotFound
from offers.model.experiments.experiment_run import HOLDOUT
from offers.model.experiments.metric import Metric, metric_of
from offers.model.experiments.outcomes import Design, Outcomes
from offers.model.ids import ExperimentId
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs

BEFORE_DAYS: Final = 90
SHOPPERS_MAX: Final = 100_000
"""those assigned first; more would say the same more slowly"""
PER_MILLE: Final = 1_000


def judge_experiment(
    experiment: ExperimentId, *, site: SiteId, work: UnitOfWork, now_ms: UnixMs
) -> ExperimentReport:
    """Return what the arms of an experiment came to so far; `NotFound` if it is not the site's."""
    run = own_run(experiment, site=site, work=work)
    design = Design(site=site, experiment=experiment, salt=run.experiment.salt)
    until_ms = min(now_ms, run.ends_at_ms)

    def counted(name: str) -> Outcomes:
        metric = metric_of("metric", name)
        return outcomes_of(design, metric, until_ms=until_ms, work=work)

    return experiment_report(
        plan_of(run.experiment),
        counted(run.experiment.metric),
        guardrails=[(rail, counted(rail.metric)) for rail in run.experiment.guardrails],
        experiment=run.experiment,
    )


def judge_holdout(
    metric: Metric, *, site: SiteId, work: UnitOfWork, now_ms: UnixMs
) -> ExperimentReport:
    """Return what all campaigns together came to, against those whom none addresses.

    It raises `InvalidExperiment` where the metric is a margin that the programme does not tell.

    Raises
    ------
    NotFound
        If the site holds nobody out.
    """
    holdout = settings_of(site, work=work).holdout
    if holdout is None or not holdout.per_mille:
        raise NotFound(
            "no holdout is in force; expected settings.holdout in the programme of the key's site."
        )
    design = Design(site=site, experiment=HOLDOUT, salt=holdout.salt)
    share = holdout.per_mille / PER_MILLE
    return experiment_report(
        Plan(names=("held-out", "addressed"), shares=(share, 1.0 - share)),
        outcomes_of(design, metric, until_ms=now_ms, work=work),
    )


def outcomes_of(design: Design, metric: Metric, *, until_ms: UnixMs, work: UnitOfWork) -> Outcomes:
    """Return what everybody of a design did.

    Raises
    ------
    InvalidExperiment
        If the metric is a margin that the programme does not tell any more.
    """
    margin = settings_of(design.site, work=work).margin_per_mille
    if metric is Metric.MARGIN and margin is None:
        raise InvalidExperiment(
            f"metric is {metric.value!r}, but the programme does not tell what is kept of a price; "
            "expected settings.margin_per_mille there. Set it again."
        )
    return work.outcomes.of_design(
        design,
        metric,
        margin_per_mille=margin or 0,
        before_ms=BEFORE_DAYS * DAY_MS,
        until_ms=until_ms,
        limit=SHOPPERS_MAX,
    )
