"""Keep campaigns and their revisions.

Layer: ports. Takes: nouns. Gives: `Campaigns` to storage.
"""

from typing import Protocol

from offers.model.campaigns.campaign import Campaign, CampaignRevision, CampaignState
from offers.model.campaigns.trigger import TriggerKind
from offers.model.ids import CampaignId
from rtls.model.units import SiteId, ZoneId


class Campaigns(Protocol):
    """Campaigns and their revisions."""

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
