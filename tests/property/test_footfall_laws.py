"""Footfall counts as plain loops count, and nothing is lost on the way."""

import datetime as dt

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rtls.footfall.blocks import block_columns
from rtls.footfall.cell_times import cell_times_of
from rtls.footfall.kernels.keyed_hash import sip_hash
from rtls.footfall.kernels.simplify import kept_points
from rtls.footfall.walk_paths import KNOT_M, walk_steps_of
from rtls.footfall.zone_paths import path_counts, steps_of
from rtls.footfall.zone_stays import zone_stays_of
from rtls.model.footfall import Block
from rtls.model.units import Metre
from tests.reference.footfall import (
    BERLIN,
    MONDAY,
    Fix,
    Stay,
    block_of,
    fix_columns,
    instant,
    slow_cell_times,
    slow_kept,
    slow_path_counts,
    slow_sip_hash,
    slow_steps,
    slow_zone_stays,
    visit_columns,
)

START_MS = instant(MONDAY)
seconds = st.integers(0, 3 * 86_400)
words = st.integers(0, 2**64 - 1)
metres = st.integers(-8, 80).map(lambda eighths: eighths / 8)
zones = st.sampled_from(["dowels", "screws", "saws", "aisle-3"])


@st.composite
def fix_rows(draw: st.DrawFn) -> Fix:
    at_ms = START_MS + 1000 * draw(seconds)
    weight_s = draw(st.sampled_from([0.25, 0.5, 1.0, 2.0]))
    cohort = draw(st.sampled_from(["", "new"]))
    return (
        at_ms,
        draw(st.integers(0, 4)),
        draw(st.integers(0, 1)),
        draw(metres),
        draw(metres),
        weight_s,
        cohort,
    )


@st.composite
def stay_rows(draw: st.DrawFn) -> Stay:
    entered = START_MS + 1000 * draw(seconds)
    left = entered + 1000 * draw(st.integers(0, 2500))
    return draw(st.integers(0, 4)), draw(zones), 0, entered, left, draw(st.booleans()), ""


@given(
    st.lists(fix_rows(), max_size=60),
    st.sampled_from(list(Block)),
    st.sampled_from([0.5, 1.0, 2.0]),
)
def test_cells_are_counted_as_plain_loops_count_them(
    rows: list[Fix], block: Block, cell_m: float
) -> None:
    """The heatmap stands on these columns, and so does its comparison with the history's own."""
    found = cell_times_of(fix_columns(rows), cell_m=Metre(cell_m), block=block, time_zone=BERLIN)
    keys = zip(found.day, found.hour, found.floor, found.column, found.row, strict=True)
    values = zip(found.visitors.tolist(), found.person_s.tolist(), strict=True)
    told = {tuple(map(int, key)): value for key, value in zip(keys, values, strict=True)}
    assert told == slow_cell_times(rows, cell_m=cell_m, block=block, time_zone=BERLIN)


@given(st.lists(fix_rows(), max_size=60), st.sampled_from(list(Block)))
def test_no_second_is_lost_before_the_release(rows: list[Fix], block: Block) -> None:
    """Sum of the heatmap = total person-seconds."""
    found = cell_times_of(fix_columns(rows), cell_m=Metre(1.0), block=block, time_zone=BERLIN)
    assert float(found.person_s.sum()) == sum(row[5] for row in rows)


@given(st.lists(stay_rows(), max_size=60), st.sampled_from(list(Block)))
def test_stays_are_counted_as_plain_loops_count_them(rows: list[Stay], block: Block) -> None:
    """Visitors, passers and stoppers are persons and not stays."""
    found = zone_stays_of(visit_columns(rows), block=block, time_zone=BERLIN)
    told = {
        (int(found.day[i]), int(found.hour[i]), found.zone_names[found.zone[i]]): (
            int(found.visitors[i]),
            int(found.passers[i]),
            int(found.stoppers[i]),
            int(found.stops[i]),
            float(found.dwell_s[i]),
            tuple(found.stops_in_bin[i].tolist()),
        )
        for i in range(len(found.day))
    }
    assert told == slow_zone_stays(rows, block=block, time_zone=BERLIN)


