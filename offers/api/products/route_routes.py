"""Lead shoppers to a shelf.

Layer: edges. Takes: requests of the app. Gives: the way, step by step, in the language of the
request. Where the shopper is comes from locating only while he grants `locate`, is used for this
answer and written down nowhere; who does not want to be found says where he is himself.
"""

from functools import partial
from typing import Final

import anyio.to_thread
from fastapi import APIRouter, Response

from offers.api.auth import ShopperDep
from offers.api.problem import Problem, ProblemCode
from offers.api.problem_docs import problems
from offers.api.products.product_routes import (
    LanguageHeader,
    indexed_of,
    limit_searches,
    locale_for,
)
from offers.api.products.route_schema import RouteBody, RouteWishBody, StartKind
from offers.api.products.shop_ways import ShopWays
from offers.api.services import Services, ServicesDep
from offers.handlers.people.own_tags import own_tags
from offers.model.errors import NotFound
from offers.model.ids import ShopperId
from rtls.model.errors import LiveStateAway, NoRoute
from rtls.model.place import Place
from rtls.model.route import Route
from rtls.model.units import ZoneId

RETRY_S: Final = 1

route_routes = APIRouter(tags=["app"])


@route_routes.post(
    "/me/routes",
    operation_id="findRoute",
    responses=problems(
        ProblemCode.NOT_FOUND,
        ProblemCode.STATE_CONFLICT,
        ProblemCode.TOO_MANY_REQUESTS,
        ProblemCode.PRODUCTS_AWAY,
    ),
)
async def find_route(
    body: RouteWishBody,
    shopper: ShopperDep,
    services: ServicesDep,
    response: Response,
    language: LanguageHeader = None,
) -> RouteBody:
    """Return the shortest way to a product or zone. Nothing is kept of it."""
    limit_searches(shopper, services)
    ways = _ways(services)
    zones = _targets(body, services)
    locale = await locale_for(shopper, services, language)
    kind, start = await _start(body, shopper, services, ways)
    route = await anyio.to_thread.run_sync(
        partial(_route, ways, start, zones, is_step_free=body.is_step_free), limiter=services.turns
    )
    response.headers["Cache-Control"] = "no-store"
    return RouteBody.of(route, started_at=kind, locale=locale, site_map=services.site_map)


def _ways(services: Services) -> ShopWays:
    if services.ways is None or not services.ways.is_ready:
        raise Problem(
            ProblemCode.PRODUCTS_AWAY,
            "The ground of the site is being laid out for the first time since the start.",
            retry_after_s=RETRY_S,
        )
    return services.ways


def _targets(body: RouteWishBody, services: Services) -> tuple[ZoneId, ...]:
    """Return the zones to go to, all of the map.

    Raises
    ------
    Problem
        If the wish names none or two, or the product is not in the shop.
    """
    if (body.sku is None) == (body.zone is None):
        raise Problem(
            ProblemCode.VALIDATION_FAILED, "sku and zone: expected one of the two, to go to."
        )
    if body.sku is None:
        assert body.zone is not None
        return (_known(body.zone, services),)
    product = indexed_of(services).product(body.sku)
    known = {zone.zone for zone in services.site_map.zones}
    zones = tuple(zone for zone in product.zones if zone in known)
    if not zones:
        raise Problem(
            ProblemCode.STATE_CONFLICT,
            "The product stands at no shelf of the site map. Ask the staff.",
            reason="not_in_shop",
        )
    return zones


def _known(zone: str, services: Services) -> ZoneId:
    found = next((one.zone for one in services.site_map.zones if one.zone == zone), None)
    if found is None:
        raise NotFound("no such zone; expected one of the site map.")
    return found


async def _start(
    body: RouteWishBody, shopper: ShopperId, services: Services, ways: ShopWays
) -> tuple[StartKind, Place]:
    if body.from_place is not None and body.from_zone is not None:
        raise Problem(
            ProblemCode.VALIDATION_FAILED,
            "from_place and from_zone: expected one of the two at most.",
        )
    if body.from_place is not None:
        return StartKind.PLACE, body.from_place.place()
    if body.from_zone is not None:
        return StartKind.ZONE, ways.place_of(_known(body.from_zone, services))
    return StartKind.FIX, await _fix(shopper, services)


async def own_place(shopper: ShopperId, services: Services) -> Place | None:
    """Return where the shopper's own tag was last located, if that was just now.

    Raises
    ------
    Problem
        503 where nobody can say; without the consent `locate` the error of `own_tags`.
    """
    look = partial(own_tags, shopper, now_ms=services.now_ms())
    tags = await services.read(lambda work: look(work=work))
    if services.ways is None:
        return None
    try:
        return await anyio.to_thread.run_sync(
            services.ways.latest_place, tags, limiter=services.turns
        )
    except LiveStateAway as error:
        raise Problem(
            ProblemCode.PRODUCTS_AWAY,
            "Where shoppers are cannot be read just now. Send from_place or from_zone, or wait.",
            retry_after_s=RETRY_S,
        ) from error


async def _fix(shopper: ShopperId, services: Services) -> Place:
    place = await own_place(shopper, services)
    if place is None:
        raise Problem(
            ProblemCode.STATE_CONFLICT,
            "No paired tag of the shopper has been located just now; expected one. Pair a tag, "
            "or send from_place or from_zone.",
            reason="not_located",
        )
    return place


def _route(ways: ShopWays, start: Place, zones: tuple[ZoneId, ...], *, is_step_free: bool) -> Route:
    try:
        return ways.to_nearest(start, zones, is_step_free=is_step_free)
    except NoRoute as error:
        raise Problem(ProblemCode.STATE_CONFLICT, str(error), reason="no_route") from error
