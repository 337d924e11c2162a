"""Keep held baskets, purchases and returns.

Layer: ports. Takes: nouns. Gives: `HeldBaskets`, `Purchases` to storage.
"""

from typing import Protocol

from offers.model.ids import BasketId, CouponId, PurchaseId, ShopperId
from offers.model.money import Money
from offers.model.till.held_basket import HeldBasket, HoldState
from offers.model.till.purchase import Purchase, PurchaseReturn
from rtls.model.units import UnixMs


class HeldBaskets(Protocol):
    """Baskets at tills that are neither paid nor given up, and what became of the others."""

    def add(self, held: HeldBasket) -> None:
        """Write a held basket with its coupons."""
        ...

    def find(self, held: BasketId) -> HeldBasket | None:
        """Return the basket, or None."""
        ...

    def holding(self, coupon: CouponId) -> HeldBasket | None:
        """Return the basket that holds the coupon now, or None."""
        ...

    def held_for(self, shopper: ShopperId) -> tuple[HeldBasket, ...]:
        """Return the baskets that are held now for the shopper's card."""
        ...

    def end(self, held: BasketId, state: HoldState, *, at_ms: UnixMs) -> bool:
        """Write how it ended, if it is still held; else False."""
        ...

    def overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[HeldBasket, ...]:
        """Return baskets that are held for too long."""
        ...

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete baskets that ended before ``before_ms``; return how many."""
        ...


class Purchases(Protocol):
    """Purchases and their returns. There is no way to change a record."""

    def add(self, purchase: Purchase) -> None:
        """Write a purchase; its redemptions are written before."""
        ...

    def find(self, purchase: PurchaseId) -> Purchase | None:
        """Return the purchase, with how much of each line has been returned, or None."""
        ...

    def has_any(self, shopper: ShopperId) -> bool:
        """Say whether the shopper has ever bought anything with the card."""
        ...

    def saved_of(self, shopper: ShopperId) -> tuple[Money, ...]:
        """Return what the shopper's coupons took off, less what went back with returned goods.

        One amount for each currency, in their order; none where nothing was ever saved.
        """
        ...

    def returns_of(self, purchase: PurchaseId) -> tuple[PurchaseReturn, ...]:
        """Return what was brought back, first things first."""
        ...

    def add_return(self, returned: PurchaseReturn) -> bool:
        """Write a return and count its pieces.

        False where that would be more than was bought, or where another return came between: then
        the transaction must be given up.
        """
        ...
