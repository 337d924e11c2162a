"""Run the bridge: the readings of stores without a server, from their gateways to the chain's log.

Layer: doors. Takes: settings and the sites to bridge. Gives: a process that runs until it is told
to stop (status 0) or a part breaks (status 1), with /livez, /readyz and /metrics. Whom it may
locate it learns from Redis, as `inaisle serve --role locate` does; nobody else is in a frame.
"""

import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from typing import Final

import structlog
from prometheus_client import CollectorRegistry

from inaisle.chain.bridge_loop import BridgeLoop, BridgeParts, BridgeSettings
from inaisle.chain.bridge_site import BridgeSite
from inaisle.chain.chain_settings import kafka_address, site_library, topic_plan
from inaisle.chain.gateway_sites import GatewaySites
from inaisle.chain.health_page import HealthPage
from inaisle.chain.site_library import ChainSite
from inaisle.clock import SystemClock
from inaisle.errors import ExitStatus, InvalidSettings, PartBroke, Unavailable
from inaisle.service.broker import BrokerAddress
from inaisle.service.format_tables import format_settings
from inaisle.service.locating_side import mqtt_settings, reception_settings
from inaisle.service.redis_site import site_in_redis
from inaisle.settings import Settings
from rtls.api.health import Health
from rtls.api.metrics import CountersCollector
from rtls.engine_contract import EngineSettings
from rtls.ingest.admitted_tags import AdmittedTags
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.registry import Registry
from rtls.ingest.mqtt_source import LineState, MqttSource
from rtls.ingest.queue_source import QueueSource
from rtls.ingest.reception import Reception
from rtls.ingest.slot_book import SlotBook
from rtls.model.anchor_order import anchor_order
from rtls.model.errors import NotDurable
from rtls.model.units import SiteId
from rtls.ports import StateStore
from rtls.publish.admitted_tags_redis import AdmittedTagsFollower
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.state_store import KafkaStateStore
from rtls.publish.kafka.topics import Topic, ensure_topics
from rtls.publish.redis_keys import connect_redis
from rtls.publish.scans_redis import ScanFollower
from rtls.storage.snapshot_file import SnapshotFile

log = structlog.get_logger("inaisle.bridge")
WATCH_EVERY_S: Final = 0.2
SLOW_AFTER_S: Final = 5.0
STUCK_AFTER_S: Final = 30.0
STOP_S_MAX: Final = 8.0
WINDOW: Final = 400
"""below max_inflight_messages of config/mosquitto.conf: so many unacknowledged, and more wait"""
SITES_MAX: Final = 24
"""of one process: health has two lines for each, and their states are saved one after the other"""


