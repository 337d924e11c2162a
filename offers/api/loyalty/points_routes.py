"""Serve the shopper's points and cashback: what is there, what expires, what happened.

Layer: edges. Takes: requests of the app. Gives: balances and history. Whose wallets are meant
follows from the token alone.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from offers.api.auth import ShopperDep
from offers.api.loyalty.points_schema import (
    BalanceBody,
    ExpiringBody,
    HistoryBody,
    HistoryEntryBody,
    PointsBody,
    expiries_of,
)
from offers.api.problem_docs import problems
from offers.api.services import PAGE_MAX, ServicesDep
from offers.model.conditions.fact import DAY_MS
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

DAYS_MAX: Final = 3_660
CURSOR_MAX: Final = 2**63 - 1

points_routes = APIRouter(tags=["app"])


@points_routes.get("/me/points", operation_id="getPoints", responses=problems())
async def get_points(shopper: ShopperDep, services: ServicesDep) -> PointsBody:
    """Return what the shopper has now, unit by unit."""
    now_ms = services.now_ms()
    wallets = await services.read(lambda work: work.ledger.wallets_of(shopper))
    return PointsBody(balances=tuple(BalanceBody.of(wallet, now_ms=now_ms) for wallet in wallets))


@points_routes.get("/me/points/expiring", operation_id="getExpiringPoints", responses=problems())
async def get_expiring_points(
    shopper: ShopperDep,
    services: ServicesDep,
    within_days: Annotated[int, Query(ge=1, le=DAYS_MAX)] = 30,
) -> ExpiringBody:
    """Return what expires within so many days, soonest first."""
    now_ms = services.now_ms()
    until_ms = UnixMs(now_ms + within_days * DAY_MS)
    wallets = await services.read(lambda work: work.ledger.wallets_of(shopper))
    return ExpiringBody(expiring=expiries_of(wallets, now_ms=now_ms, until_ms=until_ms))


@points_routes.get("/me/points/history", operation_id="getPointsHistory", responses=problems())
async def get_points_history(
    shopper: ShopperDep,
    services: ServicesDep,
    before: Annotated[
        int, Query(ge=1, le=CURSOR_MAX, description="cursor of the last page")
    ] = CURSOR_MAX,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
) -> HistoryBody:
    """Return what moved the shopper's points and cashback, newest first."""

    def look(work: UnitOfWork) -> HistoryBody:
        found = work.ledger.history_of(shopper, before=before, limit=limit + 1)
        page = found[:limit]
        return HistoryBody(
            entries=tuple(HistoryEntryBody.of(entry) for entry in page),
            cursor=page[-1].sequence if page else before,
            has_more=len(found) > limit,
        )

    return await services.read(look)
