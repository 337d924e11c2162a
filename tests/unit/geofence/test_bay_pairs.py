"""bay_pairs_of: two shelves that look at each other across one aisle, and no others."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
import shapely
from shapely.affinity import rotate

from rtls.geofence.bay_pairs import bay_pairs_of
from rtls.model.errors import InvalidGeometry
from rtls.model.site_map import Fixture, SiteMap, Wall, Zone, ZoneKind
from tests.reference.shelf_site import make_site, make_zone, rectangle

AISLE = make_zone("aisle", rectangle(0, 0, 20, 10), kind=ZoneKind.AISLE)


def rack(name: str, x0: float, y0: float, x1: float, y1: float) -> Fixture:
    return Fixture(fixture=name, floor=0, ring=rectangle(x0, y0, x1, y1))


def shelf(name: str, x0: float, y0: float, x1: float, y1: float, parent: str = "aisle") -> Zone:
    return make_zone(name, rectangle(x0, y0, x1, y1), parent=parent)


# Two racks of 2 m with an aisle of 4 m between y = 2 and y = 6; two bays of 3 m on each side.
LOW, HIGH = rack("low", 2, 0, 8, 2), rack("high", 2, 6, 8, 8)
BAYS = (
    shelf("a1", 2, 2.2, 5, 3.2),
    shelf("a2", 5, 2.2, 8, 3.2),
    shelf("b1", 2, 4.8, 5, 5.8),
    shelf("b2", 5, 4.8, 8, 5.8),
)


def site(
    zones: Sequence[Zone] = BAYS,
    fixtures: Sequence[Fixture] = (LOW, HIGH),
    walls: Sequence[Wall] = (),
) -> SiteMap:
    plan = make_site((AISLE, *zones))
    return replace(plan, fixtures=tuple(fixtures), walls=tuple(walls))


def names(site_map: SiteMap, **more: float) -> list[tuple[str, str]]:
    return [pair.shelves for pair in bay_pairs_of(site_map, **more)]


def test_bays_across_one_aisle_are_pairs_and_neighbours_are_not() -> None:
    """Each bay with the one opposite, not with the one beside it nor the one diagonally across."""
    first, second = bay_pairs_of(site())
    assert (first.shelves, second.shelves) == (("a1", "b1"), ("a2", "b2"))
    assert first.gap_m == pytest.approx(1.6)
    assert first.shared_m == pytest.approx(3.0)


@pytest.mark.parametrize("degrees", [0, 30, 90, 217])
def test_the_aisle_may_run_in_any_direction(degrees: float) -> None:
    """Shops are not drawn along the axes of our frame."""

    def turned(ring):
        around = rotate(shapely.Polygon(ring), degrees, origin=(50, 50))
        return tuple(around.exterior.coords[:-1])

    plan = site()
    rotated = replace(
        plan,
        zones=tuple(replace(zone, ring=turned(zone.ring)) for zone in plan.zones),
        fixtures=tuple(replace(body, ring=turned(body.ring)) for body in plan.fixtures),
    )
    assert names(rotated) == [("a1", "b1"), ("a2", "b2")]


def test_bays_back_to_back_are_no_pair() -> None:
    """The rack is between them; whoever stands at one is two metres of wood from the other."""
    zones = (shelf("front", 2, 2.2, 5, 3.2), shelf("back", 2, -1.2, 5, -0.2))
    assert names(site(zones, (LOW,))) == []


@pytest.mark.parametrize(
    ("fixtures", "walls"),
    [
        ((LOW, HIGH, rack("table", 3, 3.6, 4, 4.4)), ()),
        ((LOW, HIGH), (Wall(floor=0, line=((1.0, 4.0), (9.0, 4.0))),)),
    ],
)
def test_what_stands_between_makes_two_aisles_of_one(
    fixtures: Sequence[Fixture], walls: Sequence[Wall]
) -> None:
    """Nobody is at both sides of a table at once, and radio may tell the sides apart."""
    zones = (BAYS[0], BAYS[2])
    assert names(site(zones)) == [("a1", "b1")]
    assert names(site(zones, fixtures, walls)) == []


def test_a_long_bay_is_paired_with_the_one_it_shares_most_with() -> None:
    """A shelf is in one pair at most: its parent is one."""
    long = shelf("long", 2, 4.8, 7.5, 5.8)
    assert names(site((BAYS[0], BAYS[1], long))) == [("a1", "long")]


def test_bays_of_two_parents_are_no_pair() -> None:
    """The pair's parent could not be both."""
    other = make_zone("other", rectangle(0, 4.5, 20, 10), kind=ZoneKind.CATEGORY)
    away = replace(BAYS[2], parent="other")
    assert names(site((other, BAYS[0], away))) == []


def test_who_is_paired_already_stays_so() -> None:
    """Running the command twice must not add a second zone around the same two shelves."""
    pair = make_zone("pair", rectangle(2, 2.2, 5, 5.8), kind=ZoneKind.BAY_PAIR, parent="aisle")
    paired = [replace(BAYS[k], parent="pair") for k in (0, 2)]
    assert names(site((pair, *paired, BAYS[1], BAYS[3]))) == [("a2", "b2")]


def test_how_wide_an_aisle_may_be_is_a_setting() -> None:
    assert names(site(), gap_m_max=1.5) == []
    for wrong in (0.0, -1.0, math.nan, 21.0):
        with pytest.raises(InvalidGeometry, match="gap_m_max"):
            bay_pairs_of(site(), gap_m_max=wrong)


def test_a_map_without_furniture_has_no_faces() -> None:
    """Which way a strip looks cannot be known then; nothing is guessed."""
    assert names(site(fixtures=())) == []
