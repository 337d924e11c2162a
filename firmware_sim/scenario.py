"""Let shoppers come, shop and go, step by step of event time.

Layer: flow. Takes: the site map, a seed, scripted shoppers. Gives: what the anchors heard in each
step to firmware_sim.device_fleet, and the truth, apart from it, to tests and score.

One seed, one history: everything is drawn from generators that spring from the seed, and the time
is counted in steps, never read from a clock.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from firmware_sim.errors import InvalidScenario, check_between
from firmware_sim.hearing import Hearing, HearingSettings
from firmware_sim.measured_channel import MeasuredChannel
from firmware_sim.radio_channel import ExactChannel, RadioChannel, WhiteChannel
from firmware_sim.shopper_walk import Gait, Walkers
from firmware_sim.trip import ScriptedShopper, Stop, Trip, TripPlanner, TripSettings
from firmware_sim.truth import Stay, Truth, ZoneLookup, step_stay
from firmware_sim.walk_graph import build_walk_graph
from rtls.model.site_map import Radio, SiteMap
from rtls.model.units import TagId, UnixMs

ChannelName = Literal["exact", "white", "measured"]

STARTS_AT_MS: Final = UnixMs(1_795_255_200_000)  # 2026-11-21 10:00 UTC, a Saturday in the shop
AWAY_MS_MEAN: Final = 10_000.0  # between one shopper's exit and the next one's entrance
SCRIPTED_AT_ONCE_MAX: Final = 64
DIARIES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSettings:
    """How full the shop is and how its radio behaves."""

    shoppers: int = 200
    phone_share: float = 0.2
    step_ms: int = 100
    channel: ChannelName = "measured"
    trips: TripSettings = field(default_factory=TripSettings)
    hearing: HearingSettings = field(default_factory=HearingSettings)
    are_phones_known_by_address: bool = False
    """as to gateways that know nothing else of a tag; else an app gives its phone a name"""

    def __post_init__(self) -> None:
        check_between("shoppers", self.shoppers, 0, 20_000)
        check_between("phone_share", self.phone_share, 0.0, 1.0)
        check_between("step_ms", self.step_ms, 10, 1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardStep:
    """What all anchors heard in one step.

    Parameters
    ----------
    now_ms
        End of the step.
    rows
        `HEARD_DTYPE`, in the order of time.
    tags
        Tag id by slot.
    """

    now_ms: UnixMs
    rows: npt.NDArray[np.void]
    tags: Sequence[TagId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Where a scripted shopper is, and the stop that he walks to or stands at."""

    x_m: float
    y_m: float
    is_standing: bool
    stop: Stop | None


