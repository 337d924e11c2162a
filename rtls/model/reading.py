"""One anchor and one tag meeting once, and an ordered batch of such readings.

Layer: nouns. Takes: numbers from the decoders. Gives: one columnar `ReadingBatch` a time slice
to the engine.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidReading
from rtls.model.units import SiteId, TagId, UnixMs


class ReadingKind(IntEnum):
    """What was measured; decides the meaning and the unit of `value`."""

    RSSI = 0
    """value: received signal strength, dBm"""
    RANGE = 1
    """value: anchor-to-tag distance, m"""
    TDOA = 2
    """value: distance to the anchor less distance to `ref_anchor`, m"""
    AOA = 3
    """value: azimuth, rad; value_2: elevation, rad"""
    POSITION = 4
    """value, value_2, value_3: x, y, z, m"""


class ReadingFlag(IntEnum):
    """Bits of `flags`."""

    SMOOTHED = 1
    """the sender averaged over a window: successive values are not independent"""
    FROM_SPOOL = 2
    """held back by the gateway while the line was down: never triggers an offer"""
    ARRIVAL_TIME = 4
    """no usable sender clock: `heard_at_ms` is the time of arrival"""


# One record a reading, from the decoder to the solver. Slots and indices, never strings: `tag` is
# the tag's slot in its shard, `anchor` the index in the site map.
READING_DTYPE: Final = np.dtype(
    [
        ("heard_at_ms", np.int64),  # anchor's time, corrected for clock skew
        ("tag", np.int32),
        ("anchor", np.int32),
        ("value", np.float64),
        ("value_2", np.float64),  # NaN where the kind has one value
        ("value_3", np.float64),
        ("sigma", np.float64),  # as the sender states it, NaN where it does not; unit of value
        ("ref_anchor", np.int32),  # -1 where the kind needs none
        ("kind", np.uint8),
        ("flags", np.uint8),
        ("channel", np.uint8),  # 0 where unknown; BLE 37..39
        ("pad", np.uint8),
    ],
    align=True,
)

ReadingArray = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingBatch:
    """All readings of one epoch of one shard, in canonical event-time order.

    Parameters
    ----------
    site, shard
        The partition key; a batch never spans shards.
    sequence
        Grows by 1 a batch; the engine skips what it has seen.
    epoch_end_ms
        The epoch is the slice (end of the previous batch, epoch_end_ms]. No reading in `readings`
        is younger; older ones came late within the bound and are used at their age.
    readings
        `READING_DTYPE`, sorted by (tag, heard_at_ms, anchor, kind, value).
    introduced
        (slot, tag id) of the tags that have their first reading in this batch, so that a log of
        batches can be replayed without anything else.
    """

    site: SiteId
    shard: int
    sequence: int
    epoch_end_ms: UnixMs
    readings: ReadingArray
    introduced: tuple[tuple[int, TagId], ...] = ()

    def __post_init__(self) -> None:
        if self.readings.dtype != READING_DTYPE:
            raise InvalidReading(
                f"readings have dtype {self.readings.dtype}; expected READING_DTYPE. "
                "Build the batch with rtls.ingest.epoch."
            )
        if self.sequence < 0:
            raise InvalidReading(f"sequence is {self.sequence}; expected 0 or more.")
