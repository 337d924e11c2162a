"""Say a line as steps: how far along which aisle, which way to turn, on which hand the shelf is.

Layer: rules. Takes: the corners of a route, and the zones and furniture of a `SiteMap`.
Gives: `RouteStep`s to rtls.navigation.route_finder. Bends that nobody would mention are left out.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, assert_never

import numpy as np
import shapely
import shapely.ops

from rtls.model.connector import ConnectorKind
from rtls.model.place import Place
from rtls.model.route import Instruction, Ride, RouteStep
from rtls.model.site_map import SiteMap, Zone, ZoneKind
from rtls.model.units import Metre, ZoneId

BEND_M: Final = 0.75
"""A bend that leaves the straight line by less is not said."""
STRAIGHT_DEG: Final = 25.0
BEAR_DEG: Final = 60.0
ROUND_DEG: Final = 150.0
SHELF_M_MAX: Final = 2.5
"""Furniture that is farther from where one arrives is not what one came for."""
SAMPLE_M: Final = 0.5
ALONG: Final = (ZoneKind.AISLE, ZoneKind.CATEGORY, ZoneKind.DEPARTMENT)
"""What a way is said to lead along, the first kind that most of it is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """The zones and furniture of a site that steps speak of, ready to be asked."""

    zones: tuple[Zone, ...]
    zone_tree: shapely.STRtree
    fixture_floor: tuple[int, ...]
    fixture_tree: shapely.STRtree

    @classmethod
    def of_map(cls, site_map: SiteMap) -> "Landmarks":
        """Collect them of a plan."""
        zones = tuple(zone for zone in site_map.zones if zone.kind in ALONG)
        return cls(
            zones=zones,
            zone_tree=shapely.STRtree([shapely.Polygon(zone.ring) for zone in zones]),
            fixture_floor=tuple(fixture.floor for fixture in site_map.fixtures),
            fixture_tree=shapely.STRtree([shapely.Polygon(f.ring) for f in site_map.fixtures]),
        )

    def along(self, one: Place, other: Place) -> ZoneId | None:
        """Return the zone that most of a straight way leads through."""
        length = math.dist((one.x_m, one.y_m), (other.x_m, other.y_m))
        count = max(3, math.ceil(length / SAMPLE_M))
        part = (np.arange(count) + 0.5) / count
        x = one.x_m + part * (other.x_m - one.x_m)
        y = one.y_m + part * (other.y_m - one.y_m)
        _, hit = self.zone_tree.query(shapely.points(x, y), predicate="intersects")
        hits: Counter[int] = Counter(hit.tolist())
        for kind in ALONG:
            inside = [
                (n, -index)
                for index, n in hits.items()
                if self.zones[index].kind is kind and self.zones[index].floor == one.floor
            ]
            if inside and 2 * max(inside)[0] > count:
                return self.zones[-max(inside)[1]].zone
        return None

    def shelf_near(self, place: Place) -> tuple[float, float] | None:
        """Return the nearest point of furniture within `SHELF_M_MAX`."""
        here = shapely.Point(place.x_m, place.y_m)
        near = self.fixture_tree.query(here, predicate="dwithin", distance=SHELF_M_MAX)
        found = [
            self.fixture_tree.geometries[index]
            for index in near.tolist()
            if self.fixture_floor[index] == place.floor
        ]
        if not found:
            return None
        point = shapely.ops.nearest_points(min(found, key=here.distance), here)[0]
        return point.x, point.y


def steps_of(
    line: Sequence[Place], landmarks: Landmarks, *, target: Place
) -> tuple[RouteStep, ...]:
    """Return what to do from the first corner of a line to its last.

    Parameters
    ----------
    line
        Two corners or more.
    landmarks
        What steps speak of.
    target
        Where the thing is that one goes to; inside a shelf this is not where one stands.
    """
    kept = _said_corners(line)
    steps: list[RouteStep] = []
    for first, last in pairwise(kept):
        here, there = line[first], line[last]
        before = None if not steps else line[kept[len(steps) - 1]]
        steps.append(
            RouteStep(
                instruction=Instruction.GO if before is None else _turn(before, here, there),
                at=here,
                length_m=_walked(line[first : last + 1]),
                along=landmarks.along(here, there),
            )
        )
    arrival = _arrival(line[kept[-2]], line[-1], landmarks, target)
    return (*steps, RouteStep(instruction=arrival, at=line[-1], length_m=Metre(0.0)))


def ride_step(ride: Ride, at: Place) -> RouteStep:
    """Return the step of changing floors at a place."""
    match ride.connector.kind:
        case ConnectorKind.STAIRS:
            instruction = Instruction.TAKE_STAIRS
        case ConnectorKind.ESCALATOR:
            instruction = Instruction.TAKE_ESCALATOR
        case ConnectorKind.LIFT:
            instruction = Instruction.TAKE_LIFT
        case _:
            assert_never(ride.connector.kind)
    return RouteStep(instruction=instruction, at=at, length_m=Metre(0.0), ride=ride)


def _said_corners(line: Sequence[Place]) -> list[int]:
    """Return which corners are turns worth a word, with both ends."""
    corners = [(place.x_m, place.y_m) for place in line]
    simple = shapely.LineString(corners).simplify(BEND_M, preserve_topology=False)
    staying = set(simple.coords)
    kept = [0, *(k for k in range(1, len(line) - 1) if corners[k] in staying), len(line) - 1]
    said = [0]
    for place in range(1, len(kept) - 1):
        a, b, c = line[said[-1]], line[kept[place]], line[kept[place + 1]]
        if abs(_turn_deg(a, b, c)) >= STRAIGHT_DEG:
            said.append(kept[place])
    return [*said, len(line) - 1]


def _turn_deg(a: Place, b: Place, c: Place) -> float:
    """Return by how much the way bends at ``b``, to the left above 0.

    Examples
    --------
    >>> def at(x, y):
    ...     return Place(floor=0, x_m=x, y_m=y)
    >>> _turn_deg(at(0.0, 0.0), at(1.0, 0.0), at(1.0, 1.0))
    90.0
    """
    ux, uy, vx, vy = b.x_m - a.x_m, b.y_m - a.y_m, c.x_m - b.x_m, c.y_m - b.y_m
    return math.degrees(math.atan2(ux * vy - uy * vx, ux * vx + uy * vy))


def _turn(a: Place, b: Place, c: Place) -> Instruction:
    bend = _turn_deg(a, b, c)
    if abs(bend) > ROUND_DEG:
        return Instruction.TURN_ROUND
    if abs(bend) > BEAR_DEG:
        return Instruction.TURN_LEFT if bend > 0.0 else Instruction.TURN_RIGHT
    return Instruction.BEAR_LEFT if bend > 0.0 else Instruction.BEAR_RIGHT


def _arrival(before: Place, end: Place, landmarks: Landmarks, target: Place) -> Instruction:
    shelf = landmarks.shelf_near(target)
    if shelf is None:
        return Instruction.ARRIVE_AHEAD
    point = Place(floor=end.floor, x_m=Metre(shelf[0]), y_m=Metre(shelf[1]))
    bend = _turn_deg(before, end, point)
    if abs(bend) < BEAR_DEG / 2.0 or abs(bend) > ROUND_DEG:
        return Instruction.ARRIVE_AHEAD
    return Instruction.ARRIVE_LEFT if bend > 0.0 else Instruction.ARRIVE_RIGHT


def _walked(line: Sequence[Place]) -> Metre:
    return Metre(math.fsum(math.dist((a.x_m, a.y_m), (b.x_m, b.y_m)) for a, b in pairwise(line)))
