"""Run the engine on the demo store: 2,000 tags, 16,000 readings and 20 batches a second.

Each tag is heard once a second by the eight nearest UWB anchors; all walk and stand in turn. What
counts is the CPU time of `Engine.process` for one second of readings, as a share of one core. The
control runs the same batches a second time: the engine must know them and do nothing.
"""

import time
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from rtls.engine import Engine, compiled_signatures
from rtls.model.reading import READING_DTYPE, ReadingBatch, ReadingKind
from rtls.model.site_map import Radio, SiteMap
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import TagId, UnixMs

TAGS = 2000
ANCHORS_A_TAG = 8
BATCHES_A_SECOND = 20
SECONDS = 12
SECONDS_UNTIL_STEADY = 4
START_MS = 1_795_255_200_000
PLAN = Path(__file__).resolve().parents[1] / "config" / "demo" / "site.geojson"
Floats = npt.NDArray[np.float64]


def make_walks(site: SiteMap, rng: np.random.Generator) -> Floats:
    """Return (seconds, tags, 2) places: a tag walks at 1 m/s or stands, half of the time each."""
    floor = site.floors[0]
    size = np.array([floor.width_m, floor.height_m])
    place = 1.0 + rng.random((TAGS, 2)) * (size - 2.0)
    heading = rng.uniform(0, 2 * np.pi, TAGS)
    walks = np.empty((SECONDS, TAGS, 2))
    for second in range(SECONDS):
        walks[second] = place
        step = np.stack([np.cos(heading), np.sin(heading)], axis=1)
        place = np.clip(place + step * (rng.random((TAGS, 1)) < 0.5), 1.0, size - 1.0)
    return walks


def make_batches(
    site: SiteMap,
    walks: Floats,
    rng: np.random.Generator,
    *,
    batches_a_second: int = BATCHES_A_SECOND,
) -> list[ReadingBatch]:
    """Return the batches of all seconds; together the batches of a second hear every tag once."""
    numbers = np.array([n for n, a in enumerate(site.anchors) if a.radio is Radio.UWB])
    anchors = np.array([(a.x_m, a.y_m, a.z_m) for a in site.anchors])[numbers]
    batches = []
    for sequence in range(SECONDS * batches_a_second):
        second, part = divmod(sequence, batches_a_second)
        tags = np.arange(part, TAGS, batches_a_second)
        at_ms = START_MS + second * 1000 + (part + 1) * 1000 // batches_a_second
        places = np.column_stack([walks[second, tags], np.full(tags.size, 1.0)])
        ranges = np.linalg.norm(anchors[None] - places[:, None], axis=2)
        nearest = np.sort(np.argsort(ranges, axis=1)[:, :ANCHORS_A_TAG], axis=1)
        readings = np.zeros(tags.size * ANCHORS_A_TAG, READING_DTYPE)
        readings["heard_at_ms"] = at_ms
        readings["tag"] = np.repeat(tags, ANCHORS_A_TAG)
        readings["anchor"] = numbers[nearest].ravel()
        noise = rng.normal(0.0, 0.08, nearest.shape)
        readings["value"] = (np.take_along_axis(ranges, nearest, axis=1) + noise).ravel()
        readings["value_2"] = readings["value_3"] = readings["sigma"] = np.nan
        readings["ref_anchor"] = -1
        readings["kind"] = ReadingKind.RANGE
        named = tuple((int(t), TagId(f"tag:{t}")) for t in tags) if second == 0 else ()
        batches.append(
            ReadingBatch(
                site=site.site,
                shard=0,
                sequence=sequence,
                epoch_end_ms=UnixMs(at_ms),
                readings=readings,
                introduced=named,
            )
        )
    return batches


def readings_a_second(site: SiteMap) -> float:
    """Return what one core takes from decoded batch to zone events, 16,000 readings a batch."""
    rng = np.random.default_rng(3)
    batches = make_batches(site, make_walks(site, rng), rng, batches_a_second=1)
    engine = Engine(site)
    engine.warm_up()
    spent = []
    for batch in batches:
        start = time.process_time()
        engine.process(batch)
        spent.append(time.process_time() - start)
    steady = spent[SECONDS_UNTIL_STEADY:]
    return TAGS * ANCHORS_A_TAG / median(steady)


def run() -> list[dict[str, str | float | bool]]:
    """Play the batches twice; return the figures."""
    rng = np.random.default_rng(2)
    site = parse_site_map(PLAN.read_bytes(), source=PLAN.name)
    batches = make_batches(site, make_walks(site, rng), rng)
    engine = Engine(site)
    engine.warm_up()
    ready = compiled_signatures()
    spent = []
    fixes = 0
    for batch in batches:
        start = time.process_time()
        output = engine.process(batch)
        spent.append(time.process_time() - start)
        fixes += output.fixes.rows.size
    steady = np.array(spent[SECONDS_UNTIL_STEADY * BATCHES_A_SECOND :])
    start = time.process_time()
    snapshot = engine.snapshot()
    snapshot_s = time.process_time() - start
    start = time.process_time()
    again = sum(engine.process(batch).fixes.rows.size for batch in batches)
    again_s = time.process_time() - start
    seconds = len(steady) / BATCHES_A_SECOND
    return [
        {
            "name": "readings a second, one core",
            "value": readings_a_second(site),
            "unit": "1/s",
            "target": 2_000_000.0,
            "is_floor": True,
        },
        {
            "name": "share of one core",
            "value": 100.0 * float(steady.sum()) / seconds,
            "unit": "%",
            "target": 10.0,
            "is_floor": False,
        },
        {"name": "median batch", "value": 1e3 * median(steady.tolist()), "unit": "ms"},
        {"name": "longest batch", "value": 1e3 * float(steady.max()), "unit": "ms"},
        {"name": "fixes", "value": float(fixes), "unit": "fixes", "target": float(TAGS * SECONDS)},
        {"name": "snapshot", "value": 1e3 * snapshot_s, "unit": "ms"},
        {"name": "size of the snapshot", "value": len(snapshot) / 1e6, "unit": "MB"},
        {
            "name": "kernels compiled after ready",
            "value": float(compiled_signatures() - ready),
            "unit": "kernels",
            "target": 0.0,
            "is_floor": False,
        },
        {
            "name": "control: fixes from batches seen before",
            "value": float(again),
            "unit": "fixes",
            "target": 0.0,
            "is_floor": False,
        },
        {
            "name": "control: share of one core for them",
            "value": 100.0 * again_s / SECONDS,
            "unit": "%",
            "target": 1.0,
            "is_floor": False,
        },
    ]


if __name__ == "__main__":
    for figure in run():
        print(figure)
