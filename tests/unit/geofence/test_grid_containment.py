"""NodeZones: P(zone) of a belief is the sum of its mass."""

import math

import numpy as np
import pytest

from rtls.geofence.containment import ContainmentSettings, zone_probabilities
from rtls.geofence.grid_containment import NodeZones
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.fix import FIX_DTYPE
from tests.reference.shelf_site import make_site, make_zone, rectangle

SITE = make_site([
    make_zone("west", rectangle(0, 0, 10, 10)),
    make_zone("east", rectangle(10, 0, 20, 10)),
])  # fmt: skip
INDEX = ZoneIndex.build(SITE)
NODES = np.array([[2.0, 5.0], [18.0, 5.0], [10.0, 5.0]])
SHARP = ContainmentSettings(bias_rssi_m=0.1)


def node_zones(settings: ContainmentSettings = SHARP) -> NodeZones:
    return NodeZones.build(INDEX, (NODES, np.zeros(3, np.int32), 0.3), settings)


def fixes_at(x_m: float, *, method: int, rows: int = 1) -> np.ndarray:
    fixes = np.zeros(rows, FIX_DTYPE)
    fixes["tag"] = np.arange(rows)
    fixes["x_m"], fixes["y_m"], fixes["method"] = x_m, 5.0, method
    fixes["cov_xx"] = fixes["cov_yy"] = 60.0
    fixes["kinds"] = 1
    return fixes


def beliefs(*pairs: tuple[int, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return one belief of (state, mass)."""
    states, masses = np.zeros((1, 8), np.int32), np.zeros((1, 8), np.float32)
    for place, (state, mass) in enumerate(pairs):
        states[0, place], masses[0, place] = state, mass
    return np.array([len(pairs)], np.int32), states, masses


def test_mass_at_two_ends_is_in_two_zones_though_its_mean_is_between() -> None:
    """A Gaussian of the same moments would put a third of the tag outside both."""
    found = node_zones().probabilities(fixes_at(10.0, method=1), beliefs((0, 0.7), (1, 0.3)))
    assert found.of(0) == pytest.approx({0: 0.7, 1: 0.3}, abs=0.01)


def test_a_node_on_the_line_counts_half_for_each_side() -> None:
    found = node_zones().probabilities(fixes_at(10.0, method=1), beliefs((2, 1.0)))
    assert found.of(0) == pytest.approx({0: 0.5, 1: 0.5}, abs=0.01)


def test_hypotheses_of_the_tag_add_up() -> None:
    """State 3 is node 0 under the second hypothesis: the same place."""
    found = node_zones().probabilities(fixes_at(2.0, method=1), beliefs((0, 0.5), (3, 0.5)))
    assert found.of(0) == pytest.approx({0: 1.0}, abs=0.01)


def test_a_fix_that_is_no_belief_stays_gaussian() -> None:
    """A coasting tag is wherever it could have walked to; its old mass is not."""
    fixes = fixes_at(10.0, method=0)
    found = node_zones().probabilities(fixes, beliefs((0, 1.0)))
    assert found.of(0) == zone_probabilities(INDEX, fixes, SHARP).of(0)


def test_rows_of_both_kinds_keep_their_order() -> None:
    fixes = fixes_at(2.0, method=1, rows=2)
    fixes["method"] = (0, 1)
    fixes["cov_xx"] = fixes["cov_yy"] = 0.1
    used, states, masses = beliefs((1, 1.0))
    found = node_zones().probabilities(
        fixes, (np.repeat(used, 2), np.repeat(states, 2, axis=0), np.repeat(masses, 2, axis=0))
    )
    assert found.of(0) == pytest.approx({0: 1.0}, abs=0.01)
    assert found.of(1) == pytest.approx({1: 1.0}, abs=0.01)


def test_the_frozen_bias_keeps_a_zone_from_being_certain() -> None:
    """The mass of a standing tag is sharp and wrong by a metre; P(zone) must say so."""
    at_edge = NodeZones.build(
        INDEX,
        (np.array([[9.0, 5.0]]), np.zeros(1, np.int32), 0.1),
        ContainmentSettings(bias_rssi_m=1.0),
    )
    found = at_edge.probabilities(fixes_at(9.0, method=1), beliefs((0, 1.0)))
    assert found.of(0)[0] == pytest.approx(0.84, abs=0.01)  # Φ(1)


def test_what_the_filter_knows_of_its_error_widens_every_node() -> None:
    """In a mall the map filter is 5 m wrong by its own survey; taken as 1 m, P(shop) lies."""
    coarse = NodeZones.build(
        INDEX,
        (np.array([[5.0, 5.0]]), np.zeros(1, np.int32), math.sqrt(24.0)),
        ContainmentSettings(bias_rssi_m=1.0),  # 25 m² in all: the lines lie 1 sigma away
    )
    found = coarse.probabilities(fixes_at(5.0, method=1), beliefs((0, 1.0)))
    assert found.of(0)[0] == pytest.approx(0.6827**2, abs=0.01)


def test_a_site_without_a_grid_answers_as_before() -> None:
    plain = NodeZones.build(INDEX, (np.empty((0, 2)), np.empty(0, np.int32), 0.0), SHARP)
    fixes = fixes_at(10.0, method=0)
    none = (np.zeros(1, np.int32), np.zeros((0, 8), np.int32), np.zeros((0, 8), np.float32))
    assert plain.probabilities(fixes, none).of(0) == zone_probabilities(INDEX, fixes, SHARP).of(0)
