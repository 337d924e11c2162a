"""Keep experiments, and who met them first when.

Layer: ports. Takes: nouns. Gives: `Experiments` to storage.
"""

from typing import Protocol

from offers.model.experiments.experiment import Experiment
from offers.model.experiments.experiment_run import Assignment, ExperimentRun
from offers.model.ids import ExperimentId
from rtls.model.units import SiteId, UnixMs


class Experiments(Protocol):
    """Experiments with their revisions, which are never changed, and their assignments."""

    def add_revision(self, experiment: Experiment, *, site: SiteId, at_ms: UnixMs) -> bool:
        """Write a revision and make it the current one; False where its number is taken."""
        ...

    def find(self, experiment: ExperimentId) -> ExperimentRun | None:
        """Return the experiment with its current revision, or None."""
        ...

    def of_site(self, site: SiteId, *, limit: int) -> tuple[ExperimentRun, ...]:
        """Return the experiments of a site, the newest first."""
        ...

    def revision(self, experiment: ExperimentId, revision: int) -> Experiment | None:
        """Return one revision, or None."""
        ...

    def stop(self, experiment: ExperimentId, *, at_ms: UnixMs) -> bool:
        """Write when it was stopped; False where it is unknown or was stopped before."""
        ...

    def note(self, assignment: Assignment) -> bool:
        """Write that a shopper met the design; False where that was written before."""
        ...
