"""A position history in memory, and footfall counted by plain loops over rows."""

import dataclasses
import datetime as dt
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import numpy as np

from rtls.footfall.cell_times import cell_times_of
from rtls.footfall.zone_stays import zone_stays_of
from rtls.model.footfall import (
    DWELL_EDGES_S,
    WHOLE_DAY,
    Block,
    Bools,
    CellTimes,
    DayGap,
    FixColumns,
    Int64s,
    ReportWindow,
    VisitColumns,
    ZoneStays,
)
from rtls.model.units import Metre

BERLIN = "Europe/Berlin"
MONDAY = dt.date(2026, 3, 2)
Fix = tuple[int, int, int, float, float, float, str]
"""at_ms, visitor, floor, x_m, y_m, weight_s, cohort"""
Stay = tuple[int, str, int, int, int, bool, str]
"""visitor, zone, floor, entered_at_ms, left_at_ms, is_pass, cohort"""


def instant(day: dt.date, hour: int = 0, second: float = 0.0, zone: str = BERLIN) -> int:
    begin = dt.datetime.combine(day, dt.time(), ZoneInfo(zone)) + dt.timedelta(hours=hour)
    return int(begin.timestamp() * 1000 + second * 1000)


def whole_days(first: dt.date, last: dt.date, **choices: object) -> ReportWindow:
    """Return the window from the first day to the last, both in it."""
    window = ReportWindow(
        site="shelf-site",
        time_zone=BERLIN,
        start_ms=instant(first),
        end_ms=instant(last + dt.timedelta(days=1)),
    )
    return dataclasses.replace(window, **choices)


def fix_columns(rows: Sequence[Fix]) -> FixColumns:
    names = tuple(sorted({row[6] for row in rows}))
    column = list(zip(*rows, strict=True)) if rows else [()] * 7
    return FixColumns(
        at_ms=np.array(column[0], np.int64),
        visitor=np.array(column[1], np.uint64),
        floor=np.array(column[2], np.int16),
        x_m=np.array(column[3], np.float32),
        y_m=np.array(column[4], np.float32),
        sigma_m=np.full(len(rows), 0.5, np.float32),
        weight_s=np.array(column[5], np.float32),
        cohort=np.array([names.index(name) for name in column[6]], np.int32),
        cohort_names=names,
    )


def visit_columns(rows: Sequence[Stay]) -> VisitColumns:
    zones = tuple(sorted({row[1] for row in rows}))
    names = tuple(sorted({row[6] for row in rows}))
    column = list(zip(*rows, strict=True)) if rows else [()] * 7
    entered, left = np.array(column[3], np.int64), np.array(column[4], np.int64)
    return VisitColumns(
        visitor=np.array(column[0], np.uint64),
        zone=np.array([zones.index(name) for name in column[1]], np.int32),
        zone_names=zones,
        floor=np.array(column[2], np.int16),
        entered_at_ms=entered,
        left_at_ms=left,
        dwell_s=((left - entered) / 1000).astype(np.float32),
        is_pass=np.array(column[5], np.bool_),
        cohort=np.array([names.index(name) for name in column[6]], np.int32),
        cohort_names=names,
    )


