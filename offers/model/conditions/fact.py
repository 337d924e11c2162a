"""Note what a shopper did, one fact at a time: what conditions count and segments are made of.

Layer: nouns. Takes: what handlers saw happen. Gives: `Fact` to storage, conditions and segments.
A fact is never changed: what is brought back is a fact of its own, and sums subtract it. Facts are
a profile, so none is kept without the purpose `personalise`, and none for longer than
`days_kept` says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from offers.model.errors import InvalidShopper
from offers.model.ids import check_text
from offers.model.money import Money
from rtls.model.site_map import ID_PATTERN
from rtls.model.units import SiteId, UnixMs, ZoneId

DAY_MS: Final = 86_400_000
FACT_DAYS_MAX: Final = 400
"""thirteen months: a year, and a month to compare it with the one before"""
PLACE_DAYS_MAX: Final = 30
"""of where somebody stood: as long as the events of locating"""
QUANTITY_MAX: Final = 100_000


class FactKind(StrEnum):
    """What happened."""

    PURCHASE = "purchase"
    """a basket was paid for; the amount is what was paid"""
    PURCHASE_LINE = "purchase_line"
    """one item of it; the amount is what the line cost after its discount"""
    RETURN = "return"
    """something of a purchase was brought back; sums of purchases subtract it"""
    RETURN_LINE = "return_line"
    VISIT = "visit"
    """a stay in a zone has ended"""
    DWELL = "dwell"
    """a stay in a zone has reached a dwell threshold; the quantity is its seconds"""
    OFFER = "offer"
    REDEMPTION = "redemption"
    """a coupon was used; the amount is the discount"""
    SURVEY = "survey"
    SCAN = "scan"
    REFERRAL = "referral"
    LOGIN = "login"


TAKEN_BACK_BY: Final[Mapping[FactKind, FactKind]] = MappingProxyType(
    {FactKind.PURCHASE: FactKind.RETURN, FactKind.PURCHASE_LINE: FactKind.RETURN_LINE}
)
"""what sums of the first kind subtract"""


PLACE_KINDS: Final = frozenset({FactKind.VISIT, FactKind.DWELL})


def days_kept(kind: FactKind) -> int:
    """Return for how many days facts of a kind are kept, and can be asked about."""
    return PLACE_DAYS_MAX if kind in PLACE_KINDS else FACT_DAYS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that a shopper did, at one site."""

    kind: FactKind
    reference: str
    """what it stands for, e.g. the purchase and its line: noted once a shopper and kind"""
    at_ms: UnixMs
    site: SiteId
    zone: ZoneId | None = None
    category: str | None = None
    sku: str | None = None
    amount: Money | None = None
    quantity: int = 1

    def __post_init__(self) -> None:
        check_text("reference", self.reference, error=InvalidShopper)
        for field, place in (("site", self.site), ("zone", self.zone)):
            if place is not None and not ID_PATTERN.match(place):
                raise InvalidShopper(f"{field} is {place!r}; expected an id of the site map.")
        for field, named in (("category", self.category), ("sku", self.sku)):
            if named is not None:
                check_text(field, named, error=InvalidShopper)
        if self.at_ms < 0:
            raise InvalidShopper(f"at_ms is {self.at_ms}; expected 0 or more.")
        if type(self.quantity) is not int or not 0 <= self.quantity <= QUANTITY_MAX:
            raise InvalidShopper(
                f"quantity is {self.quantity!r}; expected 0 to {QUANTITY_MAX}. What is brought "
                "back is a fact of the kind return."
            )
        if self.amount is not None and self.amount.amount_minor < 0:
            raise InvalidShopper(
                f"amount is {self.amount}; expected 0 or more. What is brought back is a fact of "
                "the kind return."
            )
