"""Routes: never through a wall, never much longer than need be, and the same both ways."""

import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rtls.model.errors import NoRoute
from rtls.model.route import Place, Route
from rtls.model.site_map import Fixture, Floor, SiteMap, Wall
from rtls.model.units import Metre, SiteId
from rtls.navigation.route_finder import RouteFinder
from tests.property.machine_size import IS_NIGHT
from tests.reference.walking_route import blocked_by, shortest_walk_m

WIDTH_M, HEIGHT_M = 14, 12
CORNER_M = 0.05
"""what the grid itself lets a step graze"""
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


@st.composite
def shops(draw: st.DrawFn) -> SiteMap:
    """A shop with some shelves and inner walls, on whole metres so that aisles are a metre wide."""
    fixtures = tuple(
        Fixture(
            fixture=f"f{k}",
            floor=0,
            ring=((x, y), (x + width, y), (x + width, y + height), (x, y + height)),
        )
        for k, (x, y, width, height) in enumerate(draw(st.lists(boxes, max_size=6)))
    )
    inner = tuple(
        Wall(
            floor=0,
            line=((x, y), (min(x + length, WIDTH_M), y) if level else (x, min(y + length, 12))),
        )
        for x, y, level, length in draw(st.lists(walls, max_size=3))
    )
    return SiteMap(
        site=SiteId("shop"),
        name="Shop",
        floors=(Floor(floor=0, name="0", width_m=Metre(WIDTH_M), height_m=Metre(HEIGHT_M)),),
        zones=(),
        anchors=(),
        walls=(Wall(floor=0, line=OUTER), *inner),
        fixtures=fixtures,
    )


few = settings(
    max_examples=1_000 if IS_NIGHT else 8, deadline=None, suppress_health_check=list(HealthCheck)
)


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
    shortest_m = shortest_walk_m(shop, route.line[0], route.line[-1])
    assert route.length_m <= FACTOR_MAX * shortest_m + EXTRA_M_MAX
    # The grid may graze a corner, which saves some centimetres at each.
    assert route.length_m >= shortest_m - 8 * CORNER_M


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


def _route(shop: SiteMap, start: Place, to: Place) -> Route:
    try:
        return RouteFinder.of_map(shop).to_place(start, to)
    except NoRoute:
        assume(False)
        raise
