"""Say how somebody walks from one place of a site to another, step by step.

Layer: nouns. Takes: what rtls.navigation found. Gives: `Route` and its `RouteStep`s to the side of
the shopper, which puts them into words; nothing here is a text of any language.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from rtls.model.connector import Connector
from rtls.model.errors import InvalidGeometry
from rtls.model.place import Place
from rtls.model.units import Metre, Second, ZoneId

WALKING_M_PER_S: Final = 1.1
"""What people walk in shops: slower than the 1.4 m/s of a pavement."""


class Instruction(StrEnum):
    """What a shopper does in one step."""

    GO = "go"
    """walk straight on; always the first step of a route that leads anywhere"""
    BEAR_LEFT = "bear_left"
    BEAR_RIGHT = "bear_right"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    TURN_ROUND = "turn_round"
    TAKE_STAIRS = "take_stairs"
    """to the floor that `RouteStep.ride` names; so below"""
    TAKE_ESCALATOR = "take_escalator"
    TAKE_LIFT = "take_lift"
    ARRIVE_AHEAD = "arrive_ahead"
    ARRIVE_LEFT = "arrive_left"
    """the shelf is on the left hand"""
    ARRIVE_RIGHT = "arrive_right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ride:
    """A change of floors by one connector."""

    connector: Connector
    from_floor: int
    to_floor: int

    def __post_init__(self) -> None:
        floors = {stop.floor for stop in self.connector.stops}
        is_stop = {self.from_floor, self.to_floor} <= floors
        if not is_stop or not self.connector.leads(self.from_floor, self.to_floor):
            raise InvalidGeometry(
                f"a ride from floor {self.from_floor} to {self.to_floor} by connector "
                f"{self.connector.connector}; expected floors that it stops on, in the direction "
                "that it runs."
            )

    @property
    def takes_s(self) -> Second:
        """Return how long it takes, with the wait."""
        return self.connector.ride_s(self.from_floor, self.to_floor)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteStep:
    """One thing to do, and how far one then walks.

    Parameters
    ----------
    at
        Where it is done.
    length_m
        How far to walk straight on after it; 0 where one has arrived.
    along
        The finest zone that most of the way leads through, an aisle before a shelf; None where it
        leads through none.
    ride
        The change of floors, where the step is one.
    """

    instruction: Instruction
    at: Place
    length_m: Metre
    along: ZoneId | None = None
    ride: Ride | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.length_m < math.inf:
            raise InvalidGeometry(f"length_m of a step is {self.length_m}; expected 0 or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way: its corners, its changes of floor, its length and its steps.

    Parameters
    ----------
    line
        Corners from the start to the target, two or more. Where two of them that follow each
        other are on different floors, a ride lies between them.
    rides
        The changes of floor, in the order of the line.
    start_moved_m, target_moved_m
        How far the ends lie from what was asked for, since nobody can stand there.
    zone
        The zone that was asked for; None where it was a point.
    """

    line: tuple[Place, ...]
    steps: tuple[RouteStep, ...]
    start_moved_m: Metre
    target_moved_m: Metre
    zone: ZoneId | None = None
    rides: tuple[Ride, ...] = ()

    def __post_init__(self) -> None:
        changes = [(a.floor, b.floor) for a, b in pairwise(self.line) if a.floor != b.floor]
        ridden = [(ride.from_floor, ride.to_floor) for ride in self.rides]
        if len(self.line) < 2 or changes != ridden:
            raise InvalidGeometry(
                f"the line of a route has {len(self.line)} corners and changes floors by "
                f"{changes}, its rides by {ridden}; expected two corners or more, and a ride for "
                "each change."
            )

    @property
    def length_m(self) -> Metre:
        """Return how far one walks; rides do not count."""
        return Metre(
            math.fsum(
                math.dist((a.x_m, a.y_m), (b.x_m, b.y_m))
                for a, b in pairwise(self.line)
                if a.floor == b.floor
            )
        )

    @property
    def walking_s(self) -> Second:
        """Return how long one walks at the pace of a shop, without any stop."""
        return Second(self.length_m / WALKING_M_PER_S)

    @property
    def takes_s(self) -> Second:
        """Return how long all of it takes, with stairs, lifts and the wait for them."""
        return Second(self.walking_s + math.fsum(ride.takes_s for ride in self.rides))
