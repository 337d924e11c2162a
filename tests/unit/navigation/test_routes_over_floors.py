"""RouteFinder over several floors: stairs, escalators and lifts, and who may take which."""

from dataclasses import replace

import pytest

from rtls.model.connector import Connector, ConnectorDirection, ConnectorKind
from rtls.model.errors import InvalidSiteMap, NoRoute
from rtls.model.place import Place
from rtls.model.route import Instruction, Route
from rtls.model.site_map import Floor, SiteMap, Wall, Zone, ZoneKind
from rtls.model.units import Metre, SiteId, ZoneId
from rtls.navigation.route_finder import RouteFinder

FLOORS = tuple(
    Floor(floor=n, name=f"Floor {n}", width_m=Metre(30.0), height_m=Metre(10.0)) for n in range(3)
)
# From one side to the other: upstairs nobody gets through here.
HALVES = (
    Wall(floor=1, line=((0.0, 0.0), (30.0, 0.0), (30.0, 10.0), (0.0, 10.0), (0.0, 0.0))),
    Wall(floor=1, line=((15.0, 0.0), (15.0, 10.0))),
)


def at(x: float, y: float, floor: int) -> Place:
    return Place(floor=floor, x_m=Metre(x), y_m=Metre(y))


def connector(name: str, kind: ConnectorKind, x: float, *floors: int, **more: object) -> Connector:
    stops = tuple(at(x, 1.0, floor) for floor in floors)
    return Connector(connector=name, name=name, kind=kind, stops=stops, **more)


STAIRS = connector("stairs", ConnectorKind.STAIRS, 5.0, 0, 1, 2)
LIFT = connector("lift", ConnectorKind.LIFT, 25.0, 0, 1, 2)
UP = connector("up", ConnectorKind.ESCALATOR, 10.0, 0, 1, direction=ConnectorDirection.UP)
LAMPS = Zone(
    zone=ZoneId("lamps"),
    name="Lamps",
    kind=ZoneKind.SHELF,
    floor=1,
    ring=((2.0, 7.0), (4.0, 7.0), (4.0, 8.0), (2.0, 8.0)),
)


def finder(*connectors: Connector, walls: tuple[Wall, ...] = ()) -> RouteFinder:
    return RouteFinder.of_map(
        SiteMap(
            site=SiteId("shop"),
            name="Shop",
            floors=FLOORS,
            zones=(LAMPS,),
            anchors=(),
            walls=walls,
            connectors=connectors,
        )
    )


def told(route: Route) -> list[Instruction]:
    return [step.instruction for step in route.steps]


def test_stairs_are_walked_to_and_taken() -> None:
    """4 m to the stairs, 20 s up, 6 m to the target: 10 m, 29.1 s."""
    route = finder(STAIRS).to_place(at(1.0, 1.0, 0), at(5.0, 7.0, 1))
    assert told(route) == [
        Instruction.GO,
        Instruction.TAKE_STAIRS,
        Instruction.GO,
        Instruction.ARRIVE_AHEAD,
    ]
    assert [place.floor for place in route.line] == [0, 0, 1, 1]
    assert route.length_m == pytest.approx(10.0)
    assert route.takes_s == pytest.approx(10.0 / 1.1 + 20.0)
    ride = route.rides[0]
    assert (ride.connector.connector, ride.from_floor, ride.to_floor) == ("stairs", 0, 1)


def test_a_lift_is_worth_its_wait_for_who_stands_before_it() -> None:
    """30 s of waiting and 6 s of riding, against 20 m there and back to the stairs and 20 s."""
    both = finder(STAIRS, LIFT)
    near_lift = both.to_place(at(24.0, 1.0, 0), at(26.0, 1.0, 1))
    near_stairs = both.to_place(at(6.0, 1.0, 0), at(4.0, 1.0, 1))
    assert (told(near_lift)[1], told(near_stairs)[1]) == (
        Instruction.TAKE_LIFT,
        Instruction.TAKE_STAIRS,
    )


def test_nobody_waits_for_a_lift_to_save_two_metres() -> None:
    """9 m to the lift and 36 s, or 11 m to the stairs and 20 s."""
    route = finder(STAIRS, LIFT).to_place(at(16.0, 1.0, 0), at(16.0, 1.0, 1))
    assert told(route)[1] is Instruction.TAKE_STAIRS


