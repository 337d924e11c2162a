"""Serve the shopper's app: enrolment, card, consents, pairings.

Layer: edges. Takes: requests of the app. Gives: what the handlers answer, in the app's words.
Whose data is meant follows from the token alone; ids of others are answered as unknown.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response, status

from offers.api.auth import ShopperDep
from offers.api.people.shopper_schema import (
    CardBody,
    CardCodeBody,
    ConsentBody,
    ConsentsBody,
    ConsentWishBody,
    EnrolledBody,
    EnrolmentBody,
    PairingBody,
    PairingsBody,
    PairingWishBody,
)
from offers.api.problem import Problem, ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import Services, ServicesDep
from offers.handlers.loyalty.earn_points import earn_for_activity
from offers.handlers.offering.welcome_shopper import welcome_shopper
from offers.handlers.people.change_consent import ConsentWish, change_consent
from offers.handlers.people.enrol_shopper import Enrolment, enrol_shopper
from offers.handlers.people.pair_tag import pair_tag, unpair_tag
from offers.handlers.till.reveal_card import make_card, reveal_card
from offers.model.errors import NotFound
from offers.model.ids import PairingId, ShopperId
from offers.model.loyalty.ledger import PostingReason
from offers.model.people.card import CardCodeForm
from offers.model.people.consent import ConsentState, Purpose
from offers.model.people.shopper import Shopper
from offers.ports import UnitOfWork
from rtls.model.units import TagId

shopper_routes = APIRouter(tags=["app"])

PairingPath = Annotated[PairingId, Path(max_length=128)]


@shopper_routes.post(
    "/enrolments",
    operation_id="enrolShopper",
    status_code=status.HTTP_201_CREATED,
    responses=problems(ProblemCode.TOO_MANY_FAILURES, is_open=True),
)
async def enrol(
    body: EnrolmentBody, request: Request, response: Response, services: ServicesDep
) -> EnrolledBody:
    """Become a shopper under a random key. The token is shown this once: keep it in the app."""
    limit_enrolments(request, services)
    wishes = [ConsentWish(**wish.model_dump()) for wish in body.consents]

    def enrol_and_welcome(work: UnitOfWork) -> Enrolment:
        now_ms, secrets = services.now_ms(), services.secrets
        enrolled = enrol_shopper(
            body.locale,
            wishes=wishes,
            work=work,
            now_ms=now_ms,
            secrets=secrets,
            site=services.site_map.site,
        )
        earn_for_activity(
            enrolled.shopper.shopper,
            PostingReason.WELCOME,
            subject="enrolment",
            site=services.site_map.site,
            work=work,
            now_ms=now_ms,
            secrets=secrets,
        )
        return enrolled

    enrolled = await services.write(enrol_and_welcome)
    response.headers["Cache-Control"] = "no-store"
    return EnrolledBody.of(enrolled.shopper, token=enrolled.secret)


def limit_enrolments(request: Request, services: ServicesDep) -> None:
    """Let an address wait that enrols too often.

    Raises
    ------
    Problem
        429, with the seconds to wait.
    """
    # Enrolling is open to all, and each enrolment is a row that stays.
    address = "" if request.client is None else request.client.host
    now_ms = services.now_ms()
    wait_s = services.enrolments.wait_s(address, now_ms=now_ms)
    if wait_s:
        raise Problem(
            ProblemCode.TOO_MANY_FAILURES,
            f"Too many enrolments from one address; again in {wait_s} s.",
            retry_after_s=wait_s,
        )
    services.enrolments.count_failure(address, now_ms=now_ms)


@shopper_routes.get("/me/card", operation_id="getCard", responses=problems())
async def get_card(shopper: ShopperDep, services: ServicesDep) -> CardBody:
    """Return the shopper's card."""
    return CardBody.of(await services.read(partial(_find_shopper, shopper)))


