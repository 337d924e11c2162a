"""Describe a product as shoppers look for it: its names, its codes, and the shelves it stands at.

Layer: nouns. Takes: what a catalogue file says. Gives: `Product` to offers.search and storage.
"""

import re
from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidCatalogue
from offers.model.ids import check_text
from offers.model.money import Money
from rtls.model.site_map import ID_PATTERN
from rtls.model.units import ZoneId

SKU_PATTERN: Final = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._/-]{0,39}\Z")
EAN_PATTERN: Final = re.compile(r"\A(?:[0-9]{8}|[0-9]{12,14})\Z")
EANS_MAX: Final = 20
KEYWORDS_MAX: Final = 30
ZONES_MAX: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One thing that a shop sells.

    Parameters
    ----------
    sku
        The retailer's own number.
    name_de, name_en
        What it is called; one of the two may be empty.
    eans
        The codes on its packages.
    keywords
        Other words that people look for it by, of either language.
    zones
        The shelves that it stands at, as the site map calls them; none where it is not in the shop.
    price
        What it costs before any offer; None where the catalogue does not say.
    """

    sku: str
    name_de: str = ""
    name_en: str = ""
    brand: str = ""
    category: str = ""
    eans: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    zones: tuple[ZoneId, ...] = ()
    price: Money | None = None

    def __post_init__(self) -> None:
        if not SKU_PATTERN.match(self.sku):
            raise InvalidCatalogue(
                f"sku is {self.sku!r}; expected 1 to 40 letters, digits, '.', '_', '/' or '-'."
            )
        if not (self.name_de or self.name_en):
            raise InvalidCatalogue(
                "name_de and name_en are both empty; expected at least one. Nobody could find the "
                "product."
            )
        for field in ("name_de", "name_en", "brand", "category"):
            if getattr(self, field):
                check_text(field, getattr(self, field), error=InvalidCatalogue)
        for field, most in (("eans", EANS_MAX), ("keywords", KEYWORDS_MAX), ("zones", ZONES_MAX)):
            given: tuple[str, ...] = getattr(self, field)
            if len(given) > most or len(set(given)) != len(given):
                raise InvalidCatalogue(
                    f"{field} has {len(given)} members, {len(set(given))} of them different; "
                    f"expected at most {most}, each once."
                )
        for keyword in self.keywords:
            check_text("keywords", keyword, error=InvalidCatalogue)
        self._check_codes()

    def _check_codes(self) -> None:
        for ean in self.eans:
            if not EAN_PATTERN.match(ean) or not _is_checked(ean):
                raise InvalidCatalogue(
                    f"eans has {ean!r}; expected 8, 12, 13 or 14 digits, the last the check digit "
                    "of the others. A table that treats codes as numbers loses leading zeros."
                )
        for zone in self.zones:
            if not ID_PATTERN.match(zone):
                raise InvalidCatalogue(
                    f"zones has {zone!r}; expected the id of a zone of the site map: 1 to 63 of "
                    "a-z, 0-9 and '-'."
                )
        if self.price is not None and self.price.amount_minor < 0:
            raise InvalidCatalogue(
                f"price_minor is {self.price.amount_minor}; expected 0 or more cents."
            )


def _is_checked(ean: str) -> bool:
    """Say whether the last digit is right: weights 3, 1, 3 … from the right (GS1 7.9)."""
    total = sum(int(d) * (3 if k % 2 else 1) for k, d in enumerate(reversed(ean)))
    return total % 10 == 0