class Scenario:
    """One shop with its shoppers.

    Parameters
    ----------
    site_map
        Needs shelves, an entrance, a checkout and anchors.
    seed
        Decides everything that is drawn.
    scripted
        Shoppers who do as told; `add` takes more at run time.
    starts_at_ms
        Event time of the first step's beginning.
    """

    def __init__(
        self,
        site_map: SiteMap,
        *,
        seed: int,
        settings: ScenarioSettings | None = None,
        scripted: Sequence[ScriptedShopper] = (),
        starts_at_ms: UnixMs = STARTS_AT_MS,
    ) -> None:
        self.settings = settings or ScenarioSettings()
        self.site_map = site_map
        self.now_ms = starts_at_ms
        crowd = self.settings.shoppers
        capacity = crowd + SCRIPTED_AT_ONCE_MAX
        springs = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)]
        self._rng = springs[0]
        self._graph = build_walk_graph(site_map)
        self._planner = TripPlanner(site_map, settings=self.settings.trips, rng=springs[1])
        self._channel = build_channel(
            self.settings.channel, site_map, capacity=capacity, rng=springs[2]
        )
        self.hearing = Hearing(
            site_map,
            capacity=capacity,
            channel=self._channel,
            settings=self.settings.hearing,
            rng=springs[3],
        )
        self._walkers = Walkers(capacity)
        self._is_phone = np.zeros(capacity, np.bool_)
        self._is_phone[: round(crowd * self.settings.phone_share)] = True
        self._tags = [TagId("")] * capacity
        self._trips: dict[int, Trip] = {}
        self._zones = ZoneLookup(site_map)
        self._free_slots = list(range(capacity - 1, crowd - 1, -1))
        self._returns: list[tuple[int, int]] = []  # (instant, slot) of the crowd's next shoppers
        self._orders: deque[ScriptedShopper] = deque(maxlen=10_000)
        self._waiting: list[ScriptedShopper] = []
        self._expected: set[TagId] = set()
        self._diaries: OrderedDict[TagId, list[tuple[Stop, Stay]]] = OrderedDict()
        for script in scripted:
            self.add(script)
        for slot in range(crowd):
            self._begin_in_the_middle(slot)

    def add(self, script: ScriptedShopper) -> None:
        """Let one more scripted shopper come; may be called from another thread.

        A script that names a zone nobody can stand in is refused with `InvalidScenario`.

        Raises
        ------
        InvalidScenario
            If the tag is in the shop already or about to come.
        """
        self._planner.check(script)
        if script.tag in self._expected or self.is_present(script.tag):
            raise InvalidScenario(
                f"tag {script.tag!r} is in the shop already; wait until it has left."
            )
        self._expected.add(script.tag)
        self._orders.append(script)

    def send_on(self, tag: TagId) -> None:
        """Let a standing scripted shopper go on with his trip at the next step.

        Raises
        ------
        InvalidScenario
            If no such shopper stands.
        """
        slot = next((s for s, t in self._trips.items() if t.tag == tag), None)
        if slot is None or self._walkers.gait[slot] != Gait.STANDING:
            raise InvalidScenario(f"tag {tag!r} does not stand in the shop; nobody to send on.")
        self._walkers.until_ms[slot] = self.now_ms

    def step(self) -> HeardStep:
        """Move everything on by one step and return what the anchors heard meanwhile."""
        step_ms = self.settings.step_ms
        self.now_ms = UnixMs(self.now_ms + step_ms)
        self._let_in()
        end = self._walkers.advance(self.now_ms, step_ms=step_ms)
        for slot in end.arrived.tolist():
            self._arrive(slot)
        for slot in end.rested.tolist():
            self._trips[slot].stops.popleft()
            self._set_off(slot)
        self._write_diaries()
        rows = self.hearing.hear(
            self._walkers, is_phone=self._is_phone, now_ms=self.now_ms, step_ms=step_ms
        )
        return HeardStep(now_ms=self.now_ms, rows=rows, tags=self._tags)

    def truth(self) -> Truth:
        """Return where everybody really is now."""
        slots = np.flatnonzero(self._walkers.gait != Gait.ABSENT)
        return Truth(
            at_ms=self.now_ms,
            tags=tuple(self._tags[slot] for slot in slots.tolist()),
            slots=slots,
            x_m=self._walkers.x_m[slots],
            y_m=self._walkers.y_m[slots],
            is_standing=self._walkers.gait[slots] == Gait.STANDING,
        )

    def stays(self, tag: TagId) -> tuple[Stay, ...]:
        """Return what a scripted shopper did so far, in the order of his script.

        Raises
        ------
        InvalidScenario
            If no scripted shopper has this tag.
        """
        if tag not in self._diaries:
            raise InvalidScenario(f"tag {tag!r} is not of a scripted shopper who came in.")
        return tuple(stay for _, stay in self._diaries[tag])

    def is_present(self, tag: TagId) -> bool:
        """Return whether a tag is in the shop."""
        # A copy in one piece: another thread may ask while shoppers come and go.
        return any(trip.tag == tag for trip in list(self._trips.values()))

    def tags(self) -> tuple[TagId, ...]:
        """Return the tags in the shop, by slot."""
        return tuple(self._trips[slot].tag for slot in sorted(self._trips))

    def _begin_in_the_middle(self, slot: int) -> None:
        trip = self._new_trip(slot)
        for _ in range(int(self._rng.integers(0, len(trip.stops) - 2))):
            trip.stops.popleft()
        first = trip.stops[0]
        self._walkers.appear(slot, x_m=first.x_m, y_m=first.y_m, pace_m_s=self._planner.pace())
        left_ms = round(first.stand_ms * float(self._rng.random()))
        self._stand(slot, until_ms=self.now_ms + left_ms)

    def _new_trip(self, slot: int) -> Trip:
        if self._is_phone[slot]:  # a phone comes once, a trolley again and again
            phone = self._rng.bytes(6)
            is_bare = self.settings.are_phones_known_by_address
            self._tags[slot] = TagId(phone.hex(":") if is_bare else f"app:{phone.hex()}")
            self._channel.replace_tag(slot)
        else:
            self._tags[slot] = TagId(f"tag:{slot:04x}")
        trip = Trip(tag=self._tags[slot], stops=self._planner.draw())
        self._trips[slot] = trip
        return trip

    def _let_in(self) -> None:
        while self._orders:
            self._waiting.append(self._orders.popleft())
        due = [s for s in self._waiting if (s.arrives_at_ms or 0) <= self.now_ms]
        for script in due[: len(self._free_slots)]:
            self._waiting.remove(script)
            self._enter(self._scripted_trip(script), pace_m_s=script.pace_m_s)
        while self._returns and self._returns[0][0] <= self.now_ms:
            slot = heapq.heappop(self._returns)[1]
            self._new_trip(slot)
            self._enter(slot, pace_m_s=self._planner.pace())

    def _scripted_trip(self, script: ScriptedShopper) -> int:
        slot = self._free_slots.pop()
        self._expected.discard(script.tag)
        self._is_phone[slot] = script.radio is Radio.BLE
        self._tags[slot] = script.tag
        self._channel.replace_tag(slot)
        stops = self._planner.follow(script)
        self._trips[slot] = Trip(tag=script.tag, stops=stops, is_scripted=True)
        self._diaries.pop(script.tag, None)
        self._diaries[script.tag] = [(stop, Stay(zone=stop.zone)) for stop in stops]
        while len(self._diaries) > DIARIES_MAX:
            self._diaries.popitem(last=False)
        return slot

    def _enter(self, slot: int, *, pace_m_s: float) -> None:
        door = self._planner.entrance()
        self._walkers.appear(slot, x_m=door.x_m, y_m=door.y_m, pace_m_s=pace_m_s)
        self._set_off(slot)

    def _arrive(self, slot: int) -> None:
        trip = self._trips[slot]
        stop = trip.stops[0]
        if stop.stand_ms > 0:
            self._stand(slot, until_ms=self.now_ms + stop.stand_ms)
            return
        trip.stops.popleft()
        self._set_off(slot)

    def _stand(self, slot: int, *, until_ms: int) -> None:
        facing = float(self._rng.uniform(-np.pi, np.pi))
        self._walkers.stand(slot, until_ms=until_ms, heading_rad=facing)

    def _set_off(self, slot: int) -> None:
        trip = self._trips[slot]
        if trip.stops:
            here = np.array((self._walkers.x_m[slot], self._walkers.y_m[slot]))
            there = np.array((trip.stops[0].x_m, trip.stops[0].y_m))
            self._walkers.send(slot, self._graph.way(here, there))
            return
        self._walkers.vanish(slot)
        del self._trips[slot]
        if trip.is_scripted:
            self._close_diary(trip.tag)
            self._free_slots.append(slot)
        else:
            away = round(float(self._rng.exponential(AWAY_MS_MEAN)))
            heapq.heappush(self._returns, (self.now_ms + away, slot))

    def _write_diaries(self) -> None:
        for slot, trip in self._trips.items():
            if trip.is_scripted:
                here = self._here(slot)
                diary = self._diaries[trip.tag]
                for page, (stop, stay) in enumerate(diary):
                    if stay.left_at_ms is None:
                        diary[page] = (stop, self._step_stay(stop, stay, here))

    def _here(self, slot: int) -> Here:
        stops = self._trips[slot].stops
        return Here(
            x_m=float(self._walkers.x_m[slot]),
            y_m=float(self._walkers.y_m[slot]),
            is_standing=bool(self._walkers.gait[slot] == Gait.STANDING),
            stop=stops[0] if stops else None,
        )

    def _close_diary(self, tag: TagId) -> None:
        """End the stay in the zone in which a shopper left the shop."""
        diary = self._diaries[tag]
        stop, stay = diary[-1]
        diary[-1] = (stop, replace(stay, left_at_ms=self.now_ms))

    def _step_stay(self, stop: Stop, stay: Stay, here: Here) -> Stay:
        return step_stay(
            stay,
            now_ms=self.now_ms,
            is_inside=self._zones.contains(stay.zone, x_m=here.x_m, y_m=here.y_m),
            is_standing=here.is_standing,
            is_at_stop=here.stop is stop,
        )


def build_channel(
    name: ChannelName, site_map: SiteMap, *, capacity: int, rng: np.random.Generator
) -> RadioChannel:
    """Return the radio of that name."""
    match name:
        case "exact":
            return ExactChannel(site_map)
        case "white":
            return WhiteChannel(site_map, rng=rng)
        case "measured":
            return MeasuredChannel(site_map, capacity=capacity, rng=rng)
