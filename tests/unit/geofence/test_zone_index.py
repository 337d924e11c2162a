"""Which zones lie over a point."""

import math

import numpy as np
import pytest

from rtls.geofence.zone_index import ZoneIndex
from rtls.model.errors import InvalidGeometry
from rtls.model.units import Metre
from tests.reference import zone_index as slow
from tests.reference.shelf_site import make_site, make_zone, rectangle, shelf_site


def ask(index: ZoneIndex, *points: tuple[float, float, int]) -> list[list[int]]:
    x, y, floor = (np.array(column) for column in zip(*points, strict=True))
    found = index.zones_at(x.astype(float), y.astype(float), floor.astype(np.int32))
    return [found.of(number) for number in range(len(points))]


def test_a_point_at_the_shelf_is_in_shelf_aisle_and_department() -> None:
    """Nested zones are all told; the finest is chosen later."""
    assert ask(ZoneIndex.build(shelf_site()), (5.0, 4.5, 0), (7.0, 4.5, 0), (13.0, 9.0, 0)) == [
        [0, 2, 3],
        [1, 2, 3],
        [3],
    ]


def test_the_floor_decides() -> None:
    """The same coordinates one floor higher are another place."""
    low = make_zone("low", rectangle(1, 1, 3, 3))
    high = make_zone("high", rectangle(1, 1, 3, 3), floor=1)
    index = ZoneIndex.build(make_site([low, high], floors=2))
    assert ask(index, (2.0, 2.0, 0), (2.0, 2.0, 1), (2.0, 2.0, 2)) == [[0], [1], []]


def test_a_notch_is_not_inside() -> None:
    """An L-shaped zone must not be taken for its bounding box."""
    corner = make_zone("corner", [(0, 0), (4, 0), (4, 1), (1, 1), (1, 4), (0, 4)])
    assert ask(ZoneIndex.build(make_site([corner])), (3.0, 3.0, 0), (0.5, 3.0, 0)) == [[], [0]]


def test_no_number_and_no_place_are_in_no_zone() -> None:
    """A broken fix must not index outside of the grid."""
    points = [(math.nan, 1.0, 0), (1.0, math.inf, 0), (-math.inf, 1.0, 0), (-1e9, 1e9, 0)]
    assert ask(ZoneIndex.build(shelf_site()), *points) == [[], [], [], []]


def test_a_site_without_zones_has_an_index() -> None:
    """Recordings are replayed on maps that have anchors only."""
    assert ask(ZoneIndex.build(make_site([])), (1.0, 1.0, 0)) == [[]]


def test_a_cell_of_no_size_is_refused() -> None:
    with pytest.raises(InvalidGeometry, match="cell_m is 0"):
        ZoneIndex.build(shelf_site(), cell_m=Metre(0.0))


def test_the_grid_agrees_with_shapely_on_slanted_and_overlapping_zones() -> None:
    """Ten thousand random points, none closer to an outline than a nanometre."""
    rng = np.random.default_rng(5)
    zones = []
    for number in range(60):
        size, turn = rng.uniform(0.3, 3.0), rng.uniform(0, math.tau)
        x, y = rng.uniform(3, 17), rng.uniform(3, 7)
        angles = turn + np.sort(rng.uniform(0, math.tau, 7))
        if np.ptp(angles) < math.pi:
            continue
        ring = [(x + size * math.cos(a), y + size * math.sin(a)) for a in angles]
        zones.append(make_zone(f"z{number}", ring))
    site = make_site(zones)
    x, y = rng.uniform(0, 20, 10_000), rng.uniform(0, 10, 10_000)
    floor = np.zeros(10_000, np.int32)
    assert slow.distance_to_edges(site, x, y).min() > 1e-9
    for cell_m in (0.1, 0.25, 3.0):
        found = ZoneIndex.build(site, cell_m=Metre(cell_m)).zones_at(x, y, floor)
        expected = slow.zones_at(site, x, y, floor)
        assert [found.of(point) for point in range(10_000)] == expected
