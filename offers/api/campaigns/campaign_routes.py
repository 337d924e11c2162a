"""Serve what surrounds a campaign: its terms, ready-made templates, a try on history.

Layer: edges. Takes: requests of anybody (terms) and of campaign staff. Gives: plain sentences,
documents to begin with, and numbers. A try reads beside the writer and changes nothing.
"""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import Field, JsonValue, StrictInt

from offers.api.auth import SiteDep
from offers.api.operator_routes import CampaignPath, parsed_document
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body, MoneyBody
from offers.api.services import ServicesDep
from offers.decision.terms import terms_of
from offers.handlers.campaigns.simulate_campaign import DAYS_MAX, Simulation, simulate_campaign
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.history import LeftOut
from offers.model.errors import NotFound
from offers.model.ids import CampaignId
from offers.model.people.shopper import Locale
from offers.ports import UnitOfWork
from rtls.model.units import SiteId

campaign_routes = APIRouter(tags=["campaigns"])

LocaleQuery = Annotated[Locale, Query(description="the language of the terms")]


class TermsBody(Body):
    """The terms of a campaign, one sentence each, the most important first."""

    terms: tuple[str, ...] = Field(examples=[["You get €2.00 off dowels."]])


class TemplatesBody(Body):
    """Documents to begin with; change id, texts and validity before starting one."""

    templates: tuple[dict[str, JsonValue], ...]


class SimulationWishBody(Body):
    """What to try, and on how many days of the past."""

    document: dict[str, JsonValue] | None = Field(
        default=None, description="what is to be tried; left out: the revision in force"
    )
    days: StrictInt = Field(default=7, ge=1, le=DAYS_MAX, examples=[7])


class LeftOutBody(Body):
    """Something that the numbers do not know."""

    code: str = Field(examples=["other_campaigns"])
    why: str

    @classmethod
    def of(cls, left: LeftOut) -> "LeftOutBody":
        """Render it."""
        return cls(code=left.value, why=left.why)


class SimulationBody(Body):
    """What the campaign would have done, at most."""

    moments: int = Field(description="how often its occasion came")
    is_cut: bool = Field(description="whether only the oldest moments were looked at")
    offers: int
    reach: int = Field(description="how many shoppers would have got an offer")
    pushes_max: int
    cost_max: MoneyBody | None = Field(description="null: the benefit has no bound in money")
    refusals: dict[str, int] = Field(examples=[{"frequency_cap": 12}])
    left_out: tuple[LeftOutBody, ...] = Field(description="what these numbers do not know")

    @classmethod
    def of(cls, found: Simulation) -> "SimulationBody":
        """Render a simulation."""
        return cls(
            moments=found.moments,
            is_cut=found.is_cut,
            offers=found.offers,
            reach=found.reach,
            pushes_max=found.pushes_max,
            cost_max=MoneyBody.of_limit(found.cost_max),
            refusals={refusal.value: count for refusal, count in found.refusals.items()},
            left_out=tuple(map(LeftOutBody.of, found.left_out)),
        )


@campaign_routes.get(
    "/campaigns/{campaign}/terms",
    operation_id="getCampaignTerms",
    responses=problems(ProblemCode.NOT_FOUND, is_open=True),
)
async def get_terms(
    campaign: CampaignPath, services: ServicesDep, locale: LocaleQuery = Locale.DE
) -> TermsBody:
    """Return the terms of a started campaign: they are meant for everybody to read."""

    def look(work: UnitOfWork) -> TermsBody:
        found = work.campaigns.find(campaign)
        if found is None:
            raise NotFound("no such campaign; expected the id of one that was started.")
        zone = ZoneInfo(work.sites.budgets(found.site).time_zone)
        return TermsBody(terms=terms_of(found.revision, zone=zone, locale=locale))

    return await services.read(look)


@campaign_routes.get(
    "/campaign-templates", operation_id="getCampaignTemplates", responses=problems()
)
async def get_templates(site: SiteDep, services: ServicesDep) -> TemplatesBody:
    """Return a ready-made campaign for each segment, for the site of the key."""
    return TemplatesBody(
        templates=tuple({**template, "site": site} for template in services.templates)
    )


@campaign_routes.post(
    "/operator/campaigns/{campaign}/simulate",
    operation_id="simulateCampaign",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def simulate(
    campaign: CampaignPath, body: SimulationWishBody, site: SiteDep, services: ServicesDep
) -> SimulationBody:
    """Say what the campaign would have done in the last days; nothing is written."""

    def look(work: UnitOfWork) -> SimulationBody:
        revision = _revision(campaign, body, site, work)
        found = simulate_campaign(revision, days=body.days, work=work, now_ms=services.now_ms())
        return SimulationBody.of(found)

    return await services.read(look)


def _revision(
    campaign: CampaignId, body: SimulationWishBody, site: SiteId, work: UnitOfWork
) -> CampaignRevision:
    found = work.campaigns.find(campaign)
    if found is not None and found.site != site:
        found = None
    if body.document is None:
        if found is None:
            raise NotFound("no such campaign; expected one of the key's own site.")
        return found.revision
    return parsed_document(body.document, campaign=campaign, site=site)
