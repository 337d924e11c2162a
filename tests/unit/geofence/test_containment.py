"""How probable it is that a tag is in a zone."""

import math

import numpy as np
import pytest

from rtls.geofence.containment import ContainmentSettings, zone_probabilities
from rtls.geofence.kernels.gaussian_in_zone import ZONES_A_FIX_MAX, owen_t
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.errors import InvalidGeometry
from rtls.model.fix import FIX_DTYPE
from rtls.model.reading import ReadingKind
from rtls.model.units import Metre
from tests.reference.containment import mass_in_polygon
from tests.reference.shelf_site import make_site, make_zone, rectangle, shelf_site

EXACT = ContainmentSettings(bias_range_m=Metre(0.0), bias_rssi_m=Metre(1.0))


def p_of(site, x, y, cov, *, settings=EXACT, kinds=1 << ReadingKind.RANGE, floor=0):
    fix = np.zeros(1, FIX_DTYPE)
    fix["x_m"], fix["y_m"], fix["floor"], fix["kinds"] = x, y, floor, kinds
    fix["cov_xx"], fix["cov_xy"], fix["cov_yy"] = cov
    return zone_probabilities(ZoneIndex.build(site), fix, settings).of(0)


SQUARE = make_site([make_zone("square", rectangle(4, 4, 6, 6))])


def test_one_sigma_to_each_side_is_a_number_from_the_book() -> None:
    """P(|z| < 1) = 0.6827 for each axis, 0.4661 for both."""
    assert p_of(SQUARE, 5, 5, (1.0, 0.0, 1.0))[0] == pytest.approx(0.46607, abs=1e-4)


def test_on_the_edge_it_is_one_half_and_in_the_corner_one_quarter() -> None:
    """A tag at the shelf's end is as likely at its neighbour."""
    assert p_of(SQUARE, 4, 5, (0.01, 0.0, 0.01))[0] == pytest.approx(0.5, abs=1e-4)
    assert p_of(SQUARE, 4, 4, (0.01, 0.0, 0.01))[0] == pytest.approx(0.25, abs=1e-4)


def test_a_fix_without_uncertainty_is_in_or_out() -> None:
    """A simulated tag with exact ranges may have a covariance of zero."""
    assert p_of(SQUARE, 5, 5, (0.0, 0.0, 0.0))[0] == pytest.approx(1.0)
    assert p_of(SQUARE, 3.9, 5, (0.0, 0.0, 0.0)) == {}


@pytest.mark.parametrize(
    "cov",
    [
        (math.nan, 0.0, 1.0),
        (1.0, math.inf, 1.0),
        (-1.0, 0.0, -1.0),
        (1.0, 5.0, 1.0),
        (1e300, 0.0, 1e300),
    ],
)
def test_a_covariance_that_is_none_gives_a_probability_all_the_same(cov) -> None:
    """A filter may go wrong; it must not take the process or another tag with it."""
    assert all(0.0 <= p <= 1.0 for p in p_of(SQUARE, 5, 5, cov).values())


def test_a_fix_of_another_floor_or_of_no_place_is_in_no_zone() -> None:
    assert p_of(SQUARE, 5, 5, (0.1, 0.0, 0.1), floor=1) == {}
    assert p_of(SQUARE, math.nan, 5, (0.1, 0.0, 0.1)) == {}


def test_rssi_never_becomes_sure_of_a_shelf_however_long_it_averages() -> None:
    """Multipath is frozen while a tag stands: a tiny covariance from RSSI is a lie of 1 m."""
    by_rssi = p_of(SQUARE, 5, 5, (1e-6, 0.0, 1e-6), kinds=1 << ReadingKind.RSSI)[0]
    by_range = p_of(SQUARE, 5, 5, (1e-6, 0.0, 1e-6), kinds=1 << ReadingKind.RANGE)[0]
    both = (1 << ReadingKind.RANGE) | (1 << ReadingKind.RSSI)
    assert by_rssi == pytest.approx(0.46607, abs=1e-4)
    assert by_range == p_of(SQUARE, 5, 5, (1e-6, 0.0, 1e-6), kinds=both)[0] == pytest.approx(1.0)
    assert p_of(SQUARE, 5, 5, (1e-6, 0.0, 1e-6), kinds=0)[0] == pytest.approx(by_rssi)


def test_a_child_is_never_more_probable_than_its_parent() -> None:
    site = shelf_site()
    for x in np.linspace(0.0, 14.0, 57):
        found = p_of(site, x, 4.3, (0.3, 0.1, 0.2))
        chain = [found.get(zone, 0.0) for zone in (0, 2, 3)]
        assert chain[0] <= chain[1] + 0.006 <= chain[2] + 0.012  # zones below 0.005 are not listed


def test_a_fix_among_too_many_zones_keeps_the_most_probable() -> None:
    """The bound on a fix's list must not cost the zone that matters."""
    zones = [make_zone(f"z{n}", rectangle(4, 4, 6, 4.2 + n / 20)) for n in range(40)]
    fix = np.zeros(1, FIX_DTYPE)
    fix["x_m"], fix["y_m"], fix["cov_xx"], fix["cov_yy"], fix["kinds"] = 5, 4.5, 0.25, 0.25, 2
    found = zone_probabilities(ZoneIndex.build(make_site(zones)), fix, EXACT)
    assert found.left_out == 40 - ZONES_A_FIX_MAX
    assert set(found.of(0)) == set(range(8, 40))


def test_owen_t_has_the_values_of_owens_tables() -> None:
    """T(0, a) = arctan(a) / 2π; T(1, 1) = Φ(1)(1 - Φ(1)) / 2."""
    assert owen_t(0.0, 3.0) == pytest.approx(math.atan(3.0) / math.tau, abs=1e-9)
    phi = 0.5 * math.erfc(-1.0 / math.sqrt(2.0))
    assert owen_t(1.0, 1.0) == pytest.approx(phi * (1.0 - phi) / 2.0, abs=1e-9)
    assert owen_t(1.0, -1.0) == -owen_t(1.0, 1.0)


def test_a_bias_that_is_no_distance_is_refused() -> None:
    with pytest.raises(InvalidGeometry, match="a frozen bias is -1"):
        ContainmentSettings(bias_rssi_m=Metre(-1.0))
    with pytest.raises(InvalidGeometry, match=r"p_listed is 0\.5"):
        ContainmentSettings(p_listed=0.5)


def test_the_slow_twin_knows_the_number_from_the_book_too() -> None:
    ring = rectangle(4, 4, 6, 6)
    assert mass_in_polygon(ring, (5, 5), (1.0, 0.0, 1.0)) == pytest.approx(0.46607, abs=1e-4)
