"""State how a shopper wishes to be addressed: by which ways, and how often.

Layer: nouns. Takes: wishes of the app and of unsubscribe links. Gives: `ContactWishes`,
`DeliveryChannel` and `Delivery` to handlers, storage and the API. A wish narrows what the consent
`notify` allows and never widens it.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from offers.model.errors import InvalidContact
from offers.model.ids import OfferId, ShopperId
from rtls.model.units import UnixMs

MAIL_CHARACTERS_MAX: Final = 254  # RFC 5321, 4.5.3.1.3, without the brackets
# What mail servers accept in practice, and nothing that could begin a header or a command.
_MAIL: Final = re.compile(
    r"\A[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"[A-Za-z]{2,63}\Z"
)
_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000


class DeliveryChannel(StrEnum):
    """A way to the shopper."""

    APP = "app"
    """the open app"""
    PUSH = "push"
    """the closed app, through the browser's push service"""
    MAIL = "mail"


class DeliveryOutcome(StrEnum):
    """What became of one attempt to reach the shopper."""

    ACCEPTED = "accepted"
    """an app, a push service or a mail server took it"""
    FAILED = "failed"
    """nobody took it in time"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A record of one attempt; never changed."""

    shopper: ShopperId
    offer: OfferId | None
    """None for a mail or an answer of the staff, which bring no offer of a place"""
    channel: DeliveryChannel
    outcome: DeliveryOutcome
    at_ms: UnixMs


class Frequency(StrEnum):
    """How often a shopper wants messages while the app is closed."""

    NORMAL = "normal"
    FEWER = "fewer"


# At least so long between two messages of one channel, in any window.
_REST_MS: Final = MappingProxyType(
    {
        (Frequency.NORMAL, DeliveryChannel.PUSH): 30 * _MINUTE_MS,
        (Frequency.FEWER, DeliveryChannel.PUSH): 7 * _DAY_MS,
        (Frequency.NORMAL, DeliveryChannel.MAIL): _DAY_MS,
        (Frequency.FEWER, DeliveryChannel.MAIL): 30 * _DAY_MS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWishes:
    """What the shopper has said about messages; at first nothing is switched off."""

    wants_push: bool = True
    wants_mail: bool = True
    frequency: Frequency = Frequency.NORMAL
    mail_address: str | None = None
    mail_confirmed_at_ms: UnixMs | None = None
    """when the owner of the address said so; before it only that question may go there"""
    paused_until_ms: UnixMs | None = None
    """until when the shopper wants no offers at the shelves; None: never asked for it"""

    def __post_init__(self) -> None:
        if self.mail_address is not None:
            check_mail_address(self.mail_address)
        elif self.mail_confirmed_at_ms is not None:
            raise InvalidContact(
                "mail_confirmed_at_ms is given without mail_address; expected both or none."
            )

    def wants(self, channel: DeliveryChannel) -> bool:
        """Say whether the channel is on; the open app cannot be switched off, it can be closed."""
        match channel:
            case DeliveryChannel.APP:
                return True
            case DeliveryChannel.PUSH:
                return self.wants_push
            case DeliveryChannel.MAIL:
                return self.wants_mail
            case _:
                assert_never(channel)

    def is_paused(self, *, now_ms: UnixMs) -> bool:
        """Say whether the shopper is to be left alone at the shelves now."""
        return self.paused_until_ms is not None and now_ms < self.paused_until_ms

    def without(self, channel: DeliveryChannel) -> "ContactWishes":
        """Return the wishes with one channel switched off."""
        match channel:
            case DeliveryChannel.APP:
                return self
            case DeliveryChannel.PUSH:
                return replace(self, wants_push=False)
            case DeliveryChannel.MAIL:
                return replace(self, wants_mail=False)
            case _:
                assert_never(channel)

    def rest_ms(self, channel: DeliveryChannel) -> int:
        """Return how long after a message the next one may come."""
        return _REST_MS.get((self.frequency, channel), 0)


def check_mail_address(address: str) -> None:
    """Refuse what is no plain address; a line break in it would write headers of its own.

    Raises
    ------
    InvalidContact
        If ``address`` is not name@host in ASCII.
    """
    if len(address) > MAIL_CHARACTERS_MAX or not _MAIL.match(address):
        raise InvalidContact(
            f"mail_address has {len(address)} characters; expected an address like "
            "name@example.com in ASCII, without display name."
        )
