"""Beliefs on the grid go over to the ground of a published map."""

from dataclasses import replace

import numpy as np
import pytest

from inaisle.config_files import demo_site_map_file
from rtls.model.site_map import Fixture, SiteMap, Walkable
from rtls.model.site_map_geojson import parse_site_map
from rtls.positioning.locator import Locator
from rtls.positioning.locator_handover import anchor_numbers, hand_over_locator
from rtls.positioning.locator_state import LocatorState

DEMO = parse_site_map(demo_site_map_file().read_bytes(), source="demo")
SLOT = 3
KIND = 1


@pytest.fixture(scope="module")
def locator() -> Locator:
    return Locator(DEMO)


def believing(locator: Locator, places: list[tuple[float, float]]) -> LocatorState:
    """A tag of the second kind that is as likely at each of some places."""
    state = locator.empty_state(8)
    xy, _, _ = locator.nodes
    states = [KIND * len(xy) + int(np.argmin(np.hypot(*(xy - place).T))) for place in places]
    state.beliefs.states[SLOT, : len(states)] = states
    state.beliefs.masses[SLOT, : len(states)] = 1.0 / len(states)
    state.beliefs.rows[SLOT]["used"] = len(states)
    state.beliefs.rows[SLOT]["at_ms"] = 1_000
    state.beliefs.rows[SLOT]["precise_ms"] = 900
    state.beliefs.rows[SLOT]["link_anchor"][0] = len(DEMO.anchors)  # the last one
    return state


def believed(locator: Locator, state: LocatorState) -> list[tuple[float, float, float]]:
    xy, _, _ = locator.nodes
    used = int(state.beliefs.rows[SLOT]["used"])
    states, masses = state.beliefs.states[SLOT, :used], state.beliefs.masses[SLOT, :used]
    assert (states // len(xy) == KIND).all()
    places = xy[states % len(xy)]
    return [(*place, float(mass)) for place, mass in zip(places.tolist(), masses, strict=True)]


def gone_over(old: LocatorState, now: SiteMap) -> tuple[Locator, LocatorState]:
    locator = Locator(now)
    new = locator.empty_state(8)
    hand_over_locator(old, new, before=DEMO, now=now, nodes=locator.nodes)
    return locator, new


def test_a_shelf_elsewhere_leaves_a_belief_where_it_was(locator: Locator) -> None:
    """Its nodes have other numbers now: read by the old ones it would jump through the shop."""
    old = believing(locator, [(20.0, 30.0), (22.0, 30.0)])
    rack = Fixture(fixture="rack", floor=0, ring=((2.0, 2.0), (5.0, 2.0), (5.0, 3.0), (2.0, 3.0)))
    now, new = gone_over(old, replace(DEMO, fixtures=(rack, *DEMO.fixtures)))
    assert len(now.nodes[0]) < len(locator.nodes[0])
    before, after = sorted(believed(locator, old)), sorted(believed(now, new))
    assert np.allclose(after, before)
    assert new.beliefs.rows[SLOT]["link_anchor"][0] == len(DEMO.anchors)


def test_who_stood_where_furniture_stands_now_is_believed_beside_it(locator: Locator) -> None:
    old = believing(locator, [(20.25, 30.25), (25.0, 30.0)])
    post = ((20.0, 30.0), (20.5, 30.0), (20.5, 30.5), (20.0, 30.5))
    rack = Fixture(fixture="post", floor=0, ring=post)
    now, new = gone_over(old, replace(DEMO, fixtures=(*DEMO.fixtures, rack)))
    moved, stays = sorted(believed(now, new))
    assert 0.2 < np.hypot(moved[0] - 20.25, moved[1] - 30.25) <= 1.0
    assert stays == pytest.approx((*believed(locator, old)[1][:2], 0.5))
    assert moved[2] + stays[2] == pytest.approx(1.0)


def test_a_tag_whose_ground_is_gone_is_sought_anew(locator: Locator) -> None:
    """No belief is better than one in the wall."""
    old = believing(locator, [(20.0, 30.0)])
    part = Walkable(floor=0, ring=((0.0, 0.0), (60.0, 0.0), (60.0, 20.0), (0.0, 20.0)))
    _, new = gone_over(old, replace(DEMO, walkable=(part,)))
    assert new.beliefs.rows[SLOT]["used"] == 0
    assert new.beliefs.rows[SLOT]["at_ms"] == 0
    assert new.beliefs.rows[SLOT]["precise_ms"] == 900


def test_links_of_beliefs_follow_their_anchors(locator: Locator) -> None:
    """One anchor is drawn before all others, one is gone."""
    old = believing(locator, [(20.0, 30.0)])
    first = replace(DEMO.anchors[0], anchor="first", x_m=1.0, y_m=1.0)
    more = replace(DEMO, anchors=(first, *DEMO.anchors))
    assert anchor_numbers(DEMO, more).tolist() == list(range(1, len(DEMO.anchors) + 1))
    _, new = gone_over(old, more)
    assert new.beliefs.rows[SLOT]["link_anchor"][0] == len(DEMO.anchors) + 1
    _, fewer = gone_over(old, replace(DEMO, anchors=DEMO.anchors[:-1]))
    assert fewer.beliefs.rows[SLOT]["link_anchor"][0] == 0