class Bridge:
    """All parts of one bridge process.

    Parameters
    ----------
    settings
        Sections mqtt, redis, chain, reception, formats and site.data.
    names
        The sites to bridge; all of the library if none.

    Raises
    ------
    InvalidSettings
        If a part of the settings is missing or cannot work.
    Unavailable
        If the log cannot be reached.
    """

    def __init__(self, settings: Settings, names: Sequence[str]) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._registry = CollectorRegistry()
        self._health = Health(now_ms=self._clock.now_ms)
        self._stack = ExitStack()
        found = chosen_sites(settings, names)
        address, plan = kafka_address(settings.chain), topic_plan(settings)
        redis_url = _redis_url(settings)
        formats = self._formats(found)
        routes = GatewaySites({site: one.site_map for site, one in found.items()}, formats)
        try:
            ensure_topics(address, plan, (Topic.READINGS, Topic.STATES))
        except NotDurable as error:
            raise Unavailable(str(error)) from error
        admitted = {site: AdmittedTags() for site in found}
        self._followers = {
            site: AdmittedTagsFollower(
                connect_redis(redis_url),
                site=site_in_redis(settings, site),
                replace=tags.replace,
                monotonic_s=time.monotonic,
            )
            for site, tags in admitted.items()
        }
        is_heard = FormatName.PHONE_SCAN in formats.on
        self._phones = {site: QueueSource(clock=self._clock.now_ms) for site in found if is_heard}
        self._scans = {
            site: ScanFollower(
                connect_redis(redis_url), site=site_in_redis(settings, site), take=phones.put
            )
            for site, phones in self._phones.items()
        }
        self._producer = KafkaProducer(address, client_id="inaisle-bridge")
        self._source = self._open_source(formats)
        self._sites = {
            site: self._open_site(found[site], admitted=admitted[site], formats=formats)
            for site in found
        }
        self.loop = self._open_loop(routes, topic=plan.name(Topic.READINGS))
        self._show()

    def run(self, stop: threading.Event) -> None:
        """Bridge until ``stop`` is set.

        Raises
        ------
        PartBroke
            If a part ends that should not.
        """
        section = self._settings.api
        page = HealthPage(self._health, self._registry, host=section.host, port=section.port)
        with self._stack:
            port = page.start()
            self._stack.callback(page.stop)
            log.info("the bridge answers", host=section.host, port=port, sites=len(self._sites))
            for follower in self._followers.values():
                follower.start()
                self._stack.callback(follower.close)
            for scans in self._scans.values():
                scans.start()
                self._stack.callback(scans.close)
            if not self._wait_for_consents(stop):
                return
            self.loop.start()
            self._stack.callback(self.loop.stop, STOP_S_MAX)
            while not stop.wait(WATCH_EVERY_S):
                reason = self._fatal()
                if reason is not None:
                    raise PartBroke(reason)

    def _wait_for_consents(self, stop: threading.Event) -> bool:
        """Wait until Redis has told of every site whom we may locate; False if told to stop.

        What is taken before would be dropped, and the gateways would forget it.
        """
        while any(one.trouble() is not None for one in self._followers.values()):
            if stop.wait(WATCH_EVERY_S):
                return False
        return True

    def _formats(self, found: Mapping[SiteId, ChainSite]) -> FormatSettings:
        """Return the formats that are heard, checked against every map."""
        checked = [format_settings(self._settings.formats, one.site_map) for one in found.values()]
        return checked[0]

    def _open_source(self, formats: FormatSettings) -> MqttSource:
        section = self._settings.mqtt
        broker = BrokerAddress(host=section.host, port=section.port, qos=section.qos)
        source = MqttSource(
            mqtt_settings(section, broker, topics=Registry(formats).topics),
            clock=self._clock.now_ms,
        )
        self._stack.callback(source.close)
        return source

    def _open_store(self) -> StateStore:
        chain = self._settings.chain
        if chain.bridge_state == "disk":
            return SnapshotFile(self._settings.site.data / "bridge", report=log.error)
        topic = topic_plan(self._settings).name(Topic.STATES)
        store = KafkaStateStore(kafka_address(chain), topic=topic)
        self._stack.callback(store.close)
        return store

    def _open_loop(self, routes: GatewaySites, *, topic: str) -> BridgeLoop:
        settings = self._settings
        return BridgeLoop(
            BridgeParts(
                source=self._source,
                phones=self._phones,
                sites=self._sites,
                routes=routes,
                store=self._open_store(),
                producer=self._producer,
            ),
            clock=self._clock,
            settings=BridgeSettings(
                topic=topic,
                tick_s=settings.engine.tick_ms / 1000.0,
                save_every_s=settings.chain.bridge_save_ms / 1000.0,
                window=WINDOW if settings.mqtt.qos else 0,
            ),
        )

    def _open_site(
        self, found: ChainSite, *, admitted: AdmittedTags, formats: FormatSettings
    ) -> BridgeSite:
        settings = reception_settings(self._settings.reception, self._settings.engine)
        shards = self._settings.chain.shards
        return BridgeSite(
            found.site,
            reception=Reception(
                found.site_map, admitted=admitted, settings=settings, formats=formats
            ),
            book=SlotBook(
                shards=shards,
                slots_max=settings.tags_max,
                ttl_ms=int(EngineSettings().track_ttl_s * 1000),
            ),
            anchors=anchor_order(found.site_map),
            shards=shards,
            now_ms=self._clock.now_ms(),
        )

    def _show(self) -> None:
        """Let health and Prometheus ask the parts."""
        health, registry = self._health, self._registry
        health.watch("bridge", self._trouble)
        health.watch("log of the chain", self._log_trouble)
        health.watch("broker", self._line_trouble)
        for site, follower in self._followers.items():
            health.watch(f"admitted tags of {site}", follower.trouble)
        for site, scans in self._scans.items():
            health.watch(f"phones' scans of {site}", scans.trouble, is_essential=False)
        registry.register(CountersCollector("inaisle_bridge", partial(dict, self.loop.counters)))
        registry.register(CountersCollector("inaisle_log", partial(dict, self._producer.counters)))
        registry.register(CountersCollector("inaisle_bridge_sites", self._of_sites))
        registry.register(CountersCollector("inaisle_reception", self._of_receptions))

    def _of_sites(self) -> Mapping[str, int]:
        return _added([asdict(site.counters) for site in self._sites.values()])

    def _of_receptions(self) -> Mapping[str, int]:
        return _added([site.reception.counters for site in self._sites.values()])

    def _trouble(self) -> str | None:
        if not self.loop.ready.is_set():
            return "starting"
        if self.loop.is_held:
            return "nothing is taken from the gateways until the log takes what there is"
        silent_s = self.loop.seconds_since_tick
        return None if silent_s < SLOW_AFTER_S else f"no tick for {silent_s:.0f} s"

    def _log_trouble(self) -> str | None:
        return self._producer.trouble()

    def _line_trouble(self) -> str | None:
        line = self._source.health()
        return None if line.state is LineState.RECEIVING else line.reason

    def _fatal(self) -> str | None:
        if self.loop.failure is not None:
            return f"the bridge ended: {self.loop.failure!r}"
        if self.loop.ready.is_set() and self.loop.seconds_since_tick > STUCK_AFTER_S:
            return f"the bridge is stuck for {self.loop.seconds_since_tick:.0f} s"
        line = self._source.health()
        return f"the line to the broker: {line.reason}" if line.state is LineState.DEAD else None


