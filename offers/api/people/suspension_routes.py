"""Serve suspensions: store admins suspend cards and lift that, shoppers see it and appeal.

Layer: edges. Takes: requests of staff and app. Gives: what suspend_card answers. Staff see cases,
reasons and appeals of their own site, never a shopper's key or anything he bought.
"""

from typing import Annotated

from fastapi import APIRouter, Path, status
from pydantic import Field, StrictStr

from offers.api.auth import CallerDep, ShopperDep, SiteDep
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body, Id, Instant, render_instant
from offers.api.services import PAGE_MAX, ServicesDep
from offers.handlers.people.suspend_card import appeal_suspension, lift_suspension, suspend_card
from offers.model.ids import SuspensionId
from offers.model.people.card import CARD_DIGITS, CardNumber
from offers.model.people.suspension import APPEAL_CHARACTERS_MAX, Suspension, SuspensionReason

suspension_routes = APIRouter(tags=["suspensions"])

SuspensionPath = Annotated[SuspensionId, Path(max_length=128)]


class SuspensionWishBody(Body):
    """A card to suspend, and why."""

    card: StrictStr = Field(pattern=rf"^[0-9]{{1,{CARD_DIGITS}}}$", examples=["123456789012"])
    reason: SuspensionReason = Field(examples=["coupon_abuse"])


class AppealBody(Body):
    """What the shopper says."""

    text: StrictStr = Field(min_length=1, max_length=APPEAL_CHARACTERS_MAX)


class SuspensionBody(Body):
    """A suspension, as staff and the shopper himself see it."""

    suspension: Id
    reason: SuspensionReason
    at: Instant
    appeal: str | None
    appealed_at: Instant | None

    @classmethod
    def of(cls, suspension: Suspension) -> "SuspensionBody":
        """Render a suspension without saying whose it is."""
        appealed_at_ms = suspension.appealed_at_ms
        return cls(
            suspension=suspension.suspension,
            reason=suspension.reason,
            at=render_instant(suspension.at_ms),
            appeal=suspension.appeal,
            appealed_at=None if appealed_at_ms is None else render_instant(appealed_at_ms),
        )


class SuspensionsBody(Body):
    """The suspensions of a site that have not been lifted, those with an appeal first."""

    suspensions: tuple[SuspensionBody, ...]


class OwnSuspensionBody(Body):
    """Whether the card is suspended."""

    suspension: SuspensionBody | None


@suspension_routes.post(
    "/suspensions",
    operation_id="suspendCard",
    status_code=status.HTTP_201_CREATED,
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.STATE_CONFLICT),
)
async def suspend(
    body: SuspensionWishBody, staff: CallerDep, services: ServicesDep
) -> SuspensionBody:
    """Suspend a card: it gets no offers and redeems nothing until this is lifted."""
    made = await services.write(
        lambda work: suspend_card(
            CardNumber(int(body.card)),
            body.reason,
            by=staff,
            work=work,
            now_ms=services.now_ms(),
            secrets=services.secrets,
        )
    )
    return SuspensionBody.of(made)


@suspension_routes.get("/suspensions", operation_id="getSuspensions", responses=problems())
async def get_suspensions(site: SiteDep, services: ServicesDep) -> SuspensionsBody:
    """Return the site's suspensions with the appeals."""
    found = await services.read(lambda work: work.suspensions.open_of_site(site, limit=PAGE_MAX))
    return SuspensionsBody(suspensions=tuple(SuspensionBody.of(one) for one in found))


@suspension_routes.delete(
    "/suspensions/{suspension}",
    operation_id="liftSuspension",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(ProblemCode.NOT_FOUND),
)
async def lift(suspension: SuspensionPath, staff: CallerDep, services: ServicesDep) -> None:
    """Lift a suspension; what stays is the entry in the audit."""
    await services.write(
        lambda work: lift_suspension(
            suspension,
            by=staff,
            work=work,
            now_ms=services.now_ms(),
            secrets=services.secrets,
        )
    )


@suspension_routes.get("/me/suspension", operation_id="getOwnSuspension", responses=problems())
async def get_own(shopper: ShopperDep, services: ServicesDep) -> OwnSuspensionBody:
    """Say whether the shopper's card is suspended, and why."""
    found = await services.read(lambda work: work.suspensions.open_of(shopper))
    return OwnSuspensionBody(suspension=None if found is None else SuspensionBody.of(found))


@suspension_routes.put(
    "/me/suspension/appeal",
    operation_id="appealSuspension",
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.STATE_CONFLICT),
)
async def appeal(body: AppealBody, shopper: ShopperDep, services: ServicesDep) -> SuspensionBody:
    """Say what there is to say to it, once; the store admin reads it."""
    appealed = await services.write(
        lambda work: appeal_suspension(
            shopper,
            body.text,
            work=work,
            now_ms=services.now_ms(),
            secrets=services.secrets,
        )
    )
    return SuspensionBody.of(appealed)
