"""Lay places over a floor and count the walls between them and the anchors.

Layer: rules. Takes: `SiteMap`. Gives: places where a shopper can be and wall counts to
rtls.positioning.coverage, and to the door the question whether a surveyed point is on the floor.
"""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidGeometry
from rtls.model.site_map import Floor, Ring, SiteMap

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
PLACES_MAX = 200_000


def floor_places(site_map: SiteMap, floor: int, cell_m: float) -> Floats:
    """Return the centres of the cells of a floor that are not inside furniture, (n_places, 2).

    Raises
    ------
    InvalidGeometry
        If the cell is not above 0 or so small that there would be too many places.
    """
    plan = floor_of(site_map, floor)
    if not cell_m > 0.0 or plan.width_m * plan.height_m / cell_m**2 > PLACES_MAX:
        raise InvalidGeometry(
            f"cell is {cell_m} m on a floor of {plan.width_m} × {plan.height_m} m; expected above "
            f"0 and at most {PLACES_MAX} cells. Take a larger cell."
        )
    x = np.arange(cell_m / 2.0, plan.width_m, cell_m)
    y = np.arange(cell_m / 2.0, plan.height_m, cell_m)
    place = np.stack([axis.ravel() for axis in np.meshgrid(x, y)], axis=1)
    for fixture in site_map.fixtures:
        if fixture.floor == floor:
            place = place[~is_inside(place, fixture.ring)]
    return place


def floor_of(site_map: SiteMap, floor: int) -> Floor:
    """Return the noun of a floor.

    Raises
    ------
    InvalidGeometry
        If the map has no such floor.
    """
    for plan in site_map.floors:
        if plan.floor == floor:
            return plan
    raise InvalidGeometry(
        f"floor is {floor}; expected of {[plan.floor for plan in site_map.floors]}, the floors on "
        f"the map of {site_map.site}."
    )


def is_inside(place_m: Floats, ring: Ring) -> Bools:
    """Return (n_places,) whether a place is inside a polygon: a ray to the right crosses oddly.

    Examples
    --------
    >>> square = ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0))
    >>> is_inside(np.array([[1.0, 1.0], [3.0, 1.0]]), square).tolist()
    [True, False]
    """
    x, y = place_m.T
    inside = np.zeros(len(place_m), np.bool_)
    for (x0, y0), (x1, y1) in zip(ring, (*ring[1:], ring[0]), strict=True):
        spans = (y0 > y) != (y1 > y)
        rise = y1 - y0 if y1 != y0 else 1.0  # a level edge spans nothing; the value is not used
        inside ^= spans & (x < x0 + (y - y0) * (x1 - x0) / rise)
    return inside


def walls_between(place_m: Floats, anchor_m: Floats, lines: Iterable[Ring]) -> Floats:
    """Return how many walls lie between places and anchors, (n_places, n_anchors).

    Parameters
    ----------
    place_m, anchor_m
        (n_places, 2), (n_anchors, 2).
    lines
        Walls of the floor; each segment that is crossed counts.
    """
    count = np.zeros((len(place_m), len(anchor_m)))
    place, anchor = place_m[:, None, :], anchor_m[None, :, :]
    for line in lines:
        for begin, end in pairwise(line):
            side_of_place = side(begin, end, place)
            side_of_anchor = side(begin, end, anchor)
            across = side_of_place * side_of_anchor < 0.0
            ends = turn(place, anchor, begin) * turn(place, anchor, end) < 0.0
            count += across & ends
    return count


def side(begin: tuple[float, float], end: tuple[float, float], point: Floats) -> Floats:
    """Return on which side of a line points are, by sign."""
    dx, dy = end[0] - begin[0], end[1] - begin[1]
    product: Floats = dx * (point[..., 1] - begin[1]) - dy * (point[..., 0] - begin[0])
    return product


def turn(place: Floats, anchor: Floats, point: tuple[float, float]) -> Floats:
    """Return on which side of each line of sight a point is, by sign."""
    dx, dy = anchor[..., 0] - place[..., 0], anchor[..., 1] - place[..., 1]
    product: Floats = dx * (point[1] - place[..., 1]) - dy * (point[0] - place[..., 0])
    return product
