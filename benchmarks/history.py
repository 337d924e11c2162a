"""The position history: 20 million fixes of one day, its heatmap, its zone report, and their price.

The day is written by the history's own writer, as the locating loop hands rows over, and compacted
by its own compaction. Each report is asked in a process of its own, whose memory is told. Beside
them a process makes the same heatmap the plain way: the file into memory by pyarrow, counted by
`Table.group_by` with `count_distinct`. The answers must be the same in every cell; with one minute
left out the comparison must notice.
"""

import json
import math
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rtls.engine_contract import EngineOutput
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.footfall import Block, CellTimes, ReportWindow
from rtls.model.units import UnixMs
from rtls.model.visit import AnalysedVisit
from rtls.storage.history.compaction import compact
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.history.fix_sampler import FixSampler
from rtls.storage.history.history_folder import Table, files_of
from rtls.storage.history.history_log import HistoryLog, LogSettings
from rtls.storage.history.history_reader import HistoryReader
from rtls.storage.history.history_rows import FixSlice
from rtls.storage.history.salt_book import SaltBook
from tests.reference.shelf_site import shelf_site

ROWS = 20_000_000
OPEN_S = 12 * 3600
STAY_S = 2_500
TAGS = ROWS // STAY_S
WIDTH_M, HEIGHT_M = 60.0, 40.0
CELL_M = 0.5
VISITS_A_TAG = 60
ROUNDS = 3
SITE_MAP = shelf_site()
OPENS_MS = 1_777_867_200_000  # 2026-05-04, 04:00 UTC: six o'clock by the clocks of the site
HOUR_MS = 3_600_000
MIB = 1 << 20


def run() -> Iterator[dict[str, object]]:
    """Yield the figures."""
    with tempfile.TemporaryDirectory(prefix="inaisle-bench-") as name:
        folder = Path(name)
        written = child("write", folder)
        compacted = child("compact", folder)
        asked = [child("heatmap", folder) for _ in range(ROUNDS)]
        zones = [child("zones", folder) for _ in range(ROUNDS)]
        peer = child("peer", folder)
        yield from report_figures(asked, zones, peer)
        yield figure("same answer in every cell", is_same(folder), "", 1.0)
        yield figure("a minute left out is noticed", not is_same(folder, control=True), "", 1.0)
    yield figure("written by one core", ROWS / written["cpu_s"], "rows/s", 20_000.0)
    yield figure("size of a row on disk", compacted["bytes"] / ROWS, "bytes")
    yield figure("compaction of the day", compacted["cpu_s"], "CPU s")
    memory = max(written["rss_mib"], compacted["rss_mib"])
    yield figure("memory of writing and compacting", memory, "MiB", 1024.0, is_floor=False)
    yield figure("cost to the loop, 2,000 tags", loop_share(), "% of a core", 1.0, is_floor=False)


