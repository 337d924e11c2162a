"""Suspend a card, with a reason, and hear what its holder says to that.

Layer: nouns. Takes: what staff decide, what a shopper writes. Gives: `Suspension` to handlers,
storage and API. A suspended card gets no offers, redeems no coupon and spends no points; what it
has stays its own, and it goes on collecting.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.errors import InvalidShopper
from offers.model.ids import CredentialId, ShopperId, SuspensionId, check_random_id
from rtls.model.units import SiteId, UnixMs

APPEAL_CHARACTERS_MAX: Final = 2_000


class SuspensionReason(StrEnum):
    """Why a card is suspended; the shopper is told."""

    COUPON_ABUSE = "coupon_abuse"
    """coupons used in ways the terms rule out"""
    RESALE = "resale"
    """coupons or rewards sold on"""
    SEVERAL_CARDS = "several_cards"
    """one person with many cards, to get welcome offers again"""
    FALSE_RETURNS = "false_returns"
    CARD_LOST = "card_lost"
    """at the holder's own wish"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """One suspension of one card, until it is lifted."""

    suspension: SuspensionId
    shopper: ShopperId
    site: SiteId
    """whose store admin decided so, and may lift it; it counts everywhere"""
    reason: SuspensionReason
    by: CredentialId
    at_ms: UnixMs
    appeal: str | None = None
    """what the shopper says to it, once"""
    appealed_at_ms: UnixMs | None = None
    lifted_at_ms: UnixMs | None = None

    def __post_init__(self) -> None:
        check_random_id("suspension", self.suspension, error=InvalidShopper)
        if (self.appeal is None) != (self.appealed_at_ms is None):
            raise InvalidShopper(
                f"appealed_at_ms is {self.appealed_at_ms}; expected it exactly where there is an "
                "appeal."
            )
        if self.appeal is not None and not 1 <= len(self.appeal) <= APPEAL_CHARACTERS_MAX:
            raise InvalidShopper(
                f"the appeal has {len(self.appeal)} characters; expected 1 to "
                f"{APPEAL_CHARACTERS_MAX}."
            )
