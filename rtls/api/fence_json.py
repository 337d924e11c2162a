"""Render transitions as omlox fence events.

Layer: edges. Takes: zone events as they are published. Gives: JSON to rtls.api.fence_stream. The
names are those of the omlox hub (FenceEvent object, ``fence_events`` messages), so that software
written for a hub reads ours; what omlox has no name for stands under ``properties``.
"""

import uuid
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from typing_extensions import TypedDict

from rtls.api.location_json import rfc_3339
from rtls.model.units import UnixMs
from rtls.model.visit import Transition, TransitionKind, ZoneEvent


class FenceProperties(TypedDict):
    """What omlox has no name for."""

    site: str
    visit: str
    """the stay: the same for the entry and the exit that ends it"""
    probability: float
    decided_at: str
    """when the evidence sufficed to say so"""
    reason: str | None
    """why the stay ended: walked_away or lost"""
    revision: int
    """0 as told live; an event is told again under its id where late readings correct it"""
    is_withdrawn: bool
    """it did not happen, as late readings show"""


class FenceEvent(TypedDict, total=False):
    """A tag entered or left a zone (omlox fence event)."""

    id: str
    fence_id: str
    """the zone"""
    provider_id: str
    """the tag"""
    event_type: Literal["region_entry", "region_exit"]
    entry_time: str
    exit_time: str
    properties: FenceProperties


class FenceEvents(TypedDict):
    """What the stream sends (omlox websocket message)."""

    event: Literal["message"]
    topic: Literal["fence_events"]
    payload: list[FenceEvent]


def render_fence_events(events: Sequence[ZoneEvent]) -> bytes | None:
    """Return the transitions among the events as one message, None where there are none."""
    found = [fence_event(event) for event in events if isinstance(event, Transition)]
    if not found:
        return None
    return msgspec.json.encode(FenceEvents(event="message", topic="fence_events", payload=found))


def fence_event(transition: Transition) -> FenceEvent:
    """Return a transition as omlox has it."""
    has_entered = transition.kind is TransitionKind.ENTERED
    event = FenceEvent(
        id=str(uuid.UUID(hex=transition.event_id)),
        fence_id=transition.zone,
        provider_id=transition.tag,
        event_type="region_entry" if has_entered else "region_exit",
        properties=FenceProperties(
            site=transition.site,
            visit=str(uuid.UUID(hex=transition.visit_id)),
            probability=transition.probability,
            decided_at=_instant(transition.decided_at_ms),
            reason=None if transition.reason is None else transition.reason.value,
            revision=transition.revision,
            is_withdrawn=transition.is_withdrawn,
        ),
    )
    if has_entered:
        event["entry_time"] = _instant(transition.at_ms)
    else:
        event["exit_time"] = _instant(transition.at_ms)
    return event


def _instant(at_ms: UnixMs) -> str:
    return rfc_3339(np.array([at_ms]))[0]
