"""Let a shopper have a quiet day at the shelves.

Layer: edges. Takes: requests of the app. Gives: until when no offer of a place is made. Whose pause
it is follows from the token alone.
"""

from fastapi import APIRouter
from pydantic import Field, StrictBool

from offers.api.auth import ShopperDep
from offers.api.problem_docs import problems
from offers.api.schema import Body, Instant, render_instant
from offers.api.services import ServicesDep
from offers.handlers.messages.pause_offers import pause_offers
from rtls.model.units import UnixMs

pause_routes = APIRouter(tags=["app"])


class PauseWishBody(Body):
    """Whether to pause for the rest of the day."""

    is_paused: StrictBool


class PauseBody(Body):
    """Until when no offer is made at a shelf."""

    until: Instant | None = Field(description="the end of the day in the shop; null: no pause")

    @classmethod
    def of(cls, until_ms: UnixMs | None) -> "PauseBody":
        """Render a pause, if there is one."""
        return cls(until=None if until_ms is None else render_instant(until_ms))


@pause_routes.get("/me/pause", operation_id="getPause", responses=problems())
async def get_pause(shopper: ShopperDep, services: ServicesDep) -> PauseBody:
    """Say until when offers pause."""
    now_ms = services.now_ms()
    wishes = await services.read(lambda work: work.contacts.wishes_of(shopper))
    return PauseBody.of(wishes.paused_until_ms if wishes.is_paused(now_ms=now_ms) else None)


@pause_routes.put("/me/pause", operation_id="putPause", responses=problems())
async def put_pause(body: PauseWishBody, shopper: ShopperDep, services: ServicesDep) -> PauseBody:
    """Make no offer at a shelf until the day is over, or go on at once."""
    until_ms = await services.write(
        lambda work: pause_offers(
            shopper,
            is_paused=body.is_paused,
            time_zone=services.site_map.time_zone,
            work=work,
            now_ms=services.now_ms(),
        )
    )
    return PauseBody.of(until_ms)
