"""Name the mails that are sent, none of which depends on where the shopper stands.

Layer: nouns. Takes: occasions. Gives: `Mail` to storage and `MailKind` to whoever writes one.
An offer at the shelf is of no use in tomorrow's mailbox; so mails are for what lasts.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.ids import ShopperId
from rtls.model.units import UnixMs

MAIL_KEPT_MS: Final = 3 * 86_400_000
"""a mail that could not be sent for so long is of no use any more"""


class MailKind(StrEnum):
    """Why a mail is sent."""

    CONFIRM_ADDRESS = "confirm_address"
    """asks the owner of an address, once, and before anything else goes there"""
    WELCOME = "welcome"
    POINTS_EXPIRING = "points_expiring"
    CASE_ANSWERED = "case_answered"
    """brings what staff answered to something that the shopper wrote himself"""

    @property
    def is_service(self) -> bool:
        """Whether it answers the shopper's own message: no cap, quiet hour or consent holds it."""
        return self in {MailKind.CONFIRM_ADDRESS, MailKind.CASE_ANSWERED}


class MailState(StrEnum):
    """How far a mail has come."""

    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to one shopper, once for each kind and subject."""

    sequence: int
    kind: MailKind
    shopper: ShopperId
    subject: str
    """what it is about, e.g. the month in which points expire; with the kind it makes it unique"""
    created_at_ms: UnixMs
    attempts: int