@shopper_routes.get("/me/card/code", operation_id="getCardCode", responses=problems())
async def get_card_code(
    shopper: ShopperDep,
    services: ServicesDep,
    response: Response,
    form: CardCodeForm = CardCodeForm.QR,
) -> CardCodeBody:
    """Return the code to show at the till in this half minute; a till takes each once."""
    reveal = partial(reveal_card, shopper, form, now_ms=services.now_ms(), secrets=services.secrets)
    shown = await services.read(lambda work: reveal(work=work))
    if shown is None:
        await services.write(lambda work: make_card(shopper, work=work, secrets=services.secrets))
        shown = await services.read(lambda work: reveal(work=work))
    assert shown is not None
    response.headers["Cache-Control"] = "no-store"
    return CardCodeBody.of(shown)


def _find_shopper(shopper: ShopperId, work: UnitOfWork) -> Shopper:
    found = work.shoppers.find(shopper)
    if found is None:
        raise NotFound("the shopper has been erased; expected one who is enrolled. Enrol again.")
    return found


@shopper_routes.get("/me/consents", operation_id="getConsents", responses=problems())
async def get_consents(shopper: ShopperDep, services: ServicesDep) -> ConsentsBody:
    """Return what is granted, for every purpose, asked or not."""
    return _consents(await services.read(lambda work: work.consents.state_of(shopper)))


@shopper_routes.put("/me/consents/{purpose}", operation_id="putConsent", responses=problems())
async def put_consent(
    purpose: Purpose, body: ConsentWishBody, shopper: ShopperDep, services: ServicesDep
) -> ConsentsBody:
    """Grant or withdraw one purpose; a withdrawal has taken effect when it is answered."""
    wish = ConsentWish(purpose=purpose, **body.model_dump())
    return _consents(await services.write(partial(_change_consent, shopper, wish, services)))


def _change_consent(
    shopper: ShopperId, wish: ConsentWish, services: Services, work: UnitOfWork
) -> ConsentState:
    now_ms, secrets = services.now_ms(), services.secrets
    changed = change_consent(shopper, wish, work=work, now_ms=now_ms, secrets=secrets)
    if wish.purpose is Purpose.PERSONALISE and wish.is_granted:
        site = services.site_map.site
        welcome_shopper(shopper, site, work=work, now_ms=now_ms, secrets=secrets)
    return changed


def _consents(state: ConsentState) -> ConsentsBody:
    return ConsentsBody(
        consents=tuple(ConsentBody.of(purpose, state.newest_of(purpose)) for purpose in Purpose)
    )


@shopper_routes.get("/me/pairings", operation_id="getPairings", responses=problems())
async def get_pairings(shopper: ShopperDep, services: ServicesDep) -> PairingsBody:
    """Return the tags that stand for the shopper now."""
    now_ms = services.now_ms()
    active = await services.read(
        lambda work: work.pairings.active_of_shopper(shopper, now_ms=now_ms)
    )
    return PairingsBody(pairings=tuple(PairingBody.of(pairing) for pairing in active))


@shopper_routes.post(
    "/me/pairings",
    operation_id="pairTag",
    status_code=status.HTTP_201_CREATED,
    responses=problems(ProblemCode.STATE_CONFLICT),
)
async def pair(body: PairingWishBody, shopper: ShopperDep, services: ServicesDep) -> PairingBody:
    """Pair a tag for some hours; needs the consent `locate`. One's own tag again renews it."""
    paired = await services.write(
        lambda work: pair_tag(
            shopper,
            TagId(body.tag),
            work=work,
            now_ms=services.now_ms(),
            secrets=services.secrets,
        )
    )
    return PairingBody.of(paired)


@shopper_routes.delete(
    "/me/pairings/{pairing}",
    operation_id="unpairTag",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(ProblemCode.NOT_FOUND),
)
async def unpair(pairing: PairingPath, shopper: ShopperDep, services: ServicesDep) -> None:
    """End a pairing; the tag is no longer followed."""
    await services.write(
        lambda work: unpair_tag(shopper, pairing, work=work, now_ms=services.now_ms())
    )