def test_a_trolley_takes_the_lift_however_far_it_is() -> None:
    """Nobody carries a trolley up the stairs, nor a wheelchair."""
    both = finder(STAIRS, UP, LIFT)
    route = both.to_place(at(6.0, 1.0, 0), at(4.0, 1.0, 1), is_step_free=True)
    assert told(route)[1] is Instruction.TAKE_LIFT
    with pytest.raises(NoRoute, match=r"floors \[0, 1\] have to be joined by lifts"):
        finder(STAIRS).to_place(at(6.0, 1.0, 0), at(4.0, 1.0, 1), is_step_free=True)


def test_an_escalator_is_not_walked_against() -> None:
    """Up at 10 m, and down again by the stairs at 5 m."""
    site = finder(STAIRS, UP)
    up = site.to_place(at(10.0, 1.0, 0), at(10.0, 2.0, 1))
    down = site.to_place(at(10.0, 2.0, 1), at(10.0, 1.0, 0))
    assert (told(up), told(down)[1]) == (
        [Instruction.TAKE_ESCALATOR, Instruction.GO, Instruction.ARRIVE_AHEAD],
        Instruction.TAKE_STAIRS,
    )


def test_a_wall_upstairs_is_walked_round_downstairs() -> None:
    """Both ends are on floor 1, in halves that only floor 0 joins."""
    stairs, lift = (replace(one, stops=one.stops[:2]) for one in (STAIRS, LIFT))
    route = finder(stairs, lift, walls=HALVES).to_place(at(6.0, 1.0, 1), at(24.0, 1.0, 1))
    assert [place.floor for place in route.line] == [1, 1, 0, 0, 1, 1]
    assert [ride.connector.connector for ride in route.rides] == ["stairs", "lift"]


def test_two_floors_up_is_one_ride() -> None:
    """To be told of the same stairs twice is no help."""
    route = finder(STAIRS).to_place(at(5.0, 2.0, 0), at(5.0, 2.0, 2))
    assert [(ride.from_floor, ride.to_floor) for ride in route.rides] == [(0, 2)]
    assert route.takes_s == pytest.approx(2.0 / 1.1 + 40.0)


def test_a_shelf_upstairs_is_led_to() -> None:
    """What a shopper asks for is a zone, not a place."""
    route = finder(STAIRS).to_nearest_zone(at(5.0, 4.0, 0), [ZoneId("lamps")])
    assert (route.zone, route.line[-1].floor) == ("lamps", 1)


def test_floors_that_nothing_joins_are_told() -> None:
    """A map without connectors: an upper floor was drawn and the stairs forgotten."""
    with pytest.raises(NoRoute, match=r"floors \[0, 2\] have to be joined by stairs"):
        finder(UP).to_place(at(1.0, 1.0, 0), at(1.0, 1.0, 2))


def test_a_stop_that_nobody_can_walk_to_is_told_with_its_name() -> None:
    """A connector drawn in the frame of another floor."""
    astray = replace(STAIRS, stops=(*STAIRS.stops[:2], at(60.0, 1.0, 2)))
    with pytest.raises(NoRoute, match=r"connector stairs: place .60\.00, 1\.00. of floor 2"):
        finder(astray)


@pytest.mark.parametrize(
    ("floors", "more", "said"),
    [
        ((0,), {}, "stops on floors .0.; expected 2 to 50"),
        ((1, 0), {}, "from the lowest to the highest"),
        ((0, 0), {}, "Make two connectors"),
        ((0, 1), {"direction": ConnectorDirection.UP}, "only an escalator runs one way"),
    ],
)
def test_a_connector_that_cannot_be_is_refused(
    floors: tuple[int, ...], more: dict[str, object], said: str
) -> None:
    """Each with what to do about it."""
    with pytest.raises(InvalidSiteMap, match=said):
        connector("stairs", ConnectorKind.STAIRS, 5.0, *floors, **more)


@pytest.mark.parametrize(
    ("connectors", "said"),
    [
        ((STAIRS, replace(LIFT, connector="stairs")), "connector stairs is defined twice"),
        ((connector("s", ConnectorKind.STAIRS, 5.0, 0, 7),), "connector s: floor 7 is not among"),
        ((replace(STAIRS, connector="The Stairs"),), "connector id is 'The Stairs'"),
        (tuple(replace(STAIRS, connector=f"s-{n}") for n in range(33)), "33 connectors"),
    ],
)
def test_connectors_that_do_not_fit_the_map_are_refused(
    connectors: tuple[Connector, ...], said: str
) -> None:
    """Before a service starts with it."""
    with pytest.raises(InvalidSiteMap, match=said):
        finder(*connectors)
