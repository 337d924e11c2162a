"""Cut the batch of a site into those of its shards.

Layer: rules. Takes: a batch of rtls.ingest.epoch with all tags of a site, and to which shard each
slot belongs. Gives: one batch for each shard, to whoever puts them on a log. Every shard gets every
epoch, with readings or without, so that its time goes on; all with the same sequence number.
"""

import hashlib
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.ingest.pending_readings import select
from rtls.model.errors import InvalidReading
from rtls.model.reading import ReadingBatch
from rtls.model.units import TagId

NO_SHARD: Final = -1
SHARDS_MAX: Final = 4_096
Owners = npt.NDArray[np.int16]
"""the shard of each slot, `NO_SHARD` where the slot has no tag"""


def shard_of(tag: TagId, shards: int) -> int:
    """Return the shard that a tag belongs to; the same on every machine and in every release.

    Examples
    --------
    >>> [shard_of(TagId(f"tag:{n}"), 4) for n in range(6)]
    [2, 0, 3, 2, 0, 0]
    """
    digest = hashlib.blake2b(tag.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % shards


def split_batch(batch: ReadingBatch, shards: int, owners: Owners) -> tuple[ReadingBatch, ...]:
    """Return the batch of each shard, in their order.

    Parameters
    ----------
    batch
        With the readings of all tags of the site.
    shards
        How many the site has.
    owners
        Of every slot in the batch, those that it introduces included.

    Raises
    ------
    InvalidReading
        If a reading is of a slot that nobody owns: it could not be said whose it is.
    """
    if shards == 1:
        return (replace(batch, shard=0),)
    of_reading = owners[batch.readings["tag"]]
    if len(of_reading) and not 0 <= of_reading.min() <= of_reading.max() < shards:
        raise InvalidReading(
            f"batch {batch.sequence} holds readings of a slot of no shard below {shards}; expected "
            "every slot to be introduced first. Note the batch in the slot book before it is split."
        )
    return tuple(
        replace(
            batch,
            shard=shard,
            readings=select(batch.readings, of_reading == shard),
            introduced=tuple(
                (slot, tag) for slot, tag in batch.introduced if int(owners[slot]) == shard
            ),
        )
        for shard in range(shards)
    )
