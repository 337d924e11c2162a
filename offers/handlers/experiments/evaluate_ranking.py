"""Say from the log of decisions what another ranking would have earned, before it is launched.

Layer: flow. Takes: a `RankingPolicy`, a time in the past, what counts as reward. Gives: a
`RankingEvaluation` to merchandisers. Nothing is written, and no shopper sees anything.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from offers.decision.ranking.other_policy import is_weighed, reweighed
from offers.insight.policy_value import (
    PolicyValue,
    doubly_robust,
    inverse_propensity,
    self_normalised,
)
from offers.insight.reward_model import expected_rewards
from offers.model.errors import InvalidSample
from offers.model.experiments.logged_choices import LoggedChoices, TargetPolicy
from offers.model.experiments.ranked_decision import RankedDecision, Reward
from offers.model.ranking.ranking_policy import RankingPolicy
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs

DECISIONS_MIN: Final = 2
DECISIONS_MAX: Final = 20_000
"""the newest; a second of work for each five thousand"""
EFFECTIVE_MIN: Final = 200.0
"""a value that rests on fewer is no ground for a launch"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingEvaluation:
    """What the log says of another ranking."""

    reward: Reward
    decisions: int
    is_cut: bool
    """whether there were more, and only the newest were looked at"""
    logged: PolicyValue
    """what was earned as it was"""
    values: tuple[PolicyValue, ...]
    """what the other ranking would have earned: IPS, SNIPS, doubly robust"""

    @property
    def is_thin(self) -> bool:
        """Return whether too few decisions speak about it: explore more, or test it on shoppers."""
        return min(value.effective_decisions for value in self.values) < EFFECTIVE_MIN


def evaluate_ranking(
    policy: RankingPolicy,
    reward: Reward,
    *,
    site: SiteId,
    from_ms: UnixMs,
    until_ms: UnixMs,
    work: UnitOfWork,
) -> RankingEvaluation:
    """Return what the policy would have earned at the moments of the past.

    Parameters
    ----------
    policy
        The ranking that is thought of.
    reward
        What a decision is judged by.
    site, from_ms, until_ms
        Whose decisions of when; give the rewards time to come in.
    work
        What is stored.
    """
    found = work.decisions.ranked(site, from_ms=from_ms, until_ms=until_ms, limit=DECISIONS_MAX + 1)
    return evaluation_of(found, policy, reward)


def evaluation_of(
    found: tuple[RankedDecision, ...], policy: RankingPolicy, reward: Reward
) -> RankingEvaluation:
    """Return what decisions, the newest first, say of the policy.

    Raises
    ------
    InvalidSample
        If there are fewer than two that say with which chances they were taken.
    """
    kept = [one for one in found[:DECISIONS_MAX] if is_weighed(one.decision)]
    if len(kept) < DECISIONS_MIN:
        raise InvalidSample(
            f"{len(kept)} decisions were taken by a ranking then; expected {DECISIONS_MIN} or more "
            "that were logged with their chances. Put settings.ranking into force, and wait."
        )
    columns = reweighed([one.decision for one in kept], policy)
    log = LoggedChoices(
        decisions=tuple(one.decision.decision for one in kept),
        start=columns.start,
        propensity=columns.propensity,
        chosen=columns.chosen,
        reward=np.array([one.reward(reward) for one in kept], np.float64),
    )
    as_it_was = TargetPolicy(log=log, probability=log.propensity)
    other = TargetPolicy(
        log=log,
        probability=columns.probability,
        expected_reward=expected_rewards(log, columns.features),
    )
    return RankingEvaluation(
        reward=reward,
        decisions=len(kept),
        is_cut=len(found) > DECISIONS_MAX,
        logged=inverse_propensity(as_it_was),
        values=(inverse_propensity(other), self_normalised(other), doubly_robust(other)),
    )
