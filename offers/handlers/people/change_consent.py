"""Grant or withdraw one purpose; a withdrawal takes effect before it is answered.

Layer: flow. Takes: a `ConsentWish`. Gives: the new `ConsentState`. In the one transaction of the
record, withdrawing `locate` ends the pairings, withdrawing `personalise` erases the profile, and
withdrawing either revokes every offer that stands on it and has not reached the app yet. Locating
is told where a tag counts in reports from now on, or no longer, or as no member of a segment.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from offers.handlers.messages.note_event import note_event
from offers.handlers.note_audit import note_audit, shopper_actor, shopper_pseudonym
from offers.handlers.offering.end_offer import end_offer
from offers.handlers.people.end_pairing import end_pairing
from offers.handlers.profile.note_fact import erase_profile
from offers.handlers.random_id import random_id
from offers.model.audit import AuditAction
from offers.model.errors import InvalidShopper, TooYoung
from offers.model.ids import ConsentId, ShopperId
from offers.model.messages.webhook import WebhookEventKind
from offers.model.offering.offer import OfferState
from offers.model.outbox import OutboxKind
from offers.model.people.consent import Consent, ConsentChannel, ConsentState, Purpose
from offers.model.people.consent_text import ConsentText
from offers.model.people.pairing import PairingEnd
from offers.model.people.shopper import Locale
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

OFFERS_STAND_ON: Final = frozenset({Purpose.LOCATE, Purpose.PERSONALISE})
REPORTS_STAND_ON: Final = frozenset({Purpose.ANALYTICS, Purpose.PERSONALISE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWish:
    """What a shopper says about one purpose, and which text was shown."""

    purpose: Purpose
    is_granted: bool
    text_version: str
    locale: Locale = Locale.DE
    channel: ConsentChannel = ConsentChannel.APP


def change_consent(
    shopper: ShopperId,
    wish: ConsentWish,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> ConsentState:
    """Write the wish and what follows from it; saying the same twice writes one record.

    Parameters
    ----------
    shopper
        Who says so, from the credential.
    wish
        What is said.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.

    It raises `TooYoung` where a child would grant something, and `InvalidShopper` for a text that
    nobody here has shown; taking back is open to all.
    """
    if wish.is_granted:
        _refuse_children(shopper, work=work, now_ms=now_ms)
    newest = work.consents.state_of(shopper).newest_of(wish.purpose)
    is_news = newest is None or not _says(newest, wish)
    if is_news:
        shown = _shown(wish, work=work)
        record = _record(shopper, wish, shown=shown, now_ms=now_ms, secrets=secrets)
        work.consents.append(record)
    if not wish.is_granted:
        _withdraw(shopper, wish.purpose, work=work, now_ms=now_ms)
    if wish.purpose in REPORTS_STAND_ON:
        _tell_locating(shopper, work=work, now_ms=now_ms)
    if is_news:
        note_event(
            WebhookEventKind.CONSENT_CHANGED,
            subject=shopper,
            shopper=shopper,
            detail={"purpose": wish.purpose.value, "is_granted": str(wish.is_granted).lower()},
            work=work,
            now_ms=now_ms,
        )
        _note(shopper, wish, work=work, now_ms=now_ms, secrets=secrets)
    return work.consents.state_of(shopper)


def _refuse_children(shopper: ShopperId, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    of_age_on = work.minors.of_age_on(shopper)
    today = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms)).date()
    if of_age_on is not None and today < of_age_on:
        raise TooYoung(
            f"the shopper is a child until {of_age_on}; expected nothing to be granted before "
            "that day. The card works without."
        )


def _says(record: Consent, wish: ConsentWish) -> bool:
    return record.is_granted == wish.is_granted and record.text_version == wish.text_version


def _shown(wish: ConsentWish, *, work: UnitOfWork) -> ConsentText | None:
    # Taking back needs no text: it must never fail because an app is old.
    if not wish.is_granted or not work.consents.has_texts():
        return None
    texts = work.consents.texts_of(wish.text_version)
    shown = next((text for text in texts if text.locale is wish.locale), None)
    if shown is None:
        raise InvalidShopper(
            f"text_version is {wish.text_version!r} in {wish.locale}; expected a version that is "
            "kept here in this language. Show the shopper the current text."
        )
    return shown


def _record(
    shopper: ShopperId,
    wish: ConsentWish,
    *,
    shown: ConsentText | None,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Consent:
    return Consent(
        consent=ConsentId(random_id(secrets)),
        shopper=shopper,
        purpose=wish.purpose,
        is_granted=wish.is_granted,
        at_ms=now_ms,
        text_version=wish.text_version,
        locale=wish.locale,
        channel=wish.channel,
        text_sha256=None if shown is None else shown.sha256,
    )


def _note(
    shopper: ShopperId,
    wish: ConsentWish,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> None:
    note_audit(
        AuditAction.CONSENT_GRANTED if wish.is_granted else AuditAction.CONSENT_WITHDRAWN,
        subject=shopper_pseudonym(shopper, secrets=secrets),
        by=shopper_actor(shopper, secrets=secrets),
        details={
            "purpose": wish.purpose.value,
            "text_version": wish.text_version,
            "locale": wish.locale.value,
            "channel": wish.channel.value,
        },
        work=work,
        now_ms=now_ms,
    )


def _tell_locating(shopper: ShopperId, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    for pairing in work.pairings.active_of_shopper(shopper, now_ms=now_ms):
        work.outbox.add(OutboxKind.TAG_ADMITTED, shopper=shopper, subject=pairing.tag, at_ms=now_ms)


def _withdraw(shopper: ShopperId, purpose: Purpose, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    if purpose is Purpose.PERSONALISE:
        erase_profile(shopper, work=work)
    if purpose is Purpose.LOCATE:
        for pairing in work.pairings.active_of_shopper(shopper, now_ms=now_ms):
            end_pairing(pairing, PairingEnd.CONSENT_WITHDRAWN, work=work, now_ms=now_ms)
    if purpose in OFFERS_STAND_ON:
        for offer in work.offers.undelivered_of_shopper(shopper):
            if purpose is Purpose.PERSONALISE or offer.locate_consent is not None:
                end_offer(offer, OfferState.REVOKED, work=work, now_ms=now_ms)
