"""Count who entered which zone, who stopped there and for how long, in each block of time.

Layer: rules. Takes: `VisitColumns` of the position history. Gives: `ZoneStays` to the zone report.
A history that counts by itself (rtls.storage.history) gives the same. A stay belongs to the block
in which it began.
"""

import numpy as np

from rtls.footfall.blocks import block_columns
from rtls.footfall.runs import changes, sorted_places, summed
from rtls.model.footfall import (
    DWELL_EDGES_S,
    WHOLE_DAY,
    Block,
    Bools,
    Float64s,
    Int64s,
    UInt64s,
    VisitColumns,
    ZoneStays,
)


def zone_stays_of(visits: VisitColumns, *, block: Block, time_zone: str) -> ZoneStays:
    """Return the stays in each zone and block, sorted by block and zone."""
    day, hour = block_columns(visits.entered_at_ms, time_zone)
    if block is Block.DAY:
        hour = np.full_like(hour, WHOLE_DAY)
    order = sorted_places(day, hour, visits.zone, visits.visitor)
    day, hour, zone = day[order], hour[order], visits.zone[order]
    visitor, is_stop = visits.visitor[order], ~visits.is_pass[order]
    dwell_s = np.where(is_stop, visits.dwell_s[order].astype(np.float64), 0.0)
    first = np.flatnonzero(changes(day, hour, zone))
    run = np.cumsum(changes(day, hour, zone)) - 1
    return ZoneStays(
        block=block,
        day=day[first],
        hour=hour[first],
        zone=zone[first],
        zone_names=visits.zone_names,
        visitors=_distinct(run, visitor, np.ones(len(run), np.bool_), len(first)),
        passers=_distinct(run, visitor, ~is_stop, len(first)),
        stoppers=_distinct(run, visitor, is_stop, len(first)),
        stops=summed(is_stop.astype(np.int64), first),
        dwell_s=summed(dwell_s, first),
        stops_in_bin=_binned(run[is_stop], dwell_s[is_stop], len(first)),
    )


def _distinct(run: Int64s, visitor: UInt64s, which: Bools, runs: int) -> Int64s:
    """Return (runs,) how many visitors each run has among the rows that count; rows are sorted."""
    run, visitor = run[which], visitor[which]
    return np.bincount(run[changes(run, visitor)], minlength=runs).astype(np.int64)


def _binned(run: Int64s, dwell_s: Float64s, runs: int) -> Int64s:
    bins = len(DWELL_EDGES_S) + 1
    place = np.searchsorted(DWELL_EDGES_S, dwell_s, side="right")
    return np.bincount(run * bins + place, minlength=runs * bins).reshape(runs, bins)