def run_bridge(settings: Settings, *, sites: Sequence[str]) -> ExitStatus:
    """Bridge until SIGTERM or Ctrl-C (status 0), or until a part breaks (status 1).

    `InvalidSnapshot` says that the state of a site cannot be taken up: nothing was taken.
    """
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        Bridge(settings, sites).run(stop)
    except PartBroke as error:
        log.critical("a part broke; the process ends", reason=str(error))
        return ExitStatus.BROKEN
    log.info("stopped")
    return ExitStatus.DONE


def chosen_sites(settings: Settings, names: Sequence[str]) -> dict[SiteId, ChainSite]:
    """Return the sites to bridge, of the library.

    Raises
    ------
    InvalidSettings
        If the library holds none of that name, none at all, or too many for one process.
    """
    library = site_library(settings.chain)
    chosen = {SiteId(name): library.find(name) for name in names or library.sites()}
    found = {site: one for site, one in chosen.items() if one is not None}
    missing = sorted(set(chosen) - set(found))
    if missing or not 1 <= len(found) <= SITES_MAX:
        raise InvalidSettings(
            f"{len(found)} sites of {settings.chain.sites} are to be bridged, and "
            f"{', '.join(missing) or 'none'} is missing there; expected 1 to {SITES_MAX}. Name "
            "some with --site, and start a process for the others."
        )
    return found


def _redis_url(settings: Settings) -> str:
    """Return where consents come from.

    Raises
    ------
    InvalidSettings
        If it is not set.
    """
    if settings.redis.url is None:
        raise InvalidSettings(
            "redis.url is empty; expected redis://host:port/0, for the bridge learns there whom it "
            "may locate. Set it as for the offers side."
        )
    return settings.redis.url.get_secret_value()


def _added(counters: Sequence[Mapping[str, int]]) -> Mapping[str, int]:
    return {name: sum(one[name] for one in counters) for name in counters[0]}
