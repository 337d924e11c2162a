"""Run the archive: events and fixes of a chain's log into Parquet on an object store.

Layer: doors. Takes: settings. Gives: a process that runs until it is told to stop, or until all is
read, with /livez, /readyz and /metrics. Who may be counted it learns from Redis, where the offers
side of each site says so; of others nothing is written.
"""

import secrets
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge

from inaisle.chain.archive_loop import ArchiveLoop, LoopParts, LoopSettings, joined_counters
from inaisle.chain.archived_sites import ArchivedSites
from inaisle.chain.chain_settings import (
    archive_url,
    kafka_address,
    salts_folder,
    site_library,
    topic_plan,
)
from inaisle.chain.health_page import HealthPage
from inaisle.clock import Clock, SystemClock
from inaisle.errors import ExitStatus, InvalidSettings, Unavailable
from inaisle.service.redis_site import site_in_redis
from inaisle.settings import Settings
from rtls.api.health import Health
from rtls.api.metrics import CountersCollector
from rtls.model.errors import NotDurable
from rtls.publish.kafka.dead_letters import DeadLetters
from rtls.publish.kafka.log_reader import LogReader, Place
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import Topic, TopicPlan, ensure_topics
from rtls.publish.redis_keys import connect_redis, counted_tags
from rtls.publish.sets_of_sites import SetsOfSites
from rtls.storage.archive.archive_chores import ArchiveChores
from rtls.storage.archive.archive_writer import ArchiveWriter
from rtls.storage.archive.object_folder import ObjectFolder
from rtls.storage.history.retention import Keep

log = structlog.get_logger("inaisle.archive")
POLL_S: Final = 0.5
RETRY_S: Final = 5.0
HOUR_MS: Final = 3_600_000
READ_TOPICS: Final = (Topic.EVENTS, Topic.FIXES)


