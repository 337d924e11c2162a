"""Keep from which day on a shopper who is a child may consent.

Layer: ports. Takes: days. Gives: `Minors` to storage.
"""

from datetime import date
from typing import Protocol

from offers.model.ids import ShopperId


class Minors(Protocol):
    """Shoppers who said that they are younger than 16."""

    def put(self, shopper: ShopperId, of_age_on: date | None) -> None:
        """Write from which day on the shopper is of age; None where he is."""
        ...

    def of_age_on(self, shopper: ShopperId) -> date | None:
        """Return from which day on the shopper is of age; None for who never was a child here."""
        ...
