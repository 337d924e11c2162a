"""The live map's wire: bytes and processor time of a floor on which thousands walk.

The live state is the one of the service, filled as locating fills it: everybody moves before each
picture, two come and two go each second. One picture is read from it and encoded, five a second,
with the roster and the quality when they are due; that is done once for all who watch. Beside it
stands the stream for integrators (omlox JSON), of the same fixes.
"""

import time
from collections.abc import Iterator

import numpy as np

from rtls.api.live_roster import FloorFrames, FloorRoster, RefBook
from rtls.api.location_json import render_updates
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.site_map import Floor
from rtls.model.units import Metre, SiteId, TagId, UnixMs
from rtls.storage.live_state import InMemoryLiveState

FLOOR = Floor(floor=0, name="Ground", width_m=Metre(80.0), height_m=Metre(50.0))
STARTS_MS = 1_795_255_200_000
SECONDS = 30
FRAMES_A_S = 5
CHURN_A_S = 2
WEBSOCKET_HEAD = 4
BYTES_A_S_MAX = 60_000
CORE_SHARE_MAX = 0.02


def run() -> Iterator[dict[str, object]]:
    """Yield the figures."""
    for tags in (2_000, 5_000):
        size, spent_s, worst_s, json_s, json_size = play(tags)
        name = f"{tags:,} shoppers"
        yield {
            "name": f"{name}: on the wire",
            "value": size / SECONDS / 1000.0,
            "unit": "kB/s",
            "target": BYTES_A_S_MAX / 1000.0 if tags == 2_000 else None,
            "is_floor": False,
        }
        yield {
            "name": f"{name}: share of a core",
            "value": 100.0 * spent_s / SECONDS,
            "unit": "%",
            "target": 100.0 * CORE_SHARE_MAX if tags == 2_000 else None,
            "is_floor": False,
        }
        yield {"name": f"{name}: slowest picture", "value": 1000.0 * worst_s, "unit": "ms"}
        yield {
            "name": f"{name}: the same as omlox JSON, share of a core",
            "value": 100.0 * json_s * FRAMES_A_S,
            "unit": "%",
        }
        yield {
            "name": f"{name}: the same as omlox JSON, on the wire",
            "value": json_size * FRAMES_A_S / 1000.0,
            "unit": "kB/s",
        }


def play(tags: int) -> tuple[int, float, float, float, int]:
    """Return bytes, seconds of the processor, the slowest picture; and one message of JSON."""
    live, refs = InMemoryLiveState(), RefBook()
    roster = FloorRoster(FLOOR, refs)
    rng = np.random.default_rng(7)
    names = [TagId(f"tag:{number:06}") for number in range(tags)]
    size, spent_s, worst_s, newcomer = 0, 0.0, 0.0, tags
    for tick in range(SECONDS * FRAMES_A_S):
        at_ms = UnixMs(STARTS_MS + tick * 1_000 // FRAMES_A_S)
        if tick % FRAMES_A_S == 0:
            live.forget(names[:CHURN_A_S])
            names = names[CHURN_A_S:]
            names += [TagId(f"tag:{newcomer + one:06}") for one in range(CHURN_A_S)]
            newcomer += CHURN_A_S
        live.put(FixBatch(at_ms=at_ms, rows=walkers(rng, tags, at_ms)), names)
        began_s = time.process_time()
        fixes = live.latest(max_age_ms=10_000, now_ms=at_ms)
        refs.turn(fixes.tags, at_ms=at_ms)
        frames = roster.frames(
            fixes,
            at_ms=at_ms,
            at_s=tick / FRAMES_A_S,
            with_quality=tick % FRAMES_A_S == 0,
        )
        took_s = time.process_time() - began_s
        spent_s, worst_s = spent_s + took_s, max(worst_s, took_s)
        size += bytes_of(frames)
    began_s = time.process_time()
    fixes = live.latest(max_age_ms=10_000, now_ms=at_ms)
    json_size = len(render_updates(fixes, site=SiteId("demo")))
    return size, spent_s, worst_s, time.process_time() - began_s, json_size


def walkers(rng: np.random.Generator, tags: int, at_ms: int) -> np.ndarray:
    """Return a fix of everybody, somewhere on the floor."""
    rows = np.zeros(tags, FIX_DTYPE)
    rows["x_m"], rows["y_m"] = rng.uniform(0.0, 80.0, tags), rng.uniform(0.0, 50.0, tags)
    rows["cov_xx"] = rows["cov_yy"] = rng.uniform(0.01, 4.0, tags)
    rows["evidence_at_ms"] = at_ms - rng.integers(0, 2_000, tags)
    return rows


def bytes_of(frames: FloorFrames) -> int:
    """Return what one picture costs on the wire."""
    told = (frames.roster, frames.positions, frames.quality)
    return sum(len(frame) + WEBSOCKET_HEAD for frame in told if frame is not None)
