"""coverage: what the anchors of a site can do, and where one more belongs."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rtls.model.errors import InvalidGeometry
from rtls.model.reading import ReadingKind
from rtls.model.site_map import Fixture, Floor, Radio, SiteMap, Wall
from rtls.model.units import Metre
from rtls.positioning.coverage import (
    CoverageSettings,
    best_place,
    coverage_of_floor,
    p_square_zone,
)
from rtls.positioning.floor_lattice import floor_places, walls_between
from tests.reference.radio_site import SQUARE, site_with


def hall(places: tuple[tuple[float, float, float], ...] = SQUARE) -> SiteMap:
    floor = Floor(floor=0, name="0", width_m=Metre(10), height_m=Metre(10))
    return replace(site_with(places), floors=(floor,))


def p_of(sigma_m: float, size_m: float) -> float:
    """Along one axis only: the other is known exactly."""
    covariance = np.array([[[sigma_m**2, 0.0], [0.0, 1e-12]]])
    return float(p_square_zone(covariance, size_m)[0])


def test_a_bay_needs_the_accuracy_that_the_design_states() -> None:
    """1.25 m with P ≥ 0.8 asks for 0.31 m along the aisle, P ≥ 0.9 for 0.16 m."""
    assert p_of(0.31, 1.25) == pytest.approx(0.80, abs=0.01)
    assert p_of(0.16, 1.25) == pytest.approx(0.90, abs=0.01)


def test_a_place_nobody_knows_names_no_zone() -> None:
    """An infinite covariance must not become NaN, which compares as it likes."""
    assert p_square_zone(np.full((1, 2, 2), np.inf), 5.0)[0] == 0.0


def test_a_wall_between_counts_and_one_beside_does_not() -> None:
    """The wall at x = 5 reaches up to y = 4."""
    wall = ((5.0, 0.0), (5.0, 4.0))
    place, anchor = np.array([[2.0, 2.0], [2.0, 8.0], [8.0, 2.0]]), np.array([[9.0, 2.0]])
    assert walls_between(place, anchor, [wall]).ravel().tolist() == [1.0, 0.0, 0.0]


def test_nobody_stands_inside_a_shelf() -> None:
    """A bound in the middle of the goods would flatter or frighten for nothing."""
    shelf = Fixture(fixture="s", floor=0, ring=((2, 2), (4, 2), (4, 4), (2, 4)))
    whole, left = hall(), replace(hall(), fixtures=(shelf,))
    assert len(floor_places(whole, 0, 1.0)) == 100
    assert len(floor_places(left, 0, 1.0)) == 96


def test_a_wall_takes_anchors_away_from_the_room_behind_it() -> None:
    """Ranges that reach 14 m in the open reach 3.5 m behind two walls of 6 dB."""
    walls = tuple(Wall(floor=0, line=((x, -1.0), (x, 11.0))) for x in (4.9, 5.1))
    settings = CoverageSettings(reach_m=14.0)
    open_hall = coverage_of_floor(hall(), 0, ReadingKind.RANGE, settings=settings)
    cut = coverage_of_floor(replace(hall(), walls=walls), 0, ReadingKind.RANGE, settings=settings)
    assert open_hall.share_under_three == 0.0
    assert cut.share_under_three == 1.0


def test_weak_anchors_are_not_heard() -> None:
    """−61 dBm at 1 m and exponent 2 reach −75 dBm at 5 m."""
    ble = tuple(replace(a, radio=Radio.BLE, z_m=Metre(1.0)) for a in hall().anchors)
    site = replace(hall(), anchors=ble)
    seen = coverage_of_floor(
        site, 0, ReadingKind.RSSI, settings=CoverageSettings(rssi_dbm_min=-75.0)
    )
    at = {
        tuple(place): heard for place, heard in zip(seen.place_m.tolist(), seen.heard, strict=True)
    }
    assert at[0.5, 0.5] == 1.0
    assert at[4.5, 4.5] == 0.0


def test_one_more_anchor_goes_where_the_corner_is_bare() -> None:
    """Three anchors of four hang: the best place is in the half with the missing one."""
    best = best_place(hall(SQUARE[:3]), 0, ReadingKind.RANGE)
    assert best.x_m < 5.0
    assert best.y_m > 5.0
    assert best.z_m == 3.0
    assert best.mean_after_m < best.mean_before_m


def test_closing_a_gap_counts_as_a_gain() -> None:
    """Two anchors on a line leave the place open; the third one closes it, a finite gain."""
    line = ((0.0, 5.0, 1.0), (10.0, 5.0, 1.0))
    best = best_place(hall(line), 0, ReadingKind.RANGE)
    assert math.isfinite(best.mean_before_m)
    assert best.mean_after_m < 0.6 * best.mean_before_m


def test_a_floor_without_anchors_is_refused() -> None:
    """A table of infinities would look like a result."""
    with pytest.raises(InvalidGeometry, match="anchors"):
        coverage_of_floor(hall(), 0, ReadingKind.RSSI)
    with pytest.raises(InvalidGeometry, match="floor is 7"):
        coverage_of_floor(hall(), 7, ReadingKind.RANGE)


@pytest.mark.parametrize("wrong", [{"cell_m": 0.0}, {"reach_m": -1.0}, {"wall_db": -1.0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    """A cell of nothing would never end."""
    with pytest.raises(InvalidGeometry, match="expected"):
        CoverageSettings(**wrong)
    with pytest.raises(InvalidGeometry, match="larger cell"):
        floor_places(hall(), 0, 0.001)
