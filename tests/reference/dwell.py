"""The state machine of visits with one dict a tag, written as the rules are told.

A tag's steps come as (at_ms, P by zone, p_standing, evidence, is heard); P of a zone widened by its
exit tolerance stands under its name with a plus. Slots are not limited here, so the twin agrees
with the kernel as long as no tag is in more zones than it has slots.
"""

from dataclasses import dataclass, field

from rtls.geofence.dwell import DwellSettings
from rtls.model.site_map import SiteMap, Zone

Event = tuple[str, int, str, int, int, int, float, float, float]
"""what, tag, zone, at, decided at, entered at, threshold or 0, dwell s, probability"""


IN = {"inside", "leaving"}


def whereabouts(at: int, p_standing: float) -> float:
    """Return where a tag of the tests is: one metre a second on its way, while it walks."""
    return at / 1e3 if p_standing < 0.5 else 0.0


@dataclass
class Counted:
    dwell: float = 0.0
    low: float = 0.0
    high: float = 0.0
    time: float = 0.0

    def add(self, other: "Counted") -> None:
        self.dwell += other.dwell
        self.low += other.low
        self.high += other.high
        self.time += other.time


@dataclass
class Stay:
    zone: Zone
    phase: str = "absent"
    entered: int = 0
    since: int = 0
    left: int | None = None
    stepped: int = 0
    evidence: int = 0
    p: float = 0.0
    p_best: float = 0.0
    weight: float = 0.0
    reached: int = 0
    has_walked: bool = False
    held_x: float = 0.0
    visit: Counted = field(default_factory=Counted)
    pending: Counted = field(default_factory=Counted)
    carried: Counted = field(default_factory=Counted)


