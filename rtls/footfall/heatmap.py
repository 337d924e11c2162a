"""Show where people stood: told visitors and seconds of each cell, and the change between periods.

Layer: rules. Takes: `CellTimes` of whole days, the cells of the floors. Gives: `Heatmap`s, which
hold only what rtls.footfall.release tells.

    visitors(cell) = sum over told blocks of the visitors of the block, rounded
    person_s(cell) = sum over told blocks of the seconds of the block, rounded
    density(cell)  = person_s(cell) / walkable area of the cell
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtls.footfall.blocks import WindowBlocks, is_in_blocks
from rtls.footfall.cell_ground import CellGround
from rtls.footfall.release import (
    ROUNDING,
    ReleaseRules,
    block_words,
    name_word,
    told_counts,
    told_seconds,
)
from rtls.footfall.runs import changes, run_numbers, sorted_places, summed
from rtls.model.errors import InvalidReport
from rtls.model.footfall import WHOLE_DAY, Block, Bools, CellTimes, Float64s, Int32s, Int64s

EVERYBODY: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldCells:
    """What of `CellTimes` may be shown; the rows of `times` are those of the columns."""

    times: CellTimes
    is_told: Bools
    visitors: Int64s
    person_s: Float64s


@dataclass(frozen=True, slots=True, kw_only=True)
class Heatmap:
    """One floor over one window.

    Parameters
    ----------
    ground
        The cells.
    blocks
        Hours or days that the window is made of.
    blocks_told
        (rows, columns) How many of them are told of each cell; 0 where the cell is withheld.
    visitors
        (rows, columns) Visitors, each counted once a told block.
    person_s
        (rows, columns) Their seconds.
    """

    ground: CellGround
    blocks: int
    blocks_told: Int32s
    visitors: Int64s
    person_s: Float64s

    @property
    def is_told(self) -> Bools:
        """Whether there is anything to show of each cell."""
        return self.blocks_told > 0

    @property
    def density_s_m2(self) -> Float64s:
        """(rows, columns) person-seconds per square metre; 0 where the cell is withheld."""
        area = np.where(self.is_told, self.ground.area_m2, 1.0)
        return np.where(self.is_told, self.person_s / area, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatmapChange:
    """What changed on one floor from one window to another, a block of each on average.

    Parameters
    ----------
    is_told
        (rows, columns) Whether the cell is told in both windows.
    visitors, person_s
        (rows, columns) Later less earlier, each divided by its told blocks.
    is_clear
        (rows, columns) Whether the change of visitors is more than rounding alone can make.
    """

    ground: CellGround
    is_told: Bools
    visitors: Float64s
    person_s: Float64s
    is_clear: Bools


def told_cells(times: CellTimes, rules: ReleaseRules) -> ToldCells:
    """Return what is told of everybody's time; `times` holds whole days, or all hours of days."""
    everybody = np.full(len(times.day), EVERYBODY, np.int64)
    hours_of_a_day = run_numbers(times.day, times.floor, times.column, times.row)
    sums = hours_of_a_day if times.block is Block.HOUR else None
    return _told(times, everybody, sums, kind="cells", rules=rules)


def told_cohort_cells(
    times: Mapping[str, CellTimes], cohort: str | None, rules: ReleaseRules
) -> ToldCells:
    """Return what is told of the days of one cohort, or of all of them together.

    Parameters
    ----------
    times
        The days of each cohort by its name.
    cohort
        One of the names; None for everybody.
    """
    names = [cohort] if cohort is not None else sorted(times)
    parts = [
        _told(
            times[name],
            np.full(len(times[name].day), name_word(name) >> 1, np.int64),
            None,
            kind="cells of a cohort",
            rules=rules,
        )
        for name in names
    ]
    return parts[0] if cohort is not None else _together(parts)


def heatmaps_of(
    told: Iterable[ToldCells], grounds: Sequence[CellGround], blocks: WindowBlocks
) -> tuple[Heatmap, ...]:
    """Return the heatmap of each floor, of told blocks that belong to a window.

    Cells on which nobody can stand are left out, and with them what strayed onto them.
    """
    maps = [_empty(ground, blocks) for ground in grounds]
    for part in told:
        belongs = _rows(part, part.is_told & is_in_blocks(blocks, part.times.day, part.times.hour))
        for heatmap in maps:
            _add(heatmap, belongs)
    return tuple(maps)


