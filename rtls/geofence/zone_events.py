"""Give names to what the state machine found: rows of numbers become zone events with ids.

Layer: rules. Takes: rows of rtls.geofence.dwell. Gives: `ZoneEvent`s in canonical order to the
engine. Only here do zones and tags of events get back their names: a few a second, not thousands.
"""

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rtls.geofence.kernels.stay_slots import (
    BETWEEN_FIXES,
    DWELL_REACHED,
    ENTERED,
    LEFT,
    LOST,
    PASSED,
)
from rtls.model.site_map import SiteMap, Zone
from rtls.model.units import Second, SiteId, TagId, UnixMs, ZoneId
from rtls.model.visit import (
    DwellReached,
    LeftReason,
    Passed,
    Transition,
    TransitionKind,
    Visit,
    ZoneEvent,
    event_id,
    visit_id,
)

ORDER = {ENTERED: 0, DWELL_REACHED: 1, LEFT: 2}
KINDS = {ENTERED: TransitionKind.ENTERED, LEFT: TransitionKind.LEFT}
Rows = npt.NDArray[np.void]
TagOf = Callable[[int], TagId]


class Told(NamedTuple):
    """One row of `ROW_DTYPE` as Python numbers, read all at once; its members are named alike."""

    tag: int
    zone: int
    what: int
    reason: int
    is_late: int
    at_ms: UnixMs
    decided_at_ms: UnixMs
    entered_at_ms: UnixMs
    evidence_at_ms: UnixMs
    threshold_ms: float
    dwell_ms: float
    dwell_ms_low: float
    dwell_ms_high: float
    probability: float


class ZoneNews:
    """What happened over some instants, in the order of the instants.

    Parameters
    ----------
    site_map
        Names the zones.
    tag_of
        Names the tag of a slot, while it has one.
    """

    def __init__(self, site_map: SiteMap, tag_of: TagOf) -> None:
        self._site_map = site_map
        self._tag_of = tag_of
        self.events: list[ZoneEvent] = []
        self.passes: list[Passed] = []

    def add(self, rows: Rows) -> None:
        """Take the `ROW_DTYPE` rows of one instant."""
        if rows.size:
            self.events.extend(zone_events(rows, self._site_map, tag_of=self._tag_of))
            self.passes.extend(zone_passes(rows, self._site_map, tag_of=self._tag_of))


def zone_events(rows: Rows, site_map: SiteMap, *, tag_of: TagOf) -> tuple[ZoneEvent, ...]:
    """Return the events of ``rows`` by (decided at, tag id, zone id), whatever the tags' slots.

    Parameters
    ----------
    rows
        `ROW_DTYPE`. A row that says LEFT gives two events: the transition and the visit. One
        that says PASSED gives none (`zone_passes`).
    site_map
        Names the zones.
    tag_of
        Names the tag of a slot.
    """
    found = [
        ((row.decided_at_ms, tag, zone.zone, ORDER[row.what], row.threshold_ms), row, tag, zone)
        for row, tag, zone in _named(rows[rows["what"] != PASSED], site_map, tag_of)
    ]
    found.sort(key=itemgetter(0))
    events: list[ZoneEvent] = []
    for _, row, tag, zone in found:
        visit = visit_id(site_map.site, tag, zone.zone, row.entered_at_ms)
        if row.what == DWELL_REACHED:
            events.append(_dwell_reached(row, visit, site_map.site, tag, zone.zone))
            continue
        events.append(_transition(row, visit, site_map.site, tag, zone.zone))
        if row.what == LEFT:
            events.append(_visit(row, visit, site_map.site, tag, zone))
    return tuple(events)


def zone_passes(rows: Rows, site_map: SiteMap, *, tag_of: TagOf) -> tuple[Passed, ...]:
    """Return the zones passed in ``rows``, by (decided at, tag id, zone id).

    Parameters
    ----------
    rows
        `ROW_DTYPE`, of which those count that say PASSED.
    site_map
        Names the zones.
    tag_of
        Names the tag of a slot.
    """
    site = site_map.site
    found = [
        _passed(row, site, tag, zone.zone)
        for row, tag, zone in _named(rows[rows["what"] == PASSED], site_map, tag_of)
    ]
    return tuple(sorted(found, key=lambda passed: (passed.decided_at_ms, passed.tag, passed.zone)))


def _named(rows: Rows, site_map: SiteMap, tag_of: TagOf) -> Iterator[tuple[Told, TagId, Zone]]:
    """Yield each row with its tag and its zone."""
    tags: dict[int, TagId] = {}
    zones = site_map.zones
    for row in map(Told._make, rows[list(Told._fields)].tolist()):
        tag = tags.get(row.tag)
        if tag is None:
            tag = tags[row.tag] = tag_of(row.tag)
        yield row, tag, zones[row.zone]


def _passed(row: Told, site: SiteId, tag: TagId, zone: ZoneId) -> Passed:
    return Passed(
        event_id=event_id(visit_id(site, tag, zone, row.at_ms), "passed"),
        site=site,
        tag=tag,
        zone=zone,
        at_ms=row.at_ms,
        decided_at_ms=row.decided_at_ms,
        probability=row.probability,
        is_between_fixes=row.reason == BETWEEN_FIXES,
    )


def _reason(row: Told) -> LeftReason:
    return LeftReason.LOST if row.reason == LOST else LeftReason.WALKED_AWAY


def _transition(row: Told, visit: str, site: SiteId, tag: TagId, zone: ZoneId) -> Transition:
    kind = KINDS[row.what]
    return Transition(
        event_id=event_id(visit, kind.value),
        visit_id=visit,
        site=site,
        tag=tag,
        zone=zone,
        kind=kind,
        at_ms=row.at_ms,
        decided_at_ms=row.decided_at_ms,
        probability=row.probability,
        reason=_reason(row) if row.what == LEFT else None,
    )


def _dwell_reached(row: Told, visit: str, site: SiteId, tag: TagId, zone: ZoneId) -> DwellReached:
    threshold_s = Second(row.threshold_ms / 1e3)
    return DwellReached(
        event_id=event_id(visit, f"dwell:{threshold_s:g}"),
        visit_id=visit,
        site=site,
        tag=tag,
        zone=zone,
        entered_at_ms=row.entered_at_ms,
        reached_at_ms=row.at_ms,
        evidence_at_ms=row.evidence_at_ms,
        threshold_s=threshold_s,
        dwell_s=Second(row.dwell_ms / 1e3),
        dwell_s_low=Second(row.dwell_ms_low / 1e3),
        dwell_s_high=Second(row.dwell_ms_high / 1e3),
        probability=row.probability,
        is_late=bool(row.is_late),
    )


def _visit(row: Told, visit: str, site: SiteId, tag: TagId, zone: Zone) -> Visit:
    dwell_s = Second(row.dwell_ms / 1e3)
    return Visit(
        event_id=event_id(visit, "visit"),
        visit_id=visit,
        site=site,
        tag=tag,
        zone=zone.zone,
        entered_at_ms=row.entered_at_ms,
        left_at_ms=row.at_ms,
        dwell_s=dwell_s,
        is_pass_by=dwell_s < zone.rules.dwell_s_min,
        reason=_reason(row),
    )
