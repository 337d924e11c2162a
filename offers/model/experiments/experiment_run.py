"""State an experiment as it runs at a site, and who was assigned when.

Layer: nouns. Takes: what a merchandiser has put into force. Gives: `ExperimentRun` to storage and
reports, `Assignment` to the log of who met an experiment first when. An experiment that was stopped
stays stopped: taken up again it would mix shoppers of two times, so a new one gets a new id.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.experiments.experiment import Experiment
from offers.model.ids import ExperimentId, ShopperId
from rtls.model.units import SiteId, UnixMs

HOLDOUT: Final = ExperimentId("*")
"""the name of the global holdout among assignments; no experiment can have it"""
HELD_OUT: Final = 0
ADDRESSED: Final = 1
"""the arms of the global holdout"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRun:
    """The name under which revisions of an experiment follow each other."""

    site: SiteId
    experiment: Experiment
    """the current revision"""
    started_at_ms: UnixMs
    """when the first revision was written"""
    stopped_at_ms: UnixMs | None = None

    @property
    def ends_at_ms(self) -> UnixMs:
        """Return until when what shoppers do belongs to the experiment."""
        until_ms, stopped_at_ms = self.experiment.until_ms, self.stopped_at_ms
        return until_ms if stopped_at_ms is None else min(until_ms, stopped_at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """That a shopper met an experiment for the first time, and in which arm.

    The arm is what the hash says; it is written down so that what was done can be counted, and a
    split that is off can be seen.
    """

    site: SiteId
    experiment: ExperimentId
    salt: str
    shopper: ShopperId
    arm: int
    revision: int
    at_ms: UnixMs
