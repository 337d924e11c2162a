"""Nearest zone: between shelves that do not touch everybody still stands at one of them."""

import numpy as np
import pytest
import shapely

from rtls.geofence.nearest_zone import NearestOfNodes, NearestZones, ZoneOutlines, sunflower
from rtls.model.errors import InvalidGeometry
from tests.reference.containment import mass_in_polygon

LEFT, RIGHT = shapely.box(0, 0, 1, 10), shapely.box(3, 0, 4, 10)  # the middle is at x = 2
COV = (0.25, 0.1, 0.5)


def zones(**more: shapely.Geometry) -> NearestZones:
    outlines = ZoneOutlines(zones=("left", "right"), shapes=(LEFT, RIGHT), **more)
    return NearestZones({"": outlines})


def test_the_middle_of_the_aisle_divides_it() -> None:
    """Whoever stands a hand's breadth nearer to one shelf, stands at that shelf."""
    assert zones().zone_at("", np.array([[1.9, 5.0], [2.1, 5.0]])) == ["left", "right"]


def test_a_fix_on_the_middle_is_at_either_shelf_with_one_half() -> None:
    """Two faces of one aisle cannot be told apart there, and the probability says so."""
    p = dict(zones().probabilities("", (2.0, 5.0), COV))
    assert p["left"] == pytest.approx(0.5, abs=0.01)
    assert sum(p.values()) == pytest.approx(1.0)


def test_the_probability_is_the_mass_of_the_gaussian_on_that_side() -> None:
    """Compared with the slow integral over a wide polygon left of the middle."""
    p = dict(zones().probabilities("", (1.7, 5.0), COV))
    side = ((-9.0, -9.0), (2.0, -9.0), (2.0, 19.0), (-9.0, 19.0))
    assert p["left"] == pytest.approx(mass_in_polygon(side, (1.7, 5.0), COV), abs=0.01)


def test_nobody_stands_within_a_shelf() -> None:
    """Half of this mass lies in the furniture, where no shopper fits: it counts for nothing.

    Left are the strip from 1 to 2 m, as much as from 2 to 3 m.
    """
    bodies = shapely.union(LEFT, RIGHT)
    p = dict(zones(blocked=bodies).probabilities("", (2.0, 5.0), (4.0, 0.0, 0.01)))
    assert p["left"] == pytest.approx(0.5, abs=0.02)
    sharp = zones(blocked=bodies).probabilities("", (0.5, 5.0), (1e-4, 0.0, 1e-4))
    assert sharp == [("left", 1.0)]  # a fix within the body has a nearest shelf nevertheless


def test_nobody_stands_outside_of_the_floor() -> None:
    """A floor that ends at x = 2.5 leaves half a metre to the right shelf, two to the left one."""
    inside = shapely.box(0, 0, 2.5, 10)
    p = dict(zones(within=inside).probabilities("", (2.0, 5.0), (100.0, 0.0, 1.0)))
    assert p["left"] == pytest.approx(2.0 / 2.5, abs=0.05)


def test_within_two_outlines_the_smaller_one_is_meant() -> None:
    """A kiosk in a hall is the kiosk."""
    hall, kiosk = shapely.box(0, 0, 20, 20), shapely.box(5, 5, 6, 6)
    both = NearestZones({"F1": ZoneOutlines(zones=("hall", "kiosk"), shapes=(hall, kiosk))})
    assert both.zone_at("F1", np.array([[5.5, 5.5], [9.0, 9.0]])) == ["kiosk", "hall"]


def test_places_as_near_to_both_are_known_as_tied() -> None:
    """Of a truth on the middle line no locating can be right or wrong; a score must know."""
    found = zones().tied_at("", np.array([[2.0, 5.0], [1.5, 5.0]]), within_m=0.05)
    assert found == [{"left", "right"}, {"left"}]


def test_what_was_asked_before_changes_no_answer() -> None:
    """The lattice is filled while it is asked; a replay cut short must give the same bytes."""
    fresh, asked = zones(), zones()
    for x in np.linspace(-3.0, 30.0, 50):
        asked.probabilities("", (float(x), 5.0), COV)
    assert fresh.probabilities("", (1.8, 4.0), COV) == asked.probabilities("", (1.8, 4.0), COV)


def test_a_floor_without_zones_has_no_probabilities() -> None:
    """A tag on the roof is at no shelf."""
    assert zones().probabilities("roof", (2.0, 5.0), COV) == []


def test_the_sunflower_has_the_moments_of_the_normal_distribution() -> None:
    """Mean 0 and covariance 1, or every probability would be shifted."""
    points = sunflower(512)
    assert np.abs(points.mean(axis=0)).max() < 0.01
    assert np.abs(np.cov(points.T) - np.eye(2)).max() < 0.02


@pytest.mark.parametrize("names", [(), ("a",), ("a", "a")])
def test_names_and_outlines_belong_together(names: tuple[str, ...]) -> None:
    """Else a probability would be given to the wrong shelf."""
    with pytest.raises(InvalidGeometry):
        ZoneOutlines(zones=names, shapes=(LEFT, RIGHT)[: 0 if not names else 2])


def test_a_site_without_zones_is_refused() -> None:
    """Nothing could ever be named."""
    with pytest.raises(InvalidGeometry):
        NearestZones({})


NODES = np.array([[1.2, 5.0], [2.8, 5.0], [2.0, 5.0], [2.0, 5.0]])


def of_nodes(*states: tuple[int, float]) -> dict[str, float]:
    """Return P of a belief of (state, mass); the last of four nodes is on a floor without zones."""
    by_node = NearestOfNodes(
        zones(),
        {0: ""},
        node_xy=NODES,
        node_floor=np.array([0, 0, 0, 1], np.int32),
        node_sd_m=0.2,
    )
    numbers, masses = zip(*states, strict=True)
    found = by_node.probabilities(np.array(numbers, np.int32), np.array(masses, np.float32))
    assert [p for _, p in found] == sorted((p for _, p in found), reverse=True)
    return dict(found)


def test_a_belief_at_both_shelves_is_at_each_by_its_mass() -> None:
    """Its mean is the middle of the aisle, where a Gaussian would say one half for each."""
    assert of_nodes((0, 0.8), (1, 0.2)) == pytest.approx({"left": 0.8, "right": 0.2}, abs=0.001)


def test_hypotheses_of_a_tag_add_up_at_their_node() -> None:
    """State 4 is node 0 again, of another kind of phone."""
    assert of_nodes((0, 0.5), (4, 0.25), (1, 0.25))["left"] == pytest.approx(0.75, abs=0.001)


def test_the_error_of_a_node_is_spread_over_the_zones_around_it() -> None:
    """A node on the middle is at neither shelf more than at the other."""
    assert of_nodes((2, 1.0)) == pytest.approx({"left": 0.5, "right": 0.5}, abs=0.01)


def test_mass_on_a_floor_without_zones_is_in_none() -> None:
    """What is missing to 1 is elsewhere; it must not be shared out among the zones of this one."""
    assert of_nodes((0, 0.6), (3, 0.4)) == pytest.approx({"left": 0.6}, abs=0.001)
