"""Make the review of a site when it is due, and note what has changed.

Layer: edges. Takes: the database, what footfall tells, a schedule. Gives: files in the folder of
reviews, and alerts in the database. What was missed while the service was down is made at the next
start: the newest one, for older ones are a command away.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Final

from offers.delivery.repeated_turn import RepeatedTurn
from offers.delivery.review_folder import ReviewFolder
from offers.handlers.insight.note_changes import note_changes
from offers.handlers.insight.read_kpis import weeks_of
from offers.handlers.insight.read_review import (
    ReviewInput,
    changes_in,
    read_review,
    review_of,
)
from offers.model.insight.drift import Change
from offers.model.insight.kpi_window import KpiWindow
from offers.model.insight.review_schedule import ReviewSchedule
from offers.ports import Reader, UnitOfWork, Writer, ZoneStopsSource
from rtls.model.units import SiteId, UnixMs

IDLE_S: Final = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedSite:
    """Whose reviews are made."""

    site: SiteId
    name: str
    time_zone: str


class ReviewWriter:
    """One thread that makes reviews.

    Parameters
    ----------
    writer, reader, now_ms
        Write alerts, read figures, and the door's clock.
    site, schedule
        Whose reviews, and when.
    folder
        Where they lie.
    zone_stops
        Who came by and stopped where; asked when a review is made, None where nobody knows.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        reader: Reader,
        now_ms: Callable[[], UnixMs],
        site: ReviewedSite,
        schedule: ReviewSchedule,
        folder: ReviewFolder,
        zone_stops: ZoneStopsSource | None,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._now_ms = now_ms
        self._site = site
        self._schedule = schedule
        self._folder = folder
        self._zone_stops = zone_stops
        self.counters = {"written": 0, "alerts": 0, "deleted": 0, "faults": 0}
        self._turns = RepeatedTurn(
            self.turn, name="reviews", idle_s=IDLE_S, fault=self._count_fault
        )

    def start(self) -> None:
        """Work in a thread of its own."""
        self._turns.start()

    def close(self) -> None:
        """Stop after the review in hand."""
        self._turns.close()

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive; health pages name it."""
        return self._turns.is_running

    def turn(self) -> None:
        """Make the newest review that is due, unless it is there or nothing happened."""
        now_ms = self._now_ms()
        until_day = self._schedule.due(now_ms, time_zone=self._site.time_zone)
        if self._folder.has(until_day):
            return
        window = self._window(until_day)
        read = self._reader.run(partial(_read, window, now_ms))
        if read.found.is_empty:
            return
        source = self._zone_stops
        stops = None if source is None else source.zone_stops(window)
        changes = changes_in(weeks_of(read.found))
        note = partial(_note, window.site, changes, now_ms)
        self.counters["alerts"] += self._writer.run(note)
        self._folder.write(review_of(read, site_name=self._site.name, stops=stops))
        self.counters["written"] += 1
        self.counters["deleted"] += self._folder.keep_newest(self._schedule.kept)

    def _window(self, until_day: date) -> KpiWindow:
        return KpiWindow(
            site=self._site.site,
            time_zone=self._site.time_zone,
            from_day=until_day - timedelta(weeks=self._schedule.weeks),
            until_day=until_day,
        )

    def _count_fault(self) -> None:
        self.counters["faults"] += 1


def _read(window: KpiWindow, now_ms: UnixMs, work: UnitOfWork) -> ReviewInput:
    return read_review(window, work=work, now_ms=now_ms)


def _note(site: SiteId, changes: tuple[Change, ...], now_ms: UnixMs, work: UnitOfWork) -> int:
    return note_changes(site, changes, work=work, now_ms=now_ms)
