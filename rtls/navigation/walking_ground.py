"""Keep what a route needs of a site: the walkable grid, and what nobody steps over.

Layer: rules. Takes: `SiteMap`, and the `WalkGrid` that positioning lays over it. Gives: nodes near
a place and stretches in the way to rtls.navigation.route_finder.

The grid is the one of the map filter: a service that has built it hands it over.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from rtls.model.errors import NoRoute
from rtls.model.place import Place
from rtls.model.site_map import SiteMap
from rtls.model.units import Metre
from rtls.navigation.kernels.sight import seen_from
from rtls.positioning.walk_grid import WalkGrid
from rtls.positioning.walk_ground import Ground, grounds_of

SNAP_M_MAX: Final = Metre(3.0)
"""A place inside a shelf is this near to ground; one that is farther is a mistake on the map."""
NEAR_CELLS: Final = 2.5
"""How far around an end, in cells, the nodes are that a route may begin with."""
Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEnd:
    """Where a route begins or ends, and the nodes that are reached straight from there."""

    place: Place
    moved_m: Metre
    nodes: Whole
    nodes_m: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkingGround:
    """One floor as somebody who walks meets it.

    Parameters
    ----------
    stretch
        (n, 4) x, y, x, y of every wall, edge of furniture and edge of walkable ground.
    node, node_xy
        (k,), (k, 2) the nodes of this floor in the grid.
    """

    ground: Ground
    cell_m: Metre
    stretch: Floats
    node: Whole
    node_xy: Floats

    def end_at(self, place: Place) -> RouteEnd:
        """Return the end of a route at ``place``, or at the nearest ground where it is on none.

        Raises
        ------
        NoRoute
            If there is no ground within `SNAP_M_MAX`.
        """
        away = np.hypot(self.node_xy[:, 0] - place.x_m, self.node_xy[:, 1] - place.y_m)
        here = np.array([[place.x_m, place.y_m]])
        if self.ground.is_free(here)[0]:
            near = np.flatnonzero(away <= NEAR_CELLS * self.cell_m)
            near = near[seen_from(self.stretch, place.x_m, place.y_m, self.node_xy[near])]
            if near.size:
                return RouteEnd(
                    place=place,
                    moved_m=Metre(0.0),
                    nodes=self.node[near],
                    nodes_m=away[near],
                )
        nearest = int(np.argmin(away))
        if away[nearest] > SNAP_M_MAX:
            raise NoRoute(
                f"place ({place.x_m:.2f}, {place.y_m:.2f}) of floor {place.floor} is "
                f"{away[nearest]:.1f} m from the nearest ground to walk on; expected at most "
                f"{SNAP_M_MAX:.0f} m. Check the place, and the fixtures and walls of the map there."
            )
        x, y = self.node_xy[nearest].tolist()
        return RouteEnd(
            place=Place(floor=place.floor, x_m=Metre(x), y_m=Metre(y)),
            moved_m=Metre(float(away[nearest])),
            nodes=self.node[nearest : nearest + 1],
            nodes_m=np.zeros(1),
        )


def walking_grounds(site_map: SiteMap, grid: WalkGrid) -> dict[int, WalkingGround]:
    """Return the ground of each floor that the grid has nodes on."""
    grounds = {}
    for ground in grounds_of(site_map):
        node = np.flatnonzero(grid.node_floor == ground.floor)
        if node.size:
            grounds[ground.floor] = WalkingGround(
                ground=ground,
                cell_m=grid.cell_m,
                stretch=_stretches(site_map, ground),
                node=node,
                node_xy=np.ascontiguousarray(grid.node_xy[node]),
            )
    return grounds


def _stretches(site_map: SiteMap, ground: Ground) -> Floats:
    # The grid lets a step graze furniture by a few centimetres; the smoothed line does not.
    lines: list[shapely.Geometry] = [
        shapely.LinearRing(fixture.ring)
        for fixture in site_map.fixtures
        if fixture.floor == ground.floor
    ]
    lines += [shapely.LineString(w.line) for w in site_map.walls if w.floor == ground.floor]
    if ground.way is not None:
        lines += list(shapely.get_parts(shapely.boundary(ground.way)))
    if not lines:
        return np.empty((0, 4))
    corners = [shapely.get_coordinates(line) for line in lines]
    return np.concatenate([np.hstack((line[:-1], line[1:])) for line in corners])


def is_before(one: Place, other: Place) -> bool:
    """Say which of two places a way is looked for from, so that both ways are the same way."""
    return (one.x_m, one.y_m) <= (other.x_m, other.y_m)


def metres_between(one: Place, other: Place) -> float:
    """Return how far two places of one floor are apart."""
    return math.dist((one.x_m, one.y_m), (other.x_m, other.y_m))