@given(rows=st.lists(stay_rows(), max_size=60), length=st.integers(2, 4), stops_only=st.booleans())
def test_paths_are_counted_as_plain_loops_count_them(
    *, rows: list[Stay], length: int, stops_only: bool
) -> None:
    """Flows are paths of two zones, and alone tell the way in and out."""
    level = ["screws", "dowels", "saws"]
    steps = steps_of(visit_columns(rows), zones=level, time_zone=BERLIN, stops_only=stops_only)
    found = path_counts(steps, length)
    names = [*level, None]
    told = {
        (int(day), *(names[code] for code in run)): int(visitors)
        for day, run, visitors in zip(found.day, found.zones.tolist(), found.visitors, strict=True)
    }
    ways = slow_steps(rows, zones=level, time_zone=BERLIN, stops_only=stops_only)
    assert told == slow_path_counts(ways, length)


@given(st.lists(stay_rows(), max_size=60))
def test_flows_conserve(rows: list[Stay]) -> None:
    """Whoever enters a zone leaves it: as many steps into each zone as out of it."""
    level = ["screws", "dowels", "saws"]
    steps = steps_of(visit_columns(rows), zones=level, time_zone=BERLIN, stops_only=False)
    is_step = (steps.day[1:] == steps.day[:-1]) & (steps.visitor[1:] == steps.visitor[:-1])
    into = np.bincount(steps.zone[1:][is_step], minlength=4)
    out_of = np.bincount(steps.zone[:-1][is_step], minlength=4)
    assert into.tolist() == out_of.tolist()


@given(
    st.lists(st.tuples(metres, metres), min_size=1, max_size=40), st.sampled_from([0.3, 1.0, 3.0])
)
def test_lines_are_simplified_as_the_recursion_does(
    points: list[tuple[float, float]], tolerance_m: float
) -> None:
    """Two lines behind each other are simplified each by itself."""
    twice = np.array([*points, *points])
    line = np.repeat([7, 9], len(points))
    kept = np.flatnonzero(kept_points(twice[:, 0].copy(), twice[:, 1].copy(), line, tolerance_m))
    expected = slow_kept(points, tolerance_m)
    assert {int(place) for place in kept if place < len(points)} == expected
    assert {int(place) - len(points) for place in kept if place >= len(points)} == expected


@given(st.lists(fix_rows(), max_size=60))
def test_ways_go_from_knot_to_neighbour(rows: list[Fix]) -> None:
    """A way that leapt over a knot would be walked by nobody else, and so never be told."""
    steps = walk_steps_of(fix_columns(rows), time_zone=BERLIN)
    leap = np.abs(steps.way[:, 2:] - steps.way[:, :2])
    assert leap.size == 0 or int(leap.max()) == 1
    assert KNOT_M >= 1.0


@settings(max_examples=50)
@given(words, words, st.lists(st.tuples(words, words, words), min_size=1, max_size=5))
def test_the_keyed_hash_is_siphash(
    key_0: int, key_1: int, rows: list[tuple[int, int, int]]
) -> None:
    """Whoever could foresee the draws could undo the rounding."""
    found = sip_hash(np.array(rows, np.uint64), key_0, key_1)
    assert found.tolist() == [slow_sip_hash(row, key_0, key_1) for row in rows]


def test_the_keyed_hash_gives_the_numbers_of_its_paper() -> None:
    """Key 00 01 .. 0f and message 00 01 .. 07, from the vectors of the reference code."""
    key_0, key_1 = (int.from_bytes(bytes(range(b, b + 8)), "little") for b in (0, 8))
    message = np.array([[int.from_bytes(bytes(range(8)), "little")]], np.uint64)
    assert int(sip_hash(message, key_0, key_1)[0]) == 0x93F5F5799A932462


@given(
    st.lists(st.integers(0, 400 * 86_400), max_size=50),
    st.sampled_from([BERLIN, "Asia/Kolkata", "UTC"]),
)
def test_blocks_follow_the_clocks_of_the_site(offsets: list[int], time_zone: str) -> None:
    """Also over the nights in which they go forward and back."""
    at_ms = np.array([START_MS + 1000 * offset for offset in offsets], np.int64)
    day, hour = block_columns(at_ms, time_zone)
    expected = [block_of(at, Block.HOUR, time_zone) for at in at_ms.tolist()]
    assert list(zip(day.tolist(), hour.tolist(), strict=True)) == expected


def test_a_fix_of_the_doubled_hour_is_in_one_block() -> None:
    """On 2026-10-25 it is twice two o'clock in Berlin."""
    night = dt.date(2026, 10, 25)
    twice = [instant(night) + hour * 3_600_000 for hour in (1, 2, 3, 4)]
    _, hour = block_columns(np.array(twice, np.int64), BERLIN)
    assert hour.tolist() == [1, 2, 2, 3]
