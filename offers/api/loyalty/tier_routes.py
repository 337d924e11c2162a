"""Serve where the shopper stands in the programme.

Layer: edges. Takes: requests of the app. Gives: the tier as it is now, computed from what was
bought and not from what the sweep has written down.
"""

from fastapi import APIRouter

from offers.api.auth import ShopperDep
from offers.api.loyalty.tier_schema import StandingBody
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import ServicesDep
from offers.handlers.loyalty.review_tiers import standing_of
from offers.model.errors import NotFound
from offers.ports import UnitOfWork

tier_routes = APIRouter(tags=["app"])


@tier_routes.get("/me/tier", operation_id="getTier", responses=problems(ProblemCode.NOT_FOUND))
async def get_tier(shopper: ShopperDep, services: ServicesDep) -> StandingBody:
    """Return the shopper's tier, when it ends, and what is missing to the next one."""
    now_ms, site = services.now_ms(), services.site_map.site

    def look(work: UnitOfWork) -> StandingBody:
        standing = standing_of(shopper, site, work=work, now_ms=now_ms)
        programme = work.programmes.current(site)
        if standing is None or programme is None or programme.tiers is None:
            raise NotFound(f"site {site} has no tiers; expected a programme with tiers.")
        return StandingBody.of(standing, programme.tiers)

    return await services.read(look)
