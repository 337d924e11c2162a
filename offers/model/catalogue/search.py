"""Ask for products and say what was found, with the reason of each hit.

Layer: nouns. Takes: what a shopper typed. Gives: `SearchQuery` to offers.search, `SearchHit`s back.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.catalogue.product import Product
from offers.model.errors import InvalidSearch

QUERY_CHARACTERS_MAX: Final = 100
HITS_MAX: Final = 50


class MatchKind(StrEnum):
    """How a word of the query met a word of a product, the best first."""

    CODE = "code"
    """the whole query is the product's sku or EAN"""
    EXACT = "exact"
    STEM = "stem"
    """singular and plural, or another ending"""
    PREFIX = "prefix"
    """the beginning of a longer word"""
    PART = "part"
    """a part of a compound: "dübel" in "Holzdübel" """
    JOINED = "joined"
    """a compound whose parts stand apart: "holzdübel" in "Dübel aus Holz" """
    TYPO = "typo"
    """but for one or two typing errors"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordMatch:
    """One word of the query, the word of the product that it met, and how.

    `weight` is 0 to 1: what the kind of the match and the field of the word are worth.
    """

    asked: str
    met: str
    kind: MatchKind
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A product that was found; `score` is 1 for a code, or where each word is met in the name."""

    product: Product
    score: float
    matches: tuple[WordMatch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """What a shopper looks for.

    Parameters
    ----------
    text
        What was typed so far.
    hits_max
        How many products to show.
    category
        Only this category, written as in the catalogue; None for all.
    is_in_shop
        Only what stands at a shelf.
    """

    text: str
    hits_max: int = 10
    category: str | None = None
    is_in_shop: bool = False

    def __post_init__(self) -> None:
        if not self.text.strip() or len(self.text) > QUERY_CHARACTERS_MAX:
            raise InvalidSearch(
                f"text is {self.text[:60]!r} ({len(self.text)} characters); expected 1 to "
                f"{QUERY_CHARACTERS_MAX}, not all of them blank. Ask with fewer words."
            )
        if not 1 <= self.hits_max <= HITS_MAX:
            raise InvalidSearch(f"hits_max is {self.hits_max}; expected 1 to {HITS_MAX}.")
