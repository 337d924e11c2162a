"""Write a mail to be sent, and check it once more when it goes out.

Layer: flow. Takes: an occasion. Gives: `MailToSend` to the mail sender, or why not. Mails are for
what lasts: a welcome, points about to expire, an answer of the staff. Each goes once for its
subject.
"""

from dataclasses import dataclass
from typing import assert_never

from offers.handlers.messages.contact_link import confirm_token, unsubscribe_token
from offers.model.ids import CaseAnswerId, ShopperId
from offers.model.messages.brand import Brand
from offers.model.messages.contact import (
    ContactWishes,
    Delivery,
    DeliveryChannel,
    DeliveryOutcome,
)
from offers.model.messages.mail import Mail, MailKind, MailState
from offers.model.messages.push_rules import PushRules
from offers.model.offering.refusal import PushRefusal
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MailToSend:
    """One mail with its address. Not printed by `repr`: addresses do not belong in a log."""

    mail: Mail
    address: str
    locale: Locale
    link_token: str
    """of the link that confirms the address, or that ends such mails"""
    words: str | None = None
    """what staff wrote to the shopper, where the mail brings that"""
    brand: Brand | None = None
    """in whose name it is sent"""


def queue_mail(
    kind: MailKind, shopper: ShopperId, *, subject: str, work: UnitOfWork, now_ms: UnixMs
) -> PushRefusal | None:
    """Write a mail, or say why not; the same kind and subject a second time does nothing."""
    wishes = work.contacts.wishes_of(shopper)
    refusal = _refusal(kind, shopper, wishes, work=work)
    if refusal is None:
        work.mails.add(kind, shopper=shopper, subject=subject, at_ms=now_ms)
    return refusal


def prepare_mail(
    sequence: int,
    site: SiteId,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    rules: PushRules,
) -> MailToSend | PushRefusal | None:
    """Return the mail to send now, why it must wait or must not go, or None where it is done.

    Parameters
    ----------
    sequence
        Of a mail that waits.
    site
        In whose name it is sent.
    work, now_ms, secrets
        The transaction, the time, the key of links.
    rules
        Of the site: its quiet hours.
    """
    mail, shopper = work.mails.find(sequence), None
    if mail is not None:
        shopper = work.shoppers.find(mail.shopper)
    if mail is None or shopper is None:
        return None
    wishes = work.contacts.wishes_of(mail.shopper)
    refusal = _refusal(mail.kind, mail.shopper, wishes, work=work)
    if refusal is None and not mail.kind.is_service:
        refusal = _held_back(mail, wishes, work=work, now_ms=now_ms, rules=rules)
    if refusal is not None:
        return refusal
    assert wishes.mail_address is not None
    programme = work.programmes.current(site)
    return MailToSend(
        mail=mail,
        address=wishes.mail_address,
        locale=shopper.locale,
        link_token=_link_token(mail, wishes.mail_address, now_ms=now_ms, secrets=secrets),
        words=_words(mail, work=work),
        brand=None if programme is None else programme.settings.brand,
    )


def note_mail(mail: Mail, outcome: DeliveryOutcome, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    """Write how a mail ended; what is erased or done meanwhile is left alone."""
    match outcome:
        case DeliveryOutcome.ACCEPTED:
            state = MailState.SENT
        case DeliveryOutcome.FAILED:
            state = MailState.DROPPED
        case _:
            assert_never(outcome)
    if work.mails.finish(mail.sequence, state):
        work.contacts.note_delivery(
            Delivery(
                shopper=mail.shopper,
                offer=None,
                channel=DeliveryChannel.MAIL,
                outcome=outcome,
                at_ms=now_ms,
            )
        )


def _refusal(
    kind: MailKind, shopper: ShopperId, wishes: ContactWishes, *, work: UnitOfWork
) -> PushRefusal | None:
    is_question = kind is MailKind.CONFIRM_ADDRESS
    is_confirmed = wishes.mail_confirmed_at_ms is not None
    if wishes.mail_address is None or is_question == is_confirmed:
        return PushRefusal.NO_ADDRESS  # who has confirmed is not asked again
    if is_question:
        return None
    if not wishes.wants(DeliveryChannel.MAIL):
        return PushRefusal.CHANNEL_OFF
    is_allowed = (
        kind.is_service or work.consents.state_of(shopper).granted(Purpose.NOTIFY) is not None
    )
    return None if is_allowed else PushRefusal.NOTIFY_NOT_GRANTED


def _held_back(
    mail: Mail, wishes: ContactWishes, *, work: UnitOfWork, now_ms: UnixMs, rules: PushRules
) -> PushRefusal | None:
    if rules.quiet_hours.covers(now_ms):
        return PushRefusal.QUIET_HOURS
    if mail.attempts > 0:
        return None  # its place was taken at the first attempt
    rest_ms = wishes.rest_ms(DeliveryChannel.MAIL)
    is_rested = work.contacts.take_pace(
        mail.shopper, DeliveryChannel.MAIL, at_ms=now_ms, rest_ms=rest_ms
    )
    return None if is_rested else PushRefusal.TOO_SOON


def _words(mail: Mail, *, work: UnitOfWork) -> str | None:
    if mail.kind is not MailKind.CASE_ANSWERED:
        return None
    found = work.cases.find_answer(CaseAnswerId(mail.subject))
    return None if found is None else found.words


def _link_token(mail: Mail, address: str, *, now_ms: UnixMs, secrets: SecretSource) -> str:
    if mail.kind is MailKind.CONFIRM_ADDRESS:
        return confirm_token(mail.shopper, address, now_ms=now_ms, secrets=secrets)
    return unsubscribe_token(mail.shopper, DeliveryChannel.MAIL, now_ms=now_ms, secrets=secrets)
