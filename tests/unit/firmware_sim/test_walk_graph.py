"""walk_graph: ways around furniture."""

import numpy as np
import pytest
import shapely

from firmware_sim.walk_graph import (
    build_walk_graph,
    solid_bodies,
    standing_room,
    standing_spots,
)
from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import Anchor, Fixture, Floor, Radio, SiteMap, Wall, Zone, ZoneKind
from rtls.model.units import AnchorId, Metre, SiteId, ZoneId


def room(*fixtures: tuple[float, float, float, float], walls: tuple[Wall, ...] = ()) -> SiteMap:
    rings = [
        ((left, low), (right, low), (right, high), (left, high))
        for left, low, right, high in fixtures
    ]
    return SiteMap(
        site=SiteId("room"),
        name="A room",
        floors=(Floor(floor=0, name="ground", width_m=Metre(10), height_m=Metre(10)),),
        zones=(),
        anchors=(
            Anchor(
                anchor=AnchorId("a"),
                radio=Radio.UWB,
                floor=0,
                x_m=Metre(0),
                y_m=Metre(0),
                z_m=Metre(3),
            ),
        ),
        walls=walls,
        fixtures=tuple(
            Fixture(fixture=f"f{number}", floor=0, ring=ring) for number, ring in enumerate(rings)
        ),
    )


def length(start: np.ndarray, way: np.ndarray) -> float:
    return float(np.hypot(*np.diff(np.vstack([start, way]), axis=0).T).sum())


def test_in_an_empty_room_the_way_is_the_straight_line() -> None:
    """Anything else would be a detour that nobody walks."""
    way = build_walk_graph(room()).way(np.array([1.0, 1.0]), np.array([9.0, 9.0]))
    assert way.tolist() == [[9.0, 9.0]]


def test_a_way_around_a_cupboard_touches_its_corners_grown_by_the_clearance() -> None:
    """A block from 4 to 6, grown to 3.65 to 6.35: 2 × hypot(2.65, 1.35) + 2.7 m."""
    graph = build_walk_graph(room((4, 4, 6, 6)))
    start = np.array([1.0, 5.0])
    way = graph.way(start, np.array([9.0, 5.0]))
    assert len(way) == 3
    assert length(start, way) == pytest.approx(2 * np.hypot(2.65, 1.35) + 2.7, abs=1e-6)


def test_no_way_in_the_demo_shop_leads_through_furniture(shop: SiteMap) -> None:
    """A shopper who walks through a rack gives the engine a truth that cannot be."""
    rng = np.random.default_rng(5)
    graph = build_walk_graph(shop)
    floor_space = standing_room(shop, floor=0)
    bodies = solid_bodies(shop, floor=0, clearance_m=0.3)
    shapely.prepare(bodies)
    spots = [
        spot
        for zone in shop.zones
        if zone.kind is not ZoneKind.DEPARTMENT
        for spot in standing_spots(zone, floor_space, rng=rng, spots=3)
    ]
    for _ in range(150):
        start, goal = (spots[index] for index in rng.integers(len(spots), size=2))
        way = np.vstack([start, graph.way(start, goal)])
        assert not bodies.intersects(shapely.LineString(way))


def test_a_room_that_is_walled_off_is_refused_with_the_remedy() -> None:
    """The author of a map must learn that a shelf cannot be reached."""
    wall = Wall(floor=0, line=((5.0, -1.0), (5.0, 11.0)))
    graph = build_walk_graph(room(walls=(wall,)))
    with pytest.raises(InvalidSiteMap, match=r"no way leads from \(1\.00, 1\.00\).*Leave gaps"):
        graph.way(np.array([1.0, 1.0]), np.array([9.0, 1.0]))


def test_a_floor_that_does_not_exist_is_refused() -> None:
    """A typing error must not build an empty shop."""
    with pytest.raises(InvalidSiteMap, match="no floor 3"):
        build_walk_graph(room(), floor=3)


def test_spots_lie_within_the_strip_and_away_from_its_edges(shop: SiteMap) -> None:
    """The dowel strip is 12.2 to 13.2 m by 9 to 15 m; its rack begins at 12.0 m."""
    zone = next(z for z in shop.zones if z.zone == "dowels")
    spots = standing_spots(
        zone, standing_room(shop, floor=0), rng=np.random.default_rng(1), spots=50
    )
    assert spots.shape == (50, 2)
    assert spots[:, 0].min() >= 12.55
    assert spots[:, 0].max() <= 12.85
    assert spots[:, 1].min() >= 9.35
    assert spots[:, 1].max() <= 14.65


def test_a_zone_in_which_nobody_can_stand_is_refused() -> None:
    """A strip of a few centimetres at a rack holds no shopper."""
    strip = ((4.0, 6.0), (6.0, 6.0), (6.0, 6.1), (4.0, 6.1))
    zone = Zone(zone=ZoneId("thin"), name="Thin", kind=ZoneKind.SHELF, floor=0, ring=strip)
    floor_space = standing_room(room((4, 4, 6, 6)), floor=0)
    with pytest.raises(InvalidSiteMap, match="thin: nobody can stand"):
        standing_spots(zone, floor_space, rng=np.random.default_rng(1))
