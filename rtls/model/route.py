"""Say how somebody walks from one place of a floor to another, step by step.

Layer: nouns. Takes: what rtls.navigation found. Gives: `Route` and its `RouteStep`s to the side of
the shopper, which puts them into words; nothing here is a text of any language.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rtls.model.errors import InvalidGeometry
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
    ARRIVE_AHEAD = "arrive_ahead"
    ARRIVE_LEFT = "arrive_left"
    """the shelf is on the left hand"""
    ARRIVE_RIGHT = "arrive_right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point of one floor, in its frame."""

    floor: int
    x_m: Metre
    y_m: Metre

    def __post_init__(self) -> None:
        if not (math.isfinite(self.x_m) and math.isfinite(self.y_m)):
            raise InvalidGeometry(
                f"place is ({self.x_m}, {self.y_m}); expected finite metres of a floor's frame."
            )


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
    """

    instruction: Instruction
    at: Place
    length_m: Metre
    along: ZoneId | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.length_m < math.inf:
            raise InvalidGeometry(f"length_m of a step is {self.length_m}; expected 0 or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way on one floor: its corners, its length and its steps.

    Parameters
    ----------
    line
        Corners from the start to the target, two or more.
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

    def __post_init__(self) -> None:
        if len(self.line) < 2 or len({place.floor for place in self.line}) != 1:
            raise InvalidGeometry(
                f"the line of a route has {len(self.line)} corners; expected two or more, all of "
                "one floor."
            )

    @property
    def length_m(self) -> Metre:
        """Return how long the line is."""
        return Metre(
            math.fsum(
                math.dist((a.x_m, a.y_m), (b.x_m, b.y_m))
                for a, b in zip(self.line, self.line[1:], strict=False)
            )
        )

    @property
    def walking_s(self) -> Second:
        """Return how long a walk at the pace of a shop takes, without any stop."""
        return Second(self.length_m / WALKING_M_PER_S)
