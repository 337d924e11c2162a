"""Count who was in which cell for how long, in each block of time.

Layer: rules. Takes: `FixColumns` of the position history. Gives: `CellTimes` to the heatmap. A
history that counts by itself (rtls.storage.history) gives the same.
"""

import numpy as np

from rtls.footfall.blocks import block_columns
from rtls.footfall.runs import changes, sorted_places, summed
from rtls.model.footfall import WHOLE_DAY, Block, CellTimes, FixColumns, check_cell
from rtls.model.units import Metre


def cell_times_of(fixes: FixColumns, *, cell_m: Metre, block: Block, time_zone: str) -> CellTimes:
    """Return the time in each cell and block, sorted by block, floor, row and column."""
    check_cell(cell_m)
    day, hour = block_columns(fixes.at_ms, time_zone)
    if block is Block.DAY:
        hour = np.full_like(hour, WHOLE_DAY)
    column = np.floor(fixes.x_m.astype(np.float64) / cell_m).astype(np.int32)
    row = np.floor(fixes.y_m.astype(np.float64) / cell_m).astype(np.int32)
    order = sorted_places(day, hour, fixes.floor, row, column, fixes.visitor)
    day, hour, column, row = day[order], hour[order], column[order], row[order]
    floor, visitor = fixes.floor[order], fixes.visitor[order]
    is_new_cell = changes(day, hour, floor, row, column)
    is_new_visitor = is_new_cell | changes(visitor)
    first = np.flatnonzero(is_new_cell)
    weight_s = fixes.weight_s[order].astype(np.float64)
    return CellTimes(
        cell_m=cell_m,
        block=block,
        day=day[first],
        hour=hour[first],
        floor=floor[first],
        column=column[first],
        row=row[first],
        visitors=summed(is_new_visitor.astype(np.int64), first),
        person_s=summed(weight_s, first),
    )
