"""Map filter: 2,000 shoppers at 1 Hz against the time of one core.

Layer: benchmarks. Takes: a store of 60 × 40 m with shelves, anchors on a grid of 8 m, RSSI with
fading, unknown phones. Gives: the share of one core, bytes a tag and the error of the fixes.

Before time counts the fixes must be right: their median error is compared with the bound that this
radio allows. The control must fail: readings whose anchors are shuffled leave no place to find.
"""

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.reading import READING_DTYPE, ReadingArray, ReadingKind
from rtls.model.site_map import Anchor, Fixture, Floor, Radio, SiteMap
from rtls.model.track import TRACK_DTYPE
from rtls.model.units import AnchorId, Dbm, Metre, SiteId, UnixMs
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.beliefs import Beliefs
from rtls.positioning.grid_settings import GridSettings
from rtls.positioning.grid_tracking import GridFilter
from rtls.positioning.kernels.grid_update import DOUBTS
from rtls.positioning.measurement import MeasurementSettings
from rtls.positioning.signal_map import signal_of_laws
from rtls.positioning.tracking import full_trust
from rtls.positioning.walk_grid import WalkGrid

TAGS: Final = 2_000
WARM_UP_S: Final = 6
SECONDS: Final = 10
VISIT_MS: Final = 1_800_000
RECHECK_MS: Final = GridSettings().recheck_ms
SHARE_MAX: Final = 0.05
HEARD: Final = 10
SIGMA_DB: Final = 5.0
PHONES_SD_DB: Final = 8.0
SPEED_M_S: Final = 0.5
WIDTH_M, HEIGHT_M = 60.0, 40.0
START_MS: Final = 1_700_000_000_000
ERROR_M_MAX: Final = 2.6
"""The Cramér-Rao bound of one scan of an unknown phone on anchors 8 m apart is 2.7 m at 5 dB; a
filter that joins scans must be below it."""
CONTROL_M_MIN: Final = 8.0
Floats = npt.NDArray[np.float64]


def store() -> SiteMap:
    """Return a store with 16 double shelves and an anchor every 8 m."""
    shelves = tuple(
        Fixture(
            fixture=f"shelf-{column}-{row}",
            floor=0,
            ring=((x, y), (x + 1.2, y), (x + 1.2, y + 13.0), (x, y + 13.0)),
        )
        for column, x in enumerate(np.arange(6.0, 54.0, 6.0).tolist())
        for row, y in enumerate((4.0, 22.0))
    )
    anchors = tuple(
        Anchor(
            anchor=AnchorId(f"a{x}-{y}"),
            radio=Radio.BLE,
            floor=0,
            x_m=Metre(4.0 + 8.0 * x),
            y_m=Metre(4.0 + 8.0 * y),
            z_m=Metre(3.5),
            rssi_at_1m=Dbm(-61.0),
            exponent=2.5,
        )
        for y in range(5)
        for x in range(7)
    )
    floor = Floor(floor=0, name="0", width_m=Metre(WIDTH_M), height_m=Metre(HEIGHT_M))
    return SiteMap(
        site=SiteId("store"), name="store", floors=(floor,), zones=(), anchors=anchors,
        fixtures=shelves,
    )  # fmt: skip


