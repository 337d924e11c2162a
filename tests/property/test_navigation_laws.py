"""Routes: never through a wall, never longer than need be, over all floors, the same both ways."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
import shapely
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from rtls.model.connector import Connector, ConnectorDirection, ConnectorKind
from rtls.model.errors import NoRoute
from rtls.model.place import Place
from rtls.model.route import Route
from rtls.model.site_map import Fixture, Floor, SiteMap, Wall
from rtls.model.units import Metre, SiteId
from rtls.navigation.route_finder import RouteFinder
from tests.property.machine_size import IS_NIGHT
from tests.reference.walking_route import blocked_by, quickest_s, shortest_walk_m

WIDTH_M, HEIGHT_M = 14, 12
CORNER_M = 0.05
"""what the grid itself lets a step graze"""
NEAR_WALL_M = 1e-3
"""the twin keeps a tenth of a millimetre from the ends of walls"""
FACTOR_MAX = 1.05
EXTRA_M_MAX = 0.5
OUTER = ((0.0, 0.0), (WIDTH_M, 0.0), (WIDTH_M, HEIGHT_M), (0.0, HEIGHT_M), (0.0, 0.0))
places = st.builds(
    lambda x, y: Place(floor=0, x_m=Metre(x), y_m=Metre(y)),
    st.floats(0.5, WIDTH_M - 0.5),
    st.floats(0.5, HEIGHT_M - 0.5),
)
boxes = st.tuples(
    st.integers(1, WIDTH_M - 5), st.integers(1, HEIGHT_M - 4), st.integers(1, 4), st.integers(1, 3)
)
walls = st.tuples(
    st.integers(1, WIDTH_M - 1), st.integers(1, HEIGHT_M - 1), st.booleans(), st.integers(1, 6)
)


Plan = tuple[tuple[Fixture, ...], tuple[Wall, ...]]


@st.composite
def shops(draw: st.DrawFn) -> SiteMap:
    """A shop with some shelves and inner walls, on whole metres so that aisles are a metre wide."""
    return shop_of(draw(plans(0)))


@st.composite
def towers(draw: st.DrawFn) -> SiteMap:
    """Two or three such floors, and some stairs, escalators and lifts between them."""
    floors = range(draw(st.integers(2, 3)))
    return shop_of(
        *(draw(plans(floor)) for floor in floors),
        connectors=[draw(connectors(n, list(floors))) for n in range(draw(st.integers(1, 3)))],
    )


@st.composite
def connectors(draw: st.DrawFn, number: int, floors: list[int]) -> Connector:
    """One that stops on two floors or more, somewhere else on each."""
    kind = draw(st.sampled_from(ConnectorKind))
    is_one_way = kind is ConnectorKind.ESCALATOR
    stops = draw(st.lists(st.sampled_from(floors), min_size=2, unique=True))
    return Connector(
        connector=f"c{number}",
        name=f"c{number}",
        kind=kind,
        stops=tuple(replace(draw(places), floor=floor) for floor in sorted(stops)),
        direction=draw(st.sampled_from(ConnectorDirection))
        if is_one_way
        else ConnectorDirection.BOTH,
    )


def shop_of(*plans: Plan, connectors: Sequence[Connector] = ()) -> SiteMap:
    return SiteMap(
        site=SiteId("shop"),
        name="Shop",
        floors=tuple(
            Floor(floor=n, name=str(n), width_m=Metre(WIDTH_M), height_m=Metre(HEIGHT_M))
            for n in range(len(plans))
        ),
        zones=(),
        anchors=(),
        walls=tuple(wall for _, found in plans for wall in found),
        fixtures=tuple(fixture for found, _ in plans for fixture in found),
        connectors=tuple(connectors),
    )


@st.composite
def plans(draw: st.DrawFn, floor: int) -> Plan:
    """The shelves and walls of one floor."""
    fixtures = tuple(
        Fixture(
            fixture=f"f{floor}-{k}",
            floor=floor,
            ring=((x, y), (x + width, y), (x + width, y + height), (x, y + height)),
        )
        for k, (x, y, width, height) in enumerate(draw(st.lists(boxes, max_size=6)))
    )
    inner = tuple(
        Wall(
            floor=floor,
            line=((x, y), (min(x + length, WIDTH_M), y) if level else (x, min(y + length, 12))),
        )
        for x, y, level, length in draw(st.lists(walls, max_size=3))
    )
    return fixtures, (Wall(floor=floor, line=OUTER), *inner)


few = settings(
    max_examples=1_000 if IS_NIGHT else 6,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking builds grids for minutes
)

fewer = settings(few, max_examples=400 if IS_NIGHT else 4)


@few
@given(shops(), places, places)
def test_a_route_crosses_no_wall_and_no_furniture(shop: SiteMap, start: Place, to: Place) -> None:
    """An app that sends people through a shelf is not asked twice."""
    route = _route(shop, start, to)
    line = shapely.LineString([(place.x_m, place.y_m) for place in route.line])
    assert not blocked_by(shop, 0, graze_m=CORNER_M).intersects(line)


@few
@given(shops(), places, places)
def test_a_route_is_hardly_longer_than_the_shortest(shop: SiteMap, start: Place, to: Place) -> None:
    """Detours are what a shopper who knows the shop sees at once."""
    route = _route(shop, start, to)
    ends = route.line[0], route.line[-1]
    assert route.length_m <= FACTOR_MAX * shortest_walk_m(shop, *ends) + EXTRA_M_MAX
    # The grid may graze corners, and slip between two that touch, but no more than that.
    assert route.length_m >= shortest_walk_m(shop, *ends, graze_m=CORNER_M) - NEAR_WALL_M


@few
@given(shops(), places, places)
def test_there_and_back_are_equally_long(shop: SiteMap, start: Place, to: Place) -> None:
    """Else the nearest shelf would depend on who asks from which end."""
    there, back = _route(shop, start, to), _route(shop, to, start)
    assert there.length_m == pytest.approx(back.length_m, abs=1e-9)


@few
@given(shops(), places, places)
def test_the_steps_are_as_long_as_the_line(shop: SiteMap, start: Place, to: Place) -> None:
    """Who adds up what he is told gets what he is told in all."""
    route = _route(shop, start, to)
    assert sum(step.length_m for step in route.steps) == pytest.approx(route.length_m)


@fewer
@given(towers(), places, places, st.data())
def test_a_way_over_floors_is_the_quickest(
    tower: SiteMap, start: Place, to: Place, data: st.DataObject
) -> None:
    """Every order of stairs and lifts is tried, each walk found on its floor alone."""
    to = replace(to, floor=data.draw(st.sampled_from([floor.floor for floor in tower.floors])))
    is_step_free = data.draw(st.booleans())
    finder = finder_of(tower)
    on_floors = RouteFinder.of_map(replace(tower, connectors=()))

    def walk_m(one: Place, other: Place) -> float:
        try:
            return on_floors.to_place(one, other).length_m
        except NoRoute:
            return math.inf

    usable = [one for one in tower.connectors if one.is_step_free or not is_step_free]
    quickest = quickest_s(start, to, usable, walk_m)
    try:
        route = finder.to_place(start, to, is_step_free=is_step_free)
    except NoRoute:
        assert quickest == math.inf
        return
    assert route.takes_s == pytest.approx(quickest)
    assert all(ride.connector in usable for ride in route.rides)


@fewer
@given(towers(), places, places)
def test_a_way_over_floors_crosses_nothing_on_any_of_them(
    tower: SiteMap, start: Place, to: Place
) -> None:
    """What is walked upstairs is held against the walls upstairs."""
    route = _route(tower, start, replace(to, floor=1))
    for one, other in pairwise(route.line):
        if one.floor == other.floor:
            line = shapely.LineString([(one.x_m, one.y_m), (other.x_m, other.y_m)])
            assert not blocked_by(tower, one.floor, graze_m=CORNER_M).intersects(line)
    assert route.line[-1].floor == 1


@fewer
@given(towers(), places, places)
def test_there_and_back_over_floors_take_as_long(tower: SiteMap, start: Place, to: Place) -> None:
    """Where no escalator runs one way only."""
    both = [replace(one, direction=ConnectorDirection.BOTH) for one in tower.connectors]
    tower, to = replace(tower, connectors=tuple(both)), replace(to, floor=1)
    there, back = _route(tower, start, to), _route(tower, to, start)
    assert there.takes_s == pytest.approx(back.takes_s, abs=1e-9)


@fewer
@given(towers(), places, places)
def test_the_steps_over_floors_are_all_that_is_walked_and_ridden(
    tower: SiteMap, start: Place, to: Place
) -> None:
    """A ride that is not told leaves somebody before a wall."""
    route = _route(tower, start, replace(to, floor=1))
    assert sum(step.length_m for step in route.steps) == pytest.approx(route.length_m)
    assert [step.ride for step in route.steps if step.ride is not None] == list(route.rides)


def finder_of(shop: SiteMap) -> RouteFinder:
    try:
        return RouteFinder.of_map(shop)
    except NoRoute:  # a stop in the middle of furniture
        assume(False)
        raise


def _route(shop: SiteMap, start: Place, to: Place) -> Route:
    try:
        return finder_of(shop).to_place(start, to)
    except NoRoute:
        assume(False)
        raise
