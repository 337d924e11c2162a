"""Make the readings of a big shop at a fixed rate, without the cost of simulating it well.

Layer: rules. Takes: the site map and a plan. Gives: ready payloads of the reference protocol, with
what stands in each, to firmware_sim.load.

Tags go round closed ways between shelves at a steady pace, or stand at a shelf from an instant on;
ranges are exact but for a little white noise. What a message says is joined from strings made
beforehand: 16,000 readings a second cost a few per cent of a core.
"""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from firmware_sim.errors import InvalidScenario, check_between
from firmware_sim.radio_channel import AnchorColumns, Column, Index
from firmware_sim.trip import TripPlanner, TripSettings
from firmware_sim.walk_graph import Points, build_walk_graph, standing_room, standing_spots
from firmware_sim.wire import READINGS_A_MESSAGE_MAX, WIRE_VERSION
from rtls.model.site_map import Radio, SiteMap
from rtls.model.units import GatewayId, TagId, UnixMs, ZoneId

LOOPS: Final = 64
STEP_M: Final = 0.1  # ways are cut into steps of this length
PACE_M_S: Final = 1.0
NOISE_M: Final = 0.03
TAG_HEIGHT_M: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """How much is heard, and who stands where.

    Parameters
    ----------
    readings_per_s
        All together; each tag has its share, in rounds of ``anchors_a_round``.
    stands
        (zone, how many) of the first tags: they are silent until they stand.
    stand_from_ms, stand_stagger_ms
        The first of them stands from ``stand_from_ms`` on, each next one so much later.
    hold_ms
        A reading waits at most so long for others to share its message.
    """

    tags: int = 2_000
    readings_per_s: int = 16_000
    readings_a_message: int = 40
    anchors_a_round: int = 8
    hold_ms: int = 250
    tick_ms: int = 50
    stands: Sequence[tuple[ZoneId, int]] = ()
    stand_from_ms: UnixMs = UnixMs(0)
    stand_stagger_ms: int = 0

    def __post_init__(self) -> None:
        check_between("tags", self.tags, 1, 100_000)
        check_between("readings_a_message", self.readings_a_message, 1, READINGS_A_MESSAGE_MAX)
        check_between("anchors_a_round", self.anchors_a_round, 1, 32)
        check_between("tick_ms", self.tick_ms, 1, 1_000)
        check_between("hold_ms", self.hold_ms, 0, 10_000)
        check_between("rounds of a tag per second", self.rounds_per_s, 0.01, 50.0)
        check_between("standing tags", sum(count for _, count in self.stands), 0, self.tags)

    @property
    def rounds_per_s(self) -> float:
        """Return how often each tag is ranged."""
        return self.readings_per_s / (self.tags * self.anchors_a_round)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stander:
    """A tag that stands in a zone from an instant on."""

    tag: TagId
    zone: ZoneId
    from_ms: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadMessage:
    """One payload, and what is in it."""

    gateway: GatewayId
    seq: int
    payload: bytes
    sent_as_of_ms: int
    """the ``t`` of the message: the end of the tick it was made in"""
    readings: int
    standers: tuple[tuple[int, int], ...]
    """(number of the stander, heard at) of their readings"""


