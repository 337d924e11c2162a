"""Export and erase a person over everything that is stored.

Layer: ports. Takes: nouns. Gives: `PersonalData` to storage.
"""

from collections.abc import Mapping
from typing import Protocol

from offers.model.ids import ShopperId
from offers.model.people.personal_data import Erasure, Row


class PersonalData(Protocol):
    """All that is stored about one person, and the list of who was erased."""

    def export(self, shopper: ShopperId) -> Mapping[str, tuple[Row, ...]]:
        """Return every row about the shopper, by table; no fingerprint of a secret."""
        ...

    def erase(self, shopper: ShopperId) -> None:
        """Delete every row about the shopper, and cut off what has to stay."""
        ...

    def note_erasure(self, erasure: Erasure) -> None:
        """Remember who was erased; once is enough."""
        ...

    def erasures(self, *, after: str, limit: int) -> tuple[Erasure, ...]:
        """Return who was erased, by fingerprint, behind ``after``."""
        ...

    def shoppers(self, *, after: str, limit: int) -> tuple[ShopperId, ...]:
        """Return the keys of all shoppers behind ``after``, in their order."""
        ...
