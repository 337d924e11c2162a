"""M3: a simulated store with phones that nobody calibrated, through the path of a real recording.

Layer: benchmarks. Takes: the demo store's plan and the simulator's measured radio. Gives: rows for
the table.

BLE anchors on an 8 m lattice under the ceiling, a tenth of them dead; fields of 4.5 dB frozen in
place, fading in time, 14 % of adverts lost, phones up to 22 dB apart. The shop was surveyed once,
standing 20 s at points 3 m apart with a phone of its own. The tables are written as a recording,
replayed and scored as every recording is; nothing of the simulator is known to the engine.
"""

import csv
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

from benchmarks.accuracy.recordings import Aim, rows_of
from benchmarks.accuracy.row import Row
from firmware_sim.radio_channel import Links
from firmware_sim.scenario import Scenario, ScenarioSettings, build_channel
from firmware_sim.trip import TripSettings
from rtls.model.site_map import Anchor, Radio, SiteMap
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import AnchorId, Dbm, Metre

PLAN = Path(__file__).resolve().parents[2] / "config" / "demo" / "site.geojson"
SPACING_M = 8.0
CEILING_M = 4.0
STRENGTH_AT_1M = -61.0
EXPONENT = 2.2
DEAD_SHARE = 0.1
PHONES = 12
MINUTES = 5
SEEDS = (11, 12, 13)
SURVEY_SPACING_M = 3.0
SURVEY_READINGS = 40
SURVEY_STEP_MS = 500
TAG_HEIGHT_M = 1.0
SLOTS_SCRIPTED = 64  # what a scenario keeps free for scripted shoppers
CROWD = ScenarioSettings(
    shoppers=PHONES, phone_share=1.0, trips=TripSettings(dwell_s_median=30.0, dwell_s_max=120.0)
)
AIM = Aim(recording="store", group="all", most={"p50": 1.2, "p75": 1.8, "p95": 3.0}, least={})
Floats = npt.NDArray[np.float64]


def store() -> SiteMap:
    """Return the demo's plan with nothing but BLE anchors, 8 m apart."""
    plan = parse_site_map(PLAN.read_bytes(), source=PLAN.name)
    floor = plan.floors[0]
    places = [
        (x, y)
        for x in np.arange(SPACING_M / 2.0, floor.width_m, SPACING_M)
        for y in np.arange(SPACING_M / 2.0, floor.height_m, SPACING_M)
    ]
    anchors = tuple(
        Anchor(
            anchor=AnchorId(f"b{index:02d}"),
            radio=Radio.BLE,
            floor=floor.floor,
            x_m=Metre(float(x)),
            y_m=Metre(float(y)),
            z_m=Metre(CEILING_M),
            rssi_at_1m=Dbm(STRENGTH_AT_1M),
            exponent=EXPONENT,
        )
        for index, (x, y) in enumerate(places)
    )
    return replace(plan, anchors=anchors)


def write_store(folder: Path, seed: int) -> None:
    """Play one seed and write it as a recording."""
    site = store()
    scenario = Scenario(site, seed=seed, settings=CROWD)
    dead = np.random.default_rng((seed, 1)).choice(
        len(site.anchors), round(DEAD_SHARE * len(site.anchors)), replace=False
    )
    scenario.hearing.is_dead[dead] = True
    readings, truth = play(scenario, site)
    write(folder / "readings.csv", ("session", "t_s", "tag", "anchor", "kind", "value"), readings)
    write(folder / "truth.csv", ("session", "t_s", "tag", "x", "y", "z"), truth)
    write(
        folder / "anchors.csv",
        ("anchor", "x", "y", "z"),
        [(a.anchor, a.x_m, a.y_m, a.z_m) for a in site.anchors],
    )
    survey_header = ("point", "x", "y", "z", "anchor", "n", "mean", "std")
    write(folder / "survey.csv", survey_header, survey(site, seed))
    features = [
        {
            "type": "Feature",
            "properties": {"id": fixture.fixture, "kind": "shelf"},
            "geometry": {"type": "Polygon", "coordinates": [[*fixture.ring, fixture.ring[0]]]},
        }
        for fixture in site.fixtures
    ]
    document = {"type": "FeatureCollection", "features": features}
    (folder / "shelves.geojson").write_text(json.dumps(document), encoding="utf-8")


