"""Find the way from a place to another, or to the nearest of some zones.

Layer: rules. Takes: `SiteMap` and the `WalkGrid` of positioning. Gives: `Route` to the routes of
shoppers. A* over the grid finds on which side of the shelves to walk, pulling the way taut makes
of its steps a line, and `RouteStep`s say it. Over several floors the connectors of the map are
taken, where that is the quickest or the only way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, zip_longest
from typing import Final

import numpy as np
import shapely

from rtls.model.errors import NoRoute
from rtls.model.place import Place
from rtls.model.route import Route, RouteStep
from rtls.model.site_map import SiteMap, Zone
from rtls.model.units import Metre, ZoneId
from rtls.navigation.floor_search import FoundWay, Line, Stop, line_m, quickest_way
from rtls.navigation.kernels.pull import pulled
from rtls.navigation.kernels.shortest import shortest_way
from rtls.navigation.kernels.sight import is_clear
from rtls.navigation.route_steps import Landmarks, ride_step, steps_of
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
_Target = tuple[Place, RouteEnd, Zone | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFinder:
    """Everything of a site that routes need; built once a map, immutable, safe to share."""

    site_map: SiteMap
    grid: WalkGrid
    grounds: dict[int, WalkingGround]
    landmarks: Landmarks
    stops: tuple[Stop, ...]

    @classmethod
    def of_map(cls, site_map: SiteMap, *, grid: WalkGrid | None = None) -> "RouteFinder":
        """Prepare the routes of a site.

        Parameters
        ----------
        site_map
            The plan.
        grid
            The grid that the map filter moves over; None lays it anew.

        Raises `NoRoute` if nobody could walk to a stop of a connector.
        """
        grid = WalkGrid.of_plan(site_map) if grid is None else grid
        grounds = walking_grounds(site_map, grid)
        return cls(
            site_map=site_map,
            grid=grid,
            grounds=grounds,
            landmarks=Landmarks.of_map(site_map),
            stops=tuple(_stops(site_map, grounds)),
        )

    def to_place(self, start: Place, target: Place, *, is_step_free: bool = False) -> Route:
        """Return the way from a place to another.

        Raises `NoRoute` if nothing to walk on is near one of them, or nobody can walk from one to
        the other. With ``is_step_free`` floors are changed by lifts only.
        """
        end = self._ground_of(target.floor).end_at(target)
        return self._quickest(start, [(target, end, None)], is_step_free=is_step_free)

    def to_nearest_zone(
        self, start: Place, zones: Sequence[ZoneId], *, is_step_free: bool = False
    ) -> Route:
        """Return the way to that of some zones which is the quickest to get to.

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
        targets: list[_Target] = []
        refused: list[str] = []
        for zone in known:
            place = standing_place(zone)
            try:
                targets.append((place, self._ground_of(zone.floor).end_at(place), zone))
            except NoRoute as error:
                refused.append(str(error))
        if not targets:
            raise NoRoute("; ".join(refused))
        return self._quickest(start, targets, is_step_free=is_step_free)

    def _quickest(self, start: Place, targets: Sequence[_Target], *, is_step_free: bool) -> Route:
        begin = self._ground_of(start.floor).end_at(start)
        stops = [stop for stop in self.stops if stop.connector.is_step_free or not is_step_free]
        found = quickest_way(begin, [end for _, end, _ in targets], stops, self._walk)
        if found is None:
            raise self._refusal(begin, [end for _, end, _ in targets], is_step_free=is_step_free)
        place, end, zone = targets[found.target]
        return Route(
            line=tuple(chain.from_iterable(found.legs)),
            steps=self._steps(found, place),
            start_moved_m=begin.moved_m,
            target_moved_m=end.moved_m,
            zone=None if zone is None else zone.zone,
            rides=found.rides,
        )

    def _steps(self, found: FoundWay, target: Place) -> tuple[RouteStep, ...]:
        steps: list[RouteStep] = []
        for leg, ride in zip_longest(found.legs, found.rides):
            goal = target if ride is None else leg[-1]
            walked = steps_of(leg, self.landmarks, target=goal)
            if ride is None:
                steps += walked
            else:
                # Who stands at the lift needs not be told to walk there.
                steps += walked[:-1] if line_m(leg) > SAME_M else ()
                steps.append(ride_step(ride, leg[-1]))
        return tuple(steps)

    def _refusal(self, begin: RouteEnd, ends: Sequence[RouteEnd], *, is_step_free: bool) -> NoRoute:
        here, there = begin.place, ends[0].place
        floors = sorted({end.place.floor for end in ends})
        joined = "lifts" if is_step_free else "stairs, escalators and lifts"
        across = (
            ""
            if floors == [here.floor]
            else f" The floors {sorted({here.floor, *floors})} have to be joined by {joined} of "
            "the map (connectors)."
        )
        return NoRoute(
            f"nobody can walk from ({here.x_m:.2f}, {here.y_m:.2f}) on floor {here.floor} to "
            f"({there.x_m:.2f}, {there.y_m:.2f}) on floor {there.floor}; expected ground that "
            f"hangs together. Check the walls of the map for a missing door.{across}"
        )

    def _ground_of(self, floor: int) -> WalkingGround:
        if floor not in self.grounds:
            raise NoRoute(
                f"floor is {floor}; expected of {sorted(self.grounds)}, the floors of "
                f"{self.site_map.site} that somebody can walk on."
            )
        return self.grounds[floor]

    def _walk(self, begin: RouteEnd, end: RouteEnd) -> Line | None:
        if not is_before(begin.place, end.place):
            back = self._walk(end, begin)
            return None if back is None else back[::-1]
        first, last = begin.place, end.place
        ground = self.grounds[first.floor]
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
            return None
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


def _stops(site_map: SiteMap, grounds: Mapping[int, WalkingGround]) -> Iterator[Stop]:
    """Yield where people get on and off.

    Raises
    ------
    NoRoute
        If a stop is not near any ground to walk on.
    """
    for connector in site_map.connectors:
        for place in connector.stops:
            if place.floor not in grounds:
                raise NoRoute(
                    f"connector {connector.connector} stops on floor {place.floor}, which has no "
                    "ground to walk on; expected some. Draw the floor, or leave the stop out."
                )
            try:
                yield Stop(connector=connector, end=grounds[place.floor].end_at(place))
            except NoRoute as error:
                raise NoRoute(f"connector {connector.connector}: {error}") from error


def _places(floor: int, corners: list[list[float]]) -> tuple[Place, ...]:
    """Return the corners as nouns, without those that stand twice."""
    places = [Place(floor=floor, x_m=Metre(x), y_m=Metre(y)) for x, y in corners]
    kept = [a for a, b in pairwise(places) if metres_between(a, b) > SAME_M]
    return (*kept, places[-1]) if kept else (places[0], places[-1])
