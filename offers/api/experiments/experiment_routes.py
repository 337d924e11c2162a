"""Serve who tries things out: start an experiment, revise it, read it, stop it.

Layer: edges. Takes: requests of campaign staff. Gives: the experiments of the key's own site. A
document carries the number of its revision, one more than the one that was read: of two people who
edit at once the second is refused.
"""

from dataclasses import replace
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, status
from fastapi import Body as RequestBody
from pydantic import JsonValue

from offers.api.auth import CallerDep, SiteDep
from offers.api.experiments.experiment_schema import EXAMPLE, ExperimentBody, ExperimentsBody
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import ServicesDep
from offers.handlers.experiments.start_experiment import (
    own_run,
    start_experiment,
    stop_experiment,
)
from offers.handlers.note_audit import note_audit
from offers.model.audit import Actor, AuditAction
from offers.model.errors import InvalidExperiment, NotFound
from offers.model.experiments.experiment import Experiment
from offers.model.experiments.experiment_json import parse_experiment
from offers.model.experiments.experiment_run import ExperimentRun
from offers.model.ids import ExperimentId
from offers.model.people.shopper import Credential
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

EXPERIMENTS_MAX: Final = 200

experiment_routes = APIRouter(prefix="/operator/experiments", tags=["experiments"])

ExperimentPath = Annotated[ExperimentId, Path(max_length=63, examples=["shelf-coffee"])]
NumberPath = Annotated[int, Path(ge=1, le=10**9, examples=[1])]
Document = Annotated[dict[str, JsonValue], RequestBody(examples=[EXAMPLE])]


@experiment_routes.get("", operation_id="getExperiments", responses=problems())
async def get_experiments(site: SiteDep, services: ServicesDep) -> ExperimentsBody:
    """Return the newest experiments of the site."""
    now_ms = services.now_ms()
    found = await services.read(lambda work: work.experiments.of_site(site, limit=EXPERIMENTS_MAX))
    return ExperimentsBody(
        experiments=tuple(ExperimentBody.of(run, now_ms=now_ms) for run in found)
    )


@experiment_routes.get(
    "/{experiment}", operation_id="getExperiment", responses=problems(ProblemCode.NOT_FOUND)
)
async def get_experiment(
    experiment: ExperimentPath, site: SiteDep, services: ServicesDep
) -> ExperimentBody:
    """Return an experiment with its current revision."""
    found = await services.read(lambda work: own_run(experiment, site=site, work=work))
    return ExperimentBody.of(found, now_ms=services.now_ms())


@experiment_routes.get(
    "/{experiment}/revisions/{number}",
    operation_id="getExperimentRevision",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def get_revision(
    experiment: ExperimentPath, number: NumberPath, site: SiteDep, services: ServicesDep
) -> ExperimentBody:
    """Return an experiment as a revision said it."""

    def look(work: UnitOfWork) -> ExperimentRun:
        run = own_run(experiment, site=site, work=work)
        found = work.experiments.revision(experiment, number)
        if found is None:
            raise NotFound("no such revision; expected one of an experiment of the key's own site.")
        return replace(run, experiment=found)

    return ExperimentBody.of(await services.read(look), now_ms=services.now_ms())


@experiment_routes.post(
    "/{experiment}/revisions",
    operation_id="addExperimentRevision",
    status_code=status.HTTP_201_CREATED,
    responses=problems(ProblemCode.STATE_CONFLICT),
)
async def add_revision(
    experiment: ExperimentPath, document: Document, staff: CallerDep, services: ServicesDep
) -> ExperimentBody:
    """Put a revision into force: number 1 begins the experiment, later ones follow by one.

    Raises
    ------
    InvalidExperiment
        If the document is of another experiment than the path.
    """
    given = parse_experiment(document)
    if given.experiment != experiment:
        raise InvalidExperiment(
            f"the document is of {given.experiment!r}; expected {experiment!r}, as the path says."
        )
    now_ms = services.now_ms()
    started = await services.write(partial(_start, given, staff, now_ms))
    return ExperimentBody.of(started, now_ms=now_ms)


@experiment_routes.post(
    "/{experiment}/stop", operation_id="stopExperiment", responses=problems(ProblemCode.NOT_FOUND)
)
async def stop(
    experiment: ExperimentPath, staff: CallerDep, services: ServicesDep
) -> ExperimentBody:
    """End it for good: nobody is assigned any more, and its campaigns make no offers."""
    now_ms = services.now_ms()
    stopped = await services.write(partial(_stop, experiment, staff, now_ms))
    return ExperimentBody.of(stopped, now_ms=now_ms)


def _start(
    experiment: Experiment, staff: Credential, now_ms: UnixMs, work: UnitOfWork
) -> ExperimentRun:
    assert staff.site is not None
    started = start_experiment(experiment, site=staff.site, work=work, now_ms=now_ms)
    note_audit(
        AuditAction.EXPERIMENT_STARTED,
        subject=experiment.experiment,
        by=Actor.of(staff),
        details={"revision": started.experiment.revision},
        work=work,
        now_ms=now_ms,
    )
    return started


def _stop(
    experiment: ExperimentId, staff: Credential, now_ms: UnixMs, work: UnitOfWork
) -> ExperimentRun:
    assert staff.site is not None
    stopped = stop_experiment(experiment, site=staff.site, work=work, now_ms=now_ms)
    note_audit(
        AuditAction.EXPERIMENT_STOPPED,
        subject=experiment,
        by=Actor.of(staff),
        work=work,
        now_ms=now_ms,
    )
    return stopped
