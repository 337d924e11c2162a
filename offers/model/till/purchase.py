"""Record what was paid, line by line, and what was brought back.

Layer: nouns. Takes: a committed basket; returns. Gives: `Purchase`, `PurchaseReturn` to the
handlers of the till and to storage. Neither is ever edited: what undoes a purchase is a return.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.errors import InvalidBasket
from offers.model.ids import (
    PurchaseId,
    RedemptionId,
    ReturnId,
    ShopperId,
    TillId,
    TransactionId,
    check_random_id,
)
from offers.model.loyalty.ledger import LedgerUnit
from offers.model.money import CURRENCIES, Money
from offers.model.till.basket import BasketLine
from rtls.model.units import SiteId, UnixMs

RETURNS_MAX: Final = 1_000
"""of one purchase: a bound, since each is read again at the next"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseLine:
    """One item as it was paid for."""

    item: BasketLine
    discounts_minor: tuple[int, ...]
    """what each redemption of the purchase took off this line, in their order"""
    tender_minor: int = 0
    """what points or cashback paid of this line"""
    returned: int = 0
    """how many pieces have been brought back"""

    def __post_init__(self) -> None:
        shares = (*self.discounts_minor, self.tender_minor, self.money_minor)
        if any(share < 0 for share in shares):
            raise InvalidBasket(
                f"line {self.item.sku}: the discounts are {self.discounts_minor} and the tender "
                f"{self.tender_minor} of {self.item.total_minor}; expected none below zero, and no "
                "more than it costs."
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
        """Return what was paid for the line, in whatever way."""
        return self.item.total_minor - self.discount_minor

    @property
    def money_minor(self) -> int:
        """Return what was paid for the line in money."""
        return self.paid_minor - self.tender_minor


class PointsMove(StrEnum):
    """In which way a purchase moved a wallet."""

    EARNED = "earned"
    SPENT = "spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchasePoints:
    """What a purchase earned in one unit, or what was paid with it, line by line."""

    move: PointsMove
    unit: LedgerUnit
    transaction: TransactionId
    lines_minor: tuple[int, ...]
    """one entry for each line of the purchase; they sum to what the transaction moved"""

    @property
    def total_minor(self) -> int:
        """Return what the transaction moved."""
        return sum(self.lines_minor)


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
    points: tuple[PurchasePoints, ...] = ()

    def __post_init__(self) -> None:
        check_random_id("purchase", self.purchase, error=InvalidBasket)
        if self.currency not in CURRENCIES or not self.lines:
            raise InvalidBasket(
                f"the purchase has {len(self.lines)} lines in {self.currency!r}; expected one or "
                "more, in an ISO 4217 currency."
            )
        if any(len(moved.lines_minor) != len(self.lines) for moved in self.points):
            raise InvalidBasket("points were moved; expected a share of them for each line.")
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
        """Return what was paid, in whatever way."""
        return self.total - self.discount

    @property
    def tender(self) -> Money:
        """Return what points or cashback paid."""
        return self._sum(line.tender_minor for line in self.lines)

    def _sum(self, parts_minor: Iterable[int]) -> Money:
        return Money(amount_minor=sum(parts_minor), currency=self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedLine:
    """Pieces of one line that were brought back, and their shares of what was paid."""

    line: int
    """place of the line in the purchase, from 0"""
    quantity: int
    refund_minor: int
    """what the shopper gets back in money"""
    discounts_minor: tuple[int, ...]
    """what each redemption of the purchase had taken off these pieces"""
    tender_minor: int = 0
    """what points or cashback had paid of these pieces"""
    points_minor: tuple[int, ...] = ()
    """what goes back of each movement of points of the purchase, in their order and units"""

    def __post_init__(self) -> None:
        if self.quantity < 1 or self.line < 0:
            raise InvalidBasket(
                f"line {self.line}: quantity is {self.quantity}; expected 1 or more pieces of a "
                "line of the purchase, counted from 0."
            )
        shares = (self.refund_minor, self.tender_minor, *self.discounts_minor, *self.points_minor)
        if any(share < 0 for share in shares):
            raise InvalidBasket(
                f"line {self.line}: refund {self.refund_minor}, tender {self.tender_minor}, "
                f"discounts {self.discounts_minor}, points {self.points_minor}; expected none "
                "below zero."
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
        """Return what the shopper gets back in money."""
        refund_minor = sum(line.refund_minor for line in self.lines)
        return Money(amount_minor=refund_minor, currency=self.currency)

    def points_minor(self, place: int) -> int:
        """Return what goes back of one movement of points of the purchase."""
        return sum(line.points_minor[place] for line in self.lines)
