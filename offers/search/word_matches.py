"""Find the words of a catalogue that a word of a query may mean, and what each is worth.

Layer: rules. Takes: a folded word and `ProductIndex`. Gives: `Matches` to
offers.search.find_products. A word that the catalogue knows is not taken for a typing error.
"""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from offers.model.catalogue.search import MatchKind
from offers.search.product_index import ProductIndex, letters_of
from offers.search.words import stems_of

STEM_WORTH: Final = 0.95
PREFIX_WORTH: Final = 0.85
PART_WORTH: Final = 0.8
JOINED_WORTH: Final = 0.8
TYPO_WORTH: Final = (0.8, 0.65)
"""for one and two errors"""
PREFIX_CHARACTERS_MIN: Final = 2
PART_CHARACTERS_MIN: Final = 4
TYPO_CHARACTERS_MIN: Final = 4
TWO_TYPOS_CHARACTERS_MIN: Final = 8
SPLIT_CHARACTERS_MIN: Final = 3
WORDS_MAX: Final = 400
"""of the catalogue for each way to match a word: who types two letters gets some, not all"""
Matched = dict[int, tuple[MatchKind, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """What a word of the query may mean.

    Parameters
    ----------
    asked
        The word.
    words
        Numbers of words of the catalogue, with how they match and what that is worth.
    halves
        The two halves where the word is a compound of two known ones: a product has to have both.
    """

    asked: str
    words: Matched
    halves: tuple[Matched, Matched] | None


def matches_of(asked: str, index: ProductIndex) -> Matches:
    """Return what a folded word may mean, by `MatchKind` from the worst to the best."""
    halves = None if asked in index.number_of else _halves(asked, index)
    words: Matched = {}
    known = _same(asked, index)
    parts = _parts(asked, index)
    begun = _begun(asked, index)
    if not (known or parts or begun):
        words.update(_mistyped(asked, index))
    return Matches(asked=asked, words=words | parts | begun | known, halves=halves)


def _same(asked: str, index: ProductIndex) -> Matched:
    found: Matched = {
        number: (MatchKind.STEM, STEM_WORTH)
        for stem in stems_of(asked)
        for number in index.by_stem.get(stem, ())
    }
    number = index.number_of.get(asked)
    if number is not None:
        found[number] = (MatchKind.EXACT, 1.0)
    return found


def _begun(asked: str, index: ProductIndex) -> Matched:
    if len(asked) < PREFIX_CHARACTERS_MIN:
        return {}
    first = bisect_left(index.words, asked)
    last = bisect_left(index.words, asked + "\U0010ffff")
    return {
        number: (MatchKind.PREFIX, PREFIX_WORTH + 0.1 * len(asked) / len(index.words[number]))
        for number in range(first, min(last, first + WORDS_MAX))
    }


def _parts(asked: str, index: ProductIndex) -> Matched:
    if len(asked) < PART_CHARACTERS_MIN:
        return {}
    begins: list[int] = []
    at = index.joined.find(asked)
    while at >= 0 and len(begins) < WORDS_MAX:
        begins.append(at)
        at = index.joined.find(asked, at + len(asked))
    numbers = np.searchsorted(index.word_begin, np.array(begins, np.int64), side="right") - 1
    return dict.fromkeys(numbers.tolist(), (MatchKind.PART, PART_WORTH))


def _mistyped(asked: str, index: ProductIndex) -> Matched:
    if len(asked) < TYPO_CHARACTERS_MIN or not asked.isalpha():
        return {}
    most = 2 if len(asked) >= TWO_TYPOS_CHARACTERS_MIN else 1
    found: list[tuple[int, int]] = []
    for length in range(len(asked) - most, len(asked) + most + 1):
        if length not in index.by_length:
            continue
        numbers, letters = index.by_length[length]
        # One error takes a letter away and brings another: most words fall out by that.
        numbers = numbers[np.bitwise_count(letters ^ letters_of(asked)) <= 2 * most]
        words = [index.words[number] for number in numbers.tolist()]
        if not words:
            continue
        errors = process.cdist(
            [asked], words, scorer=OSA.distance, score_cutoff=most, dtype=np.uint8
        )[0]
        near = np.flatnonzero(errors <= most)
        found += zip(errors[near].tolist(), numbers[near].tolist(), strict=True)
    return {
        number: (MatchKind.TYPO, TYPO_WORTH[max(count, 1) - 1])
        for count, number in sorted(found)[:WORDS_MAX]
    }


def _halves(asked: str, index: ProductIndex) -> tuple[Matched, Matched] | None:
    """Return the words of both halves of a compound; a joining "s" between them falls out."""
    for cut in range(SPLIT_CHARACTERS_MIN, len(asked) - SPLIT_CHARACTERS_MIN + 1):
        second = _same(asked[cut:], index)
        if not second:
            continue
        first = _same(asked[:cut], index)
        if not first and asked[cut - 1] == "s":
            first = _same(asked[: cut - 1], index)
        if first:
            return _as_joined(first), _as_joined(second)
    return None


def _as_joined(found: Matched) -> Matched:
    return dict.fromkeys(found, (MatchKind.JOINED, JOINED_WORTH))