def report_figures(
    asked: list[dict[str, float]], zones: list[dict[str, float]], peer: dict[str, float]
) -> Iterator[dict[str, object]]:
    """Yield what reports take: processor time decides, since a shared machine makes others wait."""
    for name, rounds in (("heatmap of a day", asked), ("zone report of a day", zones)):
        cpu_s = sorted(one["cpu_s"] for one in rounds)[len(rounds) // 2]
        yield figure(f"{name}, on two cores", cpu_s / 2, "s", 2.0, is_floor=False)
        yield figure(f"{name}, as waited for", min(one["wall_s"] for one in rounds), "s")
    memory = max(one["rss_mib"] for one in (*asked, *zones))
    yield figure("memory of a report", memory, "MiB", 1024.0, is_floor=False)
    ours = sorted(one["cpu_s"] for one in asked)[len(asked) // 2]
    yield figure("heatmap, against pyarrow group_by", peer["cpu_s"] / ours, "x", 1.5)
    yield figure("memory of pyarrow group_by", peer["rss_mib"], "MiB")


def figure(
    name: str, value: float, unit: str, target: float | None = None, *, is_floor: bool = True
) -> dict[str, object]:
    """Return one figure as inaisle.bench takes it."""
    return {
        "name": name,
        "value": float(value),
        "unit": unit,
        "target": target,
        "is_floor": is_floor,
    }


def child(task: str, folder: Path) -> dict[str, float]:
    """Do a task in a process of its own; return seconds and memory of it."""
    command = [sys.executable, "-m", "benchmarks.history", task, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def write(folder: Path) -> dict[str, float]:
    """Write the day, second by second."""
    log = HistoryLog(
        folder / "history",
        site_map=SITE_MAP,
        counted=CountedTags.all(),
        salts=SaltBook(
            folder / "salts",
            site=SITE_MAP.site,
            time_zone=SITE_MAP.time_zone,
            new_salt=secrets.token_bytes,
        ),
        settings=LogSettings(),
    )
    spent_s = 0.0
    for second, (fixes, visits) in enumerate(day()):
        begun_s = time.process_time()
        now_ms = UnixMs(OPENS_MS + 1000 * second)
        log.take_fixes(fixes, now_ms=now_ms)
        log.take_visits(visits, now_ms=now_ms)
        log.turn(now_ms=now_ms)
        spent_s += time.process_time() - begun_s
    log.close(now_ms=now_ms)
    assert log.counters["fixes"] == ROWS, log.counters
    return {"cpu_s": spent_s}


def day() -> Iterator[tuple[FixSlice, list[AnalysedVisit]]]:
    """Yield each second of a day: who is there walks a metre, or stands at a shelf for a while."""
    made = np.random.default_rng(5)
    begins = np.sort(made.integers(0, OPEN_S - STAY_S, TAGS))
    names = np.array([f"tag:{n:05}".encode() for n in range(TAGS)], "S16")
    x_m, y_m = made.uniform(0, WIDTH_M, TAGS), made.uniform(0, HEIGHT_M, TAGS)
    heading = made.uniform(0, 2 * math.pi, TAGS)
    is_standing = np.zeros(TAGS, np.bool_)
    zones = [zone.zone for zone in SITE_MAP.zones]
    for second in range(OPEN_S):
        first, last = np.searchsorted(begins, [second - STAY_S, second], side="right")
        here = slice(first, last)
        count = last - first
        is_standing[here] ^= made.random(count) < np.where(is_standing[here], 0.02, 0.05)
        heading[here] += made.normal(0, 0.15, count)
        step = np.where(is_standing[here], 0.0, 1.0)
        x_m[here] = np.abs(x_m[here] + step * np.cos(heading[here])) % WIDTH_M
        y_m[here] = np.abs(y_m[here] + step * np.sin(heading[here])) % HEIGHT_M
        at_ms = UnixMs(OPENS_MS + 1000 * second)
        fixes = FixSlice(
            at_ms=at_ms,
            names=names[here],
            floor=np.zeros(count, np.int16),
            x_m=(x_m[here] + made.normal(0, 0.2, count)).astype(np.float32),
            y_m=(y_m[here] + made.normal(0, 0.2, count)).astype(np.float32),
            sigma_m=made.uniform(0.2, 1.5, count).astype(np.float32),
            weight_s=np.ones(count, np.float32),
        )
        leaves = np.flatnonzero(made.random(count) < VISITS_A_TAG / STAY_S) + first
        yield (
            fixes,
            [left(int(tag), at_ms, zones[int(tag + second) % len(zones)]) for tag in leaves],
        )


def left(tag: int, at_ms: UnixMs, zone: str) -> AnalysedVisit:
    """Return a visit that ends now."""
    dwell_s = float((tag * 7919 + at_ms // 1000) % 300)
    return AnalysedVisit(
        event_id=f"{tag}/{at_ms}",
        visit_id=f"{tag}/{at_ms}",
        site=SITE_MAP.site,
        tag=f"tag:{tag:05}",
        zone=zone,
        entered_at_ms=UnixMs(at_ms - int(dwell_s * 1000)),
        left_at_ms=at_ms,
        dwell_s_live=dwell_s,
        dwell_s=dwell_s,
        is_pass_by=dwell_s < 5.0,
        is_smoothed=True,
    )


def compact_day(folder: Path) -> dict[str, float]:
    """Make one file of each table."""
    within = day_folder(folder)
    begun_s = time.process_time()
    for table in Table:
        compact(within, table)
    spent_s = time.process_time() - begun_s
    return {"cpu_s": spent_s, "bytes": day_file(folder).stat().st_size}


def heatmap(folder: Path) -> dict[str, float]:
    """Ask for the time in each cell and hour of the day."""
    reader = HistoryReader(folder / "history", report=print)
    window, before = whole_day(), (time.perf_counter(), time.process_time())
    found = reader.cell_times(window, cell_m=CELL_M, block=Block.HOUR)
    spent = spent_since(before)
    np.savez(folder / "ours.npz", keys=keys_of(found), visitors=found.visitors, s=found.person_s)
    return spent


def zone_report(folder: Path) -> dict[str, float]:
    """Ask for the stays in each zone and hour of the day."""
    reader = HistoryReader(folder / "history", report=print)
    window, before = whole_day(), (time.perf_counter(), time.process_time())
    found = reader.zone_stays(window, block=Block.HOUR)
    spent = spent_since(before)
    assert found.stops.sum() > TAGS
    return spent


def peer_heatmap(folder: Path) -> dict[str, float]:
    """Make the same heatmap in memory, and once more without a minute, as control."""
    before = (time.perf_counter(), time.process_time())
    rows = pq.read_table(
        day_file(folder), columns=["at_ms", "visitor", "floor", "x_m", "y_m", "weight_s"]
    )
    found = counted(rows)
    spent = spent_since(before)
    np.savez(folder / "peer.npz", **found)
    minutes = pc.divide(rows["at_ms"], 60_000)
    is_kept = pc.not_equal(minutes, (OPENS_MS + 3 * HOUR_MS) // 60_000)
    np.savez(folder / "control.npz", **counted(rows.filter(is_kept)))
    return spent


def counted(rows: pa.Table) -> dict[str, np.ndarray]:
    """Count visitors and seconds of each cell and hour."""
    hours = pc.divide(pc.subtract(rows["at_ms"], OPENS_MS), HOUR_MS)
    cells = [
        pc.cast(pc.floor(pc.divide(pc.cast(rows[name], pa.float64()), CELL_M)), pa.int32())
        for name in ("x_m", "y_m")
    ]
    table = pa.table([hours, *cells, rows["visitor"], rows["weight_s"]], names=list("hxyvs"))
    found = table.group_by(list("hxy")).aggregate([("v", "count_distinct"), ("s", "sum")])
    found = found.sort_by([("h", "ascending"), ("y", "ascending"), ("x", "ascending")])
    keys = np.stack([found[name].to_numpy().astype(np.int64) for name in "hyx"])
    return {
        "keys": keys,
        "visitors": found["v_count_distinct"].to_numpy(),
        "s": found["s_sum"].to_numpy(),
    }


def is_same(folder: Path, *, control: bool = False) -> bool:
    """Return whether both heatmaps say the same in every cell."""
    ours = np.load(folder / "ours.npz")
    peer = np.load(folder / ("control.npz" if control else "peer.npz"))
    return all(
        ours[name].shape == peer[name].shape and np.allclose(ours[name], peer[name])
        for name in ("keys", "visitors", "s")
    )


def keys_of(found: CellTimes) -> np.ndarray:
    """Return (3, n) hour since opening, row and column."""
    opened = 6  # o'clock
    return np.stack([found.hour.astype(np.int64) - opened, found.row, found.column])


def loop_share(tags: int = 2_000, seconds: int = 60) -> float:
    """Return what choosing and handing over rows costs the locating loop, in percent of a core."""
    sampler, made = FixSampler(), np.random.default_rng(1)
    rows = np.zeros(tags, FIX_DTYPE)
    rows["tag"] = np.arange(tags)
    names = np.array([f"tag:{n:05}".encode() for n in range(tags)], "S16")
    outputs = []
    for tick in range(10 * seconds):
        at_ms = OPENS_MS + 100 * tick
        rows["evidence_at_ms"] = at_ms
        here = np.sort(made.choice(tags, tags // 2, replace=False))
        fixes = FixBatch(at_ms=UnixMs(at_ms), rows=rows[here])
        outputs.append(EngineOutput(fixes=fixes, tag_names=names[here]))
    begun_s = time.process_time()
    for output in outputs:
        sampler.take(output)
    return 100.0 * (time.process_time() - begun_s) / seconds


def whole_day() -> ReportWindow:
    """Return the window of the day."""
    return ReportWindow(
        site=SITE_MAP.site,
        time_zone=SITE_MAP.time_zone,
        start_ms=UnixMs(OPENS_MS - 6 * HOUR_MS),
        end_ms=UnixMs(OPENS_MS + 18 * HOUR_MS),
    )


def day_folder(folder: Path) -> Path:
    """Return the folder of the day."""
    return folder / "history" / f"site={SITE_MAP.site}" / "day=2026-05-04"


def day_file(folder: Path) -> Path:
    """Return the one file of fixes."""
    [part] = files_of(day_folder(folder), Table.FIXES).parts
    return part.path


def spent_since(before: tuple[float, float]) -> dict[str, float]:
    """Return the seconds since then, waited and worked."""
    wall_s, cpu_s = time.perf_counter() - before[0], time.process_time() - before[1]
    return {"wall_s": wall_s, "cpu_s": cpu_s}


TASKS = {
    "write": write,
    "compact": compact_day,
    "heatmap": heatmap,
    "zones": zone_report,
    "peer": peer_heatmap,
}

if __name__ == "__main__":
    spent = TASKS[sys.argv[1]](Path(sys.argv[2]))
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"rss_mib": peak_kib * 1024 / MIB, **spent}))
