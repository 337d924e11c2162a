"""Write and read the frames of the shopper's stream.

Layer: edges. Takes: offers, the app's messages. Gives: JSON texts to the relay and the stream
route. We say ``hello`` once, ``offer`` for each offer and change, ``points`` when something has
been earned, spent or taken back, ``case_answer`` when staff have
answered, and ``scan_refused``; the app says ``sign_in`` once and ``scan``
as often as it has heard anchors.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field, StrictInt, StrictStr

from offers.api.loyalty.points_schema import BalanceBody, PointsBody
from offers.api.people.case_schema import OwnAnswerBody
from offers.api.people.shopper_schema import OfferBody
from offers.api.problem import ProblemCode
from offers.api.schema import Body
from offers.api.visits.scan_schema import ScanBody
from offers.model.loyalty.ledger import Wallet
from offers.model.offering.offer import OfferCard, OfferState
from offers.model.people.service_case import AnswerToTell
from offers.model.people.shopper import Locale
from rtls.model.units import UnixMs

CURSOR_MAX = 2**63 - 1


class SignInFrame(Body):
    """What an app says first that cannot set headers."""

    type: Literal["sign_in"]
    token: StrictStr = Field(min_length=1, max_length=128)
    after: StrictInt | None = Field(default=None, ge=0, le=CURSOR_MAX)


class ScanFrame(ScanBody):
    """What the app's phone hears of the anchors; answered only if it is refused."""

    type: Literal["scan"]


class ScanRefusedFrame(Body):
    """A scan was not taken; `code` and `reason` as in a problem document."""

    type: Literal["scan_refused"] = "scan_refused"
    code: ProblemCode
    detail: str
    reason: str | None = None
    retry_after_s: int | None = None


class HelloFrame(Body):
    """What every app hears first."""

    type: Literal["hello"] = "hello"
    cursor: int
    """of the youngest offer that is sent now"""
    has_more: bool
    """there is more than fits here: fetch it from ``GET /v1/me/offers?after=cursor``"""


class OfferFrame(Body):
    """An offer that is new, or whose state has changed: redeemed, dismissed, expired, revoked."""

    type: Literal["offer"] = "offer"
    offer: OfferBody


class PointsFrame(PointsBody):
    """What the shopper has now, unit by unit, a moment after something has changed it."""

    type: Literal["points"] = "points"


class CaseAnswerFrame(OwnAnswerBody):
    """What staff answered, a moment after they did."""

    type: Literal["case_answer"] = "case_answer"
    case: str


def answer_frame(told: AnswerToTell) -> str:
    """Return the frame of an answer; the relay is wired with it."""
    body = OwnAnswerBody.of(told.answer)
    return CaseAnswerFrame(case=told.answer.case, **dict(body)).model_dump_json()


def points_frame(wallets: Sequence[Wallet], now_ms: UnixMs) -> str:
    """Return the frame of a shopper's wallets; the relay is wired with it."""
    balances = tuple(BalanceBody.of(wallet, now_ms=now_ms) for wallet in wallets)
    return PointsFrame(balances=balances).model_dump_json()


def offer_frame(card: OfferCard, locale: Locale) -> str:
    """Return the frame of an offer; the relay is wired with it.

    An offer that is only issued is on its way: the app that reads it has it delivered.
    """
    if card.offer.state is OfferState.ISSUED:
        card = replace(card, offer=replace(card.offer, state=OfferState.DELIVERED))
    return OfferFrame(offer=OfferBody.of(card, locale=locale)).model_dump_json()