class MemoryHistory:
    """Rows in memory, read as the history reads its files."""

    def __init__(
        self,
        fixes: Sequence[Fix] = (),
        visits: Sequence[Stay] = (),
        gaps: Sequence[DayGap] = (),
    ) -> None:
        self._fixes = fix_columns(fixes)
        self._visits = visit_columns(visits)
        self._gaps = tuple(gaps)

    def fixes(self, window: ReportWindow) -> FixColumns:
        fixes = self._fixes
        keep = self._chosen(window, fixes.at_ms, fixes.floor, fixes.cohort, fixes.cohort_names)
        return _some(fixes, keep)

    def visits(self, window: ReportWindow) -> VisitColumns:
        all_ = self._visits
        keep = self._chosen(window, all_.entered_at_ms, all_.floor, all_.cohort, all_.cohort_names)
        return _some(all_, keep)

    def cell_times(self, window: ReportWindow, *, cell_m: Metre, block: Block) -> CellTimes:
        fixes = self.fixes(window)
        return cell_times_of(fixes, cell_m=cell_m, block=block, time_zone=window.time_zone)

    def zone_stays(self, window: ReportWindow, *, block: Block) -> ZoneStays:
        return zone_stays_of(self.visits(window), block=block, time_zone=window.time_zone)

    def cohorts(self, window: ReportWindow) -> tuple[str, ...]:
        fixes, visits = self.fixes(window), self.visits(window)
        found = {fixes.cohort_names[code] for code in fixes.cohort.tolist()}
        return tuple(sorted(found | {visits.cohort_names[c] for c in visits.cohort.tolist()}))

    def gaps(self, window: ReportWindow) -> tuple[DayGap, ...]:
        clock = ZoneInfo(window.time_zone)
        first = dt.datetime.fromtimestamp(window.start_ms / 1000, clock).date()
        last = dt.datetime.fromtimestamp((window.end_ms - 1) / 1000, clock).date()
        return tuple(gap for gap in self._gaps if first <= gap.day <= last)

    @staticmethod
    def _chosen(
        window: ReportWindow, at_ms: Int64s, floor: Int64s, cohort: Int64s, names: Sequence[str]
    ) -> Bools:
        clock = ZoneInfo(window.time_zone)
        here = [dt.datetime.fromtimestamp(at / 1000, clock) for at in at_ms.tolist()]
        keep = (at_ms >= window.start_ms) & (at_ms < window.end_ms)
        if window.floor is not None:
            keep &= floor == window.floor
        if window.weekdays is not None:
            keep &= np.array([one.weekday() in window.weekdays for one in here], np.bool_)
        if window.hours is not None:
            keep &= np.array([one.hour in window.hours for one in here], np.bool_)
        if window.cohort is not None:
            keep &= np.array([names[code] == window.cohort for code in cohort.tolist()], np.bool_)
        return keep


def _some(columns: FixColumns | VisitColumns, keep: Bools) -> FixColumns | VisitColumns:
    values = {field.name: getattr(columns, field.name) for field in dataclasses.fields(columns)}
    return type(columns)(
        **{
            name: value[keep] if isinstance(value, np.ndarray) else value
            for name, value in values.items()
        }
    )


def block_of(at_ms: int, block: Block, time_zone: str) -> tuple[int, int]:
    here = dt.datetime.fromtimestamp(at_ms / 1000, ZoneInfo(time_zone))
    day = (here.date() - dt.date(1970, 1, 1)).days
    return day, WHOLE_DAY if block is Block.DAY else here.hour


def slow_cell_times(
    rows: Sequence[Fix], *, cell_m: float, block: Block, time_zone: str
) -> dict[tuple[int, ...], tuple[int, float]]:
    """Return visitors and seconds of each (day, hour, floor, column, row)."""
    who: dict[tuple[int, ...], set[int]] = defaultdict(set)
    seconds: dict[tuple[int, ...], float] = defaultdict(float)
    for at_ms, visitor, floor, x_m, y_m, weight_s, _ in rows:
        column = math.floor(np.float32(x_m) / cell_m)
        row = math.floor(np.float32(y_m) / cell_m)
        key = (*block_of(at_ms, block, time_zone), floor, column, row)
        who[key].add(visitor)
        seconds[key] += weight_s
    return {key: (len(who[key]), seconds[key]) for key in who}


def slow_zone_stays(
    rows: Sequence[Stay], *, block: Block, time_zone: str
) -> dict[tuple[int, int, str], tuple[int, int, int, int, float, tuple[int, ...]]]:
    """Return visitors, passers, stoppers, stops, dwell and bins of each (day, hour, zone)."""
    grouped: dict[tuple[int, int, str], list[Stay]] = defaultdict(list)
    for row in rows:
        grouped[(*block_of(row[3], block, time_zone), row[1])].append(row)
    found = {}
    for key, stays in grouped.items():
        stops = [stay for stay in stays if not stay[5]]
        bins = [0] * (len(DWELL_EDGES_S) + 1)
        for stay in stops:
            bins[sum((stay[4] - stay[3]) / 1000 >= edge for edge in DWELL_EDGES_S)] += 1
        found[key] = (
            len({stay[0] for stay in stays}),
            len({stay[0] for stay in stays if stay[5]}),
            len({stay[0] for stay in stops}),
            len(stops),
            sum((stay[4] - stay[3]) / 1000 for stay in stops),
            tuple(bins),
        )
    return found


