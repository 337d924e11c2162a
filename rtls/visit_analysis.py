"""Account for ended visits once more, with what was heard after each moment of them.

Layer: flow. Takes: `EngineOutput`s in order. Gives: `AnalysedVisit`s to footfall and reports, some
seconds after the visits themselves.

It stands behind the engine and changes nothing in it: what is told live, and every offer, rests on
what was known at the time. Each second of a visit is counted by the rule of the live clock
(docs/decisions/0001), but at the smoothed place.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from rtls.engine_contract import EngineOutput, EngineSettings
from rtls.geofence.containment import zone_probabilities
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.site_map import SiteMap, Zone
from rtls.model.units import Second, TagId, UnixMs
from rtls.model.visit import AnalysedVisit, Transition, TransitionKind, Visit, ZoneEvent
from rtls.positioning.smoothing import FixedLagSmoother, SmoothedFixes, SmoothingSettings

SILENCE_MS_MAX: Final = 30_000
"""A longer gap between two fixes is not dwell, whatever lies at its ends."""
VISITS_MAX: Final = 500_000


@dataclass(slots=True)
class _Account:
    """One visit that is being counted."""

    zone: int
    entered_at_ms: int
    visit: Visit | None = None
    stepped_at_ms: int | None = None
    weight: float = 0.0
    dwell_ms: float = 0.0

    @property
    def left_at_ms(self) -> float:
        return np.inf if self.visit is None else float(self.visit.left_at_ms)

    def step(self, at_ms: int, weight: float) -> None:
        """Count up to a smoothed fix; the time since the last one is worth the weaker end."""
        if at_ms < self.entered_at_ms:
            return
        begin = self.entered_at_ms if self.stepped_at_ms is None else self.stepped_at_ms
        end = min(float(at_ms), self.left_at_ms)
        if self.stepped_at_ms is None:
            self.weight = weight
        if 0.0 < end - begin <= SILENCE_MS_MAX:
            self.dwell_ms += (end - begin) * min(weight, self.weight)
        self.stepped_at_ms, self.weight = at_ms, weight


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
    _smoother: FixedLagSmoother = field(init=False)
    _accounts: dict[TagId, dict[str, _Account]] = field(init=False, default_factory=dict)
    _tags: dict[int, TagId] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._index = ZoneIndex.build(self.site_map)
        self._smoother = FixedLagSmoother(self.smoothing)

    def take(self, output: EngineOutput) -> tuple[AnalysedVisit, ...]:
        """Take what one batch gave; return the visits that are now accounted for.

        Parameters
        ----------
        output
            Of the engine, each once and in order.
        """
        fixes, at_ms = output.fixes.rows, output.fixes.at_ms
        self._tags.update(zip(fixes["tag"].tolist(), output.tags, strict=True))
        for event in output.events:
            self._note(event)
        self._count(self._smoother.take(fixes, at_ms=at_ms))
        self._count(self._smoother.flush(output.released))
        for slot in output.released.tolist():
            self._tags.pop(slot, None)
        return self._settled(at_ms)

    def _note(self, event: ZoneEvent) -> None:
        own = self._accounts.setdefault(event.tag, {})
        if isinstance(event, Transition | Visit) and event.is_withdrawn:
            own.pop(event.visit_id, None)
        elif isinstance(event, Transition) and event.kind is TransitionKind.ENTERED:
            if sum(map(len, self._accounts.values())) < VISITS_MAX:
                zone = self.site_map.zone_index[event.zone]
                own.setdefault(event.visit_id, _Account(zone=zone, entered_at_ms=event.at_ms))
        elif isinstance(event, Visit) and event.visit_id in own:
            own[event.visit_id].visit = event
        if not own:
            del self._accounts[event.tag]

    def _count(self, smoothed: SmoothedFixes) -> None:
        places = zone_probabilities(self._index, smoothed.rows, self.engine.containment)
        for number, (at_ms, fix) in enumerate(zip(smoothed.at_ms, smoothed.rows, strict=True)):
            accounts = self._accounts.get(self._tags[int(fix["tag"])])
            if not accounts:
                continue
            p_of = places.of(number)
            for account in accounts.values():
                p = p_of.get(account.zone, 0.0)
                zone = self.site_map.zones[account.zone]
                account.step(int(at_ms), self._weight(zone, p, float(fix["p_standing"])))

    def _weight(self, zone: Zone, p: float, p_standing: float) -> float:
        dwell = self.engine.dwell
        if p < zone.rules.p_hold or p_standing < dwell.p_standing_min:
            return 0.0
        return 1.0 if p >= dwell.p_certain else p

    def _settled(self, at_ms: UnixMs) -> tuple[AnalysedVisit, ...]:
        """Return the ended visits that no smoothed fix can change any more, and forget them."""
        horizon_ms = at_ms - 1e3 * self.smoothing.lag_s
        found = []
        for tag, accounts in list(self._accounts.items()):
            for name, account in list(accounts.items()):
                if account.visit is not None and account.left_at_ms <= horizon_ms:
                    del accounts[name]
                    found.append(_analysed(account.visit, account.dwell_ms))
            if not accounts:
                del self._accounts[tag]
        return tuple(sorted(found, key=lambda v: (v.left_at_ms, v.tag, v.zone)))


def _analysed(visit: Visit, dwell_ms: float) -> AnalysedVisit:
    return AnalysedVisit(
        visit_id=visit.visit_id,
        site=visit.site,
        tag=visit.tag,
        zone=visit.zone,
        entered_at_ms=visit.entered_at_ms,
        left_at_ms=visit.left_at_ms,
        dwell_s_live=visit.dwell_s,
        dwell_s=Second(dwell_ms / 1e3),
    )