def heatmap_change(earlier: Heatmap, later: Heatmap) -> HeatmapChange:
    """Return what changed from one heatmap of a floor to another, where both tell a cell.

    Raises
    ------
    InvalidReport
        If the two are not of the same cells.
    """
    same = earlier.ground.floor == later.ground.floor
    if not same or earlier.ground.area_m2.shape != later.ground.area_m2.shape:
        raise InvalidReport(
            f"the heatmaps are of floors {earlier.ground.floor} and {later.ground.floor} with "
            f"{earlier.ground.area_m2.shape} and {later.ground.area_m2.shape} cells; expected the "
            "same cells."
        )
    is_told = earlier.is_told & later.is_told
    before, after = np.maximum(earlier.blocks_told, 1), np.maximum(later.blocks_told, 1)
    visitors = np.where(is_told, later.visitors / after - earlier.visitors / before, 0.0)
    person_s = np.where(is_told, later.person_s / after - earlier.person_s / before, 0.0)
    # Each block is off by less than one step either way; a mean of blocks by no more.
    is_clear = is_told & (np.abs(visitors) >= 2 * ROUNDING)
    return HeatmapChange(
        ground=later.ground,
        is_told=is_told,
        visitors=visitors,
        person_s=person_s,
        is_clear=is_clear,
    )


def _told(
    times: CellTimes, cohorts: Int64s, sums: Int64s | None, *, kind: str, rules: ReleaseRules
) -> ToldCells:
    # The size of the cells is in the words: of two sizes the draws have nothing in common.
    size = round(times.cell_m * 1000)
    words = block_words(times.day, times.hour, times.floor, times.column, times.row, cohorts, size)
    told = told_counts(times.visitors, words, kind=kind, rules=rules, sums=sums)
    return ToldCells(
        times=times,
        is_told=told.is_told,
        visitors=told.counts,
        person_s=told_seconds(times.person_s, told),
    )


def _together(parts: Sequence[ToldCells]) -> ToldCells:
    """Return the sum of what is told of several cohorts, each cell of a day once."""
    day, floor = (
        np.concatenate([part.times.day[part.is_told] for part in parts]),
        np.concatenate([part.times.floor[part.is_told] for part in parts]),
    )
    row, column = (
        np.concatenate([part.times.row[part.is_told] for part in parts]),
        np.concatenate([part.times.column[part.is_told] for part in parts]),
    )
    visitors = np.concatenate([part.visitors[part.is_told] for part in parts])
    person_s = np.concatenate([part.person_s[part.is_told] for part in parts])
    order = sorted_places(day, floor, row, column)
    day, floor, row, column = day[order], floor[order], row[order], column[order]
    first = np.flatnonzero(changes(day, floor, row, column))
    times = CellTimes(
        cell_m=parts[0].times.cell_m,
        block=Block.DAY,
        day=day[first],
        hour=np.full(len(first), WHOLE_DAY, np.int8),
        floor=floor[first],
        column=column[first],
        row=row[first],
        visitors=summed(visitors[order], first),
        person_s=summed(person_s[order], first),
    )
    return ToldCells(
        times=times,
        is_told=np.ones(len(first), np.bool_),
        visitors=times.visitors,
        person_s=times.person_s,
    )


def _rows(told: ToldCells, which: Bools) -> ToldCells:
    times = told.times
    return ToldCells(
        times=CellTimes(
            cell_m=times.cell_m,
            block=times.block,
            day=times.day[which],
            hour=times.hour[which],
            floor=times.floor[which],
            column=times.column[which],
            row=times.row[which],
            visitors=times.visitors[which],
            person_s=times.person_s[which],
        ),
        is_told=told.is_told[which],
        visitors=told.visitors[which],
        person_s=told.person_s[which],
    )


def _empty(ground: CellGround, blocks: WindowBlocks) -> Heatmap:
    shape = ground.area_m2.shape
    return Heatmap(
        ground=ground,
        blocks=blocks.count,
        blocks_told=np.zeros(shape, np.int32),
        visitors=np.zeros(shape, np.int64),
        person_s=np.zeros(shape, np.float64),
    )


def _add(heatmap: Heatmap, told: ToldCells) -> None:
    """Add told blocks to the sums of a heatmap that is still being made."""
    times, area = told.times, heatmap.ground.area_m2
    rows, columns = area.shape
    inside = (times.floor == heatmap.ground.floor) & (times.column >= 0) & (times.row >= 0)
    inside &= (times.column < columns) & (times.row < rows)
    where = np.flatnonzero(inside)
    where = where[area[times.row[where], times.column[where]] > 0.0]
    cells = times.row[where], times.column[where]
    np.add.at(heatmap.blocks_told, cells, 1)
    np.add.at(heatmap.visitors, cells, told.visitors[where])
    np.add.at(heatmap.person_s, cells, told.person_s[where])
