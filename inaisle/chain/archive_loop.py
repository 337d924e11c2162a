"""Carry events and fixes of a chain's log into its archive, turn by turn.

Layer: doors. Takes: the log, the sites, who counts, the archive; the time as an argument.
Gives: objects, then the offsets of what is in them: a kill between the two costs nothing.

Where the store or Redis does not answer nothing is read: the log keeps it.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from inaisle.chain.archived_sites import ArchivedSites
from rtls.model.errors import FrameTooLarge, InvalidFrame, InvalidVisit, UnknownFrameVersion
from rtls.model.fix_frame import unpack_fixes
from rtls.model.units import SiteId, UnixMs
from rtls.model.visit import Visit
from rtls.model.visit_json import parse_event
from rtls.publish.kafka.dead_letters import DeadLetters, DeadReason, ReadMessage
from rtls.publish.kafka.log_reader import LogReader, Place
from rtls.publish.kafka.producing import KafkaProducer
from rtls.storage.archive.archive_chores import ArchiveChores
from rtls.storage.archive.archive_writer import ArchivedSite, ArchiveWriter, LogPlace
from rtls.storage.history.history_folder import Table

MESSAGES_A_TURN: Final = 2_000
DURABLE_WITHIN_S: Final = 10.0
CONSENTS_EVERY_MS: Final = 1_000
CHORES_EVERY_MS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """When what arrived is put.

    Parameters
    ----------
    events, fixes
        Names of the topics.
    partitions
        Of the topic of events.
    file_ms
        So long after the first row …
    rows_max
        … or when so many wait in memory.
    """

    events: str
    fixes: str
    partitions: int
    file_ms: int
    rows_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopParts:
    """What the loop puts in order.

    Parameters
    ----------
    consents
        Asks who counts now; raises `NotDurable` where nobody says.
    open_log
        Called once, with what is to be told of partitions that others read from now on.
    """

    writer: ArchiveWriter
    chores: ArchiveChores
    sites: ArchivedSites
    consents: Callable[[], None]
    open_log: Callable[[Callable[[Sequence[Place]], None]], LogReader]
    producer: KafkaProducer
    dead_letters: DeadLetters


class ArchiveLoop:
    """One process's part of the log. Used by one thread."""

    def __init__(self, parts: LoopParts, settings: LoopSettings) -> None:
        self._parts = parts
        self._settings = settings
        self._tables = {settings.fixes: Table.FIXES, settings.events: Table.VISITS}
        self._topics = {table: topic for topic, table in self._tables.items()}
        self.log = parts.open_log(self._forget)
        self._begun_ms: UnixMs | None = None
        self._asked_ms: UnixMs | None = None
        self._chores_ms = UnixMs(0)
        self._refused = 0
        self.counters = {"messages": 0, "dead_letters": 0, "puts": 0}

    def turn(self, *, now_ms: UnixMs, timeout_s: float) -> bool:
        """Read what came, and put what is due; return whether anything came.

        `NotDurable` says that something does not answer; call again.
        """
        if self._asked_ms is None or now_ms - self._asked_ms >= CONSENTS_EVERY_MS:
            self._parts.consents()
            self._asked_ms = now_ms
        found: Sequence[ReadMessage] = ()
        if self._parts.writer.rows < self._settings.rows_max:
            found = self.log.poll(MESSAGES_A_TURN, timeout_s)
        for message in found:
            self._take(message, now_ms)
        self.counters["messages"] += len(found)
        if found and self._begun_ms is None:
            self._begun_ms = now_ms
        if self._is_due(now_ms):
            self.put()
        elif self.log.held and now_ms >= self._chores_ms:  # before we joined no site is ours
            self.chore(now_ms=now_ms)
            self._chores_ms = UnixMs(now_ms + CHORES_EVERY_MS)
        return bool(found)

    def put(self) -> None:
        """Put all that arrived, and commit it; `NotDurable` where something does not answer."""
        if self._refused:
            self._parts.producer.flush(DURABLE_WITHIN_S)
            self._refused = 0
        offsets = self._parts.writer.put()
        self.log.commit(
            {(self._topics[table], lane): offset for (table, lane), offset in offsets.items()}
        )
        self._begun_ms = None
        self.counters["puts"] += 1

    def chore(self, *, now_ms: UnixMs) -> bool:
        """Look after one site; return whether there is more to do. Raises `NotDurable`."""
        return self._parts.chores.step(now_ms=now_ms, is_ours=self._is_ours)

    def _is_ours(self, site: SiteId) -> bool:
        """Say whether a site's chores are ours: of each partition one process is the owner."""
        partition = zlib.crc32(site.encode()) % self._settings.partitions
        return (self._settings.events, partition) in self.log.held

    def _is_due(self, now_ms: UnixMs) -> bool:
        if self._begun_ms is None:
            return False
        is_old = now_ms - self._begun_ms >= self._settings.file_ms
        return is_old or self._parts.writer.rows >= self._settings.rows_max

    def _take(self, message: ReadMessage, now_ms: UnixMs) -> None:
        table = self._tables[message.topic]
        place = LogPlace(table=table, partition=message.partition, offset=message.offset)
        self._parts.writer.pass_over(place)
        named = message.key.decode("ascii", "replace").partition("/")[0]
        site = self._parts.sites.find(named)
        if site is None:
            self._refuse(message, DeadReason.UNKNOWN_SITE, f"no site {named!r} in the library")
            return
        try:
            if table is Table.FIXES:
                fixes, tags = unpack_fixes(message.value)
                self._parts.writer.take_fixes(place, site, fixes, tags, now_ms=now_ms)
            else:
                self._take_event(message, place, site, now_ms)
        except UnknownFrameVersion as error:
            self._refuse(message, DeadReason.VERSION, str(error))
        except FrameTooLarge as error:
            self._refuse(message, DeadReason.TOO_LARGE, str(error))
        except (InvalidFrame, InvalidVisit) as error:
            self._refuse(message, DeadReason.DAMAGED, str(error))

    def _take_event(
        self, message: ReadMessage, place: LogPlace, site: ArchivedSite, now_ms: UnixMs
    ) -> None:
        event = parse_event(message.value)
        if event.site != site.site:
            detail = f"an event of site {event.site!r} under the key of {site.site!r}"
            self._refuse(message, DeadReason.FOREIGN_KEY, detail)
        elif isinstance(event, Visit):
            self._parts.writer.take_visit(place, site, event, now_ms=now_ms)

    def _refuse(self, message: ReadMessage, reason: DeadReason, detail: str) -> None:
        self._parts.dead_letters.put(message, reason, detail)
        self._refused += 1
        self.counters["dead_letters"] += 1

    def _forget(self, places: Sequence[Place]) -> None:
        self._parts.writer.forget((self._tables[topic], lane) for topic, lane in places)


def joined_counters(parts: LoopParts, loop: ArchiveLoop) -> Mapping[str, int]:
    """Return what was written, settled and refused, by name."""
    return {**loop.counters, **parts.writer.counters, **parts.chores.counters}
