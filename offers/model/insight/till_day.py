"""Hold what the tills of a site took on one day, whoever bought.

Layer: nouns. Takes: the daily totals that a retailer sends. Gives: `TillDay` to storage and to the
figures of members beside others. Receipts without a card or coupon are not kept here, and nobody is
in these totals.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from offers.model.money import AMOUNT_MINOR_MAX, Money
from rtls.model.errors import InvalidReport
from rtls.model.units import SiteId

RECEIPTS_MAX: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TillDay:
    """The totals of all tills of a site on one day, in one currency."""

    site: SiteId
    day: date
    currency: str
    receipts: int
    sales_minor: int
    """after discounts, and less what was brought back"""

    def __post_init__(self) -> None:
        if not 0 <= self.receipts <= RECEIPTS_MAX:
            raise InvalidReport(
                f"receipts is {self.receipts}; expected 0 to {RECEIPTS_MAX}. Give the number of "
                "receipts of the day, with and without a card."
            )
        if not 0 <= self.sales_minor <= AMOUNT_MINOR_MAX:
            raise InvalidReport(
                f"sales_minor is {self.sales_minor}; expected 0 to {AMOUNT_MINOR_MAX}. Give what "
                "all tills took that day, in minor units."
            )
        Money(amount_minor=self.sales_minor, currency=self.currency)
