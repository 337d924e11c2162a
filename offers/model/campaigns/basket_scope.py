"""Say which lines of a basket are meant.

Layer: nouns. Takes: categories and items. Gives: `Scope` to benefits and triggers.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidCampaign
from offers.model.ids import check_text

SCOPE_ENTRIES_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The lines of a basket that a benefit applies to. Empty means every line."""

    categories: frozenset[str] = frozenset()
    skus: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        count = len(self.categories) + len(self.skus)
        if count > SCOPE_ENTRIES_MAX:
            raise InvalidCampaign(
                f"applies_to has {count} entries; expected at most {SCOPE_ENTRIES_MAX}. Name a "
                "category instead of its items."
            )
        for entry in (*self.categories, *self.skus):
            check_text("applies_to", entry, error=InvalidCampaign)

    @property
    def is_every_line(self) -> bool:
        """Say whether nothing is left out."""
        return not self.categories and not self.skus

    def covers(self, *, sku: str, category: str) -> bool:
        """Say whether a line of this item is meant."""
        return self.is_every_line or sku in self.skus or category in self.categories


EVERY_LINE: Final = Scope()
