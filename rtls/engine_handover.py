"""Let an engine go on from the state of another map of the same site.

Layer: flow. Takes: a snapshot, the map that it was made on and the map of today. Gives: the state
by the numbers of today's map to rtls.engine, and the visits that end because their zone is gone.
"""

import numpy as np
import numpy.typing as npt

from rtls.engine_snapshot import (
    TAGS_AT_START,
    EngineState,
    digest_of_layout,
    read_header,
    unpack_state,
)
from rtls.geofence.stay_handover import hand_over_stays
from rtls.geofence.zone_events import zone_events
from rtls.model.site_map import SiteMap
from rtls.model.visit import ZoneEvent
from rtls.positioning.known_readings import NEVER
from rtls.positioning.locator_handover import Nodes, hand_over_locator
from rtls.positioning.locator_state import LocatorState

Slots = npt.NDArray[np.int32]


def take_up(
    snapshot: bytes,
    into: EngineState,
    *,
    maps: tuple[SiteMap, SiteMap],
    shard: int,
    nodes: Nodes,
) -> tuple[ZoneEvent, ...]:
    """Fill an empty state with what of a snapshot still holds on the map of today.

    Parameters
    ----------
    snapshot
        What an engine of the map before wrote; `InvalidSnapshot` if it did not.
    into
        The empty state of today's engine.
    maps
        The one before and that of today; the same if it has not changed.
    shard
        Whose tags these are.
    nodes
        Of today's grid.

    Returns
    -------
    The ends of visits in zones that are no longer what they were, under the ids of these visits.
    """
    before, now = maps
    if before == now:
        unpack_state(snapshot, site_map=now, shard=shard, into=into)
        return ()
    old = unpack_state(snapshot, site_map=before, shard=shard, into=_empty(snapshot, before))
    slots = np.flatnonzero(old.heard_ms != NEVER).astype(np.int32)
    into.make_room(old.capacity - 1)
    into.sequence, into.epoch_end_ms = old.sequence, old.epoch_end_ms
    into.input_offset = old.input_offset
    into.heard_ms[: old.capacity] = old.heard_ms
    into.trails[: old.capacity] = old.trails
    hand_over_locator(old.locator, into.locator, before=before, now=now, nodes=nodes)
    stays, rows = hand_over_stays(
        old.stays[slots], tags=slots, before=before, now=now, at_ms=old.epoch_end_ms
    )
    into.stays[slots] = stays
    return zone_events(rows, before, tag_of=old.tag_of)


def _empty(snapshot: bytes, site_map: SiteMap) -> EngineState:
    """Return an empty state of the layout that a snapshot has: with a grid, or without one."""
    layout = read_header(snapshot).layout
    names = [anchor.anchor for anchor in site_map.anchors]
    with_grid, without = (
        EngineState(locator=LocatorState.empty(TAGS_AT_START, anchors=names, has_grid=has_grid))
        for has_grid in (True, False)
    )
    return with_grid if digest_of_layout(with_grid) == layout else without
