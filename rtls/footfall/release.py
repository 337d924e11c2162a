"""Decide what may be shown of counted persons: the only way out of the position history.

Layer: rules. Takes: how many distinct visitors each place had in each block of time. Gives: what
of it is told, rounded, to the reports of this room; nothing that did not pass here is shown.

Persons are counted in blocks that are the same whoever asks: an hour or a day by the clocks of the
site, a cell, a zone, a step between two zones. Every report is put together of told blocks alone,
so that no choice of windows says more than the blocks do. Each block

- is told only from ``k`` + t visitors on, t of 0 to 4;
- shows its visitors as 5 × floor((visitors + 4 - t) / 5), right on average;
- shows its seconds as `SECONDS` × floor((seconds + q) / `SECONDS`).

t and q are drawn from a key of the site for each block, once for all. Without the key, somebody who
can put persons in and take them out again learns where a count steps, and so the count; with a
fixed threshold he learns from a block that his own k - 1 persons alone do not open that nobody else
was there. Threshold and rounding hang on one draw, for of two he would see where both steps lie.

Distinct visitors do not add up, so that no count is had from others by subtraction; two things do:

- Seconds of hours add up to those of the day. Of the hours of a cell or zone one told hour, chosen
  by lot, is withheld, so that what is missing is k visitors at least. It is so always: were it only
  where somebody is withheld, one more told hour would say that nobody is. The lot does not ask who
  is the smallest, or it would compare counts for the asker.
- Cohorts add up to everybody. Where a site tells cohorts, what is told of everybody's days is
  nothing but the sum of the told cohorts.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.footfall.kernels.keyed_hash import sip_hash
from rtls.footfall.runs import changes
from rtls.model.errors import InvalidReport
from rtls.model.footfall import Bools, Float64s, Int64s, UInt64s

K_DEFAULT: Final = 10
K_FLOOR: Final = 5
K_MAX: Final = 1000
ROUNDING: Final = 5
SECONDS: Final = 60
KEY_BYTES_MIN: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRules:
    """From how many visitors on something is told, and the key that its rounding hangs on.

    Parameters
    ----------
    key
        A secret of the site that stays: two keys would let somebody average two roundings.
    k
        Distinct visitors at least; a multiple of 5, so that no rounded count is below it.
    """

    key: bytes = field(repr=False)
    k: int = K_DEFAULT

    def __post_init__(self) -> None:
        if not K_FLOOR <= self.k <= K_MAX or self.k % ROUNDING:
            raise InvalidReport(
                f"k is {self.k}; expected a multiple of {ROUNDING} from {K_FLOOR} to {K_MAX} "
                f"distinct visitors. {K_DEFAULT} is usual."
            )
        if len(self.key) < KEY_BYTES_MIN:
            raise InvalidReport(
                f"the key of the reports is {len(self.key)} bytes long; expected at least "
                f"{KEY_BYTES_MIN} random ones."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What of a column of counts may be shown.

    Parameters
    ----------
    is_told
        (n,) False where the block is withheld.
    counts
        (n,) Rounded visitors; 0 where withheld.
    draws
        (n,) What was drawn for each block, for amounts that are told along with the count.
    """

    is_told: Bools
    counts: Int64s
    draws: UInt64s

    def rows(self, which: Bools) -> "Told":
        """Return some of the rows."""
        return Told(is_told=self.is_told[which], counts=self.counts[which], draws=self.draws[which])


def told_counts(
    visitors: Int64s, words: UInt64s, *, kind: str, rules: ReleaseRules, sums: Int64s | None
) -> Told:
    """Return which blocks are told and with what count.

    Parameters
    ----------
    visitors
        (n,) Distinct visitors of each block.
    words
        (n, m) What names the block, in numbers; the draws hang on it.
    kind
        What is counted; two kinds of one block are drawn apart.
    sums
        (n,) Blocks that add up to one that is told too have the same number here; None where
        nothing adds up.
    """
    draws = _drawn(words, kind, rules)
    above = (draws % np.uint64(ROUNDING)).astype(np.int64)
    is_told = visitors >= rules.k + above
    if sums is not None:
        is_told = _without_one_by_lot(is_told, sums, draws)
    counts = ROUNDING * ((visitors + ROUNDING - 1 - above) // ROUNDING)
    return Told(is_told=is_told, counts=np.where(is_told, counts, 0), draws=draws)


def told_seconds(seconds: Float64s, told: Told) -> Float64s:
    """Return the seconds of the blocks that are told, rounded; 0 of the others."""
    # Bits that neither the count nor the lot has used.
    offset = (told.draws >> np.uint64(32)) % np.uint64(SECONDS * 16)
    rounded = SECONDS * np.floor((seconds + offset.astype(np.float64) / 16.0) / SECONDS)
    return np.where(told.is_told, rounded, 0.0)


def name_word(name: str) -> int:
    """Return the 64 bits that stand for a name among the words of a block."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def block_words(*columns: npt.NDArray[np.generic] | int) -> UInt64s:
    """Return (n, m) the words of n blocks, of m columns, or numbers that all blocks share."""
    n = max((len(column) for column in columns if not isinstance(column, int)), default=0)
    words = np.empty((n, len(columns)), np.uint64)
    for place, column in enumerate(columns):
        if isinstance(column, int):
            words[:, place] = np.uint64(column)
        else:
            words[:, place] = column.astype(np.int64).view(np.uint64)
    return words


def _drawn(words: UInt64s, kind: str, rules: ReleaseRules) -> UInt64s:
    digest = hashlib.blake2b(kind.encode(), key=rules.key[:64], digest_size=16).digest()
    key_0 = int.from_bytes(digest[:8], "little")
    key_1 = int.from_bytes(digest[8:], "little")
    return sip_hash(words, key_0, key_1)


def _without_one_by_lot(is_told: Bools, sums: Int64s, draws: UInt64s) -> Bools:
    """Withhold of each sum one of the told blocks."""
    lots = (draws & np.uint64(0xFFFFFFFF)) // np.uint64(ROUNDING)
    told = np.flatnonzero(is_told)
    told = told[np.lexsort((lots[told], sums[told]))]
    result = is_told.copy()
    result[told[changes(sums[told])]] = False
    return result
