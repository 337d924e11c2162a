"""Hand out a card at the till, and let whoever holds it make it his own in the app.

Layer: flow. Takes: a till's wish; later a code from the receipt. Gives: `HandedCard`, then the
`Enrolment`. The automatic programme: the card collects from the first purchase on, anonymous and
without any consent; locating and profiling begin only when its holder says so in the app.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from offers.checkout.coupon_code import RANDOM_BYTES, parse_code, render_code
from offers.handlers.messages.note_event import note_event
from offers.handlers.offering.welcome_shopper import welcome_shopper
from offers.handlers.people.change_consent import ConsentWish, change_consent
from offers.handlers.people.enrol_shopper import Enrolment
from offers.handlers.people.issue_credential import issue_credential
from offers.handlers.random_id import random_id
from offers.handlers.till.reveal_card import make_card, reveal_card
from offers.model.errors import InvalidOffer
from offers.model.ids import ShopperId
from offers.model.messages.webhook import WebhookEventKind
from offers.model.people.card import CardCodeForm
from offers.model.people.shopper import Locale, Role, Shopper
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

CLAIM_PURPOSE: Final = "card_claim"
CLAIM_MS_MAX: Final = 365 * 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HandedCard:
    """A new card that nobody has claimed. Not printed by `repr`: its codes are secrets."""

    claim: str
    """goes onto the receipt; whoever enters it in the app has the card"""
    card: str
    """what the till takes now, as if it had been scanned"""
    until_ms: UnixMs
    """when the claim is over"""


def hand_out_card(
    locale: Locale, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> HandedCard:
    """Make a shopper of whom nothing is known, with a card and no consent.

    Parameters
    ----------
    locale
        The language of the shop.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    """
    shopper = Shopper(shopper=ShopperId(random_id(secrets)), enrolled_at_ms=now_ms, locale=locale)
    work.shoppers.add(shopper)
    make_card(shopper.shopper, work=work, secrets=secrets)
    shown = reveal_card(shopper.shopper, CardCodeForm.QR, work=work, now_ms=now_ms, secrets=secrets)
    assert shown is not None
    claim = render_code(secrets.random_bytes(RANDOM_BYTES))
    until_ms = UnixMs(now_ms + CLAIM_MS_MAX)
    work.card_claims.add(
        secrets.fingerprint(claim, purpose=CLAIM_PURPOSE), shopper.shopper, until_ms=until_ms
    )
    return HandedCard(claim=claim, card=shown.code, until_ms=until_ms)


def claim_card(
    code: str,
    *,
    site: SiteId,
    wishes: Sequence[ConsentWish] = (),
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Enrolment | None:
    """Give the card to whoever knows its claim, once; None where there is no such claim any more.

    Parameters
    ----------
    code
        As typed or scanned from the receipt.
    site
        Whose campaigns may welcome the shopper.
    wishes
        What the shopper agrees to on the way in; may be empty.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    """
    try:
        fingerprint = secrets.fingerprint(parse_code(code), purpose=CLAIM_PURPOSE)
    except InvalidOffer:
        return None
    holder = work.card_claims.take(fingerprint, now_ms=now_ms)
    shopper = None if holder is None else work.shoppers.find(holder)
    if shopper is None:
        return None
    issued = issue_credential(
        Role.SHOPPER, work=work, now_ms=now_ms, secrets=secrets, shopper=shopper.shopper
    )
    note_event(
        WebhookEventKind.SHOPPER_ENROLLED,
        subject=shopper.shopper,
        shopper=shopper.shopper,
        work=work,
        now_ms=now_ms,
    )
    consents = work.consents.state_of(shopper.shopper)
    for wish in wishes:
        consents = change_consent(shopper.shopper, wish, work=work, now_ms=now_ms, secrets=secrets)
    welcome_shopper(shopper.shopper, site, work=work, now_ms=now_ms, secrets=secrets)
    return Enrolment(
        shopper=shopper, credential=issued.credential, secret=issued.secret, consents=consents
    )
