"""Fixes as the engine would make them, for tests of what carries them."""

from collections.abc import Sequence

import numpy as np

from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.units import TagId, UnixMs

START_MS = 1_760_000_000_000


def fixes_at(at_ms: int, tags: Sequence[str]) -> tuple[FixBatch, tuple[TagId, ...]]:
    """A fix of each tag, each in the slot of its place in ``tags``, one metre further a second."""
    rows = np.zeros(len(tags), FIX_DTYPE)
    rows["tag"] = np.arange(len(tags))
    rows["x_m"] = (at_ms - START_MS) / 1000.0
    rows["evidence_at_ms"] = at_ms
    return FixBatch(at_ms=UnixMs(at_ms), rows=rows), tuple(TagId(tag) for tag in tags)
