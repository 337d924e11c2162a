"""Honour the links by which a shopper ends messages, or confirms an address, without signing in.

Layer: flow. Takes: the token of a link. Gives: its effect to the route (RFC 8058). Twice is as good
as once. An address that is confirmed is welcomed.
"""

from dataclasses import replace
from typing import Final, assert_never

from offers.handlers.messages.contact_link import LinkWish, parse_link
from offers.handlers.messages.note_event import note_event
from offers.handlers.messages.send_mail import queue_mail
from offers.model.messages.contact import ContactWishes, DeliveryChannel
from offers.model.messages.mail import MailKind
from offers.model.messages.webhook import WebhookEventKind
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

WELCOME: Final = "once"


def read_link(token: str, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource) -> LinkWish:
    """Return what a link would do, without doing it: mail scanners open every link.

    Raises `InvalidContact` as `follow_link` does.
    """
    return parse_link(token, work=work, now_ms=now_ms, secrets=secrets).wish


def follow_link(token: str, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource) -> LinkWish:
    """Do what the link says; where it is so already, or the shopper is gone, nothing more.

    Raises `InvalidContact` if the token is not ours, or too old.
    """
    link = parse_link(token, work=work, now_ms=now_ms, secrets=secrets)
    before = work.contacts.wishes_of(link.shopper)
    after = _after(before, link.wish, now_ms=now_ms)
    if after != before and work.shoppers.find(link.shopper) is not None:
        work.contacts.set_wishes(link.shopper, after)
        note_event(
            WebhookEventKind.CONTACT_CHANGED,
            shopper=link.shopper,
            subject=link.shopper,
            detail={"wish": link.wish.value},
            work=work,
            now_ms=now_ms,
        )
        if link.wish is LinkWish.CONFIRM_MAIL:
            queue_mail(MailKind.WELCOME, link.shopper, subject=WELCOME, work=work, now_ms=now_ms)
    return link.wish


def _after(before: ContactWishes, wish: LinkWish, *, now_ms: UnixMs) -> ContactWishes:
    match wish:
        case LinkWish.NO_PUSH:
            return before.without(DeliveryChannel.PUSH)
        case LinkWish.NO_MAIL:
            return before.without(DeliveryChannel.MAIL)
        case LinkWish.CONFIRM_MAIL:
            is_open = before.mail_address is not None and before.mail_confirmed_at_ms is None
            return replace(before, mail_confirmed_at_ms=now_ms) if is_open else before
        case _:
            assert_never(wish)
