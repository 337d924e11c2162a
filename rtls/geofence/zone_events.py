"""Give names to what the state machine found: rows of numbers become zone events with ids.

Layer: rules. Takes: rows of rtls.geofence.dwell. Gives: `ZoneEvent`s in canonical order to the
engine. Only here do zones and tags of events get back their names: a few a second, not thousands.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

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
from rtls.model.units import Second, SiteId, TagId, UnixMs
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
Rows = npt.NDArray[np.void]


class ZoneNews:
    """What happened over some instants, in the order of the instants.

    Parameters
    ----------
    site_map
        Names the zones.
    tag_of
        Names the tag of a slot, while it has one.
    """

    def __init__(self, site_map: SiteMap, tag_of: Callable[[int], TagId]) -> None:
        self._site_map = site_map
        self._tag_of = tag_of
        self.events: list[ZoneEvent] = []
        self.passes: list[Passed] = []

    def add(self, rows: Rows) -> None:
        """Take the `ROW_DTYPE` rows of one instant."""
        if rows.size:
            self.events.extend(zone_events(rows, self._site_map, tag_of=self._tag_of))
            self.passes.extend(zone_passes(rows, self._site_map, tag_of=self._tag_of))


def zone_events(
    rows: npt.NDArray[np.void],
    site_map: SiteMap,
    *,
    tag_of: Callable[[int], TagId],
) -> tuple[ZoneEvent, ...]:
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
    found: list[tuple[tuple[int, str, str, int, float], ZoneEvent]] = []
    for row in rows[rows["what"] != PASSED]:
        zone = site_map.zones[int(row["zone"])]
        tag = tag_of(int(row["tag"]))
        what = int(row["what"])
        key = (int(row["decided_at_ms"]), tag, zone.zone, ORDER[what], float(row["threshold_ms"]))
        found.extend((key, event) for event in _events_of(row, site_map.site, tag, zone))
    found.sort(key=itemgetter(0))
    return tuple(event for _, event in found)


def zone_passes(
    rows: npt.NDArray[np.void],
    site_map: SiteMap,
    *,
    tag_of: Callable[[int], TagId],
) -> tuple[Passed, ...]:
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
    found = [_passed(row, site_map, tag_of) for row in rows[rows["what"] == PASSED]]
    return tuple(sorted(found, key=lambda passed: (passed.decided_at_ms, passed.tag, passed.zone)))


def _passed(row: np.void, site_map: SiteMap, tag_of: Callable[[int], TagId]) -> Passed:
    tag, zone = tag_of(int(row["tag"])), site_map.zones[int(row["zone"])].zone
    at_ms = UnixMs(int(row["at_ms"]))
    return Passed(
        event_id=event_id(visit_id(site_map.site, tag, zone, at_ms), "passed"),
        site=site_map.site,
        tag=tag,
        zone=zone,
        at_ms=at_ms,
        decided_at_ms=UnixMs(int(row["decided_at_ms"])),
        probability=float(row["probability"]),
        is_between_fixes=int(row["reason"]) == BETWEEN_FIXES,
    )


def _events_of(row: np.void, site: SiteId, tag: TagId, zone: Zone) -> Iterator[ZoneEvent]:
    what = int(row["what"])
    if what == DWELL_REACHED:
        yield _dwell_reached(row, site, tag, zone)
        return
    yield _transition(row, site, tag, zone)
    if what == LEFT:
        yield _visit(row, site, tag, zone)


def _visit_id(row: np.void, site: SiteId, tag: TagId, zone: Zone) -> str:
    return visit_id(site, tag, zone.zone, UnixMs(int(row["entered_at_ms"])))


def _seconds(row: np.void, *names: str) -> Sequence[Second]:
    return [Second(float(row[name]) / 1e3) for name in names]


def _reason(row: np.void) -> LeftReason:
    return LeftReason.LOST if int(row["reason"]) == LOST else LeftReason.WALKED_AWAY


def _transition(row: np.void, site: SiteId, tag: TagId, zone: Zone) -> Transition:
    visit = _visit_id(row, site, tag, zone)
    has_left = int(row["what"]) == LEFT
    kind = TransitionKind.LEFT if has_left else TransitionKind.ENTERED
    return Transition(
        event_id=event_id(visit, kind.value),
        visit_id=visit,
        site=site,
        tag=tag,
        zone=zone.zone,
        kind=kind,
        at_ms=UnixMs(int(row["at_ms"])),
        decided_at_ms=UnixMs(int(row["decided_at_ms"])),
        probability=float(row["probability"]),
        reason=_reason(row) if has_left else None,
    )


def _dwell_reached(row: np.void, site: SiteId, tag: TagId, zone: Zone) -> DwellReached:
    visit = _visit_id(row, site, tag, zone)
    names = ("threshold_ms", "dwell_ms", "dwell_ms_low", "dwell_ms_high")
    threshold_s, dwell_s, low_s, high_s = _seconds(row, *names)
    return DwellReached(
        event_id=event_id(visit, f"dwell:{threshold_s:g}"),
        visit_id=visit,
        site=site,
        tag=tag,
        zone=zone.zone,
        entered_at_ms=UnixMs(int(row["entered_at_ms"])),
        reached_at_ms=UnixMs(int(row["at_ms"])),
        evidence_at_ms=UnixMs(int(row["evidence_at_ms"])),
        threshold_s=threshold_s,
        dwell_s=dwell_s,
        dwell_s_low=low_s,
        dwell_s_high=high_s,
        probability=float(row["probability"]),
        is_late=bool(row["is_late"]),
    )


def _visit(row: np.void, site: SiteId, tag: TagId, zone: Zone) -> Visit:
    visit = _visit_id(row, site, tag, zone)
    (dwell_s,) = _seconds(row, "dwell_ms")
    return Visit(
        event_id=event_id(visit, "visit"),
        visit_id=visit,
        site=site,
        tag=tag,
        zone=zone.zone,
        entered_at_ms=UnixMs(int(row["entered_at_ms"])),
        left_at_ms=UnixMs(int(row["at_ms"])),
        dwell_s=dwell_s,
        is_pass_by=dwell_s < zone.rules.dwell_s_min,
        reason=_reason(row),
    )
