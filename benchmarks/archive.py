"""The archive of a chain: rows a second of one core, a settled day, a report over many sites.

Frames of 200 fixes, as workers and stores send them, are unpacked, counted and put into a folder,
with the last tenth of them read twice, as after a kill; then the day is settled, and a report asks
all sites for it. The archive must hold each row once; with the rule that knows rows again taken
away the comparison must notice.
"""

import dataclasses
import datetime as dt
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from inaisle.chain.site_library import SiteLibrary
from inaisle.reports.chain_keys import site_rules
from inaisle.reports.chain_report import ChainAsked, ChainSources, chain_report
from rtls.api.site_map_json import render_site_map
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.fix_frame import pack_fixes, unpack_fixes
from rtls.model.units import SiteId, TagId, UnixMs
from rtls.storage.archive.archive_names import day_name, settled_name
from rtls.storage.archive.archive_writer import ArchivedSite, ArchiveWriter, LogPlace
from rtls.storage.archive.archived_footfall import ArchivedFootfall
from rtls.storage.archive.object_folder import ObjectFolder
from rtls.storage.archive.settling import settle_day
from rtls.storage.history import history_queries
from rtls.storage.history.history_asking import ReaderSettings
from rtls.storage.history.history_folder import Table
from tests.unit.storage.archived_days import SETTLE_MS, archived_site, told_visit, visit_place
from tests.unit.storage.history_days import DAY, DAY_MS, SITE, SITE_MAP, at

TAGS = 200
FRAMES = 4_000
AGAIN = 450  # cut elsewhere than before, or the same objects would be put again
PUT_EVERY = 300
SITES = 300
SHOPPERS = 2_400
"""of a site and day; each stays in three zones"""
FOLDER = day_name(SITE, DAY)


def run() -> Iterator[dict[str, object]]:
    """Yield the figures."""
    with tempfile.TemporaryDirectory(prefix="inaisle-bench-") as name:
        folder = Path(name)
        yield from archive_figures(folder)
        yield from report_figures(folder)


def archive_figures(folder: Path) -> Iterator[dict[str, object]]:
    """Yield what writing and settling take."""
    objects, site = ObjectFolder(str(folder / "archive")), archived_site(folder / "salts")
    frames = list(made_frames())
    took_s = written(objects, site, frames)
    arrived = [(one, content_of(objects, one)) for one in objects.names(FOLDER)]
    size = sum(len(content) for _, content in arrived)
    start = time.process_time()
    settle_day(objects, SITE, DAY, Table.FIXES, [one for one, _ in arrived])
    settled_s = time.process_time() - start
    whole = folder / "archive" / FOLDER / settled_name(Table.FIXES)
    rows, compact = pq.read_metadata(whole).num_rows, whole.stat().st_size
    yield figure("rows a second of one core", (FRAMES + AGAIN) * TAGS / took_s, "1/s", 100_000.0)
    yield figure("settled rows a second", rows / settled_s, "1/s")
    yield figure("bytes a row, arriving", size / ((FRAMES + AGAIN) * TAGS), "B")
    yield figure("bytes a row, settled", compact / rows, "B")
    yield figure("each row is there once", float(rows == FRAMES * TAGS), "", 1.0)
    whole.unlink()
    for one, content in arrived:
        objects.put(f"{FOLDER}/{one}", content)
    once = history_queries.ONCE[Table.FIXES]
    history_queries.ONCE[Table.FIXES] = history_queries.SORTED[Table.FIXES]
    try:
        settle_day(objects, SITE, DAY, Table.FIXES, [one for one, _ in arrived])
    finally:
        history_queries.ONCE[Table.FIXES] = once
    doubled = pq.read_metadata(whole).num_rows != FRAMES * TAGS
    yield figure("control: rows read twice are noticed", float(doubled), "", 1.0)


