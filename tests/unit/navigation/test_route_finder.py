"""RouteFinder: the walk to a shelf, and what is said when there is none."""

import pytest

from rtls.model.errors import NoRoute
from rtls.model.place import Place
from rtls.model.route import Instruction, Route
from rtls.model.site_map import Fixture, Floor, SiteMap, Wall, Zone, ZoneKind
from rtls.model.units import Metre, SiteId, ZoneId
from rtls.navigation.route_finder import RouteFinder

FLOOR = Floor(floor=0, name="0", width_m=Metre(20.0), height_m=Metre(12.0))
UPSTAIRS = Floor(floor=1, name="1", width_m=Metre(20.0), height_m=Metre(12.0))


def box(
    low_x: float, low_y: float, high_x: float, high_y: float
) -> tuple[tuple[float, float], ...]:
    return ((low_x, low_y), (high_x, low_y), (high_x, high_y), (low_x, high_y))


OUTER = Wall(floor=0, line=(*box(0, 0, 20, 12), (0.0, 0.0)))
SHELF = Fixture(fixture="shelf", floor=0, ring=box(5, 3, 6, 12))
ROOM = Wall(floor=0, line=(*box(15, 7, 19, 11), (15.0, 7.0)))
BEHIND = Zone(
    zone=ZoneId("screws"), name="Screws", kind=ZoneKind.SHELF, floor=0, ring=box(6.2, 8, 7.2, 10)
)
LOCKED = Zone(
    zone=ZoneId("locked"), name="Locked", kind=ZoneKind.SHELF, floor=0, ring=box(16, 8, 18, 10)
)
NAILS = Zone(
    zone=ZoneId("nails"), name="Nails", kind=ZoneKind.SHELF, floor=0, ring=box(6.2, 5, 7.2, 7)
)
PAINT = Zone(zone=ZoneId("paint"), name="Paint", kind=ZoneKind.SHELF, floor=0, ring=box(0, 1, 1, 2))
AISLE = Zone(zone=ZoneId("aisle-3"), name="3", kind=ZoneKind.AISLE, floor=0, ring=box(6, 2, 9, 12))


@pytest.fixture(scope="module")
def finder() -> RouteFinder:
    site = SiteMap(
        site=SiteId("shop"),
        name="Shop",
        floors=(FLOOR, UPSTAIRS),
        zones=(BEHIND, LOCKED, NAILS, PAINT, AISLE),
        anchors=(),
        walls=(OUTER, ROOM),
        fixtures=(SHELF,),
    )
    return RouteFinder.of_map(site)


def at(x: float, y: float, floor: int = 0) -> Place:
    return Place(floor=floor, x_m=Metre(x), y_m=Metre(y))


def corners(route: Route) -> list[tuple[float, float]]:
    return [(place.x_m, place.y_m) for place in route.line]


def test_the_way_leads_round_the_end_of_the_shelf(finder: RouteFinder) -> None:
    """From (2, 9) down to the shelf's foot at (5, 3), past (6, 3), up to the strip at (6.7, 9)."""
    route = finder.to_nearest_zone(at(2.0, 9.0), [ZoneId("screws")])
    taut_m = 45.0**0.5 + 1.0 + (0.7**2 + 36.0) ** 0.5
    assert taut_m - 0.1 <= route.length_m <= taut_m + 0.4
    assert route.zone == "screws"
    assert route.walking_s == pytest.approx(route.length_m / 1.1)


def test_the_steps_name_the_turns_the_aisle_and_the_hand(finder: RouteFinder) -> None:
    """Who walks up behind the shelf has it on the left, and has turned left to get there."""
    route = finder.to_nearest_zone(at(2.0, 9.0), [ZoneId("screws")])
    told = [step.instruction for step in route.steps]
    assert told[0] is Instruction.GO
    assert set(told[1:-1]) <= {Instruction.TURN_LEFT, Instruction.BEAR_LEFT}
    assert told[-1] is Instruction.ARRIVE_LEFT
    assert route.steps[-2].along == "aisle-3"


def test_what_one_sees_is_walked_to_straight(finder: RouteFinder) -> None:
    """The grid has eight directions; people have all of them."""
    route = finder.to_place(at(8.0, 1.0), at(12.3, 5.7))
    assert corners(route) == [(8.0, 1.0), (12.3, 5.7)]


def test_a_place_inside_the_shelf_is_moved_beside_it(finder: RouteFinder) -> None:
    """Fixes err by half a metre, so that some say that a shopper stands in the shelf."""
    route = finder.to_place(at(5.5, 8.0), at(12.0, 2.0))
    assert 0.0 < route.start_moved_m <= 1.5
    assert route.target_moved_m == 0.0


def test_a_room_without_a_door_is_told(finder: RouteFinder) -> None:
    """A wall drawn across a door is the usual fault of a plan."""
    with pytest.raises(NoRoute, match="missing door"):
        finder.to_nearest_zone(at(2.0, 9.0), [ZoneId("locked")])


def test_of_several_shelves_the_one_that_can_be_walked_to_is_taken(finder: RouteFinder) -> None:
    """A product in a closed store room also stands in the shop."""
    route = finder.to_nearest_zone(at(14.0, 9.0), [ZoneId("locked"), ZoneId("screws")])
    assert route.zone == "screws"


def test_of_two_shelves_the_shorter_walk_counts_not_the_shorter_line(finder: RouteFinder) -> None:
    """Nails are 2.2 m away behind the shelf, 7.1 m on foot; paint is 6.0 m away, and seen."""
    route = finder.to_nearest_zone(at(4.5, 6.0), [ZoneId("nails"), ZoneId("paint")])
    assert (route.zone, round(route.length_m, 1)) == ("paint", 6.0)


@pytest.mark.parametrize(
    ("target", "said"),
    [(at(60.0, 5.0), "from the nearest ground"), (at(2.0, 2.0, floor=1), "joined by stairs")],
)
def test_a_place_that_cannot_be_walked_to_is_told(
    finder: RouteFinder, target: Place, said: str
) -> None:
    """A route that ends somewhere else would send people astray."""
    with pytest.raises(NoRoute, match=said):
        finder.to_place(at(2.0, 2.0), target)


def test_an_unknown_floor_is_told(finder: RouteFinder) -> None:
    """The message names those that there are."""
    with pytest.raises(NoRoute, match=r"floor is 7; expected of \[0, 1\]"):
        finder.to_place(at(2.0, 2.0, floor=7), at(3.0, 3.0, floor=7))


@pytest.mark.parametrize(("zones", "said"), [([], "0 zones"), ([ZoneId("soap")], "soap")])
def test_zones_that_are_not_there_are_told(
    finder: RouteFinder, zones: list[ZoneId], said: str
) -> None:
    """A catalogue may be older than the map."""
    with pytest.raises(NoRoute, match=said):
        finder.to_nearest_zone(at(2.0, 2.0), zones)
