"""Put the readings of one batch into their one order, each reading once.

Layer: rules. Takes: rows of one epoch from rtls.ingest.epoch. Gives: the rows by (tag, heard_at_ms,
anchor, kind, value), without repeats. An anchor that repeats what it said before is no new
evidence: counted twice, a stale value would look twice as sure.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.ingest.pending_readings import select
from rtls.model.reading import ReadingArray

AGE_BITS: Final = 20
ANCHOR_BITS: Final = 16
KIND_BITS: Final = 3
Fingerprints = npt.NDArray[np.uint64]

# Odd 64-bit constants of splitmix64 and its kin: any odd numbers with well mixed bits would do.
_FACTORS: Final = np.array(
    [
        0x9E3779B97F4A7C15,
        0xBF58476D1CE4E5B9,
        0x94D049BB133111EB,
        0xD6E8FEB86659FD93,
        0xA0761D6478BD642F,
        0xE7037ED1A0B428DB,
    ],
    np.uint64,
)
_SHIFT: Final = np.uint64(29)


def canonical(rows: ReadingArray) -> tuple[ReadingArray, Fingerprints]:
    """Return the rows in canonical order without repeats, and a fingerprint of each.

    Parameters
    ----------
    rows
        `READING_DTYPE`; heard within 2^20 ms of each other.
    """
    if len(rows) == 0:
        return rows, np.empty(0, np.uint64)
    key = _packed_key(rows)
    order = np.argsort(key, kind="stable")
    sorted_key = key[order]
    if (sorted_key[1:] == sorted_key[:-1]).any():
        # Rare: one link twice in the same millisecond. Every column decides, so that the order
        # of arrival never does.
        order = np.lexsort(
            (
                rows["channel"],
                rows["flags"],
                rows["sigma"],
                rows["value_3"],
                rows["value_2"],
                rows["value"],
                rows["ref_anchor"],
                key,
            )
        )
        ordered = rows.take(order)
        marks = fingerprints(ordered)
        is_first = np.concatenate(([True], marks[1:] != marks[:-1]))
        return select(ordered, is_first), marks[is_first]
    ordered = rows.take(order)
    return ordered, fingerprints(ordered)


def fingerprints(rows: ReadingArray) -> Fingerprints:
    """Return 64 bits a row that are equal for readings that say the same.

    Two different ones among the 10^5 of two seconds agree with a probability of 3e-10.
    """
    columns = (
        rows["heard_at_ms"].astype(np.uint64),
        rows["tag"].astype(np.uint64) << np.uint64(32) | rows["anchor"].astype(np.uint64),
        rows["kind"].astype(np.uint64) << np.uint64(32) | rows["ref_anchor"].astype(np.uint32),
        np.ascontiguousarray(rows["value"]).view(np.uint64),
        np.ascontiguousarray(rows["value_2"]).view(np.uint64),
        np.ascontiguousarray(rows["value_3"]).view(np.uint64),
    )
    marks = np.zeros(len(rows), np.uint64)
    for column, factor in zip(columns, _FACTORS, strict=True):
        marks ^= column
        marks *= factor
        marks ^= marks >> _SHIFT
    return marks


def _packed_key(rows: ReadingArray) -> npt.NDArray[np.int64]:
    """Return (tag, heard_at_ms, anchor, kind) as one integer: one sort instead of four."""
    age = rows["heard_at_ms"] - rows["heard_at_ms"].min()
    assert int(age.max()) < 1 << AGE_BITS
    key = rows["tag"].astype(np.int64) << AGE_BITS | age
    key = key << ANCHOR_BITS | rows["anchor"]
    return np.asarray(key << KIND_BITS | rows["kind"])
