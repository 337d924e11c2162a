"""Write what a chain's log tells into its archive: rows in, whole objects out.

Layer: edges. Takes: fixes and visits with their places in the log, who counts, the time.
Gives: objects, and offsets that may be committed once these are put. It has no thread and no clock.

A kill costs nothing: what was not committed is read and put again, and counts once when the day is
settled. Rows of visitors alone are written, with the rules of a store's history: only who counts,
under a number that lives one day.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from rtls.model.counted_tag import CountedTag
from rtls.model.fix import FixBatch
from rtls.model.units import SiteId, TagId, UnixMs, ZoneId
from rtls.model.visit import Visit
from rtls.storage.archive.arriving_rows import ArrivingPart, ArrivingVisit, told_of
from rtls.storage.archive.object_folder import ObjectFolder
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.history.fix_sampler import FIRST_S, SILENT_MS_MAX
from rtls.storage.history.history_folder import Table
from rtls.storage.history.history_rows import FixSlice
from rtls.storage.history.salt_book import SaltBook, visitor_of
from rtls.storage.history.site_days import day_of

VISITORS_MAX: Final = 100_000
"""of one site, whose numbers are remembered"""
Lane = tuple[Table, int]
"""a partition of the topic that a table is made of"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlace:
    """Where a message stands in the log."""

    table: Table
    partition: int
    offset: int

    @property
    def lane(self) -> Lane:
        """Its partition."""
        return self.table, self.partition


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedSite:
    """What the archive knows of a site.

    Parameters
    ----------
    counted
        Whose rows may be written; asked anew for each row.
    salts
        Of its days; shared by all processes that write the archive.
    visitors
        Numbers found before, of the day that stands beside them.
    """

    site: SiteId
    time_zone: str
    floors: dict[ZoneId, int]
    counted: CountedTags
    salts: SaltBook
    visitors: dict[tuple[dt.date, TagId, UnixMs], int] = field(default_factory=dict)


class ArchiveWriter:
    """What arrived and is not put yet. Used by one thread.

    Parameters
    ----------
    objects
        Where the archive lies.
    """

    def __init__(self, objects: ObjectFolder) -> None:
        self._objects = objects
        self._parts: dict[Lane, ArrivingPart] = {}
        self._encoded: dict[str, bytes] = {}
        self._offsets: dict[Lane, int] = {}
        self.counters = {
            "fixes": 0, "visits": 0, "objects": 0, "not_counted": 0, "too_late": 0,
        }  # fmt: skip

    @property
    def rows(self) -> int:
        """Rows in memory."""
        return sum(part.rows for part in self._parts.values())

    def pass_over(self, place: LogPlace) -> None:
        """Note a message that gives no rows."""
        self._part_of(place)

    def take_fixes(
        self,
        place: LogPlace,
        site: ArchivedSite,
        fixes: FixBatch,
        tags: Sequence[TagId],
        *,
        now_ms: UnixMs,
    ) -> None:
        """Take the fixes of an instant."""
        part = self._part_of(place)
        which, counted = _who_counts(fixes, tags, site.counted)
        self.counters["not_counted"] += len(tags) - len(which)
        day = day_of(fixes.at_ms, site.time_zone)
        salt = site.salts.salt_of(day, now_ms=now_ms) if which else None
        if salt is None:
            self.counters["too_late"] += len(which)
            return
        visitors = [_visitor(site, day, found, salt) for found in counted]
        part.add_fixes(
            (site.site, day),
            _slice(fixes, tags),
            np.array(which, np.intp),
            np.array(visitors, np.uint64),
            [found.cohort for found in counted],
        )
        self.counters["fixes"] += len(which)

    def take_visit(
        self, place: LogPlace, site: ArchivedSite, visit: Visit, *, now_ms: UnixMs
    ) -> None:
        """Take a visit, or what late readings have changed of it."""
        part = self._part_of(place)
        counted = site.counted.find(visit.tag)
        if counted is None or counted.since_ms > visit.entered_at_ms:
            self.counters["not_counted"] += 1
            return
        day = day_of(visit.entered_at_ms, site.time_zone)
        salt = site.salts.salt_of(day, now_ms=now_ms)
        if salt is None:
            self.counters["too_late"] += 1
            return
        row = ArrivingVisit(
            visit=visit,
            visitor=_visitor(site, day, counted, salt),
            floor=site.floors.get(visit.zone, 0),
            cohort=counted.cohort,
            told=told_of(visit.event_id, salt),
        )
        part.add_visit((site.site, day), row)
        self.counters["visits"] += 1

    def put(self) -> dict[Lane, int]:
        """Put all that arrived; return up to where each partition may be committed.

        `NotDurable` says that the store did not take it all: call again, the rest is kept.
        """
        for lane, part in self._parts.items():
            self._offsets[lane] = part.last + 1
            self._encoded.update(part.objects())
        self._parts = {}
        for name in list(self._encoded):
            self._objects.put(name, self._encoded[name])
            del self._encoded[name]
            self.counters["objects"] += 1
        offsets, self._offsets = self._offsets, {}
        return offsets

    def forget(self, lanes: Iterable[Lane]) -> None:
        """Forget what another process reads from now on; it begins where was committed."""
        for lane in lanes:
            self._parts.pop(lane, None)
            self._offsets.pop(lane, None)

    def _part_of(self, place: LogPlace) -> ArrivingPart:
        part = self._parts.get(place.lane)
        if part is None:
            part = self._parts[place.lane] = ArrivingPart(
                table=place.table,
                partition=place.partition,
                first=place.offset,
                last=place.offset,
            )
        part.last = place.offset
        return part


def _who_counts(
    fixes: FixBatch, tags: Sequence[TagId], counted: CountedTags
) -> tuple[list[int], list[CountedTag]]:
    """Return the rows that may be written; one heard long ago is a prediction, and no place."""
    rows = fixes.rows
    is_fit = rows["evidence_at_ms"] > fixes.at_ms - SILENT_MS_MAX
    is_fit &= np.isfinite(rows["x_m"]) & np.isfinite(rows["y_m"])
    which, found = [], []
    for row in np.flatnonzero(is_fit).tolist():
        one = counted.find(tags[row])
        if one is not None and one.since_ms <= fixes.at_ms:
            which.append(row)
            found.append(one)
    return which, found


def _visitor(site: ArchivedSite, day: dt.date, counted: CountedTag, salt: bytes) -> int:
    known = (day, counted.tag, counted.first_held_ms)
    if known not in site.visitors:
        if len(site.visitors) >= VISITORS_MAX:
            site.visitors.clear()
        site.visitors[known] = visitor_of(counted, salt)
    return site.visitors[known]


def _slice(fixes: FixBatch, tags: Sequence[TagId]) -> FixSlice:
    rows = fixes.rows
    variance = (rows["cov_xx"] + rows["cov_yy"]) / 2.0
    return FixSlice(
        at_ms=fixes.at_ms,
        names=np.array([tag.encode() for tag in tags], np.bytes_),
        floor=rows["floor"].astype(np.int16),
        x_m=rows["x_m"].astype(np.float32),
        y_m=rows["y_m"].astype(np.float32),
        sigma_m=np.sqrt(np.maximum(variance, 0.0)).astype(np.float32),
        # For how long it stands is known when the day is whole, and said then.
        weight_s=np.full(len(rows), FIRST_S, np.float32),
    )