def walks(grid: WalkGrid, random: np.random.Generator) -> Floats:
    """Return (seconds, tags, 2) places: half a metre a second, turning now and then."""
    seconds = WARM_UP_S + SECONDS
    each = max(round(grid.cell_m / SPEED_M_S), 1)
    nodes = np.empty((seconds // each + 2, TAGS), np.int64)
    nodes[0] = random.integers(0, len(grid), TAGS)
    heading = random.integers(0, 8, TAGS)
    for step in range(1, len(nodes)):
        heading = (heading + random.choice((-1, 0, 0, 0, 1), TAGS)) % 8
        ahead = grid.neighbours[nodes[step - 1], heading]
        heading = np.where(ahead < 0, random.integers(0, 8, TAGS), heading)
        nodes[step] = np.where(ahead < 0, nodes[step - 1], ahead)
    at = np.arange(seconds)
    part = (at % each / each)[:, None, None]
    corners = grid.node_xy[nodes]
    places: Floats = (1.0 - part) * corners[at // each] + part * corners[at // each + 1]
    return places


def readings_of(
    site_map: SiteMap, places: Floats, offsets: Floats, at_ms: int, random: np.random.Generator
) -> ReadingArray:
    """Return the ten strongest anchors of each tag, sorted by tag and anchor."""
    where = np.array([(a.x_m, a.y_m, a.z_m) for a in site_map.anchors])
    squared = ((places[:, None] - where[None, :, :2]) ** 2).sum(axis=2) + (where[0, 2] - 1.3) ** 2
    rssi = -61.0 - 12.5 * np.log10(squared) + offsets[:, None]
    rssi += SIGMA_DB * random.standard_normal(rssi.shape)
    anchor = np.sort(np.argsort(-rssi, axis=1)[:, :HEARD], axis=1)
    readings = np.zeros((len(places), HEARD), READING_DTYPE)
    readings["tag"] = np.arange(len(places))[:, None]
    readings["anchor"] = anchor
    readings["value"] = np.clip(np.take_along_axis(rssi, anchor, axis=1), -115.0, -5.0)
    readings["kind"] = ReadingKind.RSSI
    readings["heard_at_ms"] = at_ms
    readings["sigma"] = np.nan
    readings["ref_anchor"] = -1
    return readings.ravel()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One way through all seconds."""

    seconds: float
    errors_m: Floats
    nodes_a_tag: float
    bytes_a_tag: int


def follow(site_map: SiteMap, grid: WalkGrid, *, is_shuffled: bool) -> Run:
    """Follow all tags; the seconds after the first count."""
    random = np.random.default_rng(7)
    settings = GridSettings()
    height_m = MeasurementSettings().tag_height_m
    anchors = AnchorTable.build(site_map)
    signal = signal_of_laws(grid, anchors, tag_height_m=height_m, settings=settings)
    grid_filter = GridFilter(signal, anchors=anchors, settings=settings)
    grid_filter.warm_up(np.zeros(1, TRACK_DTYPE))
    beliefs, tracks = Beliefs.empty(TAGS), np.zeros(TAGS, TRACK_DTYPE)
    trust = full_trust(len(site_map.anchors))
    paths = walks(grid, random)
    offsets = PHONES_SD_DB * random.standard_normal(TAGS)
    spent = 0.0
    errors = []
    for second, places in enumerate(paths):
        at_ms = UnixMs(START_MS + 1_000 * second)
        readings = readings_of(site_map, places, offsets, at_ms, random)
        if is_shuffled:
            readings["anchor"] = random.integers(0, len(site_map.anchors), readings.size)
        if second == WARM_UP_S:
            grow_old(beliefs, random)
        begun = time.process_time()
        fixes = grid_filter.update(beliefs, tracks, readings, epoch_end_ms=at_ms, health=trust)
        if second >= WARM_UP_S:
            spent += time.process_time() - begun
            away = np.column_stack((fixes["x_m"], fixes["y_m"])) - places[fixes["tag"]]
            errors.append(np.hypot(*away.T))
    return Run(
        seconds=spent,
        errors_m=np.concatenate(errors),
        nodes_a_tag=float(beliefs.rows["used"].mean()),
        bytes_a_tag=(beliefs.nbytes + tracks.nbytes) // TAGS,
    )


def grow_old(beliefs: Beliefs, random: np.random.Generator) -> None:
    """Make the tags shoppers who came in at any time of the last half hour.

    A young belief is compared with the whole site every few seconds, an old one seldom.
    """
    age_ms = random.uniform(0.0, VISIT_MS, TAGS)
    doubted_ms = random.uniform(0.0, 1.0, TAGS) * np.maximum(age_ms / DOUBTS, RECHECK_MS)
    rows = beliefs.rows
    rows["first_heard_ms"] = (rows["at_ms"] - age_ms).astype(np.int64)
    rows["rechecked_ms"] = (rows["at_ms"] - doubted_ms).astype(np.int64)


def run() -> list[dict[str, str | float | bool]]:
    """Follow the shoppers, and as control shoppers whose anchors were shuffled."""
    site_map = store()
    grid = WalkGrid.of_plan(site_map)
    real, control = (follow(site_map, grid, is_shuffled=shuffled) for shuffled in (False, True))
    return [
        {
            "name": "share of one core for 2,000 shoppers at 1 Hz",
            "value": real.seconds / SECONDS,
            "unit": "",
            "target": SHARE_MAX,
            "is_floor": False,
        },
        {"name": "an update", "value": 1e6 * real.seconds / SECONDS / TAGS, "unit": "us"},
        {"name": "nodes of the site", "value": float(len(grid)), "unit": "nodes"},
        {"name": "nodes a tag", "value": real.nodes_a_tag, "unit": "nodes"},
        {"name": "memory a tag", "value": float(real.bytes_a_tag), "unit": "bytes"},
        {
            "name": "median error",
            "value": float(np.median(real.errors_m)),
            "unit": "m",
            "target": ERROR_M_MAX,
            "is_floor": False,
        },
        {
            "name": "control: median error with shuffled anchors",
            "value": float(np.median(control.errors_m)),
            "unit": "m",
            "target": CONTROL_M_MIN,
        },
    ]
