"""State how a site's eligible campaigns compete, where priority alone shall not decide.

Layer: nouns. Takes: the member "ranking" of a programme's settings. Gives: `RankingPolicy` to
decisions. It is off until a retailer writes it; what was learnt is written here, revision by
revision, so that every decision names the rule that chose.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from types import MappingProxyType
from typing import Final

import numpy as np

from offers.model.errors import InvalidProgramme
from offers.model.ids import check_name
from offers.model.json_members import Json, object_of, refuse_unknown
from offers.model.ranking.belief import Belief, belief_about

POLICY: Final = "thompson/1"
WEIGHTS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "own": (0.10, 0.05),
        "interest": (0.20, 0.10),
        "appeal": (1.00, 0.20),
        "cost": (-0.02, 0.02),
        "information": (0.00, 0.05),
        "priority": (0.10, 0.05),
        "novelty": (0.02, 0.05),
        "any": (0.00, 0.05),
    }
)
"""of each feature the expected weight, and how far off it may be, where the document is silent"""
CAMPAIGNS_MAX: Final = 1_000
_MEMBERS: Final = {"policy", "weights", "appeal", "noise", "chance_left"}


@dataclass(frozen=True, kw_only=True)
class RankingPolicy:
    """Weights of what speaks for a campaign. Not slotted: its belief is worked out once."""

    weights: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """mean and sigma by feature; the others are as in `WEIGHTS`"""
    appeal: Mapping[str, float] = field(default_factory=dict)
    """by campaign: how often its offers are used by whoever gets them, where it is made"""
    noise: float = 0.3
    chance_left: float = 0.02
    """shared among all eligible campaigns, whatever is believed: novelties get their chance"""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.weights) - set(WEIGHTS))
        if unknown:
            raise InvalidProgramme(
                f"settings.ranking.weights names {unknown}; expected of {sorted(WEIGHTS)}."
            )
        for name, (mean, sigma) in self.weights.items():
            if not (isfinite(mean) and isfinite(sigma) and sigma > 0.0):
                raise InvalidProgramme(
                    f"settings.ranking.weights.{name} is [{mean}, {sigma}]; expected a finite mean "
                    "and a sigma above zero."
                )
        self._check_appeal()
        if not 0.0 < self.chance_left <= 1.0:
            raise InvalidProgramme(
                f"settings.ranking.chance_left is {self.chance_left}; expected above 0, at most 1."
            )
        if not (isfinite(self.noise) and self.noise > 0.0):
            raise InvalidProgramme(
                f"settings.ranking.noise is {self.noise}; expected a number above zero."
            )

    def _check_appeal(self) -> None:
        if len(self.appeal) > CAMPAIGNS_MAX:
            raise InvalidProgramme(
                f"settings.ranking.appeal names {len(self.appeal)} campaigns; expected at most "
                f"{CAMPAIGNS_MAX}."
            )
        for campaign, rate in self.appeal.items():
            check_name("settings.ranking.appeal", campaign, error=InvalidProgramme)
            if not 0.0 <= rate <= 1.0:
                raise InvalidProgramme(
                    f"settings.ranking.appeal.{campaign} is {rate}; expected a share from 0 to 1."
                )

    @cached_property
    def belief(self) -> Belief:
        """Return what is believed of the weights."""
        told = [self.weights.get(name, known) for name, known in WEIGHTS.items()]
        means, sigmas = np.array(told).T
        return belief_about(tuple(WEIGHTS), means, sigma=sigmas, noise=self.noise)


def parse_ranking_policy(document: object) -> RankingPolicy | None:
    """Read the member; None where it is left out: priority alone decides.

    Raises
    ------
    InvalidProgramme
        If a member is wrong, or the policy is one of another version.
    """
    if document is None:
        return None
    given = object_of(document, "settings.ranking")
    refuse_unknown(given, "settings.ranking", _MEMBERS)
    if given.get("policy") != POLICY:
        raise InvalidProgramme(
            f"settings.ranking.policy is {given.get('policy')!r}; expected {POLICY!r}. What was "
            "learnt for another version means other features: train it again."
        )
    weights = object_of(given.get("weights", {}), "settings.ranking.weights")
    appeal = object_of(given.get("appeal", {}), "settings.ranking.appeal")
    return RankingPolicy(
        weights={name: _pair(name, told) for name, told in weights.items()},
        appeal={name: _number(f"appeal.{name}", rate) for name, rate in appeal.items()},
        noise=_number("noise", given.get("noise", 0.3)),
        chance_left=_number("chance_left", given.get("chance_left", 0.02)),
    )


def render_ranking_policy(policy: RankingPolicy) -> Json:
    """Return the document that `parse_ranking_policy` reads."""
    return {
        "policy": POLICY,
        "weights": {name: list(told) for name, told in policy.weights.items()},
        "appeal": dict(policy.appeal),
        "noise": policy.noise,
        "chance_left": policy.chance_left,
    }


def _pair(name: str, told: object) -> tuple[float, float]:
    if not isinstance(told, list) or len(told) != 2:
        raise InvalidProgramme(
            f"settings.ranking.weights.{name} is {told!r}; expected [mean, sigma]."
        )
    return _number(f"weights.{name}", told[0]), _number(f"weights.{name}", told[1])


def _number(place: str, told: object) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float):
        raise InvalidProgramme(f"settings.ranking.{place} is {told!r}; expected a number.")
    return float(told)
