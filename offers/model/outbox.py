"""Note what has to be told to others, in the transaction that made it true.

Layer: nouns. Takes: effects of handlers. Gives: `OutboxEvent` to the relay. What is not told after
a crash is told after the restart: at least once, in order.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.ids import ShopperId
from rtls.model.units import UnixMs


class OutboxKind(StrEnum):
    """What happened."""

    OFFER_ISSUED = "offer_issued"
    """subject: the offer; the relay delivers it"""
    OFFER_REDEEMED = "offer_redeemed"
    """subject: the offer; the app shows it as used"""
    COUPON_REVERSED = "coupon_reversed"
    """subject: an offer whose coupon's purchase was returned; the app shows what became of it"""
    OFFER_ENDED = "offer_ended"
    """subject: an offer that the app has; it takes it away"""
    CASE_ANSWERED = "case_answered"
    """subject: the answer of the staff to a case; the app shows it"""
    POINTS_CHANGED = "points_changed"
    """subject: the unit of the wallet; the app shows what is in it now"""
    TAG_ADMITTED = "tag_admitted"
    """subject: the tag; locating may follow it; told again where what it counts as has changed"""
    TAG_WITHDRAWN = "tag_withdrawn"
    """subject: the tag; locating must forget it"""


_FOR_OPEN_APPS: Final = frozenset(
    {
        OutboxKind.OFFER_REDEEMED,
        OutboxKind.COUPON_REVERSED,
        OutboxKind.OFFER_ENDED,
        OutboxKind.POINTS_CHANGED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """One thing to tell."""

    sequence: int
    kind: OutboxKind
    shopper: ShopperId | None
    """None once the shopper is erased; then only `TAG_WITHDRAWN` is left to tell"""
    subject: str
    at_ms: UnixMs

    @property
    def is_for_open_apps(self) -> bool:
        """Say whether it only changes what an open app shows; one that opens later reads it."""
        return self.kind in _FOR_OPEN_APPS
