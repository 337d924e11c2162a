"""Run some tags once more, from a copy of their state, with readings that came late.

Layer: flow. Takes: late readings, what was kept of the tags, from rtls.revision. Gives: the events
of that time as they should have been; puts the state that they lead to into the engine.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.engine import Engine
from rtls.engine_contract import Slots
from rtls.model.reading import ReadingArray, ReadingBatch
from rtls.model.units import TagId, UnixMs
from rtls.model.visit import ZoneEvent
from rtls.revision_log import Instants, RevisionLog, StateCopy

Found = list[tuple[UnixMs, ZoneEvent]]
SAME: Final = ("tag", "heard_at_ms", "anchor", "kind", "ref_anchor", "value", "value_2", "value_3")
ORDER: Final = (*SAME, "sigma", "flags", "channel")


def run_again(
    engine: Engine,
    slots: Slots,
    *,
    late: ReadingArray,
    copy: StateCopy,
    log: RevisionLog,
    epoch_ms: int,
    end_ms: UnixMs,
) -> Found:
    """Run ``slots`` from ``copy`` to ``end_ms``; put their rows back and return (epoch, event)s.

    Parameters
    ----------
    engine
        Whose tags they are.
    slots
        (n,) ascending, each of them followed.
    late
        Readings of these tags, heard after ``copy`` was made.
    copy, log
        The state to begin with and the readings since.
    epoch_ms, end_ms
        Length of an epoch, and the end of the last one.
    """
    tags = engine.tag_ids()
    twin = engine.twin_at(copy.end_ms)
    own = np.arange(slots.size, dtype=np.int32)  # the tags' numbers in the twin
    places, is_known = _places_in(copy, slots, tags)
    twin.put_rows(own[is_known], copy.rows.of(places[is_known]))
    new = {int(number): tags[int(slots[number])] for number in own[~is_known]}
    rows, ends = merged(*log.readings_since(copy.end_ms, slots), late, epoch_ms=epoch_ms)
    rows["tag"] = np.searchsorted(slots, rows["tag"])
    batch = ReadingBatch(
        site=engine.site, shard=engine.shard, sequence=0, epoch_end_ms=end_ms, readings=rows[:0]
    )
    found: Found = []
    for sequence, (at_ms, readings) in enumerate(_epochs(rows, ends)):
        heard = [number for number in np.unique(readings["tag"]).tolist() if number in new]
        batch = replace(
            batch,
            sequence=sequence,
            epoch_end_ms=at_ms,
            readings=readings,
            introduced=tuple((number, new.pop(number)) for number in heard),
        )
        twin.anchor_weights = log.weights_before(at_ms)
        found += [(at_ms, event) for event in twin.process(batch).events]
    if batch.readings.size == 0 or batch.epoch_end_ms < end_ms:
        last = replace(
            batch,
            sequence=batch.sequence + 1,
            epoch_end_ms=end_ms,
            readings=rows[:0],
            introduced=(),
        )
        found += [(end_ms, event) for event in twin.process(last).events]
    engine.put_rows(slots, twin.rows_of(own))
    return found


def _places_in(
    copy: StateCopy, slots: Slots, tags: dict[int, TagId]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Return the row of each slot in the copy, and whether it is of the same tag."""
    if copy.slots.size == 0:
        return np.zeros(slots.size, np.intp), np.zeros(slots.size, np.bool_)
    places = np.searchsorted(copy.slots, slots).clip(max=copy.slots.size - 1)
    names = np.array([tags[int(slot)].encode("ascii") for slot in slots])
    is_known = (copy.slots[places] == slots) & (copy.rows.tag_names[places] == names)
    return places, np.asarray(is_known)


def merged(
    logged: ReadingArray, ends: Instants, late: ReadingArray, *, epoch_ms: int
) -> tuple[ReadingArray, Instants]:
    """Return all readings, each once and in order, with the end of the epoch that each counts to.

    Parameters
    ----------
    logged, ends
        Readings that the engine has had, and the epochs that it had them in.
    late
        Readings that it has not had, or copies of such as it has.
    epoch_ms
        Late readings count to the epoch that they were heard in.
    """
    rows: ReadingArray = np.concatenate((logged, late))
    late_ends = -(-late["heard_at_ms"] // epoch_ms) * epoch_ms
    all_ends = np.concatenate((ends, late_ends))
    is_late = np.arange(rows.size) >= logged.size
    columns = [_bits(rows, name) for name in SAME]
    order = np.lexsort((is_late, *reversed(columns)))
    is_copy = np.ones(rows.size, np.bool_)
    is_copy[:1] = False
    for column in columns:
        is_copy[1:] &= column[order[1:]] == column[order[:-1]]
    kept = np.sort(order[~(is_copy & is_late[order])])
    rows, all_ends = rows[kept], all_ends[kept]
    order = np.lexsort((*(rows[name] for name in reversed(ORDER)), all_ends))
    return rows[order], all_ends[order]


def _bits(rows: ReadingArray, name: str) -> npt.NDArray[np.int64]:
    """Return a column as whole numbers, so that NaN equals NaN."""
    column = np.ascontiguousarray(rows[name])
    return column.view(np.int64) if column.dtype == np.float64 else column.astype(np.int64)


def _epochs(rows: ReadingArray, ends: Instants) -> Iterator[tuple[UnixMs, ReadingArray]]:
    """Yield the readings of each epoch that has some."""
    cuts = np.flatnonzero(ends[1:] != ends[:-1]) + 1
    starts = [0, *cuts.tolist()] if ends.size else []
    for start, stop in zip(starts, [*starts[1:], ends.size], strict=False):
        yield UnixMs(int(ends[start])), rows[start:stop]
