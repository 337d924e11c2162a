"""Settle the days of a chain's archive that are over, and let go of those that are too old.

Layer: edges. Takes: the archive, its sites, the time. Gives: nothing; each process of a chain
calls it between two turns of writing, for its part of the sites, one at a time.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from rtls.model.units import SiteId, UnixMs
from rtls.storage.archive.archive_names import day_name, parse_day, site_name
from rtls.storage.archive.archive_writer import ArchivedSite
from rtls.storage.archive.object_folder import ObjectFolder
from rtls.storage.archive.settling import settle_day
from rtls.storage.history.history_folder import Table
from rtls.storage.history.retention import Keep, is_too_old

ROUND_MS: Final = 3_600_000
MARGIN_MS: Final = 600_000
"""between the last row that may be written of a day and its settling: clocks differ"""


@dataclass(slots=True)
class ArchiveChores:
    """A round over all sites, a step at a time. Used by one thread.

    Parameters
    ----------
    sites
        Of the library, asked for at each round.
    find_site
        None where the library does not hold it: then nothing of it is touched.
    report
        Told in one sentence what an operator should know.
    """

    objects: ObjectFolder
    sites: Callable[[], Sequence[SiteId]]
    find_site: Callable[[SiteId], ArchivedSite | None]
    keep: Keep
    report: Callable[[str], None]
    counters: dict[str, int] = field(
        default_factory=lambda: {
            "settled_objects": 0, "settled_days": 0, "left_over_objects": 0,
            "damaged_objects": 0, "removed_objects": 0,
        }
    )  # fmt: skip
    _round: Iterator[SiteId] | None = None
    _next_round_ms: UnixMs = UnixMs(0)
    _is_done: set[tuple[SiteId, dt.date]] = field(default_factory=set)

    def step(self, *, now_ms: UnixMs, is_ours: Callable[[SiteId], bool]) -> bool:
        """Look after one site, if it is ours; return whether there is more to do now.

        `NotDurable` says that store or disk refuse, or that another process was faster.
        """
        if self._round is None:
            if now_ms < self._next_round_ms:
                return False
            self._next_round_ms = UnixMs(now_ms + ROUND_MS)
            self._round = iter(self.sites())
        name = next(self._round, None)
        if name is None:
            self._round = None
            return False
        site = self.find_site(name) if is_ours(name) else None
        if site is not None:
            self._look_after(site, now_ms)
        return True

    def _look_after(self, site: ArchivedSite, now_ms: UnixMs) -> None:
        site.salts.destroy_settled(now_ms=now_ms)
        for name in self.objects.names(site_name(site.site)):
            day = parse_day(name)
            if day is None or (site.site, day) in self._is_done:
                if day is not None:
                    self._let_go(site, day, now_ms)
                continue
            if site.salts.is_settled(day, now_ms=UnixMs(now_ms - MARGIN_MS)):
                self._settle(site.site, day)
                self._is_done.add((site.site, day))
            self._let_go(site, day, now_ms)

    def _settle(self, site: SiteId, day: dt.date) -> None:
        names = self.objects.names(day_name(site, day))
        for table in Table:
            done = settle_day(self.objects, site, day, table, names)
            self.counters["settled_objects"] += done.objects
            self.counters["settled_days"] += done.objects > 0
            self.counters["left_over_objects"] += done.left_over
            self.counters["damaged_objects"] += len(done.damaged)
            for reason in done.damaged:
                self.report(f"an object of the archive was set aside: {reason}")

    def _let_go(self, site: ArchivedSite, day: dt.date, now_ms: UnixMs) -> None:
        old = [
            table
            for table in Table
            if is_too_old(
                day, time_zone=site.time_zone, days=self.keep.days_of(table), now_ms=now_ms
            )
        ]
        if not old:
            return
        folder = day_name(site.site, day)
        gone = [
            f"{folder}/{name}"
            for name in self.objects.names(folder)
            if any(name.startswith((f"{table}-", f"arriving-{table}-")) for table in old)
        ]
        self.counters["removed_objects"] += self.objects.remove(gone)
