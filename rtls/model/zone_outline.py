"""Draw the zones that nobody should have to draw by hand: strips before shelves, pairs of bays.

Layer: nouns. Takes: the line of a shelf's face, or the outlines of two shelves' zones.
Gives: outlines to rtls.model.site_map_geojson.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import Ring
from rtls.model.units import Metre

NEAR_M: Final = Metre(0.2)
FAR_M: Final = Metre(1.2)
FACE_M_MIN: Final = 0.1
Point = tuple[float, float]


def strip_before(face: Sequence[Point], *, near_m: float = NEAR_M, far_m: float = FAR_M) -> Ring:
    """Return the strip where people stand before a shelf.

    Parameters
    ----------
    face
        Two points, the ends of the shelf's front. The strip lies to the left of whoever walks from
        the first to the second.
    near_m, far_m
        From where to where it reaches, measured from the face.

    Raises
    ------
    InvalidSiteMap
        If there are not two points a little apart, or the strip has no depth.

    Examples
    --------
    >>> strip_before(((0.0, 0.0), (2.0, 0.0)))
    ((0.0, 0.2), (2.0, 0.2), (2.0, 1.2), (0.0, 1.2))
    """
    if len(face) != 2:
        raise InvalidSiteMap(
            f"the face of a shelf has {len(face)} points; expected its two ends. Give one zone for "
            "each straight front."
        )
    (x0, y0), (x1, y1) = face
    length = math.dist(*face)
    if not length >= FACE_M_MIN:
        raise InvalidSiteMap(
            f"the face of a shelf is {length:g} m long; expected {FACE_M_MIN} m or more."
        )
    if not 0.0 <= near_m < far_m:
        raise InvalidSiteMap(
            f"the strip reaches from near_m {near_m} to far_m {far_m}; expected 0 or more, rising."
        )
    left_x, left_y = (y0 - y1) / length, (x1 - x0) / length
    corners = ((x0, y0, near_m), (x1, y1, near_m), (x1, y1, far_m), (x0, y0, far_m))
    return tuple((x + left_x * off_m, y + left_y * off_m) for x, y, off_m in corners)


def hull_around(points: Iterable[Point]) -> Ring:
    """Return the convex hull of points, counter-clockwise (Andrew 1979, the monotone chain).

    Examples
    --------
    >>> hull_around([(0, 0), (2, 0), (1, 0.5), (2, 2), (0, 2)])
    ((0, 0), (2, 0), (2, 2), (0, 2))
    """
    ordered = sorted(set(points))
    lower = _chain(ordered)
    upper = _chain(ordered[::-1])
    return tuple(lower[:-1] + upper[:-1])


def _chain(points: Sequence[Point]) -> list[Point]:
    chain: list[Point] = []
    for point in points:
        while len(chain) > 1 and not _turns_left(chain[-2], chain[-1], point):
            chain.pop()
        chain.append(point)
    return chain


def _turns_left(a: Point, b: Point, c: Point) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0.0
