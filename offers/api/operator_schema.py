"""Say what goes between an operator and us.

Layer: edges. Takes: campaigns. Gives: bodies to the operator routes, and their schemas to the
OpenAPI document. The document of a campaign is the same as in a campaign file: one parser reads
both (`offers.model.campaigns.campaign_json`).
"""

import json

from pydantic import Field, JsonValue

from offers.api.schema import Body
from offers.model.campaigns.campaign import Campaign, CampaignState
from offers.model.campaigns.campaign_json import render_campaign

EXAMPLE: dict[str, JsonValue] = {
    "campaign": "dowels-coupon",
    "site": "demo",
    "name": "Dowels: 10 % after five minutes",
    "trigger": {"kind": "visit", "zone": "dowels", "dwell_s": 300},
    "benefit": {"kind": "percent_off", "percent": 10},
    "validity": {"from": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"},
    "texts": {
        "de": {"title": "10 % auf Dübel", "body": "Heute an der Kasse."},
        "en": {"title": "10 % off dowels", "body": "Today at the checkout."},
    },
}


class CampaignBody(Body):
    """A campaign with its current revision."""

    campaign: str = Field(examples=["dowels-coupon"])
    state: CampaignState
    revision: int = Field(description="its ETag; what If-Match takes", examples=[3])
    document: dict[str, JsonValue] = Field(examples=[EXAMPLE])

    @classmethod
    def of(cls, campaign: Campaign) -> "CampaignBody":
        """Render a campaign."""
        return cls(
            campaign=campaign.campaign,
            state=campaign.state,
            revision=campaign.revision.revision,
            document=json.loads(render_campaign(campaign.revision)),
        )


class CampaignsBody(Body):
    """All campaigns of the site."""

    campaigns: tuple[CampaignBody, ...]