class LoadStream:
    """All messages of all gateways, tick by tick."""

    def __init__(
        self, site_map: SiteMap, *, plan: LoadPlan, seed: int, starts_at_ms: UnixMs
    ) -> None:
        self.plan = plan
        self.now_ms = starts_at_ms
        self._starts_ms = starts_at_ms
        self._rng = np.random.default_rng(seed)
        self.boot = f"{random.Random(seed).getrandbits(64):016x}"
        self._anchors = AnchorColumns.of(site_map)
        self._uwb = np.array(
            [i for i, a in enumerate(site_map.anchors) if a.radio is Radio.UWB], np.intp
        )
        if len(self._uwb) < plan.anchors_a_round:
            raise InvalidScenario(
                f"the site has {len(self._uwb)} UWB anchors; expected anchors_a_round "
                f"({plan.anchors_a_round}) or more."
            )
        owners = [site_map.anchors[i].gateway for i in self._uwb.tolist()]
        self.gateways = tuple(sorted({owner for owner in owners if owner is not None}))
        self._gateway_of = np.full(len(site_map.anchors), -1)
        for index, owner in zip(self._uwb.tolist(), owners, strict=True):
            if owner is not None:
                self._gateway_of[index] = self.gateways.index(owner)
        self._heads = ['{"a":"' + a.anchor + '","id":"' for a in site_map.anchors]
        self._names = [f'load:{n:05x}","k":"range","v":' for n in range(plan.tags)]
        self._period_ms = round(1_000.0 / plan.rounds_per_s)
        self._phase_ms = self._rng.integers(0, self._period_ms, plan.tags)
        self._steps, self._first, self._count = draw_loops(site_map, rng=self._rng)
        self._loop = self._rng.integers(0, LOOPS, plan.tags)
        self._offset = self._rng.integers(0, 1 << 20, plan.tags)
        self.standers = self._place_standers(site_map)
        self._held: list[deque[tuple[int, int, str]]] = [deque() for _ in self.gateways]
        self._seq = [0] * len(self.gateways)

    def tick(self) -> list[LoadMessage]:
        """Go on by one tick and return the messages that are full or have waited long enough."""
        self.now_ms = UnixMs(self.now_ms + self.plan.tick_ms)
        self._hear()
        messages = []
        size = self.plan.readings_a_message
        for number, held in enumerate(self._held):
            while len(held) >= size or (held and self.now_ms - held[0][0] >= self.plan.hold_ms):
                taken = [held.popleft() for _ in range(min(size, len(held)))]
                messages.append(self._message(number, taken))
        return messages

    def _place_standers(self, site_map: SiteMap) -> tuple[Stander, ...]:
        room = standing_room(site_map, floor=0)
        zones = {zone.zone: zone for zone in site_map.zones}
        standers: list[Stander] = []
        places: list[Points] = []
        for zone, count in self.plan.stands:
            if zone not in zones:
                raise InvalidScenario(f"stands names zone {zone!r}; the site has no such zone.")
            spots = standing_spots(zones[zone], room, rng=self._rng)
            for number in range(count):
                later = len(standers) * self.plan.stand_stagger_ms
                from_ms = UnixMs(self.plan.stand_from_ms + later)
                tag = TagId(f"load:{len(standers):05x}")
                standers.append(Stander(tag=tag, zone=zone, from_ms=from_ms))
                places.append(spots[number % len(spots)])
        self._stand_at: Points = np.array(places).reshape(-1, 2)
        self._stand_from_ms = np.array([s.from_ms for s in standers], np.int64)
        return tuple(standers)

    def _hear(self) -> None:
        last = (self.now_ms - self._phase_ms) // self._period_ms * self._period_ms
        for back in range(-(-self.plan.tick_ms // self._period_ms) - 1, -1, -1):
            at_ms = last + self._phase_ms - back * self._period_ms
            due = at_ms > self.now_ms - self.plan.tick_ms
            due[: len(self.standers)] &= at_ms[: len(self.standers)] >= self._stand_from_ms
            tags = np.flatnonzero(due)
            if len(tags):
                self._range(tags, at_ms[tags])

    def _range(self, tags: Index, at_ms: npt.NDArray[np.int64]) -> None:
        place = self._places(tags, at_ms)
        across = place[:, :1] - self._anchors.x_m[self._uwb]
        along = place[:, 1:] - self._anchors.y_m[self._uwb]
        up = self._anchors.z_m[self._uwb] - TAG_HEIGHT_M
        distance: Column = np.sqrt(across**2 + along**2 + up**2)
        count = self.plan.anchors_a_round
        near = np.argpartition(distance, count - 1, axis=1)[:, :count]
        anchor = self._uwb[near]
        value = np.take_along_axis(distance, near, axis=1)
        value = value * (1.0 + self._anchors.range_slope[anchor])
        value += self._anchors.range_bias_m[anchor] + self._rng.normal(0, NOISE_M, value.shape)
        self._hold(np.repeat(tags, count), np.repeat(at_ms, count), anchor.ravel(), value.ravel())

    def _places(self, tags: Index, at_ms: npt.NDArray[np.int64]) -> Points:
        loop = self._loop[tags]
        walked = ((at_ms - self._starts_ms) * (PACE_M_S / 1_000.0 / STEP_M)).astype(np.int64)
        step = (self._offset[tags] + walked) % self._count[loop]
        place: Points = self._steps[self._first[loop] + step]
        standing = tags < len(self.standers)
        place[standing] = self._stand_at[tags[standing]]
        return place

    def _hold(self, tag: Index, at_ms: npt.NDArray[np.int64], anchor: Index, value: Column) -> None:
        owner = self._gateway_of[anchor]
        values = np.round(np.maximum(value, 0.0), 3)
        order = np.lexsort((tag, at_ms))
        heads, names = self._heads, self._names
        for number, held in enumerate(self._held):
            mine = order[owner[order] == number]
            columns = (c[mine].tolist() for c in (tag, at_ms, anchor, values))
            held.extend(
                (when, t, f'{heads[a]}{names[t]}{v},"sd":0.1,"dt":')
                for t, when, a, v in zip(*columns, strict=True)
            )

    def _message(self, number: int, taken: list[tuple[int, int, str]]) -> LoadMessage:
        now_ms, seq = self.now_ms, self._seq[number]
        self._seq[number] += 1
        rows = ",".join([f"{text}{when - now_ms}}}" for when, _, text in taken])
        text = (
            f'{{"v":{WIRE_VERSION},"boot":"{self.boot}","seq":{seq},"t":{now_ms},'
            f'"clk":{{"src":"ntp","err_ms":1}},"obs":[{rows}]}}'
        )
        count = len(self.standers)
        return LoadMessage(
            gateway=self.gateways[number],
            seq=seq,
            payload=text.encode(),
            sent_as_of_ms=now_ms,
            readings=len(taken),
            standers=tuple((tag, when) for when, tag, _ in taken if tag < count),
        )


def draw_loops(site_map: SiteMap, *, rng: np.random.Generator) -> tuple[Points, Index, Index]:
    """Return closed ways between shelves, cut into steps of `STEP_M`.

    Returns
    -------
    steps : (n, 2)
        Points of all ways, one way after the other.
    first, count : (LOOPS,)
        Where each way begins and how many steps it has.
    """
    graph = build_walk_graph(site_map)
    planner = TripPlanner(site_map, settings=TripSettings(stops_min=3, stops_max=3), rng=rng)
    pieces: list[Points] = []
    counts: list[int] = []
    for _ in range(LOOPS):
        stops = [np.array((stop.x_m, stop.y_m)) for stop in list(planner.draw())[:3]]
        corners = [stops[0][None, :]]
        for start, goal in zip(stops, [*stops[1:], stops[0]], strict=True):
            corners.append(graph.way(start, goal))
        way = np.vstack(corners)
        along = np.append(0.0, np.cumsum(np.hypot(*np.diff(way, axis=0).T)))
        marks = np.arange(0.0, along[-1], STEP_M)
        pieces.append(np.column_stack([np.interp(marks, along, way[:, axis]) for axis in (0, 1)]))
        counts.append(len(marks))
    count = np.array(counts)
    return np.vstack(pieces), np.cumsum(count) - count, count
