"""State for which arms of an experiment a campaign plays.

Layer: nouns. Takes: the member "experiment" of a campaign's document. Gives: `ExperimentPart` to
decisions. A variant is a campaign of its own: another benefit, other texts or another frequency cap
is another document, with its own budget and its own terms. A campaign without a part plays for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from offers.model.errors import InvalidCampaign
from offers.model.experiments.experiment import FACTORS_MAX, Arm, Experiment
from offers.model.ids import ExperimentId, check_name
from offers.model.json_members import Json, list_of, object_of, refuse_unknown, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPart:
    """The levels for which a campaign plays; of factors that it does not name, all."""

    experiment: ExperimentId
    levels: Mapping[str, frozenset[str]]
    """by factor"""

    def __post_init__(self) -> None:
        check_name("experiment.experiment", self.experiment, error=InvalidCampaign)
        if not 1 <= len(self.levels) <= FACTORS_MAX or not all(self.levels.values()):
            raise InvalidCampaign(
                f"experiment.plays is {render_levels(self.levels)}; expected one to {FACTORS_MAX} "
                'factors with one level or more, e.g. {"offer": ["five"]}. Leave "experiment" out '
                "where the campaign plays for everybody."
            )
        object.__setattr__(self, "levels", MappingProxyType(dict(self.levels)))

    def plays_for(self, arm: Arm, experiment: Experiment) -> bool:
        """Say whether the campaign is meant for the shoppers of an arm."""
        return all(
            level in self.levels.get(factor.name, (level,))
            for factor, level in zip(experiment.factors, arm.levels, strict=True)
        )

    def misfit(self, experiment: Experiment) -> str | None:
        """Return which factor or level the experiment does not know, or None."""
        known = {factor.name: factor.levels for factor in experiment.factors}
        for name, levels in self.levels.items():
            if name not in known:
                return (
                    f"experiment.plays names the factor {name!r}; expected of {sorted(known)}, "
                    f"as revision {experiment.revision} of {experiment.experiment!r} says."
                )
            unknown = sorted(levels - set(known[name]))
            if unknown:
                return (
                    f"experiment.plays.{name} names the levels {unknown}; expected of "
                    f"{list(known[name])}, as revision {experiment.revision} of "
                    f"{experiment.experiment!r} says."
                )
        return None


def parse_experiment_part(document: object) -> ExperimentPart:
    """Read ``{"experiment": "shelf-coffee", "plays": {"offer": ["five"]}}``."""
    given = object_of(document, "experiment")
    refuse_unknown(given, "experiment", {"experiment", "plays"})
    plays = object_of(given.get("plays"), "experiment.plays")
    return ExperimentPart(
        experiment=ExperimentId(text_of(given, "experiment")),
        levels={factor: _levels(factor, levels) for factor, levels in plays.items()},
    )


def render_experiment_part(part: ExperimentPart) -> Json:
    """Return the document that `parse_experiment_part` reads."""
    return {"experiment": part.experiment, "plays": render_levels(part.levels)}


def render_levels(levels: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    """Return the levels by factor, in an order that does not change."""
    return {factor: sorted(named) for factor, named in sorted(levels.items())}


def _levels(factor: str, given: object) -> frozenset[str]:
    levels = list_of(given, f"experiment.plays.{factor}")
    for level in levels:
        if not isinstance(level, str):
            raise InvalidCampaign(
                f"experiment.plays.{factor} has {level!r}; expected a text. Put it in quotes."
            )
    return frozenset(str(level) for level in levels)