def slow_steps(
    rows: Sequence[Stay], *, zones: Sequence[str], time_zone: str, stops_only: bool
) -> dict[tuple[int, int], list[str]]:
    """Return the zones of each (day, visitor) in the order of entry."""
    ways: dict[tuple[int, int], list[str]] = defaultdict(list)
    ordered = sorted(
        rows, key=lambda row: (row[3], row[4], list(zones).index(row[1]) if row[1] in zones else -1)
    )
    for visitor, zone, _, entered_at_ms, _, is_pass, _ in ordered:
        if zone not in zones or (stops_only and is_pass):
            continue
        way = ways[block_of(entered_at_ms, Block.DAY, time_zone)[0], visitor]
        if not way or way[-1] != zone:
            way.append(zone)
    return ways


def slow_path_counts(
    ways: Mapping[tuple[int, int], Sequence[str]], length: int
) -> dict[tuple[object, ...], int]:
    """Return the visitors of each (day, zone, zone, ...); None is outside, in flows alone."""
    who: dict[tuple[object, ...], set[int]] = defaultdict(set)
    for (day, visitor), way in ways.items():
        whole = [None, *way, None] if length == 2 else list(way)
        for begin in range(len(whole) - length + 1):
            who[day, *whole[begin : begin + length]].add(visitor)
    return {key: len(visitors) for key, visitors in who.items()}


def slow_kept(points: Sequence[tuple[float, float]], tolerance_m: float) -> set[int]:
    """Return the indices that Douglas and Peucker keep, by recursion."""
    kept = {0, len(points) - 1}

    def split(first: int, last: int) -> None:
        found, farthest = -1, tolerance_m
        for index in range(first + 1, last):
            away = _distance(points[index], points[first], points[last])
            if away > farthest:
                found, farthest = index, away
        if found >= 0:
            kept.add(found)
            split(first, found)
            split(found, last)

    split(0, len(points) - 1)
    return kept


def _distance(
    point: tuple[float, float], begin: tuple[float, float], end: tuple[float, float]
) -> float:
    dx, dy = end[0] - begin[0], end[1] - begin[1]
    length_2 = dx * dx + dy * dy
    px, py = point[0] - begin[0], point[1] - begin[1]
    along = min(max((px * dx + py * dy) / length_2, 0.0), 1.0) if length_2 > 0 else 0.0
    return math.hypot(px - along * dx, py - along * dy)


MASK = (1 << 64) - 1


def slow_sip_hash(words: Sequence[int], key_0: int, key_1: int) -> int:
    """Return SipHash-2-4 of whole words, as the paper writes it."""
    state = [
        key_0 ^ 0x736F6D6570736575,
        key_1 ^ 0x646F72616E646F6D,
        key_0 ^ 0x6C7967656E657261,
        key_1 ^ 0x7465646279746573,
    ]

    def turn(value: int, by: int) -> int:
        return ((value << by) | (value >> (64 - by))) & MASK

    def stir() -> None:
        a, b, c, d = state
        a = (a + b) & MASK
        b = turn(b, 13) ^ a
        a = turn(a, 32)
        c = (c + d) & MASK
        d = turn(d, 16) ^ c
        a = (a + d) & MASK
        d = turn(d, 21) ^ a
        c = (c + b) & MASK
        b = turn(b, 17) ^ c
        c = turn(c, 32)
        state[:] = [a, b, c, d]

    for word in [*words, (8 * len(words) % 256) << 56]:
        state[3] ^= word
        stir()
        stir()
        state[0] ^= word
    state[2] ^= 0xFF
    for _ in range(4):
        stir()
    return state[0] ^ state[1] ^ state[2] ^ state[3]
