"""Work out the error bound at many places at once, and with one anchor more.

Layer: kernels. Takes: places, anchors and walls as arrays from rtls.positioning.coverage_grid.
Gives: bounds and counts of anchors heard. rtls.positioning.coverage says the same with whole
matrices, slowly and plainly.

What the readings at a place tell is six sums: of their slopes in x and y and of what they share,
each with each. An anchor more adds its own six and takes those of the farthest one that it
replaces, so that trying hundreds of places for it costs hundreds of small sums.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from rtls.positioning.kernels.likelihood import DB_PER_NEPER, NEAR_FIELD_M

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

# Columns of what is known of an anchor; weight is one over its noise.
X, Y, RISE, AT_1M, EXPONENT, WEIGHT = range(6)
ANCHOR_COLUMNS = 6
# What is the same for all: how it is measured, how far it is heard (dBm or m), what a wall takes
# (dB), what all readings of a tag share (one over its variance, negative where there is nothing),
# and how many of the nearest anchors take part.
KIND, LIMIT, WALL_DB, SHARED, NEAREST = range(5)
BY_STRENGTH, BY_LENGTH, BY_ANGLE = range(3)
# The sums, and behind them what of the nearest anchors is the farthest.
XX, XY, YY, XC, YC, CC = range(6)
SUMS = 6
DETERMINANT_SHARE_MIN = 1e-10
FREE_SPACE_DB = 20.0
FLAT_M_MIN = 1e-6


@njit(cache=True, nogil=True, error_model="numpy")
def walls_crossed(px: float, py: float, ax: float, ay: float, walls: Floats) -> int:
    """Return how many walls (m, 4) lie between a place and an anchor."""
    count = 0
    dx, dy = ax - px, ay - py
    for wall in range(walls.shape[0]):
        x0, y0, x1, y1 = walls[wall, 0], walls[wall, 1], walls[wall, 2], walls[wall, 3]
        ends = (dx * (y0 - py) - dy * (x0 - px)) * (dx * (y1 - py) - dy * (x1 - px))
        if ends >= 0.0:
            continue
        wx, wy = x1 - x0, y1 - y0
        sides = (wx * (py - y0) - wy * (px - x0)) * (wx * (ay - y0) - wy * (ax - x0))
        count += sides < 0.0
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def hears(anchor: Floats, px: float, py: float, squared: float, walls: Floats, m: Floats) -> bool:
    """Tell whether an anchor hears a tag at a place; walls are looked at only where it matters."""
    distance = math.sqrt(squared)
    if m[KIND] == BY_STRENGTH:
        law = anchor[AT_1M] - 10.0 * anchor[EXPONENT] * math.log10(max(distance, NEAR_FIELD_M))
        if law < m[LIMIT]:
            return False
        crossed = walls_crossed(px, py, anchor[X], anchor[Y], walls)
        return bool(law - crossed * m[WALL_DB] >= m[LIMIT])
    if distance > m[LIMIT]:
        return False
    crossed = walls_crossed(px, py, anchor[X], anchor[Y], walls)
    return bool(distance <= m[LIMIT] * 10.0 ** (-crossed * m[WALL_DB] / FREE_SPACE_DB))


@njit(cache=True, nogil=True, error_model="numpy")
def add_sums(anchor: Floats, px: float, py: float, squared: float, m: Floats, out: Floats) -> None:
    """Write into ``out`` (`SUMS`,) what one reading of the anchor tells."""
    away_x, away_y, weight = px - anchor[X], py - anchor[Y], anchor[WEIGHT]
    distance = math.sqrt(max(squared, NEAR_FIELD_M * NEAR_FIELD_M))
    if m[KIND] == BY_ANGLE:
        flat = max(math.sqrt(away_x * away_x + away_y * away_y), FLAT_M_MIN)
        ux, uy = away_x / flat, away_y / flat
        side = weight / distance
        up = weight * abs(anchor[RISE]) / (distance * distance)
        out[XX] = side * side * uy * uy + up * up * ux * ux
        out[XY] = (up * up - side * side) * ux * uy
        out[YY] = side * side * ux * ux + up * up * uy * uy
        out[XC] = out[YC] = out[CC] = 0.0
        return
    gain = weight / distance
    if m[KIND] == BY_STRENGTH:
        gain = -weight * DB_PER_NEPER * anchor[EXPONENT] / (distance * distance)
    x, y = away_x * gain, away_y * gain
    out[XX], out[XY], out[YY] = x * x, x * y, y * y
    out[XC], out[YC], out[CC] = x * weight, y * weight, weight * weight


@njit(cache=True, nogil=True, error_model="numpy")
def bound_of(sums: Floats, m: Floats) -> float:
    """Return the root mean square error in the plane that the sums leave, infinite if any."""
    a, b, c = sums[XX], sums[XY], sums[YY]
    whole = a * c
    if m[SHARED] >= 0.0:  # what is shared is one unknown more, which takes its part of the rest
        shared = sums[CC] + m[SHARED]
        if not shared > 0.0:
            return math.inf
        a -= sums[XC] * sums[XC] / shared
        b -= sums[XC] * sums[YC] / shared
        c -= sums[YC] * sums[YC] / shared
    determinant = a * c - b * b
    if not determinant > DETERMINANT_SHARE_MIN * whole:
        return math.inf
    return math.sqrt((a + c) / determinant)


@njit(cache=True, nogil=True, error_model="numpy")
def slant(anchor: Floats, px: float, py: float) -> float:
    """Return the square of the distance from an anchor to a tag."""
    away_x, away_y = px - anchor[X], py - anchor[Y]
    return float(away_x * away_x + away_y * away_y + anchor[RISE] * anchor[RISE])


@njit(cache=True, nogil=True, error_model="numpy")
def sums_at(
    px: float,
    py: float,
    anchors: Floats,
    walls: Floats,
    m: Floats,
    near: Floats,
    who: Longs,
    out: Floats,
) -> tuple[int, int]:
    """Write what the nearest anchors tell of a place; return how many hear it, and take part.

    ``near`` and ``who`` (nearest,) hold their squared distances, rising, and their numbers;
    ``out`` (2, `SUMS`) the sums of all, and of the farthest of them.
    """
    heard = 0
    used = 0
    room = near.size
    for number in range(anchors.shape[0]):
        squared = slant(anchors[number], px, py)
        if not hears(anchors[number], px, py, squared, walls, m):
            continue
        heard += 1
        if used == room and squared >= near[used - 1]:
            continue
        place = used if used < room else room - 1
        while place > 0 and near[place - 1] > squared:
            near[place] = near[place - 1]
            who[place] = who[place - 1]
            place -= 1
        near[place] = squared
        who[place] = number
        used = min(used + 1, room)
    for column in range(SUMS):
        out[0, column] = out[1, column] = 0.0
    for place in range(used):
        add_sums(anchors[who[place]], px, py, near[place], m, out[1])
        for column in range(SUMS):
            out[0, column] += out[1, column]
    return heard, used


@njit(cache=True, nogil=True, error_model="numpy")
def cover(
    places: Floats, anchors: Floats, walls: Floats, m: Floats, bounds: Floats, counts: Longs
) -> None:
    """Write the bound at each place (n, 2), and how many anchors hear it."""
    room = int(m[NEAREST])
    near, who, sums = np.empty(room), np.empty(room, np.int64), np.empty((2, SUMS))
    for number in range(places.shape[0]):
        px, py = places[number, 0], places[number, 1]
        counts[number], _ = sums_at(px, py, anchors, walls, m, near, who, sums)
        bounds[number] = bound_of(sums[0], m)


@njit(cache=True, nogil=True, error_model="numpy")
def cover_with_one_more(
    places: Floats,
    anchors: Floats,
    spots: Floats,
    walls: Floats,
    m: Floats,
    worst_m: float,
    out: Floats,
) -> None:
    """Write the bounds at places (n, 2) with an anchor at each spot (k, columns), into (k, n).

    An unknown place counts as ``worst_m``, so that closing a gap counts as well.
    """
    room = int(m[NEAREST])
    near, who, sums = np.empty(room), np.empty(room, np.int64), np.empty((2, SUMS))
    own, both = np.empty(SUMS), np.empty(SUMS)
    for number in range(places.shape[0]):
        px, py = places[number, 0], places[number, 1]
        _, used = sums_at(px, py, anchors, walls, m, near, who, sums)
        without = min(bound_of(sums[0], m), worst_m)
        for spot in range(spots.shape[0]):
            out[spot, number] = without
            squared = slant(spots[spot], px, py)
            is_full = used == room
            if is_full and squared >= near[used - 1]:
                continue
            if not hears(spots[spot], px, py, squared, walls, m):
                continue
            add_sums(spots[spot], px, py, squared, m, own)
            for column in range(SUMS):
                both[column] = sums[0, column] + own[column]
                if is_full:
                    both[column] -= sums[1, column]
            out[spot, number] = min(bound_of(both, m), worst_m)
