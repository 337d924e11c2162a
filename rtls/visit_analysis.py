"""Account for ended visits once more, with what was heard after each moment of them.

Layer: flow. Takes: `EngineOutput`s in order, and the zone events as they were told.
Gives: `AnalysedVisit`s to the journal that footfall and reports read, seconds after the visits.

It stands behind the engine and changes nothing in it: what is told live, and every offer, rests on
what was known at the time. Each second of a visit is counted by the rule of the live clock
(docs/decisions/0001), but at the smoothed place.

A snapshot holds the visits that have ended and not been accounted for, and no fixes. So each visit
is accounted for once whatever ends the process; one that a restart cut has its live dwell.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from rtls.engine_contract import EngineOutput, EngineSettings
from rtls.geofence.containment import zone_probabilities
from rtls.geofence.visit_accounts import SETTLED_MS, Place, VisitAccounts
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.errors import InvalidSnapshot, InvalidVisit
from rtls.model.fix import FIX_DTYPE
from rtls.model.site_map import SiteMap
from rtls.model.units import Second
from rtls.model.visit import (
    AnalysedVisit,
    Transition,
    TransitionKind,
    Visit,
    ZoneEvent,
    event_id,
)
from rtls.model.visit_json import parse_event, render_event
from rtls.positioning.smoothing import FixedLagSmoother, SmoothedFixes, SmoothingSettings

VISITS_MAX: Final = 500_000
Ended = tuple[int, str, str, str]
"""a visit that waits: left at (ms), tag, zone, visit id"""


@dataclass(slots=True)
class VisitAnalysis:
    """The visits of one engine that are under way or ended a few seconds ago.

    Parameters
    ----------
    site_map
        Of the engine.
    engine
        Its settings: of P(zone), and of what counts as dwell.
    smoothing
        How far to look back.
    """

    site_map: SiteMap
    engine: EngineSettings = field(default_factory=EngineSettings)
    smoothing: SmoothingSettings = field(default_factory=SmoothingSettings)
    _index: ZoneIndex = field(init=False)
    _zone_numbers: dict[str, int] = field(init=False)
    _smoother: FixedLagSmoother = field(init=False)
    _accounts: VisitAccounts = field(init=False)
    _places: dict[str, Place] = field(init=False, default_factory=dict)
    """accounts by visit, from its beginning on"""
    _ended: dict[str, Visit] = field(init=False, default_factory=dict)
    """ended visits that are still waited for; so few that a snapshot can hold them"""
    _queue: list[Ended] = field(init=False, default_factory=list)
    _slots: dict[bytes, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._index = ZoneIndex.build(self.site_map)
        self._zone_numbers = {zone.zone: k for k, zone in enumerate(self.site_map.zones)}
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget all visits and fixes; the map stays."""
        self._smoother = FixedLagSmoother(self.smoothing)
        self._accounts = VisitAccounts(self.site_map, self.engine.dwell)
        self._places, self._ended, self._queue, self._slots = {}, {}, [], {}

    def take(
        self, output: EngineOutput, events: Sequence[ZoneEvent] | None = None
    ) -> tuple[AnalysedVisit, ...]:
        """Take what one batch gave; return the visits that are now accounted for.

        Parameters
        ----------
        output
            Of the engine, each once and in order.
        events
            Its events under the ids that they are told by, where these are others.
        """
        fixes, at_ms = output.fixes.rows, output.fixes.at_ms
        self._slots.update(zip(output.tag_names.tolist(), fixes["tag"].tolist(), strict=True))
        found = list(self.note(output.events if events is None else events))
        is_wanted = self._accounts.are_asked_for(fixes["tag"])
        self._count(self._smoother.take(fixes, at_ms=at_ms, is_wanted=is_wanted))
        if output.released.size:
            self._release(output.released)
        horizon_ms = at_ms - 1e3 * self.smoothing.lag_s - SETTLED_MS
        while self._queue and self._queue[0][0] <= horizon_ms:
            _, _, _, name = heapq.heappop(self._queue)
            visit = self._ended.get(name)
            if visit is not None and visit.left_at_ms <= horizon_ms:
                del self._ended[name]
                found.append(self._analysed(visit))
        return tuple(found)

    def note(self, events: Sequence[ZoneEvent]) -> tuple[AnalysedVisit, ...]:
        """Take events alone, as late readings give them; return the visits that are taken back."""
        found: list[AnalysedVisit] = []
        for event in events:
            match event:
                case Transition(kind=TransitionKind.ENTERED, is_withdrawn=True):
                    self._forget(event.visit_id)
                case Transition(kind=TransitionKind.ENTERED, revision=0):
                    self._begin(event)
                case Visit(is_withdrawn=True):
                    # It goes on, or never was. What was heard meanwhile is not looked back at.
                    waiting = self._ended.pop(event.visit_id, None)
                    if waiting is None or waiting.revision:  # it was told, or may have been
                        found.append(self._told(event, dwell_s=None))
                    self._close(event.visit_id)
                case Visit():
                    self._end(event)
                case _:
                    pass
        return tuple(found)

    def snapshot(self) -> bytes:
        """Return the ended visits that are not accounted for yet."""
        return b"\n".join(render_event(visit) for visit in self._ended.values())

    def restore(self, content: bytes) -> None:
        """Go on from a snapshot.

        Raises
        ------
        InvalidSnapshot
            If it is not what `snapshot` gave.
        """
        try:
            events = [parse_event(line) for line in content.splitlines()]
        except InvalidVisit as error:
            raise InvalidSnapshot(
                f"{len(content)} bytes of ended visits cannot be read ({error}). Move the snapshot "
                "away to start anew."
            ) from error
        for event in events:
            if isinstance(event, Visit):
                self._end(event)

    def warm_up(self) -> None:
        """Compile every kernel, or load it from the cache, with the dtypes of real fixes."""
        self._smoother.warm_up()
        self._count(SmoothedFixes(at_ms=np.empty(0, np.int64), rows=np.empty(0, FIX_DTYPE)))

    def _begin(self, event: Transition) -> None:
        slot = self._slots.get(event.tag.encode("ascii"))
        if slot is None or event.visit_id in self._places or len(self._places) >= VISITS_MAX:
            return
        place = self._accounts.begin(
            slot, zone=self._zone_numbers[event.zone], entered_at_ms=event.at_ms
        )
        if place is not None:
            self._places[event.visit_id] = place

    def _end(self, visit: Visit) -> None:
        if visit.revision:  # what was heard beyond its end as told before is not looked back at
            self._close(visit.visit_id)
        elif visit.visit_id in self._places:
            self._accounts.end(self._places[visit.visit_id], left_at_ms=visit.left_at_ms)
        self._ended[visit.visit_id] = visit
        heapq.heappush(self._queue, (visit.left_at_ms, visit.tag, visit.zone, visit.visit_id))

    def _forget(self, name: str) -> None:
        self._ended.pop(name, None)
        self._close(name)

    def _close(self, name: str) -> Second | None:
        place = self._places.pop(name, None)
        return None if place is None else self._accounts.close(place)

    def _release(self, slots: np.ndarray) -> None:
        self._count(self._smoother.flush(slots))
        gone = set(slots.tolist())
        self._slots = {name: slot for name, slot in self._slots.items() if slot not in gone}

    def _count(self, smoothed: SmoothedFixes) -> None:
        places = zone_probabilities(self._index, smoothed.rows, self.engine.containment)
        self._accounts.count(smoothed.rows, smoothed.at_ms, places)

    def _analysed(self, visit: Visit) -> AnalysedVisit:
        return self._told(visit, dwell_s=self._close(visit.visit_id))

    def _told(self, visit: Visit, *, dwell_s: Second | None) -> AnalysedVisit:
        known_s = visit.dwell_s if dwell_s is None else dwell_s
        number = self._zone_numbers.get(visit.zone)  # of a zone that the map has no longer: None
        is_pass_by = visit.is_pass_by
        if number is not None:
            is_pass_by = known_s < self.site_map.zones[number].rules.dwell_s_min
        return AnalysedVisit(
            event_id=event_id(visit.visit_id, "analysed"),
            visit_id=visit.visit_id,
            site=visit.site,
            tag=visit.tag,
            zone=visit.zone,
            entered_at_ms=visit.entered_at_ms,
            left_at_ms=visit.left_at_ms,
            dwell_s_live=visit.dwell_s,
            dwell_s=known_s,
            is_pass_by=is_pass_by,
            is_smoothed=dwell_s is not None,
            revision=visit.revision,
            is_withdrawn=visit.is_withdrawn,
        )
