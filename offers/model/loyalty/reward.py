"""Name what points are exchanged for.

Layer: nouns. Takes: a retailer's catalogue. Gives: `Reward` to programmes, and why an exchange is
refused. What a reward *is* — money off, an item, a service, a seat — and how many there are says
the campaign behind it, which waits for nothing but the exchange.
"""

from dataclasses import dataclass
from enum import StrEnum

from offers.model.errors import InvalidProgramme
from offers.model.ids import CampaignId, TransactionId, check_name
from offers.model.loyalty.ledger import LedgerUnit, check_unit
from offers.model.money import AMOUNT_MINOR_MAX
from offers.model.offering.offer import OfferCard


class RewardRefusal(StrEnum):
    """Why points were not exchanged. Nothing has been spent then."""

    CARD_SUSPENDED = "card_suspended"
    """the shopper may appeal in the app"""
    TIER_TOO_LOW = "tier_too_low"
    BALANCE_TOO_LOW = "balance_too_low"
    STILL_PENDING = "still_pending"
    """enough has been earned, but part of it cannot be spent yet"""
    CONSENT_MISSING = "consent_missing"
    """`personalise`: a coupon of one's own needs to know whose it is"""
    NOT_AVAILABLE = "not_available"
    """all are taken, or it is not given out now, or not so soon again"""


class UnusedReward(StrEnum):
    """What becomes of the points when the coupon they were exchanged for ends unused."""

    GIVE_BACK = "give_back"
    """back into the lots they came from; what has expired since stays expired"""
    FORFEIT = "forfeit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """One entry of the catalogue."""

    reward: str
    campaign: CampaignId
    """with the trigger `manual`: its benefit, texts, budget and schedule are the reward's"""
    unit: LedgerUnit
    cost_minor: int
    tiers: frozenset[str] = frozenset()
    """for whom; empty for everybody"""

    def __post_init__(self) -> None:
        check_name("reward", self.reward, error=InvalidProgramme)
        check_name("campaign", self.campaign, error=InvalidProgramme)
        check_unit(self.unit)
        cost = self.cost_minor
        if type(cost) is not int or not 1 <= cost <= AMOUNT_MINOR_MAX:
            raise InvalidProgramme(
                f"reward {self.reward}: cost_minor is {cost!r}; expected 1 to {AMOUNT_MINOR_MAX}. "
                "Give away what costs nothing by a campaign."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Points that have become an offer with its coupon."""

    reward: Reward
    transaction: TransactionId
    card: OfferCard
