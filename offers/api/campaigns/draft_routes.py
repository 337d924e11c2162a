"""Serve who writes a campaign: what a draft would promise, and what earlier revisions said.

Layer: edges. Takes: requests of campaign staff. Gives: the generated terms of a document, or what
stands against it, and the wording of any revision. Nothing is written.
"""

from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path
from pydantic import Field, JsonValue

from offers.api.auth import SiteDep
from offers.api.operator_routes import CampaignPath, own_campaign, parsed_document
from offers.api.operator_schema import CampaignBody
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body
from offers.api.services import ServicesDep
from offers.decision.terms import terms_of
from offers.handlers.campaigns.start_campaign import check_can_start
from offers.model.campaigns.campaign import Campaign
from offers.model.errors import NotFound
from offers.model.ids import CampaignId
from offers.model.people.shopper import Locale
from offers.ports import UnitOfWork
from rtls.model.units import SiteId

draft_routes = APIRouter(prefix="/operator/campaigns", tags=["campaigns"])

NumberPath = Annotated[int, Path(ge=1, le=10**9, examples=[1])]


class DraftBody(Body):
    """What somebody is writing."""

    document: dict[str, JsonValue] = Field(description="as addCampaignRevision takes it")


class PreviewBody(Body):
    """What the campaign would promise, by language."""

    terms: dict[Locale, tuple[str, ...]] = Field(
        examples=[{"de": ["Sie erhalten 2,00 € Rabatt."], "en": ["You get €2.00 off."]}]
    )


@draft_routes.post("/{campaign}/preview", operation_id="previewCampaign", responses=problems())
async def preview(
    campaign: CampaignPath, body: DraftBody, site: SiteDep, services: ServicesDep
) -> PreviewBody:
    """Return the terms that a document would have, or refuse it as starting it would."""
    revision = parsed_document(body.document, campaign=campaign, site=site)
    site_map, now_ms = services.site_map, services.now_ms()
    await services.read(
        lambda work: check_can_start(revision, site_map=site_map, work=work, now_ms=now_ms)
    )
    zone = ZoneInfo(site_map.time_zone)
    return PreviewBody(
        terms={locale: terms_of(revision, zone=zone, locale=locale) for locale in Locale}
    )


@draft_routes.get(
    "/{campaign}/revisions/{number}",
    operation_id="getCampaignRevision",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def get_revision(
    campaign: CampaignPath, number: NumberPath, site: SiteDep, services: ServicesDep
) -> CampaignBody:
    """Return a campaign as a revision said it; they are numbered from 1 on without a gap."""
    return CampaignBody.of(await services.read(partial(_as_said, campaign, number, site)))


def _as_said(campaign: CampaignId, number: int, site: SiteId, work: UnitOfWork) -> Campaign:
    found = own_campaign(campaign, site, work)
    if number > found.revision.revision:
        raise NotFound("no such revision; expected one of a campaign of the key's own site.")
    return Campaign(
        campaign=found.campaign,
        site=found.site,
        state=found.state,
        revision=work.campaigns.revision(campaign, number),
    )
