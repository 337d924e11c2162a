"""State which arm of which experiment a decision stood under.

Layer: nouns. Takes: what decide worked out. Gives: `Trial` to the log of decisions and to
assignments. It speaks only of experiments that the shopper met: a campaign of theirs had nothing
against it but, perhaps, the arm.
"""

from dataclasses import dataclass

from offers.model.ids import ExperimentId


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTaken:
    """The arm of a shopper in an experiment that runs."""

    experiment: ExperimentId
    revision: int
    salt: str
    number: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What experiments and the global holdout said at one decision."""

    arms: tuple[ArmTaken, ...] = ()
    """by experiment"""
    is_held_out: bool | None = None
    """None: the site has no holdout, or nothing was refused or made because of it"""


NO_TRIAL = Trial()
