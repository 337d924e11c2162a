"""Serve the budgets: what a site gives away in all, and where the counters of a campaign stand.

Layer: edges. Takes: requests of the staff. Gives: limits and counters; none is a single shopper's.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Body, Path
from pydantic import Field, JsonValue

from offers.api.auth import SiteDep
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body as Schema
from offers.api.services import ServicesDep
from offers.handlers.campaigns.change_site_budgets import change_site_budgets
from offers.model.campaigns.budget import BudgetLimit, BudgetState
from offers.model.campaigns.budget_json import parse_limits, render_limits
from offers.model.errors import NotFound
from offers.model.ids import CampaignId
from offers.ports import UnitOfWork
from rtls.model.units import SiteId

COUNTERS_MAX: Final = 100
EXAMPLE: Final[list[JsonValue]] = [
    {"amount_max": {"amount_minor": 500_000, "currency": "EUR"}, "per": ["day"]},
    {"redemptions_max": 3, "per": ["shopper", "day"]},
]

budget_routes = APIRouter(prefix="/operator", tags=["operator"])
LimitsDocument = Annotated[list[JsonValue], Body(examples=[EXAMPLE], max_length=10)]


class LimitsBody(Schema):
    """Limits that all campaigns of the site share."""

    budgets: list[dict[str, JsonValue]] = Field(examples=[EXAMPLE])

    @classmethod
    def of(cls, limits: tuple[BudgetLimit, ...]) -> "LimitsBody":
        """Render limits."""
        return cls.model_validate({"budgets": render_limits(limits)})


class CounterBody(Schema):
    """Where one budget stands: held and used together never exceed the cap."""

    unit: str = Field(description="redemptions, or a currency in minor units")
    day: str | None = Field(examples=["2026-11-22"])
    partner: str | None = Field(description="whose money it is; null: the campaign's own limit")
    cap: int | None
    held: int
    used: int
    overdrawn: int = Field(description="given away beyond the cap by tills without a line")

    @classmethod
    def of(cls, state: BudgetState) -> "CounterBody":
        """Render a counter."""
        return cls(
            unit=state.key.unit,
            day=state.key.day,
            partner=state.key.partner,
            cap=state.cap,
            held=state.held,
            used=state.used,
            overdrawn=state.overdrawn,
        )


class CountersBody(Schema):
    """The counters of a campaign, the newest day first."""

    counters: tuple[CounterBody, ...]


@budget_routes.get("/budgets", operation_id="getSiteBudgets", responses=problems())
async def get_site_budgets(site: SiteDep, services: ServicesDep) -> LimitsBody:
    """Return the limits that all campaigns of the site share."""
    return LimitsBody.of(await services.read(lambda work: work.sites.budgets(site).limits))


@budget_routes.put("/budgets", operation_id="putSiteBudgets", responses=problems())
async def put_site_budgets(
    document: LimitsDocument, site: SiteDep, services: ServicesDep
) -> LimitsBody:
    """Put limits for all campaigns of the site into force, in place of those before."""
    limits = parse_limits(document)
    changed = await services.write(lambda work: change_site_budgets(site, limits, work=work))
    return LimitsBody.of(changed)


@budget_routes.get(
    "/campaigns/{campaign}/budgets",
    operation_id="getCampaignBudgets",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def get_campaign_budgets(
    campaign: Annotated[CampaignId, Path(max_length=63)], site: SiteDep, services: ServicesDep
) -> CountersBody:
    """Return where the counters of the campaign stand."""
    found = await services.read(lambda work: _counters(campaign, site, work))
    return CountersBody(counters=tuple(CounterBody.of(state) for state in found))


def _counters(campaign: CampaignId, site: SiteId, work: UnitOfWork) -> tuple[BudgetState, ...]:
    found = work.campaigns.find(campaign)
    if found is None or found.site != site:
        raise NotFound("no such campaign; expected one of the key's own site.")
    return work.budgets.of_campaign(campaign, limit=COUNTERS_MAX)
