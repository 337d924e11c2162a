"""Serve the service desk: what a shopper's card stands for, by id or by the card that is shown.

Layer: edges. Takes: requests of a store admin. Gives: state, tier, points and segment; never a
position, a purchase or what was said. There is no list and no search: who is not there, and whose
id nobody has, cannot be looked up. Each look is in the audit, and so in the shopper's own export.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field, StrictStr

from offers.api.auth import CallerDep
from offers.api.loyalty.points_schema import BalanceBody
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body, Id, Instant, render_instant
from offers.api.services import Services, ServicesDep
from offers.api.till.till_answers import check_failures, count_bad_codes, refused
from offers.handlers.people.look_up_shopper import ShopperView, look_up_card, look_up_shopper
from offers.model.ids import ShopperId
from offers.model.loyalty.segment import Segment
from offers.model.offering.refusal import TillRefusal
from offers.model.people.shopper import Locale
from offers.model.people.suspension import Suspension, SuspensionReason
from rtls.model.units import UnixMs

shopper_lookup_routes = APIRouter(tags=["staff"])

ShopperPath = Annotated[ShopperId, Path(max_length=128)]


class ShownCardBody(Body):
    """The card of somebody who stands at the desk."""

    card: StrictStr = Field(min_length=1, max_length=64, description="what was scanned")


class ShopperTierBody(Body):
    """Where the shopper stands."""

    tier: str | None = Field(description="null: on no tier yet", examples=["gold"])
    ends_at: Instant | None
    missing_minor: int = Field(description="to the next tier", examples=[18_750])


class ShopperSuspensionBody(Body):
    """Why the card is suspended; what the shopper says to it is read without the name."""

    reason: SuspensionReason
    at: Instant
    has_appealed: bool

    @classmethod
    def of(cls, suspension: Suspension) -> "ShopperSuspensionBody":
        """Render it without its id, which leads to the appeal."""
        return cls(
            reason=suspension.reason,
            at=render_instant(suspension.at_ms),
            has_appealed=suspension.appeal is not None,
        )


class ShopperViewBody(Body):
    """What a store admin sees of a shopper."""

    shopper: Id
    state: str = Field(description="enrolled or suspended", examples=["enrolled"])
    enrolled_at: Instant
    locale: Locale
    tier: ShopperTierBody | None = Field(description="null where the site has no tiers")
    balances: tuple[BalanceBody, ...]
    segment: Segment | None = Field(description="at this site; null: in none")
    segment_since: Instant | None
    suspension: ShopperSuspensionBody | None
    open_cases: int = Field(description="how many; what they say is read without the name")

    @classmethod
    def of(cls, view: ShopperView, *, now_ms: UnixMs) -> "ShopperViewBody":
        """Render what there is to see."""
        member, standing = view.membership, view.standing
        return cls(
            shopper=view.shopper.shopper,
            state="enrolled" if view.suspension is None else "suspended",
            enrolled_at=render_instant(view.shopper.enrolled_at_ms),
            locale=view.shopper.locale,
            tier=None
            if standing is None
            else ShopperTierBody(
                tier=None if standing.tier is None else standing.tier.tier,
                ends_at=None
                if standing.ends_at_ms is None
                else render_instant(standing.ends_at_ms),
                missing_minor=standing.missing_minor,
            ),
            balances=tuple(BalanceBody.of(wallet, now_ms=now_ms) for wallet in view.wallets),
            segment=None if member is None else member.segment,
            segment_since=None if member is None else render_instant(member.entered_at_ms),
            suspension=None
            if view.suspension is None
            else ShopperSuspensionBody.of(view.suspension),
            open_cases=view.open_cases,
        )


@shopper_lookup_routes.get(
    "/operator/shoppers/{shopper}",
    operation_id="lookUpShopper",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def get_shopper(
    shopper: ShopperPath, staff: CallerDep, response: Response, services: ServicesDep
) -> ShopperViewBody:
    """Return what there is to see of a shopper who has been to this site; noted in the audit."""
    now_ms = services.now_ms()
    look = partial(look_up_shopper, shopper, by=staff, now_ms=now_ms, secrets=services.secrets)
    view = await services.write(lambda work: look(work=work))
    return _not_kept(view, response, now_ms)


@shopper_lookup_routes.post(
    "/operator/shoppers/lookup",
    operation_id="lookUpCard",
    responses=problems(ProblemCode.REFUSED, ProblemCode.TOO_MANY_FAILURES),
)
async def look_up(
    body: ShownCardBody, staff: CallerDep, response: Response, services: ServicesDep
) -> ShopperViewBody:
    """Return the same of who shows the card; its code is used up. Noted in the audit.

    Raises
    ------
    refused
        The problem of a card that is not valid.
    """
    check_failures(staff, services)
    view = await _shown(body.card, staff, services)
    if isinstance(view, TillRefusal):
        count_bad_codes(1, staff, services)
        raise refused(view)
    return _not_kept(view, response, services.now_ms())


async def _shown(card: str, staff: CallerDep, services: Services) -> ShopperView | TillRefusal:
    look = partial(look_up_card, card, by=staff, now_ms=services.now_ms(), secrets=services.secrets)
    return await services.write(lambda work: look(work=work))


def _not_kept(view: ShopperView, response: Response, now_ms: UnixMs) -> ShopperViewBody:
    response.headers["Cache-Control"] = "no-store"
    return ShopperViewBody.of(view, now_ms=now_ms)
