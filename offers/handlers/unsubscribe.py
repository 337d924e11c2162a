"""Make and honour the links by which a shopper ends messages without signing in.

Layer: flow. Takes: a `SecretSource`. Gives: tokens to pushes and mails, and their effect to the
route (RFC 8058). A token names shopper, channel and last day under a keyed fingerprint: nothing is
stored for it, and it can do nothing but this one thing, twice as well as once.
"""

import hmac
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, assert_never

from offers.handlers.note_event import note_event
from offers.model.contact import ContactWishes, DeliveryChannel
from offers.model.errors import InvalidContact
from offers.model.ids import RANDOM_PATTERN, ShopperId
from offers.model.webhook import WebhookEventKind
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

TOKEN_MS: Final = 60 * 86_400_000
PURPOSE: Final = "contact-link"
TOKEN_CHARACTERS_MAX: Final = 160
_SECONDS_DIGITS_MAX: Final = 12


class LinkWish(StrEnum):
    """What a link does."""

    NO_PUSH = "no_push"
    NO_MAIL = "no_mail"
    CONFIRM_MAIL = "confirm_mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    shopper: ShopperId
    wish: LinkWish


_WISHES: Final = {
    DeliveryChannel.PUSH: LinkWish.NO_PUSH,
    DeliveryChannel.MAIL: LinkWish.NO_MAIL,
}


def unsubscribe_token(
    shopper: ShopperId, channel: DeliveryChannel, *, now_ms: UnixMs, secrets: SecretSource
) -> str:
    """Return the token of a link that switches one channel off, good for 60 days."""
    return _token(shopper, _WISHES[channel], "", now_ms=now_ms, secrets=secrets)


def confirm_token(
    shopper: ShopperId, address: str, *, now_ms: UnixMs, secrets: SecretSource
) -> str:
    """Return the token of a link that confirms this very mail address."""
    return _token(shopper, LinkWish.CONFIRM_MAIL, address, now_ms=now_ms, secrets=secrets)


def read_link(token: str, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource) -> LinkWish:
    """Return what a link would do, without doing it: mail scanners open every link.

    Raises `InvalidContact` as `follow_link` does.
    """
    return _parsed(token, work=work, now_ms=now_ms, secrets=secrets).wish


def follow_link(token: str, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource) -> LinkWish:
    """Do what the link says; where it is so already, or the shopper is gone, nothing more.

    Raises `InvalidContact` if the token is not ours, or too old.
    """
    link = _parsed(token, work=work, now_ms=now_ms, secrets=secrets)
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


def _token(
    shopper: ShopperId, wish: LinkWish, address: str, *, now_ms: UnixMs, secrets: SecretSource
) -> str:
    said = f"{wish}.{shopper}.{(now_ms + TOKEN_MS) // 1_000}"
    return f"{said}.{_seal(said, address, secrets)}"


def _seal(said: str, address: str, secrets: SecretSource) -> str:
    return secrets.fingerprint(f"{said}.{address}", purpose=PURPOSE)


def _parsed(token: str, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource) -> _Link:
    said, _, seal = token.rpartition(".")
    parts = said.split(".")
    is_shaped = (
        len(token) <= TOKEN_CHARACTERS_MAX
        and token.isascii()
        and len(parts) == len(("wish", "shopper", "until"))
        and parts[0] in set(LinkWish)
        and RANDOM_PATTERN.match(parts[1]) is not None
        and parts[2].isdigit()
        and len(parts[2]) <= _SECONDS_DIGITS_MAX
    )
    if not is_shaped:
        raise _refused()
    link = _Link(shopper=ShopperId(parts[1]), wish=LinkWish(parts[0]))
    address = ""
    if link.wish is LinkWish.CONFIRM_MAIL:
        address = work.contacts.wishes_of(link.shopper).mail_address or ""
    is_ours = hmac.compare_digest(seal, _seal(said, address, secrets))
    if not is_ours or now_ms >= int(parts[2]) * 1_000:
        raise _refused()
    return link


def _refused() -> InvalidContact:
    return InvalidContact(
        "the link is not one of ours, or older than 60 days; expected one from a message of the "
        "last weeks. Switch messages off in the app."
    )
