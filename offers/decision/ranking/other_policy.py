"""Say how likely another ranking would have chosen each candidate of decisions that were taken.

Layer: rules. Takes: logged `Decision`s with their grounds, and a `RankingPolicy`. Gives: columns
for off-policy evaluation. What a shopper's past said is in the log; what the document says of
campaigns (appeal) is taken from the other policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from offers.decision.ranking.thompson import propensities
from offers.model.ids import CampaignId
from offers.model.offering.decision import Decision, Weighed
from offers.model.ranking.panel import Codes, Numbers
from offers.model.ranking.ranking_policy import WEIGHTS, RankingPolicy

_APPEAL: Final = tuple(WEIGHTS).index("appeal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reweighed:
    """Logged candidates, side by side with another ranking; rows as in `LoggedChoices`."""

    start: Codes
    """(n + 1,): where the candidates of each decision begin"""
    propensity: Numbers
    """(m,): as logged"""
    probability: Numbers
    """(m,): by the other ranking"""
    chosen: Codes
    """(n,)"""
    features: Numbers
    """(m, d)"""


def is_weighed(decision: Decision) -> bool:
    """Say whether the log holds all that another ranking has to know of a decision."""
    return (
        decision.chosen is not None
        and decision.chosen.weighed is not None
        and decision.ground is not None
    )


def reweighed(decisions: Sequence[Decision], policy: RankingPolicy) -> Reweighed:
    """Return what the policy would have done; each decision has to be one that `is_weighed`."""
    start, chosen = [0], []
    logged: list[float] = []
    other: list[Numbers] = []
    x: list[Numbers] = []
    for decision in decisions:
        weighed, rows = _weighed(decision, policy)
        assert decision.chosen is not None
        chosen.append(list(weighed).index(decision.chosen.campaign))
        start.append(start[-1] + len(weighed))
        logged.extend(one.propensity for one in weighed.values())
        x.append(rows)
        other.append(
            propensities(
                policy.belief, rows, seed=decision.decision, chance_left=policy.chance_left
            )
        )
    width = len(WEIGHTS)
    return Reweighed(
        start=np.array(start, np.int64),
        propensity=np.array(logged, np.float64),
        probability=np.concatenate(other) if other else np.empty(0),
        chosen=np.array(chosen, np.int64),
        features=np.concatenate(x) if x else np.empty((0, width)),
    )


def _weighed(
    decision: Decision, policy: RankingPolicy
) -> tuple[dict[CampaignId, Weighed], Numbers]:
    """Return the candidates that competed, and their features under the policy."""
    assert decision.chosen is not None
    assert decision.ground is not None
    told = {entry.campaign: entry.weighed for entry in decision.passed_over}
    told[decision.chosen.campaign] = decision.chosen.weighed
    weighed, rows = {}, []
    for candidate in decision.ground.candidates:
        found = told.get(candidate.campaign)
        if found is None or candidate.features is None:
            continue
        weighed[candidate.campaign] = found
        row = list(candidate.features)
        row[_APPEAL] = policy.appeal.get(candidate.campaign, 0.0)
        rows.append(row)
    return weighed, np.array(rows, np.float64)
