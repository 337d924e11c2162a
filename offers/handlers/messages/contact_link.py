"""Make and read the links of messages, which do one thing without signing in.

Layer: flow. Takes: a `SecretSource`. Gives: tokens to pushes and mails, and their meaning to
unsubscribe. A token names shopper, wish and last day under a keyed fingerprint: nothing is stored
for it, and it can do nothing else.
"""

import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.errors import InvalidContact
from offers.model.ids import RANDOM_PATTERN, ShopperId
from offers.model.messages.contact import DeliveryChannel
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

TOKEN_MS: Final = 60 * 86_400_000
PURPOSE: Final = "contact-link"
TOKEN_CHARACTERS_MAX: Final = 160
_SECONDS_DIGITS_MAX: Final = 12
_REFUSED: Final = (
    "the link is not one of ours, or older than 60 days; expected one from a message of the last "
    "weeks. Switch messages off in the app."
)


class LinkWish(StrEnum):
    """What a link does."""

    NO_PUSH = "no_push"
    NO_MAIL = "no_mail"
    CONFIRM_MAIL = "confirm_mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Whose wish a token states."""

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


def _token(
    shopper: ShopperId, wish: LinkWish, address: str, *, now_ms: UnixMs, secrets: SecretSource
) -> str:
    said = f"{wish}.{shopper}.{(now_ms + TOKEN_MS) // 1_000}"
    return f"{said}.{_seal(said, address, secrets)}"


def _seal(said: str, address: str, secrets: SecretSource) -> str:
    return secrets.fingerprint(f"{said}.{address}", purpose=PURPOSE)


def parse_link(token: str, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource) -> Link:
    """Return what a token says.

    Raises
    ------
    InvalidContact
        If it is not ours, or too old: the two are told apart nowhere.
    """
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
        raise InvalidContact(_REFUSED)
    link = Link(shopper=ShopperId(parts[1]), wish=LinkWish(parts[0]))
    address = ""
    if link.wish is LinkWish.CONFIRM_MAIL:
        address = work.contacts.wishes_of(link.shopper).mail_address or ""
    is_ours = hmac.compare_digest(seal, _seal(said, address, secrets))
    if not is_ours or now_ms >= int(parts[2]) * 1_000:
        raise InvalidContact(_REFUSED)
    return link
