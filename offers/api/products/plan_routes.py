"""Show a shopper the plan of the shop and himself on it, and nobody and nothing else.

Layer: edges. Takes: requests of the app. Gives: walls, furniture and the names of zones, without
anchors; and where the shopper's own tag is, only while he grants `locate`. The position is written
down nowhere.
"""

from fastapi import APIRouter, Response

from offers.api.auth import ShopperDep
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.products.plan_schema import PlanBody, PositionBody
from offers.api.products.product_routes import limit_searches
from offers.api.products.route_routes import own_place
from offers.api.products.route_schema import PlaceBody
from offers.api.services import ServicesDep

KEPT_S = 60

plan_routes = APIRouter(tags=["app"])


@plan_routes.get("/me/plan", operation_id="getPlan", responses=problems())
async def get_plan(shopper: ShopperDep, services: ServicesDep, response: Response) -> PlanBody:
    """Return what the app draws of the shop, in metres of the site map."""
    del shopper
    response.headers["Cache-Control"] = f"private, max-age={KEPT_S}"
    return PlanBody.of(services.site_map)


@plan_routes.get(
    "/me/position",
    operation_id="getPosition",
    responses=problems(ProblemCode.TOO_MANY_REQUESTS, ProblemCode.PRODUCTS_AWAY),
)
async def get_position(
    shopper: ShopperDep, services: ServicesDep, response: Response
) -> PositionBody:
    """Return where the shopper's own tag was last located, if that was just now."""
    limit_searches(shopper, services)
    place = await own_place(shopper, services)
    response.headers["Cache-Control"] = "no-store"
    return PositionBody(place=None if place is None else PlaceBody.of(place))
