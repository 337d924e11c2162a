"""A small site and hands to play it: a department, an aisle in it, and shelves in the aisle."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rtls.geofence.containment import ZoneProbabilities
from rtls.geofence.dwell import (
    DwellCounters,
    DwellSettings,
    DwellStep,
    empty_stays,
    step_rules,
    step_stays,
)
from rtls.geofence.zone_index import halo_numbers
from rtls.model.fix import FIX_DTYPE
from rtls.model.reading import READING_DTYPE, ReadingArray, ReadingBatch, ReadingKind
from rtls.model.site_map import Anchor, DwellRules, Floor, Radio, SiteMap, Zone, ZoneKind
from tests.reference.dwell import Event, whereabouts

START_MS = 1_795_255_200_000


def rectangle(x0: float, y0: float, x1: float, y1: float) -> tuple[tuple[float, float], ...]:
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def make_zone(
    name: str,
    ring: Sequence[tuple[float, float]],
    *,
    kind: ZoneKind = ZoneKind.SHELF,
    parent: str | None = None,
    floor: int = 0,
    rules: DwellRules | None = None,
) -> Zone:
    return Zone(
        zone=name,
        name=name,
        kind=kind,
        floor=floor,
        ring=tuple(ring),
        parent=parent,
        rules=rules or DwellRules(),
    )


def make_site(
    zones: Sequence[Zone], *, anchors: Sequence[Anchor] | None = None, floors: int = 1
) -> SiteMap:
    corners = ((0.0, 0.0), (20.0, 0.0), (20.0, 10.0), (0.0, 10.0))
    on_ceiling = tuple(
        Anchor(anchor=f"a{floor}{number}", radio=Radio.UWB, floor=floor, x_m=x, y_m=y, z_m=3.0)
        for floor in range(floors)
        for number, (x, y) in enumerate(corners)
    )
    return SiteMap(
        site="shelf-site",
        name="Shelf site",
        floors=tuple(
            Floor(floor=floor, name=str(floor), width_m=20.0, height_m=10.0)
            for floor in range(floors)
        ),
        zones=tuple(zones),
        anchors=on_ceiling if anchors is None else tuple(anchors),
    )


def shelf_zones(rules: DwellRules | None = None) -> list[Zone]:
    """Children stand before their parents, so that nothing may rest on the order of the map."""
    return [
        make_zone("dowels", rectangle(4, 4, 6, 5), parent="aisle-3", rules=rules),
        make_zone("screws", rectangle(6, 4, 8, 5), parent="aisle-3", rules=rules),
        make_zone(
            "aisle-3", rectangle(2, 4, 12, 6), kind=ZoneKind.AISLE, parent="tools", rules=rules
        ),
        make_zone("tools", rectangle(0, 0, 14, 10), kind=ZoneKind.DEPARTMENT, rules=rules),
        make_zone("checkout", rectangle(16, 0, 20, 4), kind=ZoneKind.CHECKOUT, rules=rules),
    ]


def shelf_site() -> SiteMap:
    return make_site(shelf_zones())


def exact_ranges(
    site_map: SiteMap,
    at_ms: int,
    places: Sequence[tuple[int, float, float]],
    *,
    flags: int = 0,
    sigma_m: float = math.nan,
    noise_m: npt.NDArray[np.float64] | None = None,
) -> ReadingArray:
    """Return one range from each anchor to each (slot, x, y), one metre above the floor."""
    rows = [
        (slot, number, math.dist((anchor.x_m, anchor.y_m, anchor.z_m), (x, y, 1.0)))
        for slot, x, y in sorted(places)
        for number, anchor in enumerate(site_map.anchors)
        if anchor.floor == 0
    ]
    readings = np.zeros(len(rows), READING_DTYPE)
    readings["heard_at_ms"] = at_ms
    readings["tag"] = [row[0] for row in rows]
    readings["anchor"] = [row[1] for row in rows]
    readings["value"] = [row[2] for row in rows]
    if noise_m is not None:
        readings["value"] += noise_m[: len(rows)]
    readings["value_2"] = readings["value_3"] = np.nan
    readings["sigma"] = sigma_m
    readings["ref_anchor"] = -1
    readings["kind"] = ReadingKind.RANGE
    readings["flags"] = flags
    return readings


def make_batch(
    site_map: SiteMap,
    sequence: int,
    at_ms: int,
    readings: ReadingArray | None = None,
    *,
    introduced: Sequence[tuple[int, str]] = (),
) -> ReadingBatch:
    return ReadingBatch(
        site=site_map.site,
        shard=0,
        sequence=sequence,
        epoch_end_ms=at_ms,
        readings=np.empty(0, READING_DTYPE) if readings is None else readings,
        introduced=tuple(introduced),
    )


class DwellByKernel:
    """The kernels behind the same face as the twin of dicts."""

    def __init__(
        self, site_map: SiteMap, settings: DwellSettings | None = None, capacity: int = 8
    ) -> None:
        self.site_map = site_map
        self.settings = settings or DwellSettings()
        self.rules = step_rules(site_map, self.settings)
        self.stays = empty_stays(capacity)
        self.counters = DwellCounters()

    def step(
        self,
        tag: int,
        at: int,
        p_of: dict[str, float],
        *,
        p_standing: float = 1.0,
        evidence: int | None = None,
        is_heard: bool = True,
        kind: ReadingKind = ReadingKind.RANGE,
        interval_ms: float = 100.0,
        is_late: bool = False,
    ) -> list[Event]:
        halos = {f"{zone}+": number for zone, number in halo_numbers(self.site_map).items()}
        index = self.site_map.zone_index | halos
        listed = sorted((index[name], p) for name, p in p_of.items() if name in index)
        fixes = np.zeros(1, FIX_DTYPE)
        fixes["tag"] = tag
        fixes["p_standing"] = p_standing
        fixes["x_m"] = whereabouts(at, p_standing)
        fixes["evidence_at_ms"] = at if evidence is None else evidence
        fixes["kinds"] = 1 << kind
        places = ZoneProbabilities(
            row_start=np.array([0, len(listed)], np.int32),
            zone=np.array([zone for zone, _ in listed], np.int32),
            probability=np.array([p for _, p in listed], np.float64),
            left_out=0,
        )
        step = DwellStep(
            fixes=fixes,
            places=places,
            interval_ms=np.full(len(self.stays), interval_ms),
            is_late=np.array([is_late], np.uint8),
            at_ms=at,
            is_heard=is_heard,
        )
        rows = step_stays(self.stays, step, rules=self.rules, counters=self.counters)
        return [self.event(row) for row in rows]

    def event(self, row: np.void) -> Event:
        left = ("walked_away", "lost")[row["reason"]]
        what = ("entered", "dwell", left, "passed")[row["what"]]
        return (
            what,
            int(row["tag"]),
            self.site_map.zones[row["zone"]].zone,
            int(row["at_ms"]),
            int(row["decided_at_ms"]),
            int(row["entered_at_ms"]),
            float(row["threshold_ms"]),
            float(row["dwell_ms"]),
            float(row["probability"]),
        )

    def phase(self, tag: int, zone: str) -> int:
        own = self.stays[tag]
        number = self.site_map.zone_index[zone]
        return max((int(s["phase"]) for s in own if s["phase"] and s["zone"] == number), default=0)