def report_figures(folder: Path) -> Iterator[dict[str, object]]:
    """Yield what a report over many sites and one of their days takes."""
    objects, library = ObjectFolder(str(folder / "chain")), folder / "sites"
    fill_chain(objects, folder / "chain", library)
    source = ArchivedFootfall(
        objects,
        near=folder / "near",
        report=print,
        settings=ReaderSettings(keeps_session=True),
    )
    sources = ChainSources(
        library=SiteLibrary(library),
        source=source,
        regions={},
        rules_of=lambda site: site_rules(b"sixteen random bytes", site, 10),
        offers_of=lambda _: None,
        let_go=source.let_go,
        settle_ms=SETTLE_MS,
    )
    asked = ChainAsked(from_day=DAY, until_day=DAY + dt.timedelta(days=1))
    start = time.process_time()
    report = chain_report(asked, sources, now_ms=UnixMs(at(24) + 10 * DAY_MS))
    took_s = time.process_time() - start
    source.close()
    told = sum(row.sums.visitors is not None for row in report.rows)
    start = time.process_time()
    for site in sources.library.sites():
        sources.library.find(site)
    maps_s = time.process_time() - start
    yield figure("a day of a site in a report", 1e3 * took_s / SITES, "ms")
    yield figure("of it, the map of the site", 1e3 * maps_s / SITES, "ms")
    yield figure("sites of which something is told", float(told), "sites", float(SITES))


def written(objects: ObjectFolder, site: ArchivedSite, frames: list[bytes]) -> float:
    """Put all frames, the last tenth twice; return the processor's time."""
    start = time.process_time()
    for first, last in ((0, FRAMES), (FRAMES - AGAIN, FRAMES)):
        writer = ArchiveWriter(objects)
        for offset in range(first, last):
            fixes, tags = unpack_fixes(frames[offset])
            place = LogPlace(table=Table.FIXES, partition=0, offset=offset)
            writer.take_fixes(place, site, fixes, tags, now_ms=at(20))
            if offset % PUT_EVERY == PUT_EVERY - 1:
                writer.put()
        writer.put()
    return time.process_time() - start


def made_frames() -> Iterator[bytes]:
    """Yield a second each of 200 shoppers who walk and stand."""
    rng = np.random.default_rng(4)
    names = [TagId(f"tag:{number:012x}") for number in range(TAGS)]
    place = rng.uniform(0.0, 40.0, (TAGS, 2))
    for second in range(FRAMES):
        place = np.clip(place + rng.normal(0.0, 0.5, (TAGS, 2)), 0.0, 60.0)
        rows = np.zeros(TAGS, FIX_DTYPE)
        rows["evidence_at_ms"] = at(9) + 1_000 * second
        rows["x_m"], rows["y_m"] = place[:, 0], place[:, 1]
        rows["cov_xx"] = rows["cov_yy"] = rng.uniform(0.01, 0.5, TAGS)
        yield pack_fixes(FixBatch(at_ms=UnixMs(at(9) + 1_000 * second), rows=rows), names)


def fill_chain(objects: ObjectFolder, folder: Path, library: Path) -> None:
    """Make one settled day, and give it to all sites: they differ by their names alone."""
    writer, site = ArchiveWriter(objects), archived_site(None)
    zones = [zone.zone for zone in SITE_MAP.zones][:3]
    for number in range(SHOPPERS):
        for turn, zone in enumerate(zones):
            entered = at(9) + 12_000 * number + 4_000 * turn
            told = told_visit(
                f"tag:{number}", entered, zone=zone, event_id=f"{number}/{zone}", dwell_s=40.0
            )
            writer.take_visit(visit_place(3 * number + turn), site, told, now_ms=at(20))
    writer.put()
    settle_day(objects, SITE, DAY, Table.VISITS, objects.names(FOLDER))
    made = folder / FOLDER / settled_name(Table.VISITS)
    for number in range(SITES):
        name = SiteId(f"store-{number:04}")
        (library / name).mkdir(parents=True)
        named = dataclasses.replace(SITE_MAP, site=name)
        (library / name / "site_map.geojson").write_bytes(render_site_map(named))
        target = folder / day_name(name, DAY) / made.name
        target.parent.mkdir(parents=True)
        os.link(made, target)


def content_of(objects: ObjectFolder, name: str) -> bytes:
    """Return what an object holds."""
    return objects.get([f"{FOLDER}/{name}"])[f"{FOLDER}/{name}"]


def figure(name: str, value: float, unit: str, target: float | None = None) -> dict[str, object]:
    """Return one figure as `inaisle bench` shows it; all targets are floors."""
    return {"name": name, "value": value, "unit": unit, "target": target, "is_floor": True}


if __name__ == "__main__":
    for one in run():
        print(one)
