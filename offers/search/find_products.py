"""Find the products that a shopper means, the likeliest first, and say why.

Layer: rules. Takes: `SearchQuery` and `ProductIndex`. Gives: `SearchHit`s to the routes of
shoppers.

The score of a product is the mean, over the words of the query, of the best match of each, rare
words counting more; below `SCORE_MIN` a product is no hit. Of equals the shorter name comes first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.model.catalogue.search import MatchKind, SearchHit, SearchQuery, WordMatch
from offers.search.product_index import ProductIndex
from offers.search.word_matches import Matched, Matches, matches_of
from offers.search.words import folded, words_of

SCORE_MIN: Final = 0.5
WORDS_MAX: Final = 8
SHORT_NAME_WORTH: Final = 0.03
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A word of the query with what it met: (n_products,) the best match of each product."""

    matches: Matches
    best: Floats
    rarity: float


def find_products(query: SearchQuery, index: ProductIndex) -> tuple[SearchHit, ...]:
    """Return the products that a query means; none where nothing is like it.

    Parameters
    ----------
    query
        What was typed; words beyond `WORDS_MAX` do not count.
    index
        The words of the catalogue.
    """
    asked = [_asked(word, index) for word in _words(query.text)]
    score = _scores(asked, index)
    code = _code(query.text, index)
    if code is not None:
        score[code] = 2.0  # before everything that has the number in its name
    _apply_filters(score, query, index)
    found = np.flatnonzero(score >= SCORE_MIN)
    order = np.lexsort((found, -score[found]))[: query.hits_max]
    return tuple(
        _hit(number, float(score[number]), asked, index, is_code=number == code)
        for number in found[order].tolist()
    )


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(words_of(text)))[:WORDS_MAX]


def _code(text: str, index: ProductIndex) -> int | None:
    plain = text.strip().casefold()
    if plain in index.by_code:
        return index.by_code[plain]
    return index.by_code.get(plain.replace(" ", "").lstrip("0"))


def _asked(word: str, index: ProductIndex) -> _Asked:
    matches = matches_of(word, index)
    best = _best(matches.words, index)
    if matches.halves is not None:
        first, second = (_best(half, index) for half in matches.halves)
        best = np.maximum(best, np.minimum(first, second))
    found = int(np.count_nonzero(best))
    return _Asked(matches=matches, best=best, rarity=math.log1p(len(best) / (1 + found)))


def _best(words: Matched, index: ProductIndex) -> Floats:
    """Return (n_products,) the best match of each product with one of some words."""
    best = np.zeros(len(index.products), np.float32)
    number = np.fromiter(words, np.int64, len(words))
    worth = np.array([worth for _, worth in words.values()], np.float32)
    begin, count = index.row_start[number], np.diff(index.row_start)[number]
    # All rows of all these words at once: a loop over hundreds of words takes milliseconds.
    row = np.repeat(begin - np.cumsum(count) + count, count) + np.arange(count.sum())
    np.maximum.at(best, index.row_product[row], np.repeat(worth, count) * index.row_worth[row])
    return best


def _scores(asked: Sequence[_Asked], index: ProductIndex) -> Floats:
    score = np.zeros(len(index.products), np.float32)
    total = math.fsum(one.rarity for one in asked)
    if not total:
        return score
    for one in asked:
        score += np.float32(one.rarity / total) * one.best
    share = np.minimum(len(asked) / index.words_in_name, 1.0).astype(np.float32)
    return score * (1.0 - SHORT_NAME_WORTH + SHORT_NAME_WORTH * share)


def _apply_filters(score: Floats, query: SearchQuery, index: ProductIndex) -> None:
    if query.is_in_shop:
        score[~index.is_in_shop] = 0.0
    if query.category is not None:
        score[index.category != folded(query.category)] = 0.0


def _hit(
    number: int, score: float, asked: Sequence[_Asked], index: ProductIndex, *, is_code: bool
) -> SearchHit:
    product = index.products[number]
    if is_code:
        told = WordMatch(asked=product.sku, met=product.sku, kind=MatchKind.CODE, weight=1.0)
        return SearchHit(product=product, score=1.0, matches=(told,))
    worths = index.worths_of(number)
    matches = tuple(match for one in asked for match in _told(worths, one.matches, index))
    return SearchHit(product=product, score=score, matches=matches)


def _told(worths: dict[int, float], matches: Matches, index: ProductIndex) -> list[WordMatch]:
    """Return by which word, or by which two halves, a product with these words was met."""
    best = _best_word(worths, matches.asked, matches.words, index)
    if matches.halves is not None:
        halves = [_best_word(worths, matches.asked, half, index) for half in matches.halves]
        both = [half for half in halves if half is not None]
        joined = len(both) == len(halves)
        if joined and (best is None or min(h.weight for h in both) > best.weight):
            return both
    return [] if best is None else [best]


def _best_word(
    worths: dict[int, float], asked: str, words: Matched, index: ProductIndex
) -> WordMatch | None:
    best: WordMatch | None = None
    for number, worth in worths.items():
        if number not in words:
            continue
        kind, match_worth = words[number]
        weight = match_worth * worth
        if best is None or weight > best.weight:
            best = WordMatch(asked=asked, met=index.words[number], kind=kind, weight=weight)
    return best
