"""Keep the digital cards, and which of their codes have been taken.

Layer: ports. Takes: nouns. Gives: `Cards`, `CardClaims` to storage.
"""

from typing import Protocol

from offers.model.ids import ShopperId
from offers.model.people.card import CardNumber
from rtls.model.units import UnixMs


class Cards(Protocol):
    """Cards of shoppers, one each, and the steps of their codes that were taken at tills."""

    def add(self, shopper: ShopperId, number: CardNumber) -> bool:
        """Give the shopper a card; False where there is one, or another has the number."""
        ...

    def number_of(self, shopper: ShopperId) -> CardNumber | None:
        """Return the number of the shopper's card, or None."""
        ...

    def holder_of(self, number: CardNumber) -> ShopperId | None:
        """Return whose card has the number, or None."""
        ...

    def is_taken(self, shopper: ShopperId, step: int) -> bool:
        """Say whether the code of this step has been taken."""
        ...

    def take(self, shopper: ShopperId, step: int) -> bool:
        """Note that the code of this step has been taken; False where it was before."""
        ...

    def forget_before(self, step: int, *, limit: int) -> int:
        """Delete steps that no code can be of any more; return how many."""
        ...


class CardClaims(Protocol):
    """Claims of cards that were handed out and belong to nobody's app yet."""

    def add(self, fingerprint: str, shopper: ShopperId, *, until_ms: UnixMs) -> None:
        """Write a claim under the fingerprint of its code."""
        ...

    def take(self, fingerprint: str, *, now_ms: UnixMs) -> ShopperId | None:
        """Use the claim up and return whose card it is; None where there is none, or it is over."""
        ...

    def forget_overdue(self, *, now_ms: UnixMs, limit: int) -> int:
        """Delete claims whose time is over; return how many."""
        ...
