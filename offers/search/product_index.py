"""Lay out the words of a catalogue so that a query finds its products in milliseconds.

Layer: rules. Takes: `Product`s. Gives: `ProductIndex` to offers.search.word_matches and
offers.search.find_products. Built anew when the catalogue changes, immutable, safe to share.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.model.catalogue.product import Product
from offers.search.words import folded, joined_words_of, stems_of, words_of

NAME_WORTH: Final = 1.0
KEYWORD_WORTH: Final = 0.9
BRAND_WORTH: Final = 0.9
CATEGORY_WORTH: Final = 0.7
"""A category is shared by hundreds, which are not what somebody looks for by its name."""
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductIndex:
    """The words of all products, sorted, and where each of them stands.

    Parameters
    ----------
    words
        Every folded word once, sorted; `number_of` gives its place.
    by_stem
        The words of each stem.
    joined, word_begin
        All words in one text, a newline before and after each, and where each begins in it.
    by_length
        The numbers of the words of each length, and which letters each of them has.
    row_start, row_product, row_worth
        Rows `row_start[w]` to `row_start[w + 1]` are the products with word w, and what the best
        field that holds it is worth.
    words_in_name, is_in_shop, category
        (n_products,)
    by_code
        The product of each sku and EAN.
    """

    products: tuple[Product, ...]
    words: tuple[str, ...]
    number_of: dict[str, int]
    by_stem: dict[str, tuple[int, ...]]
    joined: str
    word_begin: Ints
    by_length: dict[int, tuple[Ints, Ints]]
    row_start: Ints
    row_product: Ints
    row_worth: Floats
    words_in_name: Ints
    is_in_shop: Bools
    category: npt.NDArray[np.str_]
    by_code: dict[str, int]

    @classmethod
    def of_products(cls, products: Sequence[Product]) -> "ProductIndex":
        """Build the index of a catalogue."""
        rows: dict[str, dict[int, float]] = defaultdict(dict)
        for number, product in enumerate(products):
            for word, worth in _worths(product):
                held = rows[word]
                held[number] = max(worth, held.get(number, 0.0))
        words = tuple(sorted(rows))
        by_stem: dict[str, list[int]] = defaultdict(list)
        by_length: dict[int, list[int]] = defaultdict(list)
        for number, word in enumerate(words):
            by_length[len(word)].append(number)
            for stem in stems_of(word):
                by_stem[stem].append(number)
        counts = [len(rows[word]) for word in words]
        return cls(
            products=tuple(products),
            words=words,
            number_of={word: number for number, word in enumerate(words)},
            by_stem={stem: tuple(numbers) for stem, numbers in by_stem.items()},
            joined="\n" + "".join(f"{word}\n" for word in words),
            word_begin=1 + np.cumsum([0, *(len(word) + 1 for word in words)])[:-1],
            by_length={
                length: (
                    np.array(numbers, np.int64),
                    np.array([letters_of(words[number]) for number in numbers], np.int64),
                )
                for length, numbers in by_length.items()
            },
            row_start=np.cumsum([0, *counts]),
            row_product=np.array([p for word in words for p in rows[word]], np.int64),
            row_worth=np.array([w for word in words for w in rows[word].values()], np.float32),
            words_in_name=np.array([_words_in_name(product) for product in products], np.int64),
            is_in_shop=np.array([bool(product.zones) for product in products], np.bool_),
            category=np.array([folded(product.category) for product in products], np.str_),
            by_code=_codes(products),
        )

    def worths_of(self, product: int) -> dict[int, float]:
        """Return the numbers of a product's words, and what the best field of each is worth."""
        worths: dict[int, float] = {}
        for word, worth in _worths(self.products[product]):
            number = self.number_of[word]
            worths[number] = max(worth, worths.get(number, 0.0))
        return worths


def letters_of(word: str) -> int:
    """Return which letters a word has, as bits; others than a to z share some.

    Examples
    --------
    >>> letters_of("abba"), letters_of("c")
    (3, 4)
    """
    return sum(1 << place for place in {(ord(letter) - ord("a")) % 32 for letter in word})


def _worths(product: Product) -> Iterator[tuple[str, float]]:
    fields = (
        (product.name_de, NAME_WORTH),
        (product.name_en, NAME_WORTH),
        (product.brand, BRAND_WORTH),
        (product.category, CATEGORY_WORTH),
        *((keyword, KEYWORD_WORTH) for keyword in product.keywords),
    )
    for text, worth in fields:
        for word in (*words_of(text), *joined_words_of(text)):
            yield word, worth


def _words_in_name(product: Product) -> int:
    counts = (len(words_of(product.name_de)), len(words_of(product.name_en)))
    return min((count for count in counts if count), default=1)


def _codes(products: Sequence[Product]) -> dict[str, int]:
    codes: dict[str, int] = {}
    for number, product in enumerate(products):
        codes.setdefault(product.sku.casefold(), number)
        for ean in product.eans:
            # 12, 13 and 14 digits of one article differ by leading zeros alone (GS1 3.2).
            codes.setdefault(ean.lstrip("0"), number)
    return codes