def play(
    scenario: Scenario, site: SiteMap
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Return the rows of readings and of truth; a phone that leaves and comes back is another."""
    start_ms = scenario.now_ms
    readings: list[tuple[object, ...]] = []
    truth: list[tuple[object, ...]] = []
    while scenario.now_ms - start_ms < MINUTES * 60_000:
        step = scenario.step()
        for row in step.rows.tolist():
            at_ms, slot, anchor, value = row[:4]
            name = site.anchors[anchor].anchor
            at_s = f"{(at_ms - start_ms) / 1000.0:.3f}"
            readings.append(("all", at_s, step.tags[slot], name, "rssi", round(value)))
        if (scenario.now_ms - start_ms) % 500 == 0:
            now = scenario.truth()
            at_s = f"{(scenario.now_ms - start_ms) / 1000.0:.3f}"
            truth += [
                ("all", at_s, tag, round(float(x), 3), round(float(y), 3), TAG_HEIGHT_M)
                for tag, x, y in zip(now.tags, now.x_m, now.y_m, strict=True)
            ]
    heard = {row[2] for row in readings}
    return readings, [row for row in truth if row[2] in heard]


def survey(site: SiteMap, seed: int) -> Iterator[tuple[object, ...]]:
    """Stand at points 3 m apart where a person can, with the same frozen fields."""
    springs = np.random.SeedSequence(seed).spawn(4)
    channel = build_channel(
        "measured",
        site,
        capacity=PHONES + SLOTS_SCRIPTED,
        rng=np.random.default_rng(springs[2]),
    )
    for point, (x, y) in enumerate(standing_points(site)):
        heard = np.array([
            channel.strengths(links_at(site, x, y, at_ms=1 + SURVEY_STEP_MS * step))
            for step in range(point * 100, point * 100 + SURVEY_READINGS)
        ])  # fmt: skip
        for index, anchor in enumerate(site.anchors):
            own = heard[np.isfinite(heard[:, index]), index]
            if own.size:
                mean, spread = round(float(own.mean()), 2), round(float(own.std()), 2)
                place = (f"p{point}", round(x, 3), round(y, 3), TAG_HEIGHT_M)
                yield (*place, anchor.anchor, own.size, mean, spread)


def standing_points(site: SiteMap) -> Iterator[tuple[float, float]]:
    """Yield the points of the lattice that are not inside furniture."""
    racks = shapely.union_all([shapely.Polygon(fixture.ring) for fixture in site.fixtures])
    floor = site.floors[0]
    for x in np.arange(1.0, floor.width_m, SURVEY_SPACING_M).tolist():
        for y in np.arange(1.0, floor.height_m, SURVEY_SPACING_M).tolist():
            if not shapely.intersects_xy(racks, x, y):
                yield x, y


def links_at(site: SiteMap, x: float, y: float, *, at_ms: int) -> Links:
    """Return the links of the surveyor's phone to all anchors."""
    anchors = np.array([(a.x_m, a.y_m, a.z_m) for a in site.anchors])
    count = len(anchors)
    return Links(
        slot=np.zeros(count, np.intp),
        anchor=np.arange(count),
        x_m=np.full(count, x),
        y_m=np.full(count, y),
        heading_rad=np.zeros(count),
        distance_m=np.linalg.norm(anchors - np.array([x, y, TAG_HEIGHT_M]), axis=1),
        at_ms=np.full(count, at_ms, np.int64),
    )


def write(path: Path, header: Sequence[str], rows: "Sequence[object] | Iterator[object]") -> None:
    """Write one table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)  # type: ignore[arg-type]


def run() -> Iterator[Row]:
    """Yield the rows of every seed."""
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "store"
            folder.mkdir()
            write_store(folder, seed)
            for row in rows_of(folder, [AIM], Path(name), is_calibrated=True):
                scene = f"store of 60 × 40 m, seed {seed}"
                yield replace(row, scene=scene, measure=row.measure and "M3")
