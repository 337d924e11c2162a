"""Run a worker of the chain: its share of all sites' shards, until it is told to stop.

Layer: doors. Takes: settings. Gives: an exit status. Kernels are warm before it joins the others,
so that no shard waits for a compiler; on SIGTERM it takes no more, keeps its states and leaves.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from inaisle.chain.chain_settings import kafka_address, site_library, topic_plan
from inaisle.chain.health_page import HealthPage
from inaisle.chain.site_library import SiteLibrary
from inaisle.clock import SystemClock
from inaisle.early_warm_up import begin_warm_up, end_warm_up
from inaisle.errors import ExitStatus
from inaisle.service.snapshot_saver import pack_map, unpack_map
from inaisle.settings import Settings
from rtls.api.health import Health
from rtls.api.metrics import CountersCollector
from rtls.engine import Engine
from rtls.model.errors import InaisleError
from rtls.model.site_map import SiteMap
from rtls.model.units import SiteId
from rtls.publish.kafka.dead_letters import DeadLetters
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.quix_worker import QuixWorker, WorkerSettings
from rtls.publish.kafka.shard_host import HostTopics, ShardHost
from rtls.publish.kafka.state_topic import StateTopic
from rtls.publish.kafka.topics import Topic, ensure_topics
from rtls.shard_run import ShardRun

log = structlog.get_logger("inaisle.chain.worker")
LAG_TOLD_FROM: Final = 1_000


class LibraryShards:
    """Shards of the sites of a library (protocol `Shards`); a site is read and laid out once.

    Parameters
    ----------
    library
        Of the sites.
    shards
        Of each site.
    """

    def __init__(self, library: SiteLibrary, *, shards: int) -> None:
        self._library = library
        self._shards = shards
        self._release = version("inaisle")
        self._known: dict[SiteId, tuple[Engine, bytes]] = {}

    def open(self, site: SiteId, shard: int) -> ShardRun | None:
        """Return a shard that has taken nothing yet, or None where there is none."""
        if shard >= self._shards:
            return None
        if site not in self._known:
            found = self._library.find(site)
            if found is None:
                return None
            engine = Engine(found.site_map, calibration=found.calibration)
            self._known[site] = (engine, pack_map(found.site_map))
        engine, packed = self._known[site]
        return ShardRun(engine.for_shard(shard), release=self._release, site_map=packed)

    def map_of(self, content: bytes) -> SiteMap:
        """Return the map that a state holds."""
        return unpack_map(content)


def run_worker(settings: Settings, *, instance: str | None = None) -> ExitStatus:
    """Work until SIGTERM or Ctrl-C (status 0), or until a part breaks (1) or refuses (3).

    Parameters
    ----------
    settings
        Of the chain, and where health is shown.
    instance
        See `WorkerSettings`.
    """
    warming = begin_warm_up()
    host, worker = _wired(settings, instance)
    warming.join()
    end_warm_up()
    gc.collect()
    gc.freeze()
    with _page(settings, host, worker):
        log.info("the worker joins", group=worker.settings.group)
        return _run(worker)


def _run(worker: QuixWorker) -> ExitStatus:
    """Work; say why it ended.

    Raises
    ------
    InaisleError
        What a part of ours refused with.
    """
    try:
        worker.run()
    except InaisleError:
        raise
    except Exception as error:
        log.critical("a part broke; the process ends", exc_info=error)
        return ExitStatus.BROKEN
    log.info("stopped")
    return ExitStatus.DONE


def _wired(settings: Settings, instance: str | None) -> tuple[ShardHost, QuixWorker]:
    chain = settings.chain
    library, address, plan = site_library(chain), kafka_address(chain), topic_plan(settings)
    ensure_topics(address, plan)
    producer = KafkaProducer(address, client_id="inaisle-worker")
    host = ShardHost(
        LibraryShards(library, shards=chain.shards),
        producer=producer,
        dead_letters=DeadLetters(producer, topic=plan.name(Topic.DEAD_LETTERS)),
        states=StateTopic(address, topic=plan.name(Topic.SHARDS)),
        topics=HostTopics(events=plan.name(Topic.EVENTS), fixes=plan.name(Topic.FIXES)),
    )
    worker = QuixWorker(
        host,
        address,
        WorkerSettings(
            topic=plan.name(Topic.READINGS),
            group=f"{plan.prefix}workers",
            checkpoint_s=chain.checkpoint_s,
            session_timeout_ms=chain.session_timeout_ms,
            instance=instance,
        ),
    )
    return host, worker


class PartitionLag(Collector):
    """Which partitions are ours, and how many messages wait in each."""

    def __init__(self, worker: QuixWorker) -> None:
        self._worker = worker

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the partitions as they are now."""
        family = GaugeMetricFamily(
            "inaisle_worker_partition_lag_messages",
            "Messages that wait in a partition of this worker; -1 until the library knows.",
            labels=["partition"],
        )
        for partition, waiting in sorted(self._worker.assigned.lag.items()):
            family.add_metric([str(partition)], waiting)
        yield family


@contextmanager
def _page(settings: Settings, host: ShardHost, worker: QuixWorker) -> Iterator[None]:
    """Show health and metrics while the worker runs."""
    health = Health(now_ms=SystemClock().now_ms)
    registry = CollectorRegistry()
    health.watch("partitions", partial(_unassigned, worker))
    health.watch("lag", partial(_behind, worker), is_essential=False)
    health.watch("shards", partial(_refused, host), is_essential=False)
    registry.register(CountersCollector("inaisle_worker", lambda: host.counters))
    registry.register(CountersCollector("inaisle_dead_letters", lambda: host.dead_letters))
    lag = Gauge("inaisle_worker_lag_messages", "Messages that wait.", registry=registry)
    lag.set_function(lambda: sum(max(0, n) for n in worker.assigned.lag.values()))
    registry.register(PartitionLag(worker))
    held = Gauge("inaisle_worker_shards", "Shards in memory.", registry=registry)
    held.set_function(lambda: host.held)
    page = HealthPage(health, registry, host=settings.api.host, port=settings.api.port)
    port = page.start()
    log.info("the worker's health is shown", host=settings.api.host, port=port)
    try:
        yield
    finally:
        page.stop()


def _unassigned(worker: QuixWorker) -> str | None:
    return None if worker.assigned.lag else "none is assigned to this worker yet"


def _behind(worker: QuixWorker) -> str | None:
    waiting = {n: lag for n, lag in sorted(worker.assigned.lag.items()) if lag > LAG_TOLD_FROM}
    if not waiting:
        return None
    return "messages wait: " + ", ".join(f"partition {n}: {lag}" for n, lag in waiting.items())


def _refused(host: ShardHost) -> str | None:
    refused = dict(host.refused)
    return "; ".join(f"{key}: {why}" for key, why in sorted(refused.items())) or None
