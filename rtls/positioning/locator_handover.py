"""Take what the filters remember of tags along to another map of the same site.

Layer: rules. Takes: a `LocatorState` of the map before, and the two maps. Gives: the state by the
anchors and nodes of the new map to rtls.engine_handover.

An anchor is the same one if all that the map says of it is: what was learnt of its links goes on.
What was learnt of one that was moved would be wrong where it hangs now: tracks that lean on it
begin anew with the next readings, as those of a tag that comes in, and so does its record of
health. A tag on the grid keeps its belief, carried to the nearest nodes of the new ground.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from rtls.model.errors import InvalidGeometry
from rtls.model.site_map import SiteMap
from rtls.positioning.beliefs import Beliefs
from rtls.positioning.locator_state import BY_ANCHOR, BY_SLOT, LocatorState
from rtls.positioning.walk_grid import WalkGrid

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Nodes = tuple[Floats, Ints, float]
"""(n, 2) m, (n,) floors, and the error of each"""
GONE: Final = -1
NEAR_M: Final = 1.0
"""A node of new ground that far from the old one stands for it: a cell and a little more."""
LINKS_OF_BELIEF: Final = (
    "link_anchor",
    "link_heard_ms",
    "link_mean",
    "link_sum",
    "link_count",
    "link_weight",
)
KEPT_OF_TRACK: Final = ("tag_id", "interval_ms", "kinds", "heard_at_ms")


def anchor_numbers(before: SiteMap, now: SiteMap) -> Ints:
    """Return (n_anchors before,) the number of each on the new map, `GONE` if it is another."""
    same = {replace(anchor, gateway=None): number for number, anchor in enumerate(now.anchors)}
    found = [same.get(replace(anchor, gateway=None), GONE) for anchor in before.anchors]
    return np.array(found, np.int32)


def hand_over_locator(
    old: LocatorState, new: LocatorState, *, before: SiteMap, now: SiteMap, nodes: Nodes
) -> None:
    """Fill an empty state of the new map with what still holds.

    Parameters
    ----------
    old
        Of the map before.
    new
        Empty, of the new map, with as many slots.
    before, now
        The maps.
    nodes
        Of the new map's grid; none where it has no grid.
    """
    anchors = anchor_numbers(before, now)
    for name in BY_ANCHOR:
        kept = np.flatnonzero(anchors != GONE)
        getattr(new, name)[anchors[kept]] = getattr(old, name)[kept]
    for name in BY_SLOT:
        getattr(new, name)[: old.capacity] = getattr(old, name)
    if before.floors != now.floors:
        _begin_tracks_anew(new.tracks, np.ones(new.capacity, np.bool_))
        new.repeats[:] = np.zeros((), new.repeats.dtype)
        return
    _renumber_tracks(new.tracks, anchors)
    _renumber_repeats(new.repeats, anchors)
    if len(old.beliefs) and len(new.beliefs):
        _carry_beliefs(old.beliefs, new.beliefs, anchors)
        if _ground(before) != _ground(now):
            _move_beliefs(new.beliefs, _nodes_of(before), nodes)


def _renumber_tracks(tracks: npt.NDArray[np.void], anchors: Ints) -> None:
    links, refs = tracks["link_anchor"], tracks["link_ref"]
    is_link = links > 0
    is_ref = is_link & (refs >= 0) & (refs < len(anchors))
    number = _looked_up(anchors, links - 1, is_link)
    ref = _looked_up(anchors, refs, is_ref)
    is_lost = (is_link & (number == GONE)) | (is_ref & (ref == GONE))
    tracks["link_anchor"] = np.where(is_link, number + 1, links)
    tracks["link_ref"] = np.where(is_ref, ref, refs)
    _begin_tracks_anew(tracks, is_lost.any(axis=1))


def _begin_tracks_anew(tracks: npt.NDArray[np.void], is_lost: npt.NDArray[np.bool_]) -> None:
    """Leave of some tracks what a tag that was just heard for the first time has."""
    blank = np.zeros(int(is_lost.sum()), tracks.dtype)
    for name in KEPT_OF_TRACK:
        blank[name] = tracks[name][is_lost]
    tracks[is_lost] = blank


def _renumber_repeats(repeats: npt.NDArray[np.void], anchors: Ints) -> None:
    links = repeats["links"]
    is_link = links["anchor"] > 0
    number = _looked_up(anchors, links["anchor"] - 1, is_link)
    links["anchor"] = np.where(is_link, number + 1, links["anchor"])
    links[is_link & (number == GONE)] = np.zeros((), links.dtype)


def _carry_beliefs(old: Beliefs, new: Beliefs, anchors: Ints) -> None:
    new.rows[: len(old)] = old.rows
    new.states[: len(old)] = old.states
    new.masses[: len(old)] = old.masses
    links = new.rows["link_anchor"]
    is_link = links > 0
    number = _looked_up(anchors, links - 1, is_link)
    new.rows["link_anchor"] = np.where(is_link, number + 1, links)
    is_lost = is_link & (number == GONE)
    for name in LINKS_OF_BELIEF:
        new.rows[name][is_lost] = 0


def _move_beliefs(beliefs: Beliefs, before: Nodes, now: Nodes) -> None:
    """Carry the mass of each belief to the nodes of the new ground."""
    near = _nearest(before, now)
    n_before, n_now = len(before[0]), len(now[0])
    for slot in np.flatnonzero(beliefs.rows["used"]).tolist():
        used = int(beliefs.rows["used"][slot])
        states, masses = beliefs.states[slot, :used], beliefs.masses[slot, :used]
        kind, node = np.divmod(states, max(n_before, 1))
        is_there = node < n_before
        target = np.where(is_there, near[np.minimum(node, n_before - 1)], GONE)
        moved = kind[target != GONE] * n_now + target[target != GONE]
        kept, place = np.unique(moved, return_inverse=True)
        mass = np.bincount(place, weights=masses[target != GONE], minlength=kept.size)
        if not kept.size or not mass.sum() > 0.0:
            _forget(beliefs, slot)
            continue
        beliefs.states[slot, : kept.size] = kept
        beliefs.masses[slot, : kept.size] = mass / mass.sum() * masses.sum()
        beliefs.rows["used"][slot] = kept.size


def _forget(beliefs: Beliefs, slot: int) -> None:
    """Let a tag whose ground is gone be sought anew; when it was last ranged is still so."""
    precise_ms = beliefs.rows["precise_ms"][slot]
    beliefs.rows[slot] = np.zeros((), beliefs.rows.dtype)
    beliefs.rows["precise_ms"][slot] = precise_ms


def _nearest(before: Nodes, now: Nodes) -> Ints:
    """Return (n before,) the node of the new ground that stands for each, `GONE` if none does."""
    near = np.full(len(before[0]), GONE, np.int32)
    for floor in np.unique(before[1]).tolist():
        own, others = np.flatnonzero(before[1] == floor), np.flatnonzero(now[1] == floor)
        if not others.size:
            continue
        tree = shapely.STRtree([shapely.Point(x, y) for x, y in now[0][others].tolist()])
        sought = shapely.points(before[0][own])
        pairs = tree.query_nearest(sought, max_distance=NEAR_M, all_matches=False)
        near[own[pairs[0]]] = others[pairs[1]]
    return near


def _nodes_of(site_map: SiteMap) -> Nodes:
    try:
        grid = WalkGrid.of_plan(site_map)
    except InvalidGeometry:
        return np.empty((0, 2)), np.empty(0, np.int32), 0.0
    return grid.node_xy, grid.node_floor, 0.0


def _ground(site_map: SiteMap) -> tuple[object, ...]:
    return (site_map.floors, site_map.walls, site_map.walkable, [
        (fixture.floor, fixture.ring) for fixture in site_map.fixtures
    ])  # fmt: skip


def _looked_up(numbers: Ints, places: Ints, is_one: npt.NDArray[np.bool_]) -> Ints:
    """Return the new number at each place that is one, `GONE` elsewhere."""
    if not len(numbers):
        return np.full(places.shape, GONE, np.int32)
    found = numbers[np.clip(places, 0, len(numbers) - 1)]
    return np.where(is_one, found, GONE).astype(np.int32)
