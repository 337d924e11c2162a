"""Made-up days of a history: fixes and visits for tests that need no radio."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rtls.model.footfall import ReportWindow
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.model.visit import AnalysedVisit, Passed, VisitRecord
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.history.history_log import HistoryLog, LogSettings
from rtls.storage.history.history_rows import FixSlice
from rtls.storage.history.salt_book import SaltBook
from tests.reference.shelf_site import shelf_site

SITE_MAP = shelf_site()
SITE = SITE_MAP.site
ZONE = SITE_MAP.zones[0].zone
CLOCK = SITE_MAP.time_zone
DAY = dt.date(2026, 5, 4)  # a Monday
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def at(hour: float, *, day: dt.date = DAY) -> UnixMs:
    """An hour of the day by the clocks of the site, which are two hours ahead of UTC in May."""
    begin = dt.datetime.combine(day, dt.time(), dt.UTC)
    return UnixMs(int(begin.timestamp() * 1000 + (hour - 2.0) * HOUR_MS))


def window(first: float = 0.0, last: float = 24.0, **choices) -> ReportWindow:
    return ReportWindow(site=SITE, time_zone=CLOCK, start_ms=at(first), end_ms=at(last), **choices)


class CountedSalts:
    """Randomness that a test can foretell."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self, size: int) -> bytes:
        self.given += 1
        return hashlib.blake2b(str(self.given).encode(), digest_size=size).digest()


def salt_book(folder: Path | None, *, site_map: SiteMap = SITE_MAP) -> SaltBook:
    return SaltBook(
        folder, site=site_map.site, time_zone=site_map.time_zone, new_salt=CountedSalts()
    )


def history_log(
    folder: Path, *, counted: CountedTags | None = None, salts: SaltBook | None = None, **settings
) -> HistoryLog:
    return HistoryLog(
        folder / "history",
        site_map=SITE_MAP,
        counted=counted or CountedTags.all(),
        salts=salts or salt_book(folder / "salts"),
        settings=LogSettings(**settings),
    )


def fixes(at_ms: int, tags: Sequence[str], *, seed: int = 1, floor: int = 0) -> FixSlice:
    """Tags somewhere in a hall of 20 m by 10 m."""
    made = np.random.default_rng([seed, at_ms])
    count = len(tags)
    return FixSlice(
        at_ms=UnixMs(at_ms),
        names=np.array([tag.encode() for tag in tags], "S16"),
        floor=np.full(count, floor, np.int16),
        x_m=made.uniform(-1.0, 19.0, count).astype(np.float32),
        y_m=made.uniform(-1.0, 9.0, count).astype(np.float32),
        sigma_m=made.uniform(0.2, 2.0, count).astype(np.float32),
        weight_s=np.ones(count, np.float32),
    )


def visit(tag: str, entered_at_ms: int, *, dwell_s: float = 60.0, **changes) -> AnalysedVisit:
    """A stay; its id is that of tag, zone and entry, as the engine makes it."""
    given = {
        "event_id": f"{tag}/{changes.get('zone', ZONE)}/{entered_at_ms}",
        "visit_id": f"{tag}/{entered_at_ms}",
        "site": SITE,
        "tag": tag,
        "zone": ZONE,
        "entered_at_ms": UnixMs(entered_at_ms),
        "left_at_ms": UnixMs(int(entered_at_ms + dwell_s * 1000)),
        "dwell_s_live": dwell_s,
        "dwell_s": dwell_s,
        "is_pass_by": dwell_s < 5.0,
        "is_smoothed": True,
    }
    return AnalysedVisit(**(given | changes))


def passed(tag: str, at_ms: int) -> Passed:
    return Passed(
        event_id=f"p/{tag}/{at_ms}",
        site=SITE,
        tag=tag,
        zone=ZONE,
        at_ms=UnixMs(at_ms),
        decided_at_ms=UnixMs(at_ms + 1000),
        probability=0.8,
        is_between_fixes=False,
    )


def write_hours(
    log: HistoryLog,
    hours: Sequence[float],
    *,
    tags: Sequence[str] = ("tag:1", "tag:2"),
    seconds: int = 120,
    day: dt.date = DAY,
) -> list[VisitRecord]:
    """Some minutes of each hour, a visit of each tag in it, files finished as time goes on."""
    told: list[VisitRecord] = []
    now_ms = at(hours[0], day=day)
    for hour in hours:
        begin = at(hour, day=day)
        for second in range(seconds):
            now_ms = UnixMs(begin + 1000 * second)
            log.take_fixes(fixes(now_ms, tags), now_ms=now_ms)
            log.turn(now_ms=now_ms)
        visits = [visit(tag, begin + 500 * n, dwell_s=3.0 + 30 * n) for n, tag in enumerate(tags)]
        told += [*visits, passed(tags[0], begin + 7)]
        log.take_visits([*visits, passed(tags[0], begin + 7)], now_ms=now_ms)
    log.close(now_ms=now_ms)
    return told
