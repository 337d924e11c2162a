"""Leave out of walked lines the points that say nothing.

Layer: kernels. Takes: points of many lines, one after the other. Gives: which points to keep, by
Douglas and Peucker (Algorithms for the reduction of the number of points, 1973), with a stack in
place of the recursion.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]


@njit(cache=True)
def kept_points(x_m: Floats, y_m: Floats, line: Int64s, tolerance_m: float) -> Bools:
    """Return (n,) whether each point stays.

    ``line`` : (n,) number of the line that each point belongs to, the points of one line together.
    A point stays if it is an end of its line, or farther than ``tolerance_m`` from the stretch
    between its neighbours that stay.
    """
    n = len(x_m)
    is_kept = np.zeros(n, np.bool_)
    firsts = np.empty(n, np.int64)
    lasts = np.empty(n, np.int64)
    start = 0
    while start < n:
        end = start
        while end + 1 < n and line[end + 1] == line[start]:
            end += 1
        is_kept[start] = True
        is_kept[end] = True
        depth = 1
        firsts[0], lasts[0] = start, end
        while depth > 0:
            depth -= 1
            first, last = firsts[depth], lasts[depth]
            farthest, farthest_2 = -1, tolerance_m * tolerance_m
            dx, dy = x_m[last] - x_m[first], y_m[last] - y_m[first]
            length_2 = dx * dx + dy * dy
            for i in range(first + 1, last):
                px, py = x_m[i] - x_m[first], y_m[i] - y_m[first]
                along = 0.0
                if length_2 > 0.0:
                    along = min(max((px * dx + py * dy) / length_2, 0.0), 1.0)
                ex, ey = px - along * dx, py - along * dy
                if ex * ex + ey * ey > farthest_2:
                    farthest, farthest_2 = i, ex * ex + ey * ey
            if farthest >= 0:
                is_kept[farthest] = True
                firsts[depth], lasts[depth] = first, farthest
                firsts[depth + 1], lasts[depth + 1] = farthest, last
                depth += 2
        start = end + 1
    return is_kept
