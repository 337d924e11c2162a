"""Find the runs of equal rows in sorted columns, and add up along them.

Layer: rules. Takes: columns. Gives: where each run begins, and its sums, to the counts of this
room.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from rtls.model.footfall import Bools, Int64s

Columns = npt.NDArray[np.generic]
Places = npt.NDArray[np.intp]
Number = TypeVar("Number", np.int64, np.float64)


def sorted_places(*columns: Columns) -> Places:
    """Return (n,) the order of rows by the first column, then the second, and so on."""
    return np.lexsort(columns[::-1])


def changes(*columns: Columns) -> Bools:
    """Return (n,) whether a row differs from the one before it; the first one does."""
    is_new = np.zeros(len(columns[0]), np.bool_)
    is_new[:1] = True
    for column in columns:
        is_new[1:] |= column[1:] != column[:-1]
    return is_new


def summed(values: npt.NDArray[Number], first: Places) -> npt.NDArray[Number]:
    """Return the sum of each run of rows; ``first`` holds where the runs begin."""
    if not len(first):
        return values[:0]
    sums: npt.NDArray[Number] = np.add.reduceat(values, first)
    return sums


def run_numbers(*columns: Columns) -> Int64s:
    """Return (n,) the same number for rows whose columns are equal, from 0 on."""
    order = sorted_places(*columns)
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.cumsum(changes(*(column[order] for column in columns))) - 1
    return numbers
