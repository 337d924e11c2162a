"""Anchor tally: which anchor gives nothing any more."""

import numpy as np

from inaisle.anchor_tally import AnchorTally
from rtls.model.reading import READING_DTYPE, ReadingArray
from tests.unit.inaisle.two_anchors import TWO_ANCHORS


def readings(*rows: tuple[int, int]) -> ReadingArray:
    array = np.zeros(len(rows), READING_DTYPE)
    array["anchor"] = [anchor for anchor, _ in rows]
    array["heard_at_ms"] = [at_ms for _, at_ms in rows]
    return array


def test_readings_are_counted_by_anchor() -> None:
    """An installer sees at once which anchor is dead."""
    tally = AnchorTally(TWO_ANCHORS)
    tally.note(readings((0, 1_000), (0, 1_050)))
    tally.note(readings())
    tally.note(readings((0, 1_150)))
    first, second = tally.heard()
    assert (first.readings, first.last_heard_at_ms) == (3, 1_150)
    assert (second.readings, second.last_heard_at_ms) == (0, None)
