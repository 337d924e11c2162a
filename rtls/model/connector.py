"""Say where people change floors: stairs, escalators, lifts.

Layer: nouns. Takes: what a map file says. Gives: `Connector` to `SiteMap`, and how long a change
takes to rtls.navigation.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from rtls.model.errors import InvalidSiteMap
from rtls.model.place import Place
from rtls.model.units import Second

STOPS_MAX: Final = 50


class ConnectorKind(StrEnum):
    """What takes people to another floor."""

    STAIRS = "stairs"
    ESCALATOR = "escalator"
    LIFT = "lift"


class ConnectorDirection(StrEnum):
    """Which way people can take it; only an escalator knows more than both."""

    BOTH = "both"
    UP = "up"
    DOWN = "down"


WAIT_S: Final = {
    ConnectorKind.STAIRS: Second(0.0),
    ConnectorKind.ESCALATOR: Second(0.0),
    ConnectorKind.LIFT: Second(30.0),
}
"""before it comes, on the average"""
FLOOR_S: Final = {
    ConnectorKind.STAIRS: Second(20.0),
    ConnectorKind.ESCALATOR: Second(20.0),
    ConnectorKind.LIFT: Second(6.0),
}
"""from a floor to the next: five metres of height, at 0.25 m/s on stairs and 0.9 m/s in a lift"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One stairwell, escalator or lift, with the place on each floor where people get on and off.

    Parameters
    ----------
    stops
        From the lowest floor to the highest, one a floor.
    """

    connector: str
    name: str
    kind: ConnectorKind
    stops: tuple[Place, ...]
    direction: ConnectorDirection = ConnectorDirection.BOTH

    def __post_init__(self) -> None:
        floors = [stop.floor for stop in self.stops]
        is_rising = all(below < above for below, above in pairwise(floors))
        if not 2 <= len(floors) <= STOPS_MAX or not is_rising:
            raise InvalidSiteMap(
                f"connector {self.connector}: it stops on floors {floors}; expected 2 to "
                f"{STOPS_MAX}, from the lowest to the highest, each once. Make two connectors of "
                "one that has two places on a floor."
            )
        if (
            self.direction is not ConnectorDirection.BOTH
            and self.kind is not ConnectorKind.ESCALATOR
        ):
            raise InvalidSiteMap(
                f"connector {self.connector}: direction is {self.direction} and kind {self.kind}; "
                "expected both, since only an escalator runs one way. Leave direction out."
            )

    @property
    def is_step_free(self) -> bool:
        """Return whether somebody takes it with a trolley or a wheelchair."""
        return self.kind is ConnectorKind.LIFT

    def leads(self, from_floor: int, to_floor: int) -> bool:
        """Return whether one can take it from a floor of its own to another."""
        match self.direction:
            case ConnectorDirection.BOTH:
                return from_floor != to_floor
            case ConnectorDirection.UP:
                return from_floor < to_floor
            case ConnectorDirection.DOWN:
                return from_floor > to_floor

    def ride_s(self, from_floor: int, to_floor: int) -> Second:
        """Return how long the change takes, with the wait for it.

        Examples
        --------
        >>> from rtls.model.units import Metre
        >>> stops = tuple(Place(floor=n, x_m=Metre(0.0), y_m=Metre(0.0)) for n in (0, 1, 2))
        >>> lift = Connector(connector="l", name="L", kind=ConnectorKind.LIFT, stops=stops)
        >>> lift.ride_s(0, 2)
        42.0
        """
        return Second(WAIT_S[self.kind] + FLOOR_S[self.kind] * abs(to_floor - from_floor))
