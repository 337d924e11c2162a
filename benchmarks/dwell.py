"""Step the state machine of visits: our kernel against one dict a tag, same event log.

The peer is the twin that the tests hold the kernel to, on the same probabilities. The control
leads one tag elsewhere in the kernel and must be found out by the comparison of logs.
"""

import time

import numpy as np
import numpy.typing as npt

from rtls.geofence.containment import ZoneProbabilities
from rtls.geofence.dwell import DwellCounters, DwellStep, step_stays
from rtls.model.fix import FIX_DTYPE
from rtls.model.site_map import DwellRules
from rtls.model.units import Second, UnixMs
from tests.reference.dwell import DwellByDicts, Event
from tests.reference.shelf_site import DwellByKernel, make_site, shelf_zones

TAGS = 1000
STEPS = 150
STEP_MS = 500
PLACES = (
    {"tools": 1.0, "aisle-3": 0.99, "dowels": 0.95},
    {"tools": 1.0, "aisle-3": 0.99, "screws": 0.92},
    {"tools": 0.98, "aisle-3": 0.3},
    {"checkout": 0.97},
    {},
)
Log = list[Event]


def make_walks(rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return (steps, tags) places: each tag stays where it is for 10 s on average."""
    walks = np.zeros((STEPS, TAGS), np.int64)
    walks[0] = rng.integers(0, len(PLACES), TAGS)
    for step in range(1, STEPS):
        moves = rng.random(TAGS) < STEP_MS / 10_000.0
        walks[step] = np.where(moves, rng.integers(0, len(PLACES), TAGS), walks[step - 1])
    return walks


def step_of(dwell: DwellByKernel, places: npt.NDArray[np.int64], at_ms: int) -> DwellStep:
    """Lay out one instant of all tags as the kernel takes it."""
    index = dwell.site_map.zone_index
    listed = [sorted((index[zone], p) for zone, p in place.items()) for place in PLACES]
    sizes = np.array([len(entries) for entries in listed])[places]
    entries = [entry for place in places for entry in listed[place]]
    fixes = np.zeros(TAGS, FIX_DTYPE)
    fixes["tag"] = np.arange(TAGS)
    fixes["p_standing"] = 1.0
    fixes["kinds"] = 2
    fixes["evidence_at_ms"] = at_ms
    return DwellStep(
        fixes=fixes,
        places=ZoneProbabilities(
            row_start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
            zone=np.array([zone for zone, _ in entries], np.int32),
            probability=np.array([p for _, p in entries], np.float64),
            left_out=0,
        ),
        interval_ms=np.full(TAGS, 500.0),
        is_late=np.zeros(TAGS, np.uint8),
        at_ms=UnixMs(at_ms),
        is_heard=True,
    )


def by_kernel(steps: list[DwellStep], dwell: DwellByKernel) -> tuple[float, Log]:
    """Return CPU seconds and log of our kernel."""
    counters = DwellCounters()
    start = time.process_time()
    rows = [step_stays(dwell.stays, step, rules=dwell.rules, counters=counters) for step in steps]
    spent = time.process_time() - start
    return spent, sorted(dwell.event(row) for part in rows for row in part)


def by_dicts(walks: npt.NDArray[np.int64], peer: DwellByDicts) -> tuple[float, Log]:
    """Return CPU seconds and log of the peer."""
    log: Log = []
    plain = walks.tolist()
    start = time.process_time()
    for number, places in enumerate(plain):
        at = number * STEP_MS
        for tag, place in enumerate(places):
            log += peer.step(
                tag,
                at,
                PLACES[place],
                p_standing=1.0,
                evidence=at,
                is_heard=True,
                grace_ms=5000.0,
            )
    return time.process_time() - start, sorted(log)


def run() -> list[dict[str, str | float | bool]]:
    """Measure both on the same walks; return the figures."""
    rules = DwellRules(dwell_thresholds_s=(Second(5.0), Second(20.0)))
    site = make_site(shelf_zones(rules))
    walks = make_walks(np.random.default_rng(3))
    kernel = DwellByKernel(site, capacity=TAGS)
    steps = [step_of(kernel, places, n * STEP_MS) for n, places in enumerate(walks)]
    by_kernel(steps[:1], DwellByKernel(site, capacity=TAGS))  # compiled before it is timed
    ours, log = by_kernel(steps, kernel)
    theirs, expected = by_dicts(walks, DwellByDicts(site))

    spoilt = walks.copy()
    spoilt[:, 0] = (spoilt[:, 0] + 1) % len(PLACES)
    other = [step_of(kernel, places, n * STEP_MS) for n, places in enumerate(spoilt)]
    _, control = by_kernel(other, DwellByKernel(site, capacity=TAGS))
    differing = float(len(set(log) ^ set(expected)) + abs(len(log) - len(expected)))
    return [
        {"name": "speed against dicts", "value": theirs / ours, "unit": "times", "target": 10.0},
        {"name": "our time a tag and step", "value": 1e9 * ours / walks.size, "unit": "ns"},
        {"name": "events compared", "value": float(len(expected)), "unit": "events", "target": 1.0},
        {
            "name": "differing events",
            "value": differing,
            "unit": "events",
            "target": 0.0,
            "is_floor": False,
        },
        {
            "name": "control: differing events with one tag elsewhere",
            "value": float(len(set(control) ^ set(expected))),
            "unit": "events",
            "target": 1.0,
        },
    ]


if __name__ == "__main__":
    for figure in run():
        print(figure)
