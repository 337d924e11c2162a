"""Serve the shopper's offers: list, open, dismiss, show the code of a coupon.

Layer: edges. Takes: requests of the app. Gives: offers in the shopper's language. A list is a
delivery too: what waits is checked once more and marked in the same transaction.
"""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from offers.api.auth import ShopperDep
from offers.api.people.shopper_schema import CouponCodeBody, OfferBody, OffersBody
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import PAGE_MAX, Services, ServicesDep
from offers.handlers.loyalty.earn_for_offer import earn_for_offer
from offers.handlers.offering.deliver_offer import deliver_waiting
from offers.handlers.offering.open_offer import dismiss_offer, open_offer
from offers.handlers.offering.reveal_coupon import reveal_coupon
from offers.model.ids import CouponId, OfferId, ShopperId
from offers.model.offering.offer import OfferCard, OfferState
from offers.model.people.shopper import Locale
from offers.ports import UnitOfWork

# What has reached the shopper once. Issued and revoked before delivery: the shopper never saw it.
SHOWN: Final = (
    OfferState.DELIVERED,
    OfferState.OPENED,
    OfferState.REDEEMED,
    OfferState.DISMISSED,
    OfferState.EXPIRED,
)
CURSOR_MAX: Final = 2**63 - 1

offer_routes = APIRouter(tags=["app"])

OfferPath = Annotated[OfferId, Path(max_length=128)]
CouponPath = Annotated[CouponId, Path(max_length=128)]
AfterQuery = Annotated[int, Query(ge=0, le=CURSOR_MAX, description="cursor of the last page")]


@offer_routes.get("/me/offers", operation_id="getOffers", responses=problems())
async def get_offers(
    shopper: ShopperDep,
    services: ServicesDep,
    after: AfterQuery = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
) -> OffersBody:
    """Return the shopper's offers behind the cursor, oldest first."""
    await deliver_what_waits(shopper, services)
    return await services.read(
        partial(offers_page, shopper, after=after, limit=limit, states=SHOWN)
    )


async def deliver_what_waits(shopper: ShopperId, services: Services) -> None:
    """Mark as delivered what waits for the shopper; a write only where something waits."""
    waiting = await services.read(lambda work: work.offers.undelivered_of_shopper(shopper))
    if waiting:
        await services.write(
            lambda work: deliver_waiting(shopper, work=work, now_ms=services.now_ms())
        )


def offers_page(
    shopper: ShopperId,
    work: UnitOfWork,
    *,
    after: int,
    limit: int,
    states: tuple[OfferState, ...],
) -> OffersBody:
    """Return one page of offers as the app reads them."""
    cards = work.offers.cards_of(shopper, after=after, limit=limit + 1, states=states)
    page, locale = cards[:limit], locale_of(shopper, work)
    return OffersBody(
        offers=tuple(OfferBody.of(card, locale=locale) for card in page),
        cursor=page[-1].sequence if page else after,
        has_more=len(cards) > limit,
    )


@offer_routes.post(
    "/me/offers/{offer}/opened",
    operation_id="openOffer",
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.STATE_CONFLICT, ProblemCode.EXPIRED),
)
async def open_one(offer: OfferPath, shopper: ShopperDep, services: ServicesDep) -> OfferBody:
    """Note that the shopper looks at the offer, and give its points; twice is as good as once."""

    def open_and_earn(work: UnitOfWork) -> OfferBody:
        now_ms = services.now_ms()
        card = open_offer(shopper, offer, work=work, now_ms=now_ms)
        earn_for_offer(card, work=work, now_ms=now_ms, secrets=services.secrets)
        return _body(card, shopper, work)

    return await services.write(open_and_earn)


@offer_routes.post(
    "/me/offers/{offer}/dismissed",
    operation_id="dismissOffer",
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.STATE_CONFLICT),
)
async def dismiss_one(offer: OfferPath, shopper: ShopperDep, services: ServicesDep) -> OfferBody:
    """Note that the shopper does not want the offer; its coupon ends with it."""
    return await services.write(
        lambda work: _body(
            dismiss_offer(shopper, offer, work=work, now_ms=services.now_ms()), shopper, work
        )
    )


@offer_routes.get(
    "/me/coupons/{coupon}/code",
    operation_id="getCouponCode",
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.STATE_CONFLICT, ProblemCode.EXPIRED),
)
async def get_coupon_code(
    coupon: CouponPath, shopper: ShopperDep, services: ServicesDep, response: Response
) -> CouponCodeBody:
    """Return a fresh code to show at the till; its offer counts as opened."""
    code = await services.write(
        lambda work: reveal_coupon(
            shopper, coupon, work=work, now_ms=services.now_ms(), secrets=services.secrets
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return CouponCodeBody.of(code)


def locale_of(shopper: ShopperId, work: UnitOfWork) -> Locale:
    """Return the language of the shopper."""
    found = work.shoppers.find(shopper)
    return Locale.DE if found is None else found.locale


def _body(card: OfferCard, shopper: ShopperId, work: UnitOfWork) -> OfferBody:
    return OfferBody.of(card, locale=locale_of(shopper, work))
