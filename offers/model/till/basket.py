"""Take what is at the checkout, line by line, in minor units.

Layer: nouns. Takes: a till's list. Gives: `Basket` to discount and redeem.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidBasket
from offers.model.ids import check_text
from offers.model.money import AMOUNT_MINOR_MAX, CURRENCIES, Money

LINES_MAX: Final = 500
QUANTITY_MAX: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketLine:
    """One item, its count, and what one of it costs."""

    sku: str
    category: str
    quantity: int
    unit_price_minor: int

    def __post_init__(self) -> None:
        check_text("sku", self.sku, error=InvalidBasket)
        check_text("category", self.category, error=InvalidBasket)
        if type(self.quantity) is not int or not 1 <= self.quantity <= QUANTITY_MAX:
            raise InvalidBasket(
                f"line {self.sku}: quantity is {self.quantity!r}; expected 1 to {QUANTITY_MAX}. "
                "Send what is weighed as one piece with its price."
            )
        price = self.unit_price_minor
        if type(price) is not int or not 0 <= price <= AMOUNT_MINOR_MAX:
            raise InvalidBasket(
                f"line {self.sku}: unit_price_minor is {price!r}; expected 0 to "
                f"{AMOUNT_MINOR_MAX}, an integer of minor units. Leave returns out of the basket."
            )

    @property
    def total_minor(self) -> int:
        """Return what the line costs."""
        return self.quantity * self.unit_price_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """What a shopper is about to pay for, in one currency."""

    currency: str
    lines: tuple[BasketLine, ...]

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES:
            raise InvalidBasket(
                f"currency is {self.currency!r}; expected an ISO 4217 code in capitals, e.g. 'EUR'."
            )
        if not 1 <= len(self.lines) <= LINES_MAX:
            raise InvalidBasket(
                f"the basket has {len(self.lines)} lines; expected 1 to {LINES_MAX}."
            )
        total_minor = sum(line.total_minor for line in self.lines)
        if total_minor > AMOUNT_MINOR_MAX:
            raise InvalidBasket(
                f"the basket costs {total_minor}; expected at most {AMOUNT_MINOR_MAX} minor units."
            )

    @property
    def total(self) -> Money:
        """Return what the basket costs before any discount."""
        total_minor = sum(line.total_minor for line in self.lines)
        return Money(amount_minor=total_minor, currency=self.currency)
