"""Serve tills that may lose their line: signed coupons, keys, batches, and the conflict report.

Layer: edges. Takes: requests of the app, of a till, of the staff. Gives: what a till needs before
it loses its line, and the books of what it did meanwhile.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response, status

from offers.api.auth import ShopperDep, SiteDep
from offers.api.offering.offer_routes import AfterQuery, CouponPath
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import render_instant
from offers.api.services import PAGE_MAX, ServicesDep
from offers.api.till.offline_schema import (
    OfflineBatchBody,
    OfflineConflictBody,
    OfflineConflictsBody,
    OfflineCouponBody,
    OfflineOutcomeBody,
    OfflineOutcomesBody,
    TillKeysBody,
)
from offers.api.till.till_answers import ONCE, Outcome, TillRequestDep, answer_till
from offers.api.till.till_route import TillRoute
from offers.api.till.till_routes import place_of
from offers.handlers.till.book_offline import book_offline
from offers.handlers.till.offline_keys import offline_keys, sign_coupon
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

BATCH: Final = "bookOfflineBatch"

offline_routes = APIRouter(route_class=TillRoute)


@offline_routes.get(
    "/me/coupons/{coupon}/offline",
    operation_id="getOfflineCoupon",
    tags=["app"],
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.STATE_CONFLICT, ProblemCode.EXPIRED),
)
async def get_offline_coupon(
    coupon: CouponPath, shopper: ShopperDep, services: ServicesDep, response: Response
) -> OfflineCouponBody:
    """Return the coupon as a text that a till can check without a line."""
    text, expires_at_ms = await services.write(
        lambda work: sign_coupon(
            shopper, coupon, work=work, now_ms=services.now_ms(), secrets=services.secrets
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return OfflineCouponBody(text=text, expires_at=render_instant(expires_at_ms))


@offline_routes.get("/till/keys", operation_id="getTillKeys", tags=["till"], responses=problems())
async def get_keys(services: ServicesDep) -> TillKeysBody:
    """Return the public keys; a till keeps them for the hour in which it has no line."""
    return TillKeysBody.of(offline_keys(services.secrets))


@offline_routes.post(
    "/till/offline-batches",
    operation_id=BATCH,
    tags=["till"],
    status_code=status.HTTP_201_CREATED,
    response_model=OfflineOutcomesBody,
    responses=problems(*ONCE),
)
async def book_batch(body: OfflineBatchBody, asked: TillRequestDep) -> Response:
    """Book what the till did while it had no line; each coupon once, each conflict by name."""
    till, site = place_of(asked.till)
    items = [item.item() for item in body.items]
    secrets = asked.services.secrets

    def deed(work: UnitOfWork, now_ms: UnixMs) -> Outcome:
        outcomes = [
            book_offline(item, site=site, till=till, work=work, now_ms=now_ms, secrets=secrets)
            for item in items
        ]
        booked = tuple(OfflineOutcomeBody.of(outcome) for outcome in outcomes)
        return Outcome(answer=OfflineOutcomesBody(outcomes=booked))

    return await answer_till(asked, deed, operation=BATCH)


@offline_routes.get(
    "/operator/offline-conflicts",
    operation_id="getOfflineConflicts",
    tags=["operator"],
    responses=problems(),
)
async def get_conflicts(
    site: SiteDep,
    services: ServicesDep,
    after: AfterQuery = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
) -> OfflineConflictsBody:
    """Return what tills without a line did and what needs attention, oldest first."""
    found = await services.read(
        lambda work: work.offline_items.conflicts(site, after=after, limit=limit + 1)
    )
    page = found[:limit]
    return OfflineConflictsBody(
        conflicts=tuple(OfflineConflictBody.at(till, outcome) for _, till, outcome in page),
        cursor=page[-1][0] if page else after,
        has_more=len(found) > limit,
    )
