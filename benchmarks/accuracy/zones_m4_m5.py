"""M4 and M5: dwell is told of the right shelf, and somebody who stands is left in peace.

Layer: benchmarks. Takes: simulated ranges. Gives: rows for the table, ours beside two kinds of
fence.

An aisle 4 m wide between two racks, with bays 2 m wide on either side: 18 zones of 2 × 2 m, in
pairs of 4 m depth, in three segments of 6 m, in a department. Four anchors far away in the four
directions, at the tag's height, so that one epoch gives a fix with the same sigma on both axes; the
noise is white, as the target says, which flatters everybody. Two epochs a second go through the
engine as ranges. The peers are shown the single fixes of the same ranges.

M4: a shopper stands for 60 s within 0.25 m of the middle of a bay, then the tag is silent. Right is
who is told to have dwelt 30 s at his bay and at no other. Silent is who is told of no bay.
M5: a shopper stands for five minutes in the middle of a bay, or on the edge of two. Each entry and
each leaving is false, but for the first entry of one bay and of what lies around it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.row import Row
from rtls.engine import Engine
from rtls.model.reading import READING_DTYPE, ReadingArray, ReadingBatch, ReadingKind
from rtls.model.site_map import (
    Anchor,
    DwellRules,
    Floor,
    Radio,
    Ring,
    SiteMap,
    Zone,
    ZoneKind,
)
from rtls.model.units import AnchorId, Metre, Second, SiteId, TagId, UnixMs, ZoneId
from rtls.model.visit import DwellReached, Transition, ZoneEvent
from tests.reference.fences import InstantFence, ToleranceFence, play

Floats = npt.NDArray[np.float64]
START_MS = 1_795_255_200_000
STEP_MS = 500
BAY_M = 2.0
BAYS = 9  # along the aisle
LEFT_M, MIDDLE_M = 11.0, 20.0  # where the aisle begins, and its middle line
STAND_S = 60.0
AFTER_S = 15.0
DWELL_S = 30.0
RULES = DwellRules(dwell_thresholds_s=(Second(DWELL_S),))
CROSS = ((20.0, -20.0), (20.0, 60.0), (-20.0, 20.0), (60.0, 20.0))
TAG_HEIGHT_M = 1.0
OFF_MIDDLE_M = 0.25
OFF_EDGE_M = 0.15
LEVELS = 4  # bay, pair, segment, department


def aisle() -> SiteMap:
    """Return the site."""
    return SiteMap(
        site=SiteId("aisle"),
        name="Aisle",
        floors=(Floor(floor=0, name="0", width_m=Metre(40.0), height_m=Metre(40.0)),),
        zones=tuple(_zones()),
        anchors=tuple(
            Anchor(
                anchor=AnchorId(f"a{number}"),
                radio=Radio.UWB,
                floor=0,
                x_m=Metre(x),
                y_m=Metre(y),
                z_m=Metre(TAG_HEIGHT_M),
            )
            for number, (x, y) in enumerate(CROSS)
        ),
    )


def _zones() -> list[Zone]:
    low, high = MIDDLE_M - BAY_M, MIDDLE_M + BAY_M
    right = LEFT_M + BAYS * BAY_M
    zones = [_zone("department", ZoneKind.DEPARTMENT, _box(LEFT_M, low, right, high), None)]
    for segment in range(BAYS // 3):
        x0 = LEFT_M + 3 * segment * BAY_M
        ring = _box(x0, low, x0 + 3 * BAY_M, high)
        zones.append(_zone(f"segment-{segment}", ZoneKind.AISLE, ring, "department"))
    for bay in range(BAYS):
        x0, x1 = LEFT_M + bay * BAY_M, LEFT_M + (bay + 1) * BAY_M
        pair = f"pair-{bay}"
        zones += [
            _zone(pair, ZoneKind.BAY_PAIR, _box(x0, low, x1, high), f"segment-{bay // 3}"),
            _zone(f"bay-{bay}-0", ZoneKind.SHELF, _box(x0, low, x1, MIDDLE_M), pair),
            _zone(f"bay-{bay}-1", ZoneKind.SHELF, _box(x0, MIDDLE_M, x1, high), pair),
        ]
    return zones


def _zone(name: str, kind: ZoneKind, ring: Ring, parent: str | None) -> Zone:
    above = None if parent is None else ZoneId(parent)
    return Zone(
        zone=ZoneId(name), name=name, kind=kind, floor=0, ring=ring, parent=above, rules=RULES
    )


def _box(x0: float, y0: float, x1: float, y1: float) -> Ring:
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stands:
    """Shoppers who stand: `bay` and `side` (n,), `xy` (n, 2) m, `ranges` (steps, n, 4) m."""

    site: SiteMap
    bay: npt.NDArray[np.int64]
    side: npt.NDArray[np.int64]
    xy: Floats
    noise_m: Floats
    sigma_m: float

    def own(self, shopper: int) -> tuple[str, str, str]:
        """Return the bay, the pair and the segment that a shopper stands at."""
        bay = int(self.bay[shopper])
        return f"bay-{bay}-{self.side[shopper]}", f"pair-{bay}", f"segment-{bay // 3}"

    def single_fixes(self, shopper: int) -> list[tuple[float, float, float]]:
        """Return what one epoch at a time says: (s, x, y), to first order in the noise."""
        off = np.array(self.noise_m[:, shopper])
        x = self.xy[shopper, 0] + (off[:, 2] - off[:, 3]) / 2.0
        y = self.xy[shopper, 1] + (off[:, 0] - off[:, 1]) / 2.0
        return [
            (k * STEP_MS / 1e3, float(a), float(b))
            for k, (a, b) in enumerate(zip(x, y, strict=True))
        ]


def stands(
    count: int, *, sigma_m: float, seconds: float, seed: int, on_edge: bool = False
) -> Stands:
    """Let shoppers stand before inner bays, in the middle or on the edge to the next bay.

    Parameters
    ----------
    count
        Shoppers.
    sigma_m
        Of one epoch's fix, on either axis.
    seconds
        How long they stand.
    seed
        Of their places and of the noise.
    on_edge
        At most 0.15 m from the edge of two bays, else at most 0.25 m from the middle of one.
    """
    rng = np.random.default_rng(seed)
    bay, side = rng.integers(1, BAYS - 1, count), rng.integers(0, 2, count)
    reach = OFF_EDGE_M if on_edge else OFF_MIDDLE_M
    x = LEFT_M + (bay + (1.0 if on_edge else 0.5)) * BAY_M + rng.uniform(-reach, reach, count)
    y = MIDDLE_M + (side - 0.5) * BAY_M + rng.uniform(-OFF_MIDDLE_M, OFF_MIDDLE_M, count)
    steps = round(1e3 * seconds / STEP_MS) + 1
    # Two ranges along one axis: their difference halved has sigma_m.
    noise = rng.normal(0.0, sigma_m * math.sqrt(2.0), (steps, count, len(CROSS)))
    return Stands(
        site=aisle(),
        bay=bay,
        side=side,
        xy=np.column_stack((x, y)),
        noise_m=noise,
        sigma_m=sigma_m,
    )


def events_of(group: Stands, *, after_s: float = AFTER_S) -> list[ZoneEvent]:
    """Run the stands through the engine, and some silence after them."""
    engine = Engine(group.site)
    count, steps = len(group.bay), len(group.noise_m)
    exact = np.array([[math.dist(place, anchor) for anchor in CROSS] for place in group.xy])
    events: list[ZoneEvent] = []
    for step in range(steps + round(1e3 * after_s / STEP_MS)):
        at_ms = UnixMs(START_MS + step * STEP_MS)
        heard = _ranges(exact + group.noise_m[step], group.sigma_m, at_ms) if step < steps else None
        batch = ReadingBatch(
            site=group.site.site,
            shard=0,
            sequence=step,
            epoch_end_ms=at_ms,
            readings=np.empty(0, READING_DTYPE) if heard is None else heard,
            introduced=tuple((n, TagId(f"t{n}")) for n in range(count)) if step == 0 else (),
        )
        events.extend(engine.process(batch).events)
    return events


def _ranges(value: Floats, sigma_m: float, at_ms: int) -> ReadingArray:
    count, anchors = value.shape
    readings = np.zeros(value.size, READING_DTYPE)
    readings["heard_at_ms"] = at_ms
    readings["tag"] = np.repeat(np.arange(count), anchors)
    readings["anchor"] = np.tile(np.arange(anchors), count)
    readings["value"] = value.ravel()
    readings["value_2"] = readings["value_3"] = np.nan
    readings["sigma"] = sigma_m * math.sqrt(2.0)
    readings["ref_anchor"] = -1
    readings["kind"] = ReadingKind.RANGE
    return readings


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellShares:
    """Of the shoppers who stood: told of their bay alone, a wrong one, none; of the segment."""

    right: float
    wrong: float
    silent: float
    parent: float


def dwell_shares(count: int, *, sigma_m: float, seed: int = 0) -> DwellShares:
    """Return how the engine tells of 30 s of dwell (M4)."""
    group = stands(count, sigma_m=sigma_m, seconds=STAND_S, seed=seed)
    told: list[set[str]] = [set() for _ in range(count)]
    for event in events_of(group):
        if isinstance(event, DwellReached):
            told[int(event.tag[1:])].add(event.zone)
    return _shares(group, told)


def fence_shares(
    count: int, *, sigma_m: float, kind: type[InstantFence], seed: int = 0
) -> DwellShares:
    """Return how a fence with a timer tells of the same stands."""
    group = stands(count, sigma_m=sigma_m, seconds=STAND_S, seed=seed)
    told: list[set[str]] = []
    for shopper in range(count):
        fences = {zone.zone: kind(_bounds(zone.ring)) for zone in group.site.zones}
        play(list(fences.values()), group.single_fixes(shopper))
        told.append({zone for zone, fence in fences.items() if fence.longest_s >= DWELL_S})
    return _shares(group, told)


def _bounds(ring: Ring) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return min(xs), min(ys), max(xs), max(ys)


def _shares(group: Stands, told: Sequence[set[str]]) -> DwellShares:
    bays = [{zone for zone in zones if zone.startswith("bay")} for zones in told]
    own = [group.own(shopper) for shopper in range(len(told))]
    count = len(told)
    return DwellShares(
        right=sum(found == {mine[0]} for found, mine in zip(bays, own, strict=True)) / count,
        wrong=sum(bool(found - {mine[0]}) for found, mine in zip(bays, own, strict=True)) / count,
        silent=sum(not found for found in bays) / count,
        parent=sum(mine[2] in zones for zones, mine in zip(told, own, strict=True)) / count,
    )


def false_transitions(count: int, *, sigma_m: float, on_edge: bool, seed: int = 0) -> float:
    """Return the false transitions a minute and shopper of five minutes of standing (M5)."""
    minutes = 5.0
    group = stands(count, sigma_m=sigma_m, seconds=60.0 * minutes, seed=seed, on_edge=on_edge)
    events = [e for e in events_of(group, after_s=0.0) if isinstance(e, Transition)]
    return _false(group, [(int(e.tag[1:]), str(e.zone)) for e in events]) / (count * minutes)


def fence_transitions(
    count: int, *, sigma_m: float, on_edge: bool, kind: type[InstantFence], seed: int = 0
) -> float:
    """Return the same of a fence."""
    minutes = 5.0
    group = stands(count, sigma_m=sigma_m, seconds=60.0 * minutes, seed=seed, on_edge=on_edge)
    moves: list[tuple[int, str]] = []
    for shopper in range(count):
        fences = {zone.zone: kind(_bounds(zone.ring)) for zone in group.site.zones}
        play(list(fences.values()), group.single_fixes(shopper))
        moves += [(shopper, z) for z, fence in fences.items() for _ in range(fence.transitions)]
    return _false(group, moves) / (count * minutes)


def _false(group: Stands, moves: Sequence[tuple[int, str]]) -> int:
    """Count all but the first entry on each level: one bay, pair, segment and department."""
    by_level: dict[tuple[int, str], int] = {}
    for shopper, zone in moves:
        level = (shopper, zone.split("-")[0])
        by_level[level] = by_level.get(level, 0) + 1
    assert all(shopper < len(group.bay) for shopper, _ in by_level)
    return sum(count - 1 for count in by_level.values())


def run() -> list[Row]:
    """Return the rows of M4 and M5."""
    rows: list[Row] = []
    for sigma_m, targets in ((0.5, (0.99, 0.005, None)), (1.0, (None, 0.02, 0.98))):
        rows += _dwell_rows(sigma_m, targets)
    for sigma_m in (0.5, 1.0):
        for on_edge in (False, True):
            rows += _peace_rows(sigma_m, on_edge=on_edge)
    return rows


def _dwell_rows(
    sigma_m: float, targets: tuple[float | None, float | None, float | None], count: int = 400
) -> list[Row]:
    scene = f"60 s at a bay of 2 m, σ {sigma_m} m"
    ours = dwell_shares(count, sigma_m=sigma_m)
    right, wrong, parent = targets
    rows = [
        Row(measure="M4", scene=scene, figure="right bay", value=ours.right, unit="share",
            target=right, is_floor=True, note=f"{ours.silent:.3f} silent"),
        Row(measure="M4", scene=scene, figure="wrong bay", value=ours.wrong, unit="share",
            target=wrong),
        Row(measure="M4", scene=scene, figure="right segment of 6 m", value=ours.parent,
            unit="share", target=parent, is_floor=True),
    ]  # fmt: skip
    for kind, name in ((InstantFence, "instant fence"), (ToleranceFence, "exit-tolerance fence")):
        peer = fence_shares(count, sigma_m=sigma_m, kind=kind)
        rows += [
            Row(measure="peer", scene=scene, figure=f"{name}: right bay", value=peer.right,
                unit="share", note=f"{peer.silent:.3f} silent"),
            Row(measure="peer", scene=scene, figure=f"{name}: wrong bay", value=peer.wrong,
                unit="share"),
        ]  # fmt: skip
    return rows


def _peace_rows(sigma_m: float, *, on_edge: bool, count: int = 60) -> list[Row]:
    scene = f"5 min {'on an edge' if on_edge else 'in the middle'}, σ {sigma_m} m"
    figure, unit = "false transitions", "a minute"
    ours = false_transitions(count, sigma_m=sigma_m, on_edge=on_edge)
    rows = [Row(measure="M5", scene=scene, figure=figure, value=ours, unit=unit, target=0.05)]
    for kind, name in ((InstantFence, "instant fence"), (ToleranceFence, "exit-tolerance fence")):
        peer = fence_transitions(count, sigma_m=sigma_m, on_edge=on_edge, kind=kind)
        rows.append(
            Row(measure="peer", scene=scene, figure=f"{name}: {figure}", value=peer, unit=unit)
        )
    return rows
