"""Say what goes between a merchandiser and us about experiments.

Layer: edges. Takes: experiments. Gives: bodies to the experiment routes, and their schemas to the
OpenAPI document. A document has one reader, `offers.model.experiments.experiment_json`.
"""

from enum import StrEnum

from pydantic import Field, JsonValue

from offers.api.schema import Body, Instant, render_instant
from offers.model.experiments.experiment_json import render_experiment
from offers.model.experiments.experiment_run import ExperimentRun
from rtls.model.units import UnixMs

EXAMPLE: dict[str, JsonValue] = {
    "experiment": "shelf-coffee",
    "revision": 1,
    "question": "Does a coupon at the shelf pay?",
    "salt": "9f2c6a11",
    "metric": "revenue-minor",
    "from": "2026-12-01T00:00:00+01:00",
    "until": "2027-01-12T00:00:00+01:00",
    "factors": [{"name": "offer", "dimension": "benefit", "levels": ["none", "five"]}],
    "guardrails": [{"metric": "dismissals", "worse_when": "higher", "margin": 0.1}],
}


class ExperimentState(StrEnum):
    """Whether shoppers are assigned now."""

    PLANNED = "planned"
    RUNNING = "running"
    OVER = "over"
    STOPPED = "stopped"


class ExperimentBody(Body):
    """An experiment with one of its revisions."""

    experiment: str = Field(examples=["shelf-coffee"])
    state: ExperimentState
    revision: int = Field(description="the next one says one more", examples=[1])
    arms: tuple[str, ...] = Field(
        description="every combination of levels; the first is the control",
        examples=[["none", "five"]],
    )
    started_at: Instant = Field(description="when its first revision was written")
    stopped_at: Instant | None
    document: dict[str, JsonValue] = Field(examples=[EXAMPLE])

    @classmethod
    def of(cls, run: ExperimentRun, *, now_ms: UnixMs) -> "ExperimentBody":
        """Render an experiment."""
        return cls(
            experiment=run.experiment.experiment,
            state=state_of(run, now_ms=now_ms),
            revision=run.experiment.revision,
            arms=tuple(arm.name for arm in run.experiment.arms),
            started_at=render_instant(run.started_at_ms),
            stopped_at=None if run.stopped_at_ms is None else render_instant(run.stopped_at_ms),
            document=render_experiment(run.experiment),  # type: ignore[arg-type]
        )


class ExperimentsBody(Body):
    """The newest experiments of the site, newest first."""

    experiments: tuple[ExperimentBody, ...]


def state_of(run: ExperimentRun, *, now_ms: UnixMs) -> ExperimentState:
    """Return whether shoppers are assigned now."""
    if run.stopped_at_ms is not None:
        return ExperimentState.STOPPED
    if now_ms < run.experiment.from_ms:
        return ExperimentState.PLANNED
    return ExperimentState.RUNNING if now_ms < run.experiment.until_ms else ExperimentState.OVER