class Archive:
    """All parts of one archive process.

    Parameters
    ----------
    settings
        Sections archive, chain, redis, history and site.data.
    clock
        Says which days are over.
    counts_all
        Whether whatever is located counts: of recordings and simulated chains.

    Raises
    ------
    InvalidSettings
        If a part of the settings is missing or cannot work.
    Unavailable
        If the log cannot be reached.
    """

    def __init__(self, settings: Settings, *, clock: Clock, counts_all: bool = False) -> None:
        self._settings = settings
        self._clock = clock
        self._trouble: str | None = None
        section, plan = settings.archive, topic_plan(settings)
        if not section.to:
            raise InvalidSettings(
                "archive.to is empty; expected where objects go: s3://bucket/path, file:///path or "
                "a folder. Give it with --to, or set it in the settings."
            )
        sites = ArchivedSites(
            site_library(settings.chain),
            salts=salts_folder(settings),
            new_salt=secrets.token_bytes,
            settle_ms=section.settle_hours * HOUR_MS,
            now_ms=self._clock.now_ms,
            counts_all=counts_all,
        )
        self._sets = None if counts_all else _consents(settings, sites)
        try:
            partitions = ensure_topics(kafka_address(settings.chain), plan)
        except NotDurable as error:
            raise Unavailable(str(error)) from error
        self.parts = self._open_parts(plan, sites)
        self.loop = ArchiveLoop(
            self.parts,
            LoopSettings(
                events=plan.name(Topic.EVENTS),
                fixes=plan.name(Topic.FIXES),
                partitions=partitions[Topic.EVENTS],
                file_ms=section.file_s * 1_000,
                rows_max=section.rows_max,
            ),
        )

    def _open_parts(self, plan: TopicPlan, sites: ArchivedSites) -> LoopParts:
        objects = ObjectFolder(archive_url(self._settings))
        producer = KafkaProducer(kafka_address(self._settings.chain), client_id="inaisle-archive")
        return LoopParts(
            writer=ArchiveWriter(objects),
            chores=ArchiveChores(
                objects=objects,
                sites=sites.sites,
                find_site=sites.find,
                keep=_keep(self._settings),
                report=log.warning,
            ),
            sites=sites,
            consents=partial(self._ask_who_counts, sites),
            open_log=partial(self._open_log, plan),
            producer=producer,
            dead_letters=DeadLetters(producer, topic=plan.name(Topic.DEAD_LETTERS)),
        )

    def run(self, stop: threading.Event, *, until_read: bool) -> None:
        """Archive until ``stop`` is set, or until there is nothing more to read and to settle.

        `NotDurable` says that what arrived last could not be put at the end: it is read again.
        """
        section = self._settings.api
        page = HealthPage(self._health(), self._registry(), host=section.host, port=section.port)
        with ExitStack() as stack:
            stack.callback(self.parts.producer.close)
            stack.callback(self.loop.log.close)
            log.info("the archive answers", host=section.host, port=page.start())
            stack.callback(page.stop)
            while not stop.is_set():
                is_idle = self._turn(stop)
                if until_read and is_idle and self.loop.log.is_at_end:
                    break
            self.loop.put()
            while until_read and self.loop.chore(now_ms=self._clock.now_ms()):
                pass

    def _ask_who_counts(self, sites: ArchivedSites) -> None:
        if self._sets is not None:
            self._sets.refresh(sites.sites())

    def _turn(self, stop: threading.Event) -> bool:
        """Do one turn; return whether nothing came."""
        try:
            came = self.loop.turn(now_ms=self._clock.now_ms(), timeout_s=POLL_S)
        except NotDurable as error:
            if self._trouble is None:
                log.warning("the archive waits; the log keeps what comes", reason=str(error))
            self._trouble = str(error)
            stop.wait(RETRY_S)
            return False
        self._trouble = None
        return not came

    def _health(self) -> Health:
        health = Health(now_ms=self._clock.now_ms)
        health.watch("archive", lambda: self._trouble)
        health.watch("log of the chain", self.loop.log.trouble)
        if self._sets is not None:
            health.watch("who counts", self._sets.trouble, is_essential=False)
        return health

    def _registry(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        counters = partial(joined_counters, self.parts, self.loop)
        registry.register(CountersCollector("inaisle_archive", counters))
        waiting = Gauge("inaisle_archive_waiting_messages", "Messages not read.", registry=registry)
        waiting.set_function(lambda: self.loop.log.waiting)
        return registry

    def _open_log(self, plan: TopicPlan, on_lost: Callable[[Sequence[Place]], None]) -> LogReader:
        return LogReader(
            kafka_address(self._settings.chain),
            group=f"{plan.prefix}archive",
            topics=[plan.name(topic) for topic in READ_TOPICS],
            client_id="inaisle-archive",
            session_timeout_ms=self._settings.chain.session_timeout_ms,
            on_lost=on_lost,
        )


def run_archive(settings: Settings, *, until_read: bool, counts_all: bool) -> ExitStatus:
    """Archive until SIGTERM or Ctrl-C, or until all is read (status 0)."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    archive = Archive(settings, clock=SystemClock(), counts_all=counts_all)
    try:
        archive.run(stop, until_read=until_read)
    except NotDurable as error:
        log.critical("what arrived last was not put; it is read again", reason=str(error))
        return ExitStatus.BROKEN
    log.info("stopped", **joined_counters(archive.parts, archive.loop))
    return ExitStatus.DONE


def _keep(settings: Settings) -> Keep:
    section = settings.history
    fixes_days = section.retention_days if section.fixes_days is None else section.fixes_days
    return Keep(
        fixes_days=min(fixes_days, section.retention_days), visits_days=section.retention_days
    )


def _consents(settings: Settings, sites: ArchivedSites) -> SetsOfSites:
    """Return what knows who counts.

    Raises
    ------
    InvalidSettings
        If it is not set where to ask.
    """
    if settings.redis.url is None:
        raise InvalidSettings(
            "redis.url is empty; expected redis://host:port/0, for the archive learns there whom "
            "it may count. Set it as for the offers side."
        )
    return SetsOfSites(
        connect_redis(settings.redis.url.get_secret_value()),
        key_of=lambda site: counted_tags(site_in_redis(settings, site)),
        replace=sites.replace_counted,
    )
