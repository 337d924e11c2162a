"""Made-up rows of a chain's log for tests of its archive, which need no broker."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.site_map import SiteMap
from rtls.model.units import TagId, UnixMs
from rtls.model.visit import LeftReason, Visit
from rtls.storage.archive.archive_names import day_name
from rtls.storage.archive.archive_writer import ArchivedSite, ArchiveWriter, LogPlace
from rtls.storage.archive.object_folder import ObjectFolder
from rtls.storage.archive.settling import Settled, settle_day
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.history.history_folder import Table
from rtls.storage.history.salt_book import SaltBook
from tests.unit.storage.history_days import DAY, HOUR_MS, SITE, SITE_MAP, ZONE, CountedSalts, at

SETTLE_MS = 48 * HOUR_MS


def archived_site(
    salts: Path | None, *, counted: CountedTags | None = None, site_map: SiteMap = SITE_MAP
) -> ArchivedSite:
    return ArchivedSite(
        site=site_map.site,
        time_zone=site_map.time_zone,
        floors={zone.zone: zone.floor for zone in site_map.zones},
        counted=counted or CountedTags.all(),
        salts=SaltBook(
            salts,
            site=site_map.site,
            time_zone=site_map.time_zone,
            new_salt=CountedSalts(),
            settled_ms=SETTLE_MS,
        ),
    )


def batch(at_ms: int, tags: Sequence[str], *, age_ms: int = 0) -> tuple[FixBatch, list[TagId]]:
    """The same places as `history_days.fixes` gives."""
    made = np.random.default_rng([1, at_ms])
    rows = np.zeros(len(tags), FIX_DTYPE)
    rows["tag"] = np.arange(len(tags))
    rows["evidence_at_ms"] = at_ms - age_ms
    rows["x_m"] = made.uniform(-1.0, 19.0, len(tags)).astype(np.float32)
    rows["y_m"] = made.uniform(-1.0, 9.0, len(tags)).astype(np.float32)
    rows["cov_xx"] = rows["cov_yy"] = 0.25
    return FixBatch(at_ms=UnixMs(at_ms), rows=rows), [TagId(tag) for tag in tags]


def told_visit(tag: str, entered_at_ms: int, *, dwell_s: float = 60.0, **changes) -> Visit:
    made = Visit(
        event_id=f"{tag}/{ZONE}/{entered_at_ms}",
        visit_id=f"{tag}/{entered_at_ms}",
        site=SITE,
        tag=TagId(tag),
        zone=ZONE,
        entered_at_ms=UnixMs(entered_at_ms),
        left_at_ms=UnixMs(int(entered_at_ms + dwell_s * 1000)),
        dwell_s=dwell_s,
        is_pass_by=dwell_s < 5.0,
        reason=LeftReason.WALKED_AWAY,
    )
    return replace(made, **changes)


def fix_place(offset: int, partition: int = 0) -> LogPlace:
    return LogPlace(table=Table.FIXES, partition=partition, offset=offset)


def visit_place(offset: int, partition: int = 0) -> LogPlace:
    return LogPlace(table=Table.VISITS, partition=partition, offset=offset)


def take_minutes(
    writer: ArchiveWriter, site: ArchivedSite, tags: Sequence[str], *, first: int, last: int
) -> None:
    """The fixes of seconds ``first`` to ``last`` from nine o'clock on, a message each."""
    for second in range(first, last):
        fixes, names = batch(at(9) + 1000 * second, tags)
        writer.take_fixes(fix_place(second), site, fixes, names, now_ms=at(10))


def settle(objects: ObjectFolder) -> dict[Table, Settled]:
    names = objects.names(day_name(SITE, DAY))
    return {table: settle_day(objects, SITE, DAY, table, names) for table in Table}
