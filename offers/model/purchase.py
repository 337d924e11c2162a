"""Record what was paid, line by line, and what was brought back.

Layer: nouns. Takes: a committed basket; returns. Gives: `Purchase`, `PurchaseReturn` to the
handlers of the till and to storage. Neither is ever edited: what undoes a purchase is a return.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from offers.model.basket import BasketLine
from offers.model.errors import InvalidBasket
from offers.model.ids import (
    PurchaseId,
    RedemptionId,
    ReturnId,
    ShopperId,
    TillId,
    check_random_id,
)
from offers.model.money import CURRENCIES, Money
from rtls.model.units import SiteId, UnixMs

RETURNS_MAX: Final = 1_000
"""of one purchase: a bound, since each is read again at the next"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseLine:
    """One item as it was paid for."""

    item: BasketLine
    discounts_minor: tuple[int, ...]
    """what each redemption of the purchase took off this line, in their order"""
    returned: int = 0
    """how many pieces have been brought back"""

    def __post_init__(self) -> None:
        if any(share < 0 for share in self.discounts_minor) or self.paid_minor < 0:
            raise InvalidBasket(
                f"line {self.item.sku}: the discounts are {self.discounts_minor} of "
                f"{self.item.total_minor}; expected none below zero, and no more than it costs."
            )
        if not 0 <= self.returned <= self.item.quantity:
            raise InvalidBasket(
                f"line {self.item.sku}: returned is {self.returned}; expected 0 to "
                f"{self.item.quantity}, as many as were bought."
            )

    @property
    def discount_minor(self) -> int:
        """Return what all coupons took off the line."""
        return sum(self.discounts_minor)

    @property
    def paid_minor(self) -> int:
        """Return what was paid for the line."""
        return self.item.total_minor - self.discount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What was paid at one till at once."""

    purchase: PurchaseId
    site: SiteId
    till: TillId
    shopper: ShopperId | None
    """whose card was shown; None where there were codes only"""
    at_ms: UnixMs
    currency: str
    lines: tuple[PurchaseLine, ...]
    redemptions: tuple[RedemptionId, ...] = ()

    def __post_init__(self) -> None:
        check_random_id("purchase", self.purchase, error=InvalidBasket)
        if self.currency not in CURRENCIES or not self.lines:
            raise InvalidBasket(
                f"the purchase has {len(self.lines)} lines in {self.currency!r}; expected one or "
                "more, in an ISO 4217 currency."
            )
        if any(len(line.discounts_minor) != len(self.redemptions) for line in self.lines):
            raise InvalidBasket(
                f"the purchase has {len(self.redemptions)} redemptions; expected each line to "
                "state the share of each."
            )

    @property
    def total(self) -> Money:
        """Return what the items cost before any discount."""
        return self._sum(line.item.total_minor for line in self.lines)

    @property
    def discount(self) -> Money:
        """Return what all coupons took off."""
        return self._sum(line.discount_minor for line in self.lines)

    @property
    def paid(self) -> Money:
        """Return what was paid."""
        return self.total - self.discount

    def _sum(self, parts_minor: Iterable[int]) -> Money:
        return Money(amount_minor=sum(parts_minor), currency=self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedLine:
    """Pieces of one line that were brought back, and their shares of what was paid."""

    line: int
    """place of the line in the purchase, from 0"""
    quantity: int
    refund_minor: int
    """what the shopper gets back"""
    discounts_minor: tuple[int, ...]
    """what each redemption of the purchase had taken off these pieces"""

    def __post_init__(self) -> None:
        if self.quantity < 1 or self.line < 0:
            raise InvalidBasket(
                f"line {self.line}: quantity is {self.quantity}; expected 1 or more pieces of a "
                "line of the purchase, counted from 0."
            )
        if self.refund_minor < 0 or any(share < 0 for share in self.discounts_minor):
            raise InvalidBasket(
                f"line {self.line}: refund {self.refund_minor}, discounts "
                f"{self.discounts_minor}; expected none below zero."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseReturn:
    """What was brought back at once."""

    returned: ReturnId
    purchase: PurchaseId
    number: int
    """1 for the first return of the purchase, 2 for the next"""
    site: SiteId
    till: TillId
    at_ms: UnixMs
    currency: str
    lines: tuple[ReturnedLine, ...]

    def __post_init__(self) -> None:
        check_random_id("returned", self.returned, error=InvalidBasket)
        if not 1 <= self.number <= RETURNS_MAX:
            raise InvalidBasket(
                f"this is return {self.number} of the purchase; expected at most {RETURNS_MAX}."
            )
        places = [line.line for line in self.lines]
        if not places or len(set(places)) < len(places):
            raise InvalidBasket(
                f"the return names the lines {places}; expected one or more, each once."
            )

    @property
    def refund(self) -> Money:
        """Return what the shopper gets back."""
        refund_minor = sum(line.refund_minor for line in self.lines)
        return Money(amount_minor=refund_minor, currency=self.currency)
