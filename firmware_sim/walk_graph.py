"""Find ways around the furniture of one floor.

Layer: rules. Takes: the site map. Gives: shortest ways as corner points to
firmware_sim.shopper_walk, and places to stand in front of each shelf to firmware_sim.trip.

A visibility graph: the corners of everything solid, grown by half a trolley, are the nodes; two
nodes that see each other are joined; all shortest ways between them are found once. A way between
any two points then needs only what each of the two sees (Lozano-Pérez and Wesley, 1979).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse.csgraph import shortest_path
from shapely.geometry.base import BaseGeometry

from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import Floor, SiteMap, Zone

CLEARANCE_M: Final = 0.35
"""how near a shopper with a trolley comes to furniture"""
# Ways touch the grown corners; seeing is tested against slightly smaller bodies, or rounding would
# decide whether a way along a face is free.
TOUCH_M: Final = 0.02
WAY_POINTS_MAX: Final = 32
SPOTS_A_ZONE: Final = 24
# At arm's length from the shelf: 0.55 to 0.85 m before a face whose strip is 0.2 to 1.2 m.
SPOT_MARGIN_M: Final = 0.35
SPOT_TRIES: Final = 500

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkGraph:
    """The ways of one floor. Build it with `build_walk_graph`."""

    nodes: Points  # (n, 2)
    edges_from: Points  # (e, 2) sides of all solid bodies
    edges_to: Points
    distance_m: npt.NDArray[np.float64]  # (n, n), inf where there is no way
    previous: npt.NDArray[np.int32]  # (n, n), the node before the last on the way from row to col
    width_m: float
    height_m: float

    def way(self, start: Points, goal: Points) -> Points:
        """Return the corner points of the shortest way, without the start, with the goal.

        Parameters
        ----------
        start, goal
            (2,) points in metres, outside of furniture.

        Raises
        ------
        InvalidSiteMap
            If no way leads there.
        """
        if self.sees(start, goal[None, :])[0]:
            return goal[None, :].copy()
        at_start = np.flatnonzero(self.sees(start, self.nodes))
        at_goal = np.flatnonzero(self.sees(goal, self.nodes))
        first = np.hypot(*(self.nodes[at_start] - start).T)
        last = np.hypot(*(self.nodes[at_goal] - goal).T)
        total = first[:, None] + self.distance_m[np.ix_(at_start, at_goal)] + last[None, :]
        if not total.size or not np.isfinite(total.min()):
            raise InvalidSiteMap(
                f"no way leads from ({start[0]:.2f}, {start[1]:.2f}) to "
                f"({goal[0]:.2f}, {goal[1]:.2f}). Leave gaps of at least {2 * CLEARANCE_M} m "
                "between fixtures and walls."
            )
        row, column = np.unravel_index(int(np.argmin(total)), total.shape)
        node, begin = int(at_goal[column]), int(at_start[row])
        corners = [node]
        while node != begin:
            node = int(self.previous[begin, node])
            corners.append(node)
        corners.reverse()
        return np.vstack([self.nodes[corners], goal])

    def sees(self, eye: Points, targets: Points) -> npt.NDArray[np.bool_]:
        """Return for each of (k, 2) ``targets`` whether nothing solid is between it and ``eye``."""
        a, b = self.edges_from[None], self.edges_to[None]
        p, q = eye[None, None, :], targets[:, None, :]
        crosses = (_side(p, q, a) * _side(p, q, b) < 0) & (_side(a, b, p) * _side(a, b, q) < 0)
        return np.logical_not(crosses.any(axis=1))


def _side(a: Points, b: Points, c: Points) -> npt.NDArray[np.float64]:
    """Return the sign of on which side of the line a → b the point c lies (twice the area)."""
    area: npt.NDArray[np.float64] = (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (
        b[..., 1] - a[..., 1]
    ) * (c[..., 0] - a[..., 0])
    return area


def build_walk_graph(site_map: SiteMap, *, floor: int = 0) -> WalkGraph:
    """Build the graph of one floor."""
    level = _level(site_map, floor)
    bodies = solid_bodies(site_map, floor=floor, clearance_m=CLEARANCE_M)
    inside = shapely.box(0.0, 0.0, level.width_m, level.height_m)
    corners = _corners(bodies)
    free = shapely.contains_xy(inside, corners[:, 0], corners[:, 1])
    free &= ~shapely.contains_xy(bodies.buffer(-TOUCH_M), corners[:, 0], corners[:, 1])
    nodes = corners[free]
    edges_from, edges_to = _sides(bodies.buffer(-TOUCH_M, join_style="mitre"))
    empty = WalkGraph(
        nodes=nodes,
        edges_from=edges_from,
        edges_to=edges_to,
        distance_m=np.zeros((0, 0)),
        previous=np.zeros((0, 0), np.int32),
        width_m=level.width_m,
        height_m=level.height_m,
    )
    apart = np.zeros((len(nodes), len(nodes)))
    for index, node in enumerate(nodes):
        gap = np.hypot(*(nodes - node).T)
        apart[index] = np.where(empty.sees(node, nodes), gap, 0.0)
    distance, previous = shortest_path(apart, directed=False, return_predecessors=True)
    return WalkGraph(
        nodes=nodes,
        edges_from=edges_from,
        edges_to=edges_to,
        distance_m=distance,
        previous=previous,
        width_m=level.width_m,
        height_m=level.height_m,
    )


def solid_bodies(site_map: SiteMap, *, floor: int, clearance_m: float) -> BaseGeometry:
    """Return furniture and walls of one floor as one shape, grown by ``clearance_m``."""
    shapes: list[BaseGeometry] = [
        shapely.Polygon(f.ring) for f in site_map.fixtures if f.floor == floor
    ]
    shapes += [shapely.LineString(w.line) for w in site_map.walls if w.floor == floor]
    grown = [shape.buffer(clearance_m, join_style="mitre", cap_style="square") for shape in shapes]
    return shapely.unary_union(grown)


def standing_room(site_map: SiteMap, *, floor: int) -> BaseGeometry:
    """Return where on a floor a shopper with a trolley can stand."""
    level = _level(site_map, floor)
    inside = shapely.box(TOUCH_M, TOUCH_M, level.width_m - TOUCH_M, level.height_m - TOUCH_M)
    solid = solid_bodies(site_map, floor=floor, clearance_m=CLEARANCE_M + TOUCH_M)
    return inside.difference(solid)


def standing_spots(
    zone: Zone, room: BaseGeometry, *, rng: np.random.Generator, spots: int = SPOTS_A_ZONE
) -> Points:
    """Return (spots, 2) places within a zone where a shopper with a trolley can stand.

    Parameters
    ----------
    room
        Of the zone's floor, by `standing_room`.

    Raises
    ------
    InvalidSiteMap
        If the zone has no room for a standing shopper.
    """
    whole = shapely.Polygon(zone.ring)
    place = whole.buffer(-SPOT_MARGIN_M).intersection(room)
    if place.is_empty:
        place = whole.intersection(room)
    if place.is_empty:
        raise InvalidSiteMap(
            f"zone {zone.zone}: nobody can stand in it without touching a fixture. Make it at "
            f"least {2 * SPOT_MARGIN_M} m deep beyond {CLEARANCE_M} m from the furniture."
        )
    left, low, right, high = place.bounds
    tried = rng.uniform((left, low), (right, high), size=(SPOT_TRIES, 2))
    found: Points = tried[shapely.contains_xy(place, tried[:, 0], tried[:, 1])][:spots]
    if len(found) < spots:  # a sliver: its own inner point will do for those missing
        inner = place.representative_point()
        found = np.vstack([found, np.tile((inner.x, inner.y), (spots - len(found), 1))])
    return found


def _level(site_map: SiteMap, floor: int) -> Floor:
    for level in site_map.floors:
        if level.floor == floor:
            return level
    raise InvalidSiteMap(f"site {site_map.site}: there is no floor {floor}. Name another.")


def _rings(shape: BaseGeometry) -> list[Points]:
    rings: list[Points] = []
    for part in shapely.get_parts(shape):
        if isinstance(part, shapely.Polygon) and not part.is_empty:
            rings += [np.asarray(ring.coords)[:, :2] for ring in (part.exterior, *part.interiors)]
    return rings


def _corners(shape: BaseGeometry) -> Points:
    rings = [ring[:-1] for ring in _rings(shape)]
    return np.vstack(rings) if rings else np.zeros((0, 2))


def _sides(shape: BaseGeometry) -> tuple[Points, Points]:
    rings = _rings(shape)
    if not rings:
        return np.zeros((0, 2)), np.zeros((0, 2))
    return np.vstack([ring[:-1] for ring in rings]), np.vstack([ring[1:] for ring in rings])
