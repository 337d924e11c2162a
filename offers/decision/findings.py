"""Ask about a shopper's past and surroundings what a decision needs to know.

Layer: rules. Takes: a `Moment`, `ShopperFacts`, `SiteRules`. Gives: `FreshFindings` to decide. The
questions stand apart as `Findings`, so that a replay can answer them from the log of decisions
instead of from a past that may have been corrected or erased meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from offers.decision.ranking.campaign_features import campaign_features
from offers.decision.situation import Situation, situation_of, unmet_place
from offers.decision.trigger import is_triggered
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.conditions.shopper_facts import ShopperFacts
from offers.model.offering.occasion import Moment, ZoneOccasion
from offers.model.offering.refusal import Refusal
from offers.model.ranking.panel import Numbers
from offers.model.ranking.ranking_policy import RankingPolicy
from offers.model.visits.site_rules import SiteRules


class Findings(Protocol):
    """The answers that a decision stands on."""

    def stay_refusal(self) -> Refusal | None:
        """Return what stands against the stay itself, or None."""
        ...

    def is_woken(self, revision: CampaignRevision) -> bool:
        """Say whether what happened is what the campaign waits for."""
        ...

    def unmet_place(self, revision: CampaignRevision) -> str | None:
        """Return where in the campaign's document the first unmet term stands, or None."""
        ...

    def features(self, revisions: Sequence[CampaignRevision], ranking: RankingPolicy) -> Numbers:
        """Return (n_campaigns, n_features) numbers for the ranking."""
        ...


@dataclass(frozen=True, kw_only=True)
class FreshFindings:
    """Answers out of the facts as they are now. Not slotted: the situation is made once."""

    moment: Moment
    facts: ShopperFacts | None
    rules: SiteRules

    @cached_property
    def _situation(self) -> Situation:
        return situation_of(self.moment, self.facts, rules=self.rules)

    def stay_refusal(self) -> Refusal | None:
        """Return what stands against the stay itself, or None."""
        occasion = self.moment.occasion
        if not isinstance(occasion, ZoneOccasion):
            return None
        if occasion.is_late:
            return Refusal.EVENT_LATE
        return None if occasion.is_visit_open else Refusal.VISIT_ENDED

    def is_woken(self, revision: CampaignRevision) -> bool:
        """Say whether what happened is what the campaign waits for."""
        return is_triggered(revision.trigger, self.moment)

    def unmet_place(self, revision: CampaignRevision) -> str | None:
        """Return where in the campaign's document the first unmet term stands, or None."""
        return unmet_place(revision, self._situation)

    def features(self, revisions: Sequence[CampaignRevision], ranking: RankingPolicy) -> Numbers:
        """Return (n_campaigns, n_features) numbers for the ranking."""
        return campaign_features(revisions, self.facts, ranking, now_ms=self.moment.now_ms)
