"""State what came of a decision that a ranking took.

Layer: nouns. Takes: the log of decisions, offers and redemptions. Gives: `RankedDecision` to the
evaluation of other rankings, and the `Reward` that they are judged by.
"""

from dataclasses import dataclass
from enum import StrEnum

from offers.model.offering.decision import Decision


class Reward(StrEnum):
    """What a decision is judged by."""

    OPENED = "opened"
    """1 where the shopper opened the offer"""
    REDEEMED = "redeemed"
    """1 where its coupon was used, and not brought back"""
    PAID = "paid-minor"
    """what was paid for the basket that its coupon was used with, less the discount"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedDecision:
    """One decision with a choice, and what came of the offer."""

    decision: Decision
    is_opened: bool
    is_redeemed: bool
    paid_minor: int

    def reward(self, kind: Reward) -> float:
        """Return what came of it, as a number."""
        match kind:
            case Reward.OPENED:
                return float(self.is_opened)
            case Reward.REDEEMED:
                return float(self.is_redeemed)
            case Reward.PAID:
                return float(self.paid_minor)
