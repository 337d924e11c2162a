"""A site map that cannot work is refused with feature, fault and remedy."""

from dataclasses import replace

import pytest

from rtls.geofence.site_map_check import check_site_map, faults_of
from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import Anchor, Fixture, Radio, SiteMap, Walkable, Wall, ZoneKind
from tests.reference.shelf_site import make_site, make_zone, rectangle, shelf_site

BOW_TIE = ((4, 4), (6, 6), (6, 4), (4, 6))


def with_zone(*zones) -> SiteMap:
    return make_site(zones)


def anchor(name: str, x: float, y: float) -> Anchor:
    return Anchor(anchor=name, radio=Radio.UWB, floor=0, x_m=x, y_m=y, z_m=3.0)


def test_a_sound_map_passes() -> None:
    assert list(faults_of(shelf_site())) == []
    check_site_map(shelf_site())


@pytest.mark.parametrize(
    ("site", "feature", "remedy"),
    [
        (with_zone(make_zone("dowels", BOW_TIE)), "zone dowels: the outline crosses", "one round"),
        (
            with_zone(make_zone("dowels", ((1, 1), (2, 2), (3, 3)))),
            "zone dowels: .*(area is 0|crosses)",
            r"corners|one round",
        ),
        (
            with_zone(make_zone("dowels", rectangle(1, 1, 1.05, 1.05))),
            "zone dowels: its area is 0.0025 m²",
            "in metres",
        ),
        (
            with_zone(make_zone("dowels", rectangle(18, 4, 22, 5))),
            r"zone dowels: it reaches from \(18, 4\) to \(22, 5\), outside of floor 0",
            "correct the size of the floor",
        ),
        (
            with_zone(
                make_zone("aisle", rectangle(1, 1, 5, 5), kind=ZoneKind.AISLE),
                make_zone("dowels", rectangle(4, 1, 7, 2), parent="aisle"),
            ),
            "zone dowels: 2.00 m² of it lie outside of its parent aisle",
            "Extend the parent",
        ),
        (
            with_zone(
                make_zone("dowels", rectangle(1, 1, 3, 3)),
                make_zone("screws", rectangle(2, 1, 4, 3)),
            ),
            "zone screws: it shares 2.00 m² with zone dowels of the same kind shelf",
            "side by side",
        ),
        (
            replace(
                with_zone(make_zone("dowels", rectangle(2, 2, 3, 3))),
                fixtures=(Fixture(fixture="rack", floor=0, ring=rectangle(1, 1, 4, 4)),),
            ),
            "zone dowels: it lies wholly within fixture rack",
            "strip in front of its face",
        ),
        (
            replace(shelf_site(), fixtures=(Fixture(fixture="rack", floor=0, ring=BOW_TIE),)),
            "fixture rack: the outline crosses",
            "one round",
        ),
        (
            replace(shelf_site(), walls=(Wall(floor=3, line=((0, 0), (1, 1))),)),
            r"wall 0: floor 3 is not among the floors \[0\]",
            "Add the floor",
        ),
        (
            replace(shelf_site(), walkable=(Walkable(floor=0, ring=BOW_TIE),)),
            "walkable 0: the outline or a hole crosses",
            "one round",
        ),
        (
            replace(shelf_site(), walkable=(Walkable(floor=0, ring=rectangle(0, 0, 25, 9)),)),
            "walkable 0: it reaches outside of floor 0",
            "correct the size of the floor",
        ),
        (
            replace(shelf_site(), walkable=(Walkable(floor=2, ring=rectangle(0, 0, 9, 9)),)),
            r"walkable 0: floor 2 is not among the floors \[0\]",
            "Add the floor",
        ),
        (
            replace(shelf_site(), walkable=(Walkable(floor=0, ring=rectangle(0, 0, 15, 10)),)),
            "zone checkout: none of it is walkable",
            "Extend the walkable ground",
        ),
        (
            replace(shelf_site(), walls=(Wall(floor=0, line=((0, 0),)),)),
            "wall 0: it has 1 point",
            "2 or more",
        ),
        (
            make_site(
                [make_zone("dowels", rectangle(1, 1, 3, 3))],
                anchors=[anchor("a", 0, 0), anchor("b", 9, 0)],
            ),
            "floor 0: it has zones but 2 anchors; expected 3",
            "Add anchors",
        ),
        (
            make_site([], anchors=[anchor("a", 0, 0), anchor("b", 9, 0), anchor("far", 900, 0)]),
            r"anchor far: \(900, 0\) is more than 20 m outside of floor 0",
            "metres of the floor's frame",
        ),
        (
            make_site([], anchors=[anchor("a", 0, 0), anchor("b", 9, 0), anchor("c", 9, 0.01)]),
            r"anchor c: it is at the place of anchor b, \(9, 0.01, 3\)",
            "Measure where it hangs",
        ),
    ],
)
def test_a_fault_names_feature_and_remedy(site: SiteMap, feature: str, remedy: str) -> None:
    """Whoever drew the map should not have to ask us what is wrong with it."""
    with pytest.raises(InvalidSiteMap, match=feature) as refusal:
        check_site_map(site, source="plan.geojson")
    with pytest.raises(InvalidSiteMap, match=remedy):
        raise refusal.value
    assert str(refusal.value).startswith("plan.geojson: ")


