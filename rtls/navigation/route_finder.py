"""Find the walk from a place to another, or to the nearest of some zones.

Layer: rules. Takes: `SiteMap` and the `WalkGrid` of positioning. Gives: `Route` to the routes of
shoppers. A* over the grid finds on which side of the shelves to walk, pulling the way taut makes
of its steps a line, and `RouteStep`s say it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import shapely

from rtls.model.errors import NoRoute
from rtls.model.route import Place, Route
from rtls.model.site_map import SiteMap, Zone
from rtls.model.units import Metre, ZoneId
from rtls.navigation.kernels.pull import pulled
from rtls.navigation.kernels.shortest import shortest_way
from rtls.navigation.kernels.sight import is_clear
from rtls.navigation.route_steps import Landmarks, steps_of
from rtls.navigation.walking_ground import (
    RouteEnd,
    WalkingGround,
    is_before,
    metres_between,
    walking_grounds,
)
from rtls.positioning.walk_grid import WalkGrid

ZONES_MAX: Final = 16
"""A product stands at a few shelves; each is a route to look for."""
SAME_M: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFinder:
    """Everything of a site that routes need; built once a map, immutable, safe to share."""

    site_map: SiteMap
    grid: WalkGrid
    grounds: dict[int, WalkingGround]
    landmarks: Landmarks

    @classmethod
    def of_map(cls, site_map: SiteMap, *, grid: WalkGrid | None = None) -> "RouteFinder":
        """Prepare the routes of a site.

        Parameters
        ----------
        site_map
            The plan.
        grid
            The grid that the map filter moves over; None lays it anew.
        """
        grid = WalkGrid.of_plan(site_map) if grid is None else grid
        return cls(
            site_map=site_map,
            grid=grid,
            grounds=walking_grounds(site_map, grid),
            landmarks=Landmarks.of_map(site_map),
        )

    def to_place(self, start: Place, target: Place) -> Route:
        """Return the way from a place to another.

        Raises `NoRoute` if they are on different floors (the map knows no stairs and lifts),
        nothing to walk on is near one of them, or nobody can walk from one to the other.
        """
        return self._way(start, target, None)

    def to_nearest_zone(self, start: Place, zones: Sequence[ZoneId]) -> Route:
        """Return the way to that of some zones which is the shortest walk.

        Raises
        ------
        NoRoute
            If no zone is given or known or too many are, or none of them can be walked to.
        """
        wanted = set(zones)
        if not 1 <= len(wanted) <= ZONES_MAX:
            raise NoRoute(f"{len(wanted)} zones are asked for; expected 1 to {ZONES_MAX}.")
        known = [zone for zone in self.site_map.zones if zone.zone in wanted]
        if not known:
            raise NoRoute(
                f"none of the zones {sorted(wanted)} is on the map of {self.site_map.site}; "
                "expected ids of its zones. Correct the shelves of the product in the catalogue."
            )
        routes, refused = [], []
        for zone in known:
            try:
                routes.append(self._way(start, standing_place(zone), zone))
            except NoRoute as error:
                refused.append(str(error))
        if not routes:
            raise NoRoute("; ".join(refused))
        return min(routes, key=lambda route: route.length_m)

    def _way(self, start: Place, target: Place, zone: Zone | None) -> Route:
        ground = self._ground_of(start.floor)
        if start.floor != target.floor:
            raise NoRoute(
                f"the start is on floor {start.floor}, the target on floor {target.floor}; "
                "expected one floor, since a site map names no stairs and lifts. Show the route on "
                "each floor to and from where people change it."
            )
        begin, end = ground.end_at(start), ground.end_at(target)
        line = self._line(ground, begin, end)
        return Route(
            line=line,
            steps=steps_of(line, self.landmarks, target=target),
            start_moved_m=begin.moved_m,
            target_moved_m=end.moved_m,
            zone=None if zone is None else zone.zone,
        )

    def _ground_of(self, floor: int) -> WalkingGround:
        if floor not in self.grounds:
            raise NoRoute(
                f"floor is {floor}; expected of {sorted(self.grounds)}, the floors of "
                f"{self.site_map.site} that somebody can walk on."
            )
        return self.grounds[floor]

    def _line(self, ground: WalkingGround, begin: RouteEnd, end: RouteEnd) -> tuple[Place, ...]:
        if not is_before(begin.place, end.place):
            return self._line(ground, end, begin)[::-1]
        first, last = begin.place, end.place
        if is_clear(ground.stretch, first.x_m, first.y_m, last.x_m, last.y_m):
            return first, last
        way = shortest_way(
            self.grid.node_xy,
            self.grid.neighbours,
            begin.nodes,
            begin.nodes_m,
            end.nodes,
            end.nodes_m,
            last.x_m,
            last.y_m,
        )
        if not way.size:
            raise NoRoute(
                f"nobody can walk from ({first.x_m:.2f}, {first.y_m:.2f}) to ({last.x_m:.2f}, "
                f"{last.y_m:.2f}) on floor {first.floor}; expected ground that hangs together. "
                "Check the walls of the map for a missing door."
            )
        corners = np.vstack(
            ([[first.x_m, first.y_m]], self.grid.node_xy[way], [[last.x_m, last.y_m]])
        )
        taut = pulled(corners, ground.stretch)
        return _places(first.floor, taut.tolist())


def standing_place(zone: Zone) -> Place:
    """Return where somebody stands who is at a zone: its middle, or a point of it in a bent one."""
    ring = shapely.Polygon(zone.ring)
    middle = ring.centroid if ring.contains(ring.centroid) else ring.representative_point()
    return Place(floor=zone.floor, x_m=Metre(middle.x), y_m=Metre(middle.y))


def _places(floor: int, corners: list[list[float]]) -> tuple[Place, ...]:
    """Return the corners as nouns, without those that stand twice."""
    places = [Place(floor=floor, x_m=Metre(x), y_m=Metre(y)) for x, y in corners]
    kept = [a for a, b in pairwise(places) if metres_between(a, b) > SAME_M]
    return (*kept, places[-1]) if kept else (places[0], places[-1])