@dataclass
class DwellByDicts:
    """All tags of a site."""

    site_map: SiteMap
    settings: DwellSettings = field(default_factory=DwellSettings)
    tags: dict[int, dict[str, Stay]] = field(default_factory=dict)
    x: float = 0.0

    def __post_init__(self) -> None:
        parents = {zone.zone: zone.parent for zone in self.site_map.zones}

        def depth(name: str | None) -> int:
            return 0 if name is None else 1 + depth(parents[name])

        self.by_zone = {zone.zone: zone for zone in self.site_map.zones}
        depths = {zone.zone: depth(zone.parent) for zone in self.site_map.zones}
        self.floors_of_tree = [
            [zone for zone in self.site_map.zones if depths[zone.zone] == level]
            for level in range(max(depths.values(), default=-1) + 1)
        ]

    def step(
        self,
        tag: int,
        at: int,
        p_of: dict[str, float],
        *,
        p_standing: float,
        evidence: int,
        is_heard: bool,
        grace_ms: float,
        habit_ms: float = 0.0,
    ) -> list[Event]:
        """Step one tag; return its events. A zone's own grace replaces ``grace_ms``."""
        self.x = whereabouts(at, p_standing)
        stays = self.tags.setdefault(tag, {})
        events: list[Event] = []
        for tree_floor in self.floors_of_tree:
            zones = [zone for zone in tree_floor if zone.zone in p_of or zone.zone in stays]
            for zone in zones:
                if is_heard:
                    self.begin_if_probable(stays, zone, at, p_of, p_standing, evidence)
            own = [stays[zone.zone] for zone in zones if zone.zone in stays]
            visits = [stay for stay in own if stay.phase != "candidate"]
            candidates = [stay for stay in own if stay.phase == "candidate"]
            for stay in visits + candidates:
                p = p_of.get(stay.zone.zone, 0.0)
                near = p_of.get(f"{stay.zone.zone}+", 0.0)
                own_s = stay.zone.rules.grace_s
                patience = grace_ms if own_s is None else min(max(1e3 * own_s, habit_ms), 300e3)
                how = (at, (p, near), p_standing, evidence, is_heard, patience, events)
                if self.step_stay(stays, stay, tag, *how):
                    del stays[stay.zone.zone]
        return events

    def begin_if_probable(self, stays, zone, at, p_of, p_standing, evidence) -> None:
        stay = stays.get(zone.zone)
        p = p_of.get(zone.zone, 0.0)
        is_open = stay is not None and stay.phase != "absent"
        parent = stays.get(zone.parent or "")
        has_parent = zone.parent is None or (parent and parent.phase != "absent")
        if p >= zone.rules.p_enter and not is_open and has_parent:
            stay = stays.setdefault(zone.zone, Stay(zone))
            self.begin(stay, at, p, p_standing, evidence)

    def ancestors(self, zone: Zone) -> set[str]:
        above = set()
        while zone.parent:
            above.add(zone.parent)
            zone = self.by_zone[zone.parent]
        return above

    def is_held_elsewhere(self, stays: dict[str, Stay], zone: Zone) -> bool:
        return any(
            other.phase in IN
            and (other.zone.kind, other.zone.floor) == (zone.kind, zone.floor)
            and other.zone.zone not in self.ancestors(zone)
            and zone.zone not in self.ancestors(other.zone)
            for other in stays.values()
        )

    def begin(self, stay: Stay, at: int, p: float, p_standing: float, evidence: int) -> None:
        if stay.left is None or at - stay.left >= 1000 * stay.zone.rules.reset_after_s:
            stay.carried, stay.reached, stay.left = Counted(), 0, None
        stay.visit, stay.pending = Counted(), Counted()
        stay.phase = "candidate"
        stay.entered = stay.since = stay.stepped = at
        stay.evidence = evidence
        stay.p = stay.p_best = p
        stay.held_x = self.x
        stay.weight = self.weight(stay.zone, p, p_standing)

    def weight(self, zone: Zone, p: float, p_standing: float) -> float:
        if p < zone.rules.p_hold or p_standing < self.settings.p_standing_min:
            return 0.0
        return 1.0 if p >= self.settings.p_certain else p

    def step_stay(
        self, stays, stay, tag, at, p_pair, p_standing, evidence, is_heard, grace_ms, events
    ) -> bool:
        """Return whether the stay can be forgotten."""
        p, p_near = p_pair
        rules = stay.zone.rules
        if stay.phase == "absent":
            return at - stay.left >= 1000 * rules.reset_after_s
        walks = is_heard and self.has_walked(stay, p_standing, evidence)
        if is_heard:
            stay.held_x = self.x if p >= rules.p_hold else stay.held_x
            stay.evidence = max(stay.evidence, evidence)
        is_lost = at - stay.evidence > grace_ms
        if not is_lost:
            self.count(stay, at, p, p_standing, is_heard)
        parent = stays.get(stay.zone.parent or "")
        phase = self.phase_of_parent(stay.zone, parent)
        stay.p_best = max(stay.p_best, p)
        if is_heard and not is_lost and phase != "absent":
            self.note_pass(stay, tag, at, p_standing, events)
        if stay.phase == "candidate" and self.drops_candidate(stay, phase, is_heard, is_lost):
            return stay.left is None
        is_free = not self.is_held_elsewhere(stays, stay.zone)
        if stay.phase == "candidate":
            self.enter(stay, tag, at, phase in IN and is_free, is_heard, events)
        else:
            how = (is_heard, is_lost, phase in IN, p_near, walks)
            self.step_visit(stay, parent, tag, at, how, events)
        if stay.phase == "inside" and is_heard:
            self.reach(stay, tag, at, events)
        return False

    def has_walked(self, stay: Stay, p_standing: float, evidence: int) -> bool:
        is_unseen = evidence - stay.evidence >= 1000 * stay.zone.rules.exit_delay_s
        is_off = abs(self.x - stay.held_x) >= self.settings.step_m
        return is_unseen or (is_off and p_standing < self.settings.p_standing_min)

    def note_pass(self, stay, tag, at, p_standing, events) -> None:
        is_out = stay.phase == "candidate" and stay.p < stay.zone.rules.p_hold
        if is_out and p_standing < self.settings.p_standing_min:
            began = stay.entered
            passed = ("passed", tag, stay.zone.zone, began, at, began, 0, stay.visit.dwell)
            events.append((*passed, stay.p_best))

    def drops_candidate(self, stay, phase, is_heard, is_lost) -> bool:
        if not (is_lost or phase == "absent" or (is_heard and stay.p < stay.zone.rules.p_hold)):
            return False
        stay.visit, stay.pending, stay.phase = Counted(), Counted(), "absent"
        return True

    def enter(self, stay, tag, at, is_free, is_heard, events) -> None:
        is_ripe = at - stay.since >= 1000 * stay.zone.rules.min_enter_s
        if is_heard and is_ripe and is_free:
            stay.phase = "inside"
            events.append(self.event("entered", tag, stay, stay.entered, at))

    def phase_of_parent(self, zone: Zone, parent: Stay | None) -> str:
        if zone.parent is None:
            return "inside"
        return parent.phase if parent else "absent"

    def settle(self, stay: Stay, *, is_confirmed: bool) -> None:
        stay.visit.high += stay.pending.high
        if is_confirmed:
            stay.pending.high = 0.0
            stay.visit.add(stay.pending)
        stay.pending = Counted()

    def count(self, stay, at, p, p_standing, is_heard) -> None:
        passed = at - stay.stepped
        weight = self.weight(stay.zone, p, p_standing)
        if min(weight, stay.weight) > 0.0:
            stay.pending.dwell += passed * min(weight, stay.weight)
            stay.pending.low += passed * min(p, stay.p)
            stay.pending.time += passed
        if min(p, stay.p) > stay.zone.rules.p_exit:
            stay.pending.high += passed
        stay.p, stay.weight, stay.stepped = p, weight, at
        if is_heard:
            self.settle(stay, is_confirmed=p >= stay.zone.rules.p_hold)

    def step_visit(self, stay, parent, tag, at, how, events) -> None:
        is_heard, is_lost, parent_is_inside, p_near, walks = how
        rules = stay.zone.rules
        if is_heard and stay.phase == "inside" and stay.p <= rules.p_exit:
            stay.phase, stay.since, stay.has_walked = "leaving", at, False
        elif is_heard and stay.phase == "leaving" and stay.p > rules.p_exit:
            stay.phase = "inside"
        if stay.phase == "leaving":
            stay.has_walked = stay.has_walked or walks
            delay_s = rules.exit_delay_s * (
                1 if stay.has_walked else self.settings.standing_patience
            )
            if p_near > rules.p_exit:
                delay_s = max(delay_s, rules.tolerance_timeout_s)
            is_over = is_lost or at - stay.since >= 1000 * delay_s
            if is_over or not parent_is_inside:
                self.close(stay, "walked_away", stay.since, tag, at, events)
        elif is_lost:
            self.close(stay, "lost", stay.evidence, tag, at, events)
        elif not parent_is_inside:
            left = at if parent is None or parent.left is None else parent.left
            self.close(stay, "walked_away", left, tag, at, events)

    def close(self, stay, reason, left, tag, at, events) -> None:
        left = max(left, stay.entered)
        longest = left - stay.entered
        for name in ("dwell", "low", "high", "time"):
            setattr(stay.visit, name, min(getattr(stay.visit, name), longest))
        events.append(self.event(reason, tag, stay, left, at))
        stay.carried.add(stay.visit)
        stay.visit, stay.pending = Counted(), Counted()
        stay.phase, stay.left = "absent", left

    def reach(self, stay: Stay, tag: int, at: int, events: list[Event]) -> None:
        thresholds = stay.zone.rules.dwell_thresholds_s
        total = Counted()
        total.add(stay.carried)
        total.add(stay.visit)
        while stay.reached < len(thresholds):
            threshold = 1000 * thresholds[stay.reached]
            if total.dwell < threshold or total.low < stay.zone.rules.p_dwell * total.time:
                return
            events.append(
                (
                    "dwell",
                    tag,
                    stay.zone.zone,
                    at,
                    at,
                    stay.entered,
                    threshold,
                    total.dwell,
                    total.low / total.time,
                )
            )
            stay.reached += 1

    def event(self, what: str, tag: int, stay: Stay, at: int, decided: int) -> Event:
        return (what, tag, stay.zone.zone, at, decided, stay.entered, 0, stay.visit.dwell, stay.p)
