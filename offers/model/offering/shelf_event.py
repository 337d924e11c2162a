"""Tell what an offer came to, and what was sold, as far as reports of shelves ask.

Layer: nouns. Takes: rows of storage. Gives: `ShelfOffer` and `ShelfSale` to
offers.insight.zone_outcomes, which counts them and forgets who they were.
"""

from dataclasses import dataclass

from offers.model.ids import ShopperId
from rtls.model.units import UnixMs, ZoneId


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfOffer:
    """An offer that was made for a zone.

    Parameters
    ----------
    is_redeemed
        A redemption stands: one that was reversed is none.
    """

    shopper: ShopperId
    zone: ZoneId
    at_ms: UnixMs
    is_opened: bool
    is_redeemed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfSale:
    """A line of a purchase with a card, of which at least a piece was not brought back."""

    shopper: ShopperId
    sku: str
    category: str
    at_ms: UnixMs
