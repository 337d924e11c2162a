"""Keep campaigns, their revisions, and the counters that hold their budgets.

Layer: ports. Takes: nouns. Gives: `Campaigns` to storage.
"""

from typing import Protocol

from offers.model.campaign import Budget, Campaign, CampaignRevision, CampaignState
from offers.model.ids import CampaignId
from offers.model.trigger import TriggerKind
from rtls.model.units import SiteId, ZoneId


class Campaigns(Protocol):
    """Campaigns, their revisions, and the counters that hold their budgets."""

    def add_revision(self, revision: CampaignRevision) -> None:
        """Write a revision, make it the current one, and the campaign active."""
        ...

    def find(self, campaign: CampaignId) -> Campaign | None:
        """Return the campaign with its current revision, or None."""
        ...

    def of_site(self, site: SiteId) -> tuple[Campaign, ...]:
        """Return all campaigns of a site, by id."""
        ...

    def waiting_for(
        self, site: SiteId, kind: TriggerKind, *, zone: ZoneId | None
    ) -> tuple[CampaignRevision, ...]:
        """Return the current revisions of active campaigns with such a trigger, by id."""
        ...

    def revision(self, campaign: CampaignId, revision: int) -> CampaignRevision:
        """Return one revision; it must exist."""
        ...

    def set_state(self, campaign: CampaignId, state: CampaignState) -> bool:
        """Pause or resume; False where the campaign is unknown."""
        ...

    def has_budget(self, campaign: CampaignId) -> bool:
        """Say whether one more redemption could be paid for."""
        ...

    def without_budget(self, site: SiteId) -> frozenset[CampaignId]:
        """Return the campaigns of which not one more redemption could be paid for."""
        ...

    def reserve(self, campaign: CampaignId) -> bool:
        """Set one redemption aside, if the budget allows it; one conditional statement."""
        ...

    def release(self, campaign: CampaignId) -> None:
        """Give back one redemption that was set aside."""
        ...

    def use(self, campaign: CampaignId, *, is_reserved: bool) -> bool:
        """Count one redemption, out of what is set aside or of what is free; False where spent."""
        ...

    def give_back(self, campaign: CampaignId, *, is_reserved: bool) -> None:
        """Take one redemption off the count, since it is reversed; set it aside again if asked."""
        ...

    def used(self, campaign: CampaignId) -> int:
        """Return how many redemptions have been counted."""
        ...

    def set_budget(self, campaign: CampaignId, budget: Budget | None) -> bool:
        """Change the limit; False where more is used and set aside already."""
        ...
