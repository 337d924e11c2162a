"""Tell which zones follow one another: from zone to zone, and in longer runs.

Layer: rules. Takes: `VisitColumns` of whole days. Gives: told `ZonePath`s to the API and the
what-if.

    steps   = the zones of one visitor of one day in the order of entry, a zone twice in a row once
    flow    = visitors with a step from one zone to the next; None stands for the way in or out
    path    = visitors with a run of three or more zones

Each is counted as distinct visitors of a day, so that flows do not add up to the visitors of a zone
and none can be had from others by subtraction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtls.footfall.blocks import WindowBlocks, block_columns
from rtls.footfall.release import ReleaseRules, Told, block_words, name_word, told_counts
from rtls.footfall.runs import changes, sorted_places
from rtls.model.errors import InvalidReport
from rtls.model.footfall import Int32s, Int64s, UInt64s, VisitColumns

LENGTH_MIN: Final = 2
LENGTH_MAX: Final = 6
PATHS_MAX: Final = 10_000
"""of one report; the most walked ones"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The ways of all visitors through zones, one after the other.

    Parameters
    ----------
    day, visitor
        (n,) Whose way the row belongs to.
    zone
        (n,) Index into `zone_names`; `len(zone_names)` at the begin and the end of each way.
    """

    day: Int32s
    visitor: UInt64s
    zone: Int64s
    zone_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathCounts:
    """Distinct visitors of each run of zones on each day, not yet fit to be shown.

    Parameters
    ----------
    day, visitors
        (n,) The day and how many.
    zones
        (n, length) Index into `zone_names`, as in `Steps`.
    """

    day: Int32s
    zones: Int64s
    visitors: Int64s
    zone_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPaths:
    """What of `PathCounts` may be shown; the rows are those of `paths`."""

    paths: PathCounts
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePath:
    """A run of zones and its visitors, each counted once a day."""

    zones: tuple[str | None, ...]
    """None is the way in at the begin, the way out at the end"""
    visitors: int


def steps_of(
    visits: VisitColumns, *, zones: Sequence[str], time_zone: str, stops_only: bool
) -> Steps:
    """Return the ways of all visitors through some zones, in the order of entry.

    Parameters
    ----------
    zones
        The zones that count; of nested ones those of one level.
    stops_only
        Leave passes out: from stop to stop, as a matrix of origins and destinations asks for.
    """
    day, _ = block_columns(visits.entered_at_ms, time_zone)
    place = {name: index for index, name in enumerate(zones)}
    code = np.array([place.get(name, -1) for name in visits.zone_names], np.int64)[visits.zone]
    rows = np.flatnonzero((code >= 0) & ~(visits.is_pass if stops_only else False))
    entered, left = visits.entered_at_ms[rows], visits.left_at_ms[rows]
    rows = rows[sorted_places(day[rows], visits.visitor[rows], entered, left, code[rows])]
    day, visitor, code = day[rows], visits.visitor[rows], code[rows]
    is_step = changes(day, visitor, code)
    return _with_ends(day[is_step], visitor[is_step], code[is_step], tuple(zones))


def path_counts(steps: Steps, length: int) -> PathCounts:
    """Return the distinct visitors of each run of ``length`` zones on each day.

    The ways in and out are part of flows (length 2) alone: of longer runs they would say little.

    Raises
    ------
    InvalidReport
        If the length is no small number of zones.
    """
    if not LENGTH_MIN <= length <= LENGTH_MAX:
        raise InvalidReport(
            f"length is {length}; expected {LENGTH_MIN} to {LENGTH_MAX} zones of a path."
        )
    outside, n = len(steps.zone_names), len(steps.zone) - length + 1
    if n <= 0:
        return _no_paths(steps, length)
    runs = np.stack([steps.zone[i : i + n] for i in range(length)], axis=1)
    last = slice(length - 1, length - 1 + n)
    is_run = (steps.day[:n] == steps.day[last]) & (steps.visitor[:n] == steps.visitor[last])
    is_run &= np.all(runs != outside, axis=1) | (length == LENGTH_MIN)
    day, visitor, runs = steps.day[:n][is_run], steps.visitor[:n][is_run], runs[is_run]
    columns = (day, *runs.T)
    order = sorted_places(*columns, visitor)
    is_new = changes(*(column[order] for column in columns))
    first = np.flatnonzero(is_new)
    is_visitor = is_new | changes(visitor[order])
    run = np.cumsum(is_new) - 1
    return PathCounts(
        day=day[order][first],
        zones=runs[order][first],
        visitors=np.bincount(run[is_visitor], minlength=len(first)).astype(np.int64),
        zone_names=steps.zone_names,
    )


def told_paths(
    paths: PathCounts, rules: ReleaseRules, *, kind: str, cohort: str | None = None
) -> ToldPaths:
    """Return what is told of everybody's days, or of one cohort's.

    Parameters
    ----------
    kind
        Sets flows, stops and paths apart.
    """
    words = np.array([*map(name_word, paths.zone_names), 0], np.uint64).view(np.int64)
    who = -1 if cohort is None else name_word(cohort) >> 1
    cohorts = np.full(len(paths.day), who, np.int64)
    blocks = block_words(paths.day, *words[paths.zones].T, cohorts)
    kind = kind if cohort is None else f"{kind} of a cohort"
    told = told_counts(paths.visitors, blocks, kind=kind, rules=rules, sums=None)
    return ToldPaths(paths=paths, told=told)


def zone_path_list(told: Iterable[ToldPaths], blocks: WindowBlocks) -> tuple[ZonePath, ...]:
    """Return the told paths of the days of a window, the most walked first."""
    sums: dict[tuple[str | None, ...], int] = {}
    days = np.array(sorted(blocks.days), np.int32)
    for part in told:
        names = (*part.paths.zone_names, None)
        for row in np.flatnonzero(part.told.is_told & np.isin(part.paths.day, days)).tolist():
            zones = tuple(names[code] for code in part.paths.zones[row].tolist())
            sums[zones] = sums.get(zones, 0) + int(part.told.counts[row])
    ranked = sorted(sums.items(), key=lambda one: (-one[1], [name or "" for name in one[0]]))
    return tuple(ZonePath(zones=zones, visitors=count) for zones, count in ranked[:PATHS_MAX])


def _with_ends(day: Int32s, visitor: UInt64s, zone: Int64s, names: tuple[str, ...]) -> Steps:
    """Put the way in before and the way out behind the steps of each visitor of a day."""
    begin = np.flatnonzero(changes(day, visitor)) if len(day) else np.empty(0, np.intp)
    end = np.append(begin[1:], len(day))[: len(begin)]
    places = np.concatenate((begin, end))
    owner = np.concatenate((begin, begin))
    # Stable: at one place the end of one way comes before the begin of the next.
    order = np.lexsort((np.repeat((1, 0), len(begin)), places))
    places, owner = places[order], owner[order]
    return Steps(
        day=np.insert(day, places, day[owner]),
        visitor=np.insert(visitor, places, visitor[owner]),
        zone=np.insert(zone, places, len(names)),
        zone_names=names,
    )


def _no_paths(steps: Steps, length: int) -> PathCounts:
    return PathCounts(
        day=np.empty(0, np.int32),
        zones=np.empty((0, length), np.int64),
        visitors=np.empty(0, np.int64),
        zone_names=steps.zone_names,
    )
