"""State what each assigned shopper did, as columns: one row for each of them.

Layer: nouns. Takes: what storage counted. Gives: `Outcomes` to the reports of experiments.
Everybody who was assigned has a row, whether or not anything was bought: who sees an offer has
chosen to come.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offers.model.errors import InvalidSample
from offers.model.experiments.estimate import Numbers, Sample
from offers.model.ids import ExperimentId
from rtls.model.units import SiteId

SHOPPERS_MIN = 2
"""fewer in an arm have no spread"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What an assignment belongs to: a new salt is a new design."""

    site: SiteId
    experiment: ExperimentId
    salt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """One metric of all assigned shoppers."""

    arm: npt.NDArray[np.int64]
    """(n,)"""
    value: Numbers
    """(n,): since the assignment"""
    before: Numbers
    """(n,): in the time before it"""
    is_cut: bool = False
    """whether more were assigned than are looked at; the earliest are"""

    def __post_init__(self) -> None:
        if not (len(self.arm) == len(self.value) == len(self.before)):
            raise InvalidSample(
                f"outcomes have {len(self.arm)} arms, {len(self.value)} values and "
                f"{len(self.before)} from before; expected one of each for every shopper."
            )

    def counts(self, arms: int) -> list[int]:
        """Return how many shoppers are in each arm."""
        counted: list[int] = np.bincount(self.arm, minlength=arms).tolist()
        return counted

    def sample(self, arm: int, name: str) -> Sample | None:
        """Return the numbers of an arm, or None where too few were assigned to it."""
        rows = np.flatnonzero(self.arm == arm)
        if len(rows) < SHOPPERS_MIN:
            return None
        return Sample(arm=name, values=self.value[rows], before=self.before[rows])
