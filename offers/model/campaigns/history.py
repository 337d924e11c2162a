"""Say what happened to shoppers in the past, and what a simulation over it cannot know.

Layer: nouns. Takes: rows of storage. Gives: `Happened`, `PastPurchase`, `PastBasket` to
past_moments, and `LeftOut` to the answer of a simulation.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.ids import ShopperId
from offers.model.money import Money
from offers.model.till.basket import Basket
from rtls.model.units import UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something happened to a shopper: a lot came near its end, a segment was entered."""

    shopper: ShopperId
    at_ms: UnixMs
    name: str
    """of the thing, so that it is told from others of its kind"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPurchase:
    """A purchase as thresholds and milestones saw it."""

    purchase: str
    shopper: ShopperId
    at_ms: UnixMs
    paid: Money
    number: int
    """counts the shopper's purchases, at all sites, from 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastBasket:
    """A basket as a till held it for a card."""

    basket_id: str
    shopper: ShopperId
    at_ms: UnixMs
    basket: Basket


class LeftOut(StrEnum):
    """What a simulation does not know, so that its numbers are read for what they are."""

    OTHER_CAMPAIGNS = "other_campaigns"
    DISMISSALS = "dismissals"
    FORGOTTEN_SHOPPERS = "forgotten_shoppers"
    LATE_EVENTS = "late_events"
    LIFTED_SUSPENSIONS = "lifted_suspensions"
    EARLIER_ANSWERS = "earlier_answers"
    BASKETS_NOT_HELD = "baskets_not_held"
    OTHER_ARMS = "other_arms"

    @property
    def why(self) -> str:
        """Return the reason in a sentence."""
        return _WHY[self]


_WHY: Final = {
    LeftOut.OTHER_CAMPAIGNS: "Other campaigns would have been chosen at some of these moments.",
    LeftOut.DISMISSALS: "Nobody could dismiss an offer that was not made, and be left alone then.",
    LeftOut.FORGOTTEN_SHOPPERS: "Who has withdrawn 'personalise' since, or was erased, has no past "
    "any more.",
    LeftOut.LATE_EVENTS: "Events that came too late to be of use are taken as if they had been in "
    "time.",
    LeftOut.LIFTED_SUSPENSIONS: "Suspensions that were lifted since are taken as if there had been "
    "none.",
    LeftOut.EARLIER_ANSWERS: "What shoppers say of themselves is kept as they say it now, and is "
    "taken as if they had said it then.",
    LeftOut.BASKETS_NOT_HELD: "Baskets that were only quoted are not kept, held ones for thirty "
    "days; one that replaced another counts as the same.",
    LeftOut.OTHER_ARMS: "Of an experiment only the shoppers of some arms get it; here all do.",
}
