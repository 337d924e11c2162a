"""Serve the codes that a card shows while its phone has no line.

Layer: edges. Takes: requests of the app. Gives: the codes of the hours to come, with our own time,
since phones' clocks differ and a code counts by ours.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status
from pydantic import Field

from offers.api.auth import ShopperDep
from offers.api.problem import Problem, ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body, Instant, render_instant
from offers.api.services import Services, ServicesDep
from offers.checkout.card_code import STEP_MS
from offers.handlers.till.reveal_ahead import STEPS_AHEAD_MAX, CodesAhead, reveal_ahead
from offers.model.ids import ShopperId
from rtls.model.units import UnixMs

card_ahead_routes = APIRouter(tags=["app"])


class CardCodesBody(Body):
    """The codes of the card, half minute by half minute; a till takes each once."""

    now: Instant = Field(description="our clock: what it says decides which code is good")
    begins_at: Instant = Field(description="when the first code begins")
    ends_at: Instant = Field(description="when the last one ends")
    step_ms: int = Field(description="how long each is good", examples=[STEP_MS])
    qr: tuple[str, ...] = Field(examples=[["C14H2R90QK7K2M9QXD4TRB0123"]])
    digits: tuple[str, ...] = Field(examples=[["1234567890121234567890"]])

    @classmethod
    def of(cls, ahead: CodesAhead, *, now_ms: UnixMs) -> "CardCodesBody":
        """Render codes."""
        return cls(
            now=render_instant(now_ms),
            begins_at=render_instant(ahead.from_ms),
            ends_at=render_instant(ahead.until_ms),
            step_ms=STEP_MS,
            qr=ahead.qr,
            digits=ahead.digits,
        )


@card_ahead_routes.post(
    "/me/card/codes",
    operation_id="getCardCodes",
    status_code=status.HTTP_200_OK,
    responses=problems(ProblemCode.TOO_MANY_REQUESTS),
)
async def get_card_codes(
    shopper: ShopperDep,
    services: ServicesDep,
    response: Response,
    steps: Annotated[int, Query(ge=1, le=STEPS_AHEAD_MAX)] = STEPS_AHEAD_MAX,
) -> CardCodesBody:
    """Return the codes of the hours to come, to be shown without a line. The audit notes it."""
    _limit(shopper, services)
    now_ms = services.now_ms()
    ahead = await services.write(
        lambda work: reveal_ahead(
            shopper, steps=steps, work=work, now_ms=now_ms, secrets=services.secrets
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return CardCodesBody.of(ahead, now_ms=now_ms)


def _limit(shopper: ShopperId, services: Services) -> None:
    now_ms = services.now_ms()
    wait_s = services.codes_ahead.wait_s(shopper, now_ms=now_ms)
    if wait_s:
        raise Problem(
            ProblemCode.TOO_MANY_REQUESTS,
            f"More than {services.settings.codes_ahead_an_hour_max} times codes ahead in an hour; "
            f"again in {wait_s} s. Keep those that were given; GET /v1/me/card/code gives one.",
            retry_after_s=wait_s,
        )
    services.codes_ahead.count_failure(shopper, now_ms=now_ms)
