"""Leave out readings that the state cannot take: of no tag, of no anchor, too old or too young.

Layer: rules. Takes: readings of one epoch from the engine. Gives: those that can be taken, and how
many could not by reason, to the engine.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rtls.model.reading import ReadingArray
from rtls.model.units import UnixMs
from rtls.positioning.kernels.known_readings import NEVER, REASONS, mark_known

__all__ = ["NEVER", "LeftOut", "known_readings"]
BEGINNING_OF_TIME: Final = -(1 << 62)


class LeftOut(NamedTuple):
    """How many readings were left out for each reason."""

    no_tag: int
    no_anchor: int
    too_old: int
    too_young: int


def known_readings(
    readings: ReadingArray,
    heard_ms: npt.NDArray[np.int64],
    *,
    n_anchors: int,
    oldest_ms: int | None,
    end_ms: UnixMs,
) -> tuple[ReadingArray, LeftOut]:
    """Return the readings that can be taken, and note ``end_ms`` for the tags heard.

    Parameters
    ----------
    readings
        `READING_DTYPE`.
    heard_ms
        (capacity,) when each tag was last heard, `NEVER` in free slots; changed in place.
    n_anchors
        Anchors that readings may name.
    oldest_ms
        Readings before it are too old; None for no bound.
    end_ms
        Readings after it are too young.
    """
    # A read-only array is another type to the compiler: it would compile in the middle of the day.
    writable = readings if readings.flags.writeable else readings.copy()
    marks = np.empty(readings.size, np.uint8)
    counts = np.zeros(REASONS, np.int64)
    oldest = BEGINNING_OF_TIME if oldest_ms is None else int(oldest_ms)
    taken = mark_known(writable, heard_ms, n_anchors, oldest, int(end_ms), marks, counts)
    known: ReadingArray = writable if taken == readings.size else writable[marks != 0]
    return known, LeftOut(*counts.tolist())
