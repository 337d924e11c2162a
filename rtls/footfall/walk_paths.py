"""Tell on which ways of the plan people walk: simplified walks, laid over a net of knots.

Layer: rules. Takes: `FixColumns`, an hour at a time. Gives: told `WalkWay`s to the API and its
picture.

Each walk of a visitor is simplified and followed from knot to knot; a way is a step from one knot
to a neighbour. Ways are counted as distinct visitors of a day; no walk of one person is ever shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtls.footfall.blocks import WindowBlocks, block_columns
from rtls.footfall.kernels.simplify import kept_points
from rtls.footfall.release import ReleaseRules, block_words, told_counts
from rtls.footfall.runs import Places, changes, sorted_places
from rtls.model.footfall import FixColumns, Float64s, Int16s, Int32s, Int64s, UInt64s
from rtls.model.units import Metre

TOLERANCE_M: Final = Metre(1.0)
KNOT_M: Final = Metre(2.0)
SILENT_MS_MAX: Final = 15_000
"""after a longer silence nobody knows the way, and a new walk begins"""
SAMPLES: Final = 4  # a knot's width: no way leaps over a knot by more than its corner


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkSteps:
    """Which visitor took which way on which day, each once.

    Parameters
    ----------
    way
        (n, 4) Column and row of the knot that the way leaves, and of the one it reaches.
    """

    day: Int32s
    visitor: UInt64s
    floor: Int16s
    way: Int32s


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkWay:
    """A way from one knot to a neighbour and its visitors, each counted once a day."""

    floor: int
    from_x_m: Metre
    from_y_m: Metre
    to_x_m: Metre
    to_y_m: Metre
    visitors: int


def walk_steps_of(fixes: FixColumns, *, time_zone: str) -> WalkSteps:
    """Return the ways that each visitor took."""
    day, _ = block_columns(fixes.at_ms, time_zone)
    order = sorted_places(day, fixes.visitor, fixes.at_ms)
    day, visitor, floor = day[order], fixes.visitor[order], fixes.floor[order]
    is_new = changes(day, visitor, floor)
    is_new[1:] |= np.diff(fixes.at_ms[order]) > SILENT_MS_MAX
    walk = np.cumsum(is_new, dtype=np.int64)
    x_m = fixes.x_m[order].astype(np.float64)
    y_m = fixes.y_m[order].astype(np.float64)
    kept = np.flatnonzero(kept_points(x_m, y_m, walk, float(TOLERANCE_M)))
    point, x_m, y_m = _sampled(kept, x_m[kept], y_m[kept], walk[kept])
    column, row = _knot(x_m), _knot(y_m)
    is_way = (walk[point[1:]] == walk[point[:-1]]) & (
        (column[1:] != column[:-1]) | (row[1:] != row[:-1])
    )
    way = np.stack((column[:-1], row[:-1], column[1:], row[1:]), axis=1)[is_way]
    owner = point[1:][is_way]
    return once_each(WalkSteps(day=day[owner], visitor=visitor[owner], floor=floor[owner], way=way))


def joined_steps(parts: Sequence[WalkSteps]) -> WalkSteps:
    """Return the steps of several parts of a day, each way of a visitor once."""
    return once_each(
        WalkSteps(
            day=np.concatenate([part.day for part in parts]),
            visitor=np.concatenate([part.visitor for part in parts]),
            floor=np.concatenate([part.floor for part in parts]),
            way=np.concatenate([part.way for part in parts]),
        )
    )


def once_each(steps: WalkSteps) -> WalkSteps:
    """Return the steps without repeats, sorted by day, floor, way and visitor."""
    order = sorted_places(steps.day, steps.floor, *steps.way.T, steps.visitor)
    day, visitor = steps.day[order], steps.visitor[order]
    floor, way = steps.floor[order], steps.way[order]
    is_new = changes(day, floor, *way.T, visitor)
    return WalkSteps(day=day[is_new], visitor=visitor[is_new], floor=floor[is_new], way=way[is_new])


def walk_ways(
    days: Iterable[WalkSteps], blocks: WindowBlocks, rules: ReleaseRules
) -> tuple[WalkWay, ...]:
    """Return the told ways of the days of a window, by floor and place.

    Parameters
    ----------
    days
        The steps of whole days, no day in two of them.
    """
    sums: dict[tuple[int, ...], int] = {}
    for steps in days:
        first = np.flatnonzero(changes(steps.day, steps.floor, *steps.way.T))
        visitors = np.diff(np.append(first, len(steps.day))).astype(np.int64)
        day, floor, way = steps.day[first], steps.floor[first], steps.way[first]
        told = told_counts(
            visitors,
            block_words(day, floor, *way.T),
            kind="ways",
            rules=rules,
            sums=None,
        )
        belongs = told.is_told & np.isin(day, np.array(sorted(blocks.days), np.int32))
        for row in np.flatnonzero(belongs).tolist():
            key = (int(floor[row]), *way[row].tolist())
            sums[key] = sums.get(key, 0) + int(told.counts[row])
    return tuple(_way(key, count) for key, count in sorted(sums.items()))


def _way(key: tuple[int, ...], visitors: int) -> WalkWay:
    floor, *knots = key
    from_x, from_y, to_x, to_y = (Metre((knot + 0.5) * KNOT_M) for knot in knots)
    return WalkWay(
        floor=floor, from_x_m=from_x, from_y_m=from_y, to_x_m=to_x, to_y_m=to_y, visitors=visitors
    )


def _sampled(
    kept: Places, x_m: Float64s, y_m: Float64s, walk: Int64s
) -> tuple[Places, Float64s, Float64s]:
    """Return points along simplified walks, close enough that each knot on the way has one."""
    if not len(kept):
        return kept, x_m, y_m
    dx, dy = np.diff(x_m, append=x_m[-1:]), np.diff(y_m, append=y_m[-1:])
    is_last = np.append(walk[1:] != walk[:-1], True)
    pieces = np.ceil(np.hypot(dx, dy) * SAMPLES / KNOT_M).astype(np.int64)
    pieces = np.where(is_last, 1, np.maximum(pieces, 1))
    owner = np.repeat(np.arange(len(kept)), pieces)
    begin = np.cumsum(pieces) - pieces
    part = (np.arange(len(owner)) - begin[owner]) / pieces[owner]
    return kept[owner], x_m[owner] + part * dx[owner], y_m[owner] + part * dy[owner]


def _knot(metres: Float64s) -> Int32s:
    return np.floor(metres / KNOT_M).astype(np.int32)
