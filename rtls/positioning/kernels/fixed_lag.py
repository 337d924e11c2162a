"""Keep the last fixes of each tag in a ring, and smooth the oldest by those that came after it.

Layer: kernels. Takes: the rings of all tags, each oldest first, and the fixes of one instant.
Gives: where tags were at the oldest fixes, to rtls.positioning.smoothing.

Rauch, Tung and Striebel 1965 ("Maximum likelihood estimates of linear dynamic systems"), on the
place alone: the velocity of the fixes carries it from one to the next, and what the velocity does
not explain diffuses, little while the tag stands and more while it walks.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Records = npt.NDArray[np.void]

# Columns of a ring's rows.
AT_S, X, Y, VX, VY, P_STANDING, XX, XY, YY = range(9)
WIDTH = 9
DETERMINANT_MIN = 1e-18


class Rings(NamedTuple):
    """What is kept by tag slot.

    Parameters
    ----------
    kept
        (capacity, k, `WIDTH`) columns of the fixes; times in seconds after the oldest one.
    fixes
        (capacity, k) `FIX_DTYPE`, as they were.
    at_ms
        (capacity, k)
    filled
        (capacity,) how many of k.
    """

    kept: Floats
    fixes: Records
    at_ms: Longs
    filled: Ints


class LagParameters(NamedTuple):
    """Numbers of `SmoothingSettings`, where they are explained, in milliseconds."""

    lag_ms: int
    spacing_ms: int
    not_heard_ms: float
    standing_m2_s: float
    walking_m2_s: float


@njit(cache=True, nogil=True, error_model="numpy")
def most_to_come(fixes: Records, at_ms: int, rings: Rings, p: LagParameters) -> int:
    """Return a bound of what `take_fixes` writes: all that is old enough, and what is displaced."""
    most = 0
    for slot in range(rings.filled.size):
        for k in range(rings.filled[slot]):
            most += rings.at_ms[slot, k] <= at_ms - p.lag_ms
    for i in range(fixes.size):
        slot = fixes[i]["tag"]
        if 0 <= slot < rings.filled.size and rings.filled[slot] > 0:
            last = rings.fixes[slot, rings.filled[slot] - 1]
            most += rings.filled[slot] if last["floor"] != fixes[i]["floor"] else 1
    return most


@njit(cache=True, nogil=True, error_model="numpy")
def take_fixes(
    fixes: Records,
    is_wanted: Flags,
    at_ms: int,
    rings: Rings,
    p: LagParameters,
    out_at_ms: Longs,
    out: Records,
) -> int:
    """Put the fixes of one instant into the rings, and write those that come out, smoothed.

    Parameters
    ----------
    fixes
        (n,) `FIX_DTYPE` of slots that the rings have.
    is_wanted
        (n,) whether a fix may go in.
    out_at_ms, out
        (`most_to_come`,) written: instants and smoothed fixes.

    Returns
    -------
    int
        How many were written, in the order of displacement, then by slot.
    """
    # Who should have come out before this instant, knows nothing of it: so it does not matter
    # whether anybody asked in between.
    written = take_older(at_ms - p.lag_ms, rings, p, out_at_ms, out, 0)
    for i in range(fixes.size):
        if is_wanted[i]:
            written = put_in(fixes, i, at_ms, rings, p, out_at_ms, out, written)
    return take_older(at_ms - p.lag_ms + 1, rings, p, out_at_ms, out, written)


@njit(cache=True, nogil=True, error_model="numpy")
def take_older(
    before_ms: int,
    rings: Rings,
    p: LagParameters,
    out_at_ms: Longs,
    out: Records,
    written: int,
) -> int:
    """Write all that is older than an instant; return how many have been written out by now."""
    for slot in range(rings.filled.size):
        while rings.filled[slot] > 0 and rings.at_ms[slot, 0] < before_ms:
            take_oldest(slot, rings, p, out_at_ms, out, written)
            written += 1
    return written


@njit(cache=True, nogil=True, error_model="numpy")
def put_in(
    fixes: Records,
    i: int,
    at_ms: int,
    rings: Rings,
    p: LagParameters,
    out_at_ms: Longs,
    out: Records,
    written: int,
) -> int:
    """Add one fix to the ring of its tag; return how many have been written out by now."""
    fix = fixes[i]
    heard = at_ms - fix["evidence_at_ms"] < p.not_heard_ms
    if not (heard and np.isfinite(fix["x_m"]) and np.isfinite(fix["cov_xx"])):
        return written
    slot = fix["tag"]
    count = rings.filled[slot]
    if count > 0:
        if at_ms - rings.at_ms[slot, count - 1] < p.spacing_ms:
            return written
        # No line leads from one floor to another.
        displaced = 0
        if rings.fixes[slot, count - 1]["floor"] != fix["floor"]:
            displaced = count
        elif count == rings.at_ms.shape[1]:
            displaced = 1
        for _ in range(displaced):
            take_oldest(slot, rings, p, out_at_ms, out, written)
            written += 1
        count = rings.filled[slot]
    rings.fixes[slot, count] = fix
    rings.at_ms[slot, count] = at_ms
    row = rings.kept[slot, count]
    row[AT_S] = 1e-3 * (at_ms - rings.at_ms[slot, 0])
    row[X], row[Y] = fix["x_m"], fix["y_m"]
    row[VX], row[VY] = fix["vx_m_s"], fix["vy_m_s"]
    row[P_STANDING] = fix["p_standing"]
    row[XX], row[XY], row[YY] = fix["cov_xx"], fix["cov_xy"], fix["cov_yy"]
    rings.filled[slot] = count + 1
    return written


@njit(cache=True, nogil=True, error_model="numpy")
def take_oldest(
    slot: int, rings: Rings, p: LagParameters, out_at_ms: Longs, out: Records, written: int
) -> None:
    """Write the oldest fix of a ring, smoothed, at place ``written``, and forget it."""
    count = rings.filled[slot]
    x, y, xx, xy, yy = smooth_oldest(rings.kept[slot], count, p.standing_m2_s, p.walking_m2_s)
    out_at_ms[written] = rings.at_ms[slot, 0]
    out[written] = rings.fixes[slot, 0]
    fix = out[written]
    fix["x_m"], fix["y_m"] = x, y
    fix["cov_xx"], fix["cov_xy"], fix["cov_yy"] = xx, xy, yy
    drop_oldest(rings.kept[slot], count)
    first_s = rings.kept[slot, 0, AT_S]
    for k in range(1, count):
        rings.kept[slot, k - 1, AT_S] -= first_s
        rings.fixes[slot, k - 1] = rings.fixes[slot, k]
        rings.at_ms[slot, k - 1] = rings.at_ms[slot, k]
    rings.filled[slot] = count - 1


@njit(cache=True, nogil=True, error_model="numpy")
def flush_rings(slots: Ints, rings: Rings, p: LagParameters, out_at_ms: Longs, out: Records) -> int:
    """Write all that the rings of ``slots`` hold, smoothed, and empty them; return how many."""
    written = 0
    for i in range(slots.size):
        while rings.filled[slots[i]] > 0:
            take_oldest(slots[i], rings, p, out_at_ms, out, written)
            written += 1
    return written


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_oldest(
    ring: Floats, count: int, standing_m2_s: float, walking_m2_s: float
) -> tuple[float, float, float, float, float]:
    """Return x, y and covariance (xx, xy, yy) at the first of ``count`` rows of ``ring``.

    Backwards from the newest: with P the covariance of a fix, Q the diffusion to the next one and
    G = P (P + Q)^-1, the smoothed place is the fix plus G times what the next one, smoothed,
    differs from the fix carried to it, and its covariance P - G (P + Q - P of the next) G'.
    """
    newest = ring[count - 1]
    x, y = newest[X], newest[Y]
    xx, xy, yy = newest[XX], newest[XY], newest[YY]
    for k in range(count - 2, -1, -1):
        row = ring[k]
        later = ring[k + 1]
        passed = later[AT_S] - row[AT_S]
        p_walking = 1.0 - min(row[P_STANDING], later[P_STANDING])
        spread = passed * (standing_m2_s + p_walking * walking_m2_s)
        off_x = x - row[X] - 0.5 * passed * (row[VX] + later[VX])
        off_y = y - row[Y] - 0.5 * passed * (row[VY] + later[VY])
        sum_xx = row[XX] + spread
        sum_yy = row[YY] + spread
        sum_xy = row[XY]
        determinant = sum_xx * sum_yy - sum_xy * sum_xy
        if determinant < DETERMINANT_MIN:
            x, y = row[X], row[Y]
            xx, xy, yy = row[XX], row[XY], row[YY]
            continue
        g00 = (row[XX] * sum_yy - row[XY] * sum_xy) / determinant
        g01 = (row[XY] * sum_xx - row[XX] * sum_xy) / determinant
        g10 = (row[XY] * sum_yy - row[YY] * sum_xy) / determinant
        g11 = (row[YY] * sum_xx - row[XY] * sum_xy) / determinant
        x = row[X] + g00 * off_x + g01 * off_y
        y = row[Y] + g10 * off_x + g11 * off_y
        d00, d01, d11 = sum_xx - xx, sum_xy - xy, sum_yy - yy
        h00, h01 = g00 * d00 + g01 * d01, g00 * d01 + g01 * d11
        h10, h11 = g10 * d00 + g11 * d01, g10 * d01 + g11 * d11
        xx = row[XX] - (h00 * g00 + h01 * g01)
        xy = row[XY] - (h00 * g10 + h01 * g11)
        yy = row[YY] - (h10 * g10 + h11 * g11)
    return x, y, xx, xy, yy


@njit(cache=True, nogil=True, error_model="numpy")
def drop_oldest(ring: Floats, count: int) -> None:
    """Move all rows but the first of ``count`` one place to the front."""
    for k in range(1, count):
        for column in range(ring.shape[1]):
            ring[k - 1, column] = ring[k, column]