def test_a_child_lies_on_the_floor_of_its_parent() -> None:
    low = make_zone("aisle", rectangle(1, 1, 5, 5), kind=ZoneKind.AISLE)
    high = make_zone("dowels", rectangle(1, 1, 2, 2), floor=1, parent="aisle")
    (fault,) = faults_of(make_site([low, high], floors=2))
    assert "on floor 1, its parent aisle on floor 0" in str(fault)


def test_zones_may_overlap_across_kinds_and_with_their_ancestors() -> None:
    """A pair of bays is a shelf of shelves; a checkout may lie in a department."""
    pair = make_zone("pair", rectangle(1, 1, 5, 2))
    bay = make_zone("bay", rectangle(1, 1, 3, 2), parent="pair")
    till = make_zone("till", rectangle(0, 0, 6, 6), kind=ZoneKind.CHECKOUT)
    assert list(faults_of(make_site([pair, bay, till]))) == []


def test_neighbours_may_share_an_edge() -> None:
    one, other = make_zone("one", rectangle(1, 1, 3, 2)), make_zone("two", rectangle(3, 1, 5, 2))
    assert list(faults_of(make_site([one, other]))) == []


def test_all_faults_are_listed_at_once_up_to_a_bound() -> None:
    """Fixing a map one fault a run would be cruel; a thousand lines would be useless."""
    zones = [make_zone(f"z{n}", ((n, 0), (n + 1, 1), (n + 1, 0), (n, 1))) for n in range(30)]
    with pytest.raises(InvalidSiteMap) as refusal:
        check_site_map(make_site(zones))
    lines = str(refusal.value).splitlines()
    assert len(lines) == 21
    assert lines[-1].endswith("… and 10 more.")


def test_a_recording_without_zones_needs_no_three_anchors() -> None:
    check_site_map(make_site([], anchors=[anchor("a", 0, 0)]))


def aisle_with(*zones) -> SiteMap:
    aisle = make_zone("aisle-3", rectangle(2, 2, 12, 8), kind=ZoneKind.AISLE, parent="tools")
    tools = make_zone("tools", rectangle(0, 0, 14, 10), kind=ZoneKind.DEPARTMENT)
    return make_site([tools, aisle, *zones])


PAIR = make_zone("pair-1", rectangle(3, 3, 5, 7), kind=ZoneKind.BAY_PAIR, parent="aisle-3")
LEFT_BAY = make_zone("left", rectangle(3, 3, 5, 4), parent="pair-1")
RIGHT_BAY = make_zone("right", rectangle(3, 6, 5, 7), parent="pair-1")


def test_bay_in_pair_in_aisle_in_department_is_sound() -> None:
    """Each step outwards is the coarser statement that radio can back off to."""
    check_site_map(aisle_with(PAIR, LEFT_BAY, RIGHT_BAY))


def test_a_pair_of_one_bay_is_refused() -> None:
    """It would say as much as the bay, and cost an event more."""
    with pytest.raises(InvalidSiteMap, match="pair-1: 1 shelves name this bay_pair"):
        check_site_map(aisle_with(PAIR, LEFT_BAY))


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (ZoneKind.AISLE, ZoneKind.SHELF),
        (ZoneKind.BAY_PAIR, ZoneKind.SHELF),
        (ZoneKind.DEPARTMENT, ZoneKind.CATEGORY),
        (ZoneKind.SHELF, ZoneKind.CHECKOUT),
    ],
)
def test_a_parent_finer_than_its_child_is_refused(child: ZoneKind, parent: ZoneKind) -> None:
    """Backing off would then mean to claim more, not less."""
    site = make_site(
        [
            make_zone("outer", rectangle(0, 0, 10, 10), kind=parent),
            make_zone("inner", rectangle(1, 1, 2, 2), kind=child, parent="outer"),
        ]
    )
    faults = [fault for fault in faults_of(site) if "of kind" in str(fault)]
    assert len(faults) == 1
    assert f"inner: it is of kind {child.value}, its parent outer of kind {parent.value}" in str(
        faults[0]
    )


def test_a_checkout_may_lie_in_a_department() -> None:
    """Entrances and checkouts stand beside the nesting of goods."""
    site = make_site(
        [
            make_zone("outer", rectangle(0, 0, 10, 10), kind=ZoneKind.DEPARTMENT),
            make_zone("till", rectangle(1, 1, 2, 2), kind=ZoneKind.CHECKOUT, parent="outer"),
        ]
    )
    assert list(faults_of(site)) == []


def test_ground_under_every_zone_passes() -> None:
    """Two pieces may meet, and a zone may lie on both or reach beyond."""
    pieces = (rectangle(0, 0, 10, 9), rectangle(10, 0, 20, 9))
    ground = tuple(Walkable(floor=0, ring=ring) for ring in pieces)
    assert list(faults_of(replace(shelf_site(), walkable=ground))) == []
