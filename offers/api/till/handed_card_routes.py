"""Serve the automatic programme: the till hands a card out, its holder claims it in the app.

Layer: edges. Takes: requests of tills, and of apps that have no token yet. Gives: a claim for the
receipt; a token for the claim.
"""

from fastapi import APIRouter, Request, Response, status
from pydantic import Field, StrictStr

from offers.api.people.shopper_routes import limit_enrolments
from offers.api.people.shopper_schema import EnrolledBody, EnrolmentConsentBody
from offers.api.problem import Problem, ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body, Instant, render_instant
from offers.api.services import ServicesDep
from offers.checkout.coupon_code import TYPED_CHARACTERS_MAX, group_code
from offers.handlers.loyalty.earn_points import earn_for_activity
from offers.handlers.people.change_consent import ConsentWish
from offers.handlers.people.enrol_shopper import Enrolment
from offers.handlers.till.hand_out_card import claim_card, hand_out_card
from offers.model.loyalty.ledger import PostingReason
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from offers.ports import UnitOfWork

handed_card_routes = APIRouter(tags=["till"])


class HandOutBody(Body):
    """The language in which the card speaks until its holder chooses."""

    locale: Locale = Field(default=Locale.DE, examples=["de"])


class HandedCardBody(Body):
    """A card that nobody has claimed. Print the claim; use the card with this basket."""

    claim: str = Field(examples=["7K2M-9QXD-4TRB"])
    claim_until: Instant
    card: str = Field(description="send it with the basket, as if it had been scanned")


class ClaimBody(Body):
    """The claim on the receipt, and what its holder agrees to."""

    claim: StrictStr = Field(
        min_length=1, max_length=TYPED_CHARACTERS_MAX, examples=["7K2M-9QXD-4TRB"]
    )
    consents: list[EnrolmentConsentBody] = Field(default_factory=list, max_length=len(Purpose))


@handed_card_routes.post(
    "/till/cards",
    operation_id="handOutCard",
    status_code=status.HTTP_201_CREATED,
    responses=problems(),
)
async def hand_out(body: HandOutBody, response: Response, services: ServicesDep) -> HandedCardBody:
    """Hand out a card that collects from this basket on, without knowing anybody.

    No answer is kept for a repeat, since it holds secrets: a till that lost it hands out another.
    """
    handed = await services.write(
        lambda work: hand_out_card(
            body.locale, work=work, now_ms=services.now_ms(), secrets=services.secrets
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return HandedCardBody(
        claim=group_code(handed.claim),
        claim_until=render_instant(handed.until_ms),
        card=handed.card,
    )


@handed_card_routes.post(
    "/enrolments/claims",
    operation_id="claimCard",
    status_code=status.HTTP_201_CREATED,
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.TOO_MANY_FAILURES, is_open=True),
)
async def claim(
    body: ClaimBody, request: Request, response: Response, services: ServicesDep
) -> EnrolledBody:
    """Make a card from a receipt one's own. The token is shown this once: keep it in the app.

    Raises
    ------
    Problem
        If the claim is unknown, used or over: the three are told apart nowhere.
    """
    limit_enrolments(request, services)
    wishes = [ConsentWish(**wish.model_dump()) for wish in body.consents]
    site = services.site_map.site

    def claim_and_welcome(work: UnitOfWork) -> Enrolment | None:
        now_ms, secrets = services.now_ms(), services.secrets
        claimed = claim_card(
            body.claim, site=site, wishes=wishes, work=work, now_ms=now_ms, secrets=secrets
        )
        if claimed is not None:
            earn_for_activity(
                claimed.shopper.shopper,
                PostingReason.WELCOME,
                subject="enrolment",
                site=site,
                work=work,
                now_ms=now_ms,
                secrets=secrets,
            )
        return claimed

    claimed = await services.write(claim_and_welcome)
    if claimed is None:
        raise Problem(
            ProblemCode.NOT_FOUND,
            "There is no such claim, or it has been used. Type what stands on the receipt.",
        )
    response.headers["Cache-Control"] = "no-store"
    return EnrolledBody.of(claimed.shopper, token=claimed.secret)
