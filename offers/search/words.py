"""Fold words so that spellings of one word meet: umlauts, accents, capitals, plurals.

Layer: rules. Takes: texts of products and shoppers. Gives: folded words and stems to the index.

"ü" and "ue" both become "u", "ß" becomes "ss": people on a foreign keyboard type "dubel", those on
an old till "DUEBEL". The same happens to "Steuer" on both sides, so nothing is lost by it.
"""

import re
import unicodedata
from functools import cache
from typing import Final, Protocol

import snowballstemmer

HYPHENATED: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)+")
WORD: Final = re.compile(r"[^\W_]+")
_DIGRAPHS: Final = str.maketrans({"ß": "ss", "æ": "a", "ø": "o"})
STEM_CHARACTERS_MIN: Final = 4
"""A shorter word loses its meaning with its ending."""


class Stemmer(Protocol):
    """The one method that we ask of a stemmer."""

    def stemWord(self, word: str) -> str:  # noqa: N802 – its name, not ours
        """Return a word without its ending."""
        ...


def folded(text: str) -> str:
    """Return a text in which spellings of one word are the same.

    Examples
    --------
    >>> folded("Holzdübel"), folded("HOLZDUEBEL"), folded("Maß")
    ('holzdubel', 'holzdubel', 'mass')
    """
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_DIGRAPHS))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    for two, one in (("ae", "a"), ("oe", "o"), ("ue", "u")):
        plain = plain.replace(two, one)
    return plain


def words_of(text: str) -> list[str]:
    """Return the folded words of a text, in its order.

    Examples
    --------
    >>> words_of("Spax-Schraube 4,5x40 mm")
    ['spax', 'schraube', '4', '5x40', 'mm']
    """
    return WORD.findall(folded(text))


def joined_words_of(text: str) -> list[str]:
    """Return what is written with hyphens as one word, since many type it so.

    Examples
    --------
    >>> joined_words_of("Bosch Akku-Schrauber")
    ['akkuschrauber']
    """
    return [found.replace("-", "") for found in HYPHENATED.findall(folded(text))]


@cache
def _stemmers() -> tuple[Stemmer, Stemmer]:
    return snowballstemmer.stemmer("german"), snowballstemmer.stemmer("english")


def stems_of(word: str) -> set[str]:
    """Return the German and the English stem of a folded word.

    Examples
    --------
    >>> sorted(stems_of("schrauben")), sorted(stems_of("drills"))
    (['schraub', 'schrauben'], ['drill'])
    """
    if len(word) < STEM_CHARACTERS_MIN or not word.isalpha():
        return {word}
    return {stemmer.stemWord(word) for stemmer in _stemmers()}
