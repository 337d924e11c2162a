"""Serve what came of experiments and of the holdout, and take decisions again from the log.

Layer: edges. Takes: requests of campaign staff and operators. Gives: reports and replays of the
key's own site. Everything is read beside the writer, and nothing is written.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from offers.api.auth import SiteDep
from offers.api.experiments.experiment_routes import ExperimentPath
from offers.api.experiments.report_schema import ExperimentReportBody
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body
from offers.api.services import ServicesDep
from offers.handlers.experiments.judge_experiment import judge_experiment, judge_holdout
from offers.handlers.experiments.replay_decision import replay_decision
from offers.handlers.experiments.start_experiment import own_run
from offers.model.experiments.metric import Metric
from offers.model.ids import DecisionId
from offers.ports import UnitOfWork

experiment_report_routes = APIRouter(prefix="/operator", tags=["experiments"])

DecisionPath = Annotated[DecisionId, Path(max_length=128)]


class DecisionReplayBody(Body):
    """Whether a decision comes out as it was logged."""

    is_same: bool
    differs_in: tuple[str, ...] = Field(
        description="members of the record that come out otherwise", examples=[["chosen"]]
    )


@experiment_report_routes.get(
    "/experiments/{experiment}/report",
    operation_id="getExperimentReport",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def get_report(
    experiment: ExperimentPath, site: SiteDep, services: ServicesDep
) -> ExperimentReportBody:
    """Return what the arms came to so far; it may be looked at and acted on any day."""
    now_ms = services.now_ms()

    def look(work: UnitOfWork) -> ExperimentReportBody:
        found = judge_experiment(experiment, site=site, work=work, now_ms=now_ms)
        metric = own_run(experiment, site=site, work=work).experiment.metric
        return ExperimentReportBody.of(found, metric=metric)

    return await services.read(look)


@experiment_report_routes.get(
    "/holdout/report",
    operation_id="getHoldoutReport",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def get_holdout_report(
    site: SiteDep,
    services: ServicesDep,
    metric: Annotated[Metric, Query(description="what is compared")] = Metric.REVENUE,
) -> ExperimentReportBody:
    """Return what all campaigns together came to, against shoppers whom none addresses."""
    now_ms = services.now_ms()

    def look(work: UnitOfWork) -> ExperimentReportBody:
        found = judge_holdout(metric, site=site, work=work, now_ms=now_ms)
        return ExperimentReportBody.of(found, metric=metric.value)

    return await services.read(look)


@experiment_report_routes.get(
    "/decisions/{decision}/replay",
    operation_id="replayDecision",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def replay(
    decision: DecisionPath, site: SiteDep, services: ServicesDep
) -> DecisionReplayBody:
    """Take a decision again from what the log says it stood on; nothing is written."""
    found = await services.read(lambda work: replay_decision(decision, site=site, work=work))
    return DecisionReplayBody(is_same=not found.differs_in, differs_in=found.differs_in)
