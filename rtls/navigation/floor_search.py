"""Find the quickest way over the floors of a site: which stairs or lift to take, if any.

Layer: rules. Takes: ends of a way and stops of connectors, and a function that walks from one to
another on a floor. Gives: the legs and rides to rtls.navigation.route_finder.

Dijkstra over ends and stops, by seconds. A stop is two nodes, one for who walks to it and one for
who gets off there, so that walks and rides alternate. A walk costs a millisecond to find, so each
is guessed first, by the straight line, which no walk is shorter than; it is found only once no
other way is quicker than the guess. So the answer is exact, and most walks are never looked for.
"""

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

from rtls.model.connector import Connector
from rtls.model.place import Place
from rtls.model.route import WALKING_M_PER_S, Ride
from rtls.navigation.walking_ground import RouteEnd, metres_between

Line = tuple[Place, ...]
Walk = Callable[[RouteEnd, RouteEnd], Line | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Where people get on and off on one floor."""

    connector: Connector
    end: RouteEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundWay:
    """The legs on the floors, the rides between them, and which target they lead to."""

    legs: tuple[Line, ...]
    rides: tuple[Ride, ...]
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edge:
    """A step between two ends by their numbers; neither line nor ride: a walk to be found."""

    before: int
    after: int
    line: Line | None = None
    ride: Ride | None = None


def quickest_way(
    start: RouteEnd, targets: Sequence[RouteEnd], stops: Sequence[Stop], walk: Walk
) -> FoundWay | None:
    """Return the quickest way from a start to any of some targets; None where there is none.

    Parameters
    ----------
    start, targets
        On any floors.
    stops
        Of the connectors that may be taken.
    walk
        Finds the walk between two ends of one floor; None where there is none.
    """
    ends = [start, *(stop.end for stop in stops), *(stop.end for stop in stops), *targets]
    first_target = 1 + 2 * len(stops)
    reached: dict[int, _Edge] = {}
    serial = count()  # of equals, the one that was thought of first
    heap: list[tuple[float, int, _Edge]] = [(0.0, next(serial), _Edge(before=0, after=0, line=()))]
    while heap:
        cost_s, _, edge = heapq.heappop(heap)
        if edge.after in reached:
            continue
        if edge.line is None and edge.ride is None:
            line = walk(ends[edge.before], ends[edge.after])
            if line is not None:
                guess_s = _straight_s(ends[edge.before], ends[edge.after])
                found = _Edge(before=edge.before, after=edge.after, line=line)
                whole_s = cost_s - guess_s + line_m(line) / WALKING_M_PER_S
                heapq.heappush(heap, (whole_s, next(serial), found))
            continue
        reached[edge.after] = edge
        if edge.after >= first_target:
            return _way_back(reached, edge.after, first_target)
        for more_s, onward in _onward(edge.after, ends, stops):
            if onward.after not in reached:
                heapq.heappush(heap, (cost_s + more_s, next(serial), onward))
    return None


def line_m(line: Line) -> float:
    """Return the length of a line on one floor."""
    return math.fsum(metres_between(a, b) for a, b in pairwise(line))


def _onward(
    here: int, ends: Sequence[RouteEnd], stops: Sequence[Stop]
) -> Iterator[tuple[float, _Edge]]:
    """Yield what can follow, with its seconds or a guess of them.

    Nodes are the start, the stops as walked to, the stops as got off at, and the targets.
    """
    floor = ends[here].place.floor
    if 1 <= here <= len(stops):
        connector = stops[here - 1].connector
        for number, stop in enumerate(stops, start=1 + len(stops)):
            to_floor = stop.end.place.floor
            if stop.connector is connector and connector.leads(floor, to_floor):
                ride = Ride(connector=connector, from_floor=floor, to_floor=to_floor)
                yield ride.takes_s, _Edge(before=here, after=number, ride=ride)
        return
    walkable = (*range(1, 1 + len(stops)), *range(1 + 2 * len(stops), len(ends)))
    for there in walkable:
        # One ride leads to all floors of a connector: who has got off needs not get on again.
        if ends[there].place.floor == floor and there != here - len(stops):
            yield _straight_s(ends[here], ends[there]), _Edge(before=here, after=there)


def _straight_s(one: RouteEnd, other: RouteEnd) -> float:
    return metres_between(one.place, other.place) / WALKING_M_PER_S


def _way_back(reached: dict[int, _Edge], last: int, first_target: int) -> FoundWay:
    edges: list[_Edge] = []
    here = last
    while here != 0:
        edges.append(reached[here])
        here = reached[here].before
    edges.reverse()
    return FoundWay(
        legs=tuple(edge.line for edge in edges if edge.line is not None),
        rides=tuple(edge.ride for edge in edges if edge.ride is not None),
        target=last - first_target,
    )
