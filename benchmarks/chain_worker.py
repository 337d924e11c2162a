"""Workers of a chain: from reading frames on Kafka to zone events, frames of 800 readings.

Eight shards of a hundred tags, each heard five times a second by eight anchors. `inaisle worker`
joins first and the frames come then, as fast as they go; what counts is the processor time of its
whole process, the library's threads included. Beside it, in the same run: the engine alone over the
same batches, and the same shards on a plain loop over confluent-kafka, without Quix Streams. The
events must be those of the engine alone; with one frame left out the comparison must notice.

The broker is tansu in a process of its own; on two shared cores the ratio of two workers to one
says how little they stand in each other's way, not how far a chain scales.
"""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import numpy as np

from benchmarks.engine import PLAN, START_MS
from inaisle.chain.site_library import SiteLibrary
from inaisle.chain.worker import LibraryShards
from rtls.engine import Engine
from rtls.model.reading import READING_DTYPE, ReadingBatch, ReadingKind
from rtls.model.reading_frame import pack_batch, unpack_batch
from rtls.model.site_map import Radio, SiteMap
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import TagId, UnixMs
from rtls.model.visit_json import render_event
from rtls.publish.kafka.dead_letters import DeadLetters, ReadMessage
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.shard_host import HostTopics, ShardHost
from rtls.publish.kafka.state_topic import StateTopic
from rtls.publish.kafka.topics import Topic, TopicPlan, ensure_topics, partition_key
from tests.kafka_broker import KafkaBroker, make_server

SHARDS = 8
TAGS = 100
ANCHORS_A_TAG = 8
FRAMES = 500
EPOCH_MS = 200
READINGS = TAGS * ANCHORS_A_TAG
FROM_SHARE, TO_SHARE = 0.1, 0.95  # of the frames: neither the first compile nor the last wait
WITHIN_S = 120.0
LOOK_EVERY_S = 0.2  # to be looked at costs a worker some milliseconds
TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).resolve().parents[1]
Figure = dict[str, str | float | bool]


@dataclass(frozen=True)
class Rate:
    """What a run of workers took for its frames, between two shares of them."""

    frames: int
    cpu_s: float
    wall_s: float

    @property
    def a_core(self) -> float:
        """Readings a second of processor time."""
        return self.frames * READINGS / self.cpu_s

    @property
    def by_the_clock(self) -> float:
        """Readings a second of ours."""
        return self.frames * READINGS / self.wall_s


def make_batches(site: SiteMap) -> list[ReadingBatch]:
    """Return the batches of a shard: half of its tags walk, the others stand."""
    rng = np.random.default_rng(7)
    numbers = np.array([n for n, a in enumerate(site.anchors) if a.radio is Radio.UWB])
    anchors = np.array([(a.x_m, a.y_m, a.z_m) for a in site.anchors])[numbers]
    size = np.array([site.floors[0].width_m, site.floors[0].height_m])
    place = 1.0 + rng.random((TAGS, 2)) * (size - 2.0)
    heading = rng.uniform(0, 2 * np.pi, TAGS)
    step = np.column_stack([np.cos(heading), np.sin(heading)]) * EPOCH_MS / 1000.0
    step[::2] = 0.0
    batches = []
    for sequence in range(FRAMES):
        turns = (place + step < 1.0) | (place + step > size - 1.0)
        step[turns] *= -1.0
        place = place + step
        ranges = np.linalg.norm(
            anchors[None] - np.column_stack([place, np.ones(TAGS)])[:, None], axis=2
        )
        nearest = np.sort(np.argsort(ranges, axis=1)[:, :ANCHORS_A_TAG], axis=1)
        readings = np.zeros(READINGS, READING_DTYPE)
        at_ms = START_MS + (sequence + 1) * EPOCH_MS
        readings["heard_at_ms"] = at_ms - 20
        readings["tag"] = np.repeat(np.arange(TAGS), ANCHORS_A_TAG)
        readings["anchor"] = numbers[nearest].ravel()
        noise = rng.normal(0.0, 0.08, nearest.shape)
        readings["value"] = (np.take_along_axis(ranges, nearest, axis=1) + noise).ravel()
        readings["value_2"] = readings["value_3"] = readings["sigma"] = np.nan
        readings["ref_anchor"] = -1
        readings["kind"] = ReadingKind.RANGE
        batches.append(
            ReadingBatch(
                site=site.site,
                shard=0,
                sequence=sequence,
                epoch_end_ms=UnixMs(at_ms),
                readings=readings,
            )
        )
    return batches


def of_shard(batch: ReadingBatch, shard: int) -> ReadingBatch:
    """Return the batch for another shard, whose tags are others."""
    names = tuple((tag, TagId(f"tag:{shard}:{tag}")) for tag in range(TAGS))
    return replace(batch, shard=shard, introduced=names if batch.sequence == 0 else ())


def engine_alone(site: SiteMap, frames: Sequence[bytes]) -> tuple[float, list[bytes]]:
    """Return the readings a second of one core from a batch to events, and these."""
    engine = Engine(site)
    engine.warm_up()
    spent: list[float] = []
    events: list[bytes] = []
    for batch in map(unpack_batch, frames):
        start = time.process_time()
        output = engine.process(batch)
        spent.append(time.process_time() - start)
        events += map(render_event, output.events)
    first, last = int(FROM_SHARE * FRAMES), int(TO_SHARE * FRAMES)
    return READINGS * (last - first) / sum(spent[first:last]), events


@dataclass
class Stage:
    """A broker, a library of one site, and frames."""

    broker: KafkaBroker
    folder: Path
    frames: list[list[bytes]]

    def plan(self, prefix: str) -> TopicPlan:
        """Return the topics of one run."""
        return TopicPlan(prefix=prefix, partitions=SHARDS)

    def send(self, prefix: str) -> None:
        """Put all frames on the topic of readings, in the order of a shop."""
        producer = KafkaProducer(self.broker.address, client_id="bench", waiting_kib_max=1 << 20)
        topic = self.plan(prefix).name(Topic.READINGS)
        site = unpack_batch(self.frames[0][0]).site
        for number in range(FRAMES):
            for shard, frames in enumerate(self.frames):
                producer.send(topic, key=partition_key(site, shard), value=frames[number])
        producer.flush(WITHIN_S)
        producer.close()


class Worker:
    """One worker process, looked at from outside."""

    def __init__(self, stage: Stage, command: Sequence[str], prefix: str, name: str) -> None:
        self._log = stage.folder / f"{prefix}{name}.log"
        settings = {
            "INAISLE__CHAIN__TOPIC_PREFIX": prefix,
            "INAISLE__CHAIN__SHARDS": str(SHARDS),
            "INAISLE__CHAIN__PARTITIONS": str(SHARDS),
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable, *command,
                    "--brokers", stage.broker.brokers, "--sites", str(stage.folder / "sites"),
                    "--port", "0",
                ],
                env=os.environ | settings,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )  # fmt: skip
        self._page = f"http://127.0.0.1:{self._port()}"

    def _port(self) -> int:
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r'"?port"?[=:]\s*(\d+)', self._log.read_text())
            if found and "health is shown" in self._log.read_text():
                return int(found[1])
            time.sleep(0.1)
        raise RuntimeError(f"no worker:\n{self._log.read_text()[-2000:]}")

    def is_ready(self) -> bool:
        """Return whether it has partitions."""
        return httpx2.get(f"{self._page}/readyz").status_code == 200

    def frames(self) -> int:
        """Return how many frames it has taken."""
        text = httpx2.get(f"{self._page}/metrics").text
        found = re.search(r"^inaisle_worker_frames_total (\S+)", text, re.MULTILINE)
        return int(float(found[1])) if found else 0

    def cpu_s(self) -> float:
        """Return the processor time of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def stop(self) -> None:
        """Let it drain."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def run_workers(stage: Stage, prefix: str, *, count: int, plain: bool = False) -> Rate:
    """Let workers join, send the frames, and say what they took for them."""
    ensure_topics(stage.broker.address, stage.plan(prefix))
    command = ("-m", "benchmarks.chain_worker") if plain else (
        "-m", "inaisle", "--log-format", "json", "worker",
    )  # fmt: skip
    with ExitStack() as parts:
        workers = []
        for number in range(count):
            worker = Worker(stage, command, prefix, str(number))
            parts.callback(worker.stop)
            workers.append(worker)
        while not all(worker.is_ready() for worker in workers):
            time.sleep(0.1)
        time.sleep(2.0)  # who joined first may give some away again
        stage.send(prefix)
        begin = _wait_for(workers, FROM_SHARE)
        end = _wait_for(workers, TO_SHARE)
        _wait_for(workers, 1.0)
    return Rate(frames=int(end[0] - begin[0]), cpu_s=end[1] - begin[1], wall_s=end[2] - begin[2])


def _wait_for(workers: Sequence[Worker], share: float) -> tuple[float, float, float]:
    """Wait until so many frames were taken; return how many, the processor time, the instant.

    Raises
    ------
    RuntimeError
        If that takes too long.
    """
    deadline, frames = time.monotonic() + WITHIN_S, 0
    while time.monotonic() < deadline:
        frames = sum(worker.frames() for worker in workers)
        if frames >= share * SHARDS * FRAMES:
            return frames, sum(worker.cpu_s() for worker in workers), time.monotonic()
        time.sleep(LOOK_EVERY_S)
    raise RuntimeError(f"only {frames} frames were taken")


def told(stage: Stage, prefix: str, expected: int) -> list[bytes]:
    """Return the events of all shards, each once."""
    topic = stage.plan(prefix).name(Topic.EVENTS)
    found = stage.broker.read(topic, lambda read: len(read) >= expected)
    return list(dict.fromkeys(read.value for read in found))


@contextmanager
def open_stage(site: SiteMap, batches: Sequence[ReadingBatch]) -> Iterator[Stage]:
    """Start a broker, and end it."""
    with tempfile.TemporaryDirectory(prefix="inaisle-bench-") as name:
        folder = Path(name)
        (folder / "sites" / site.site).mkdir(parents=True)
        (folder / "sites" / site.site / "site_map.geojson").write_bytes(PLAN.read_bytes())
        server = make_server(folder)
        server.start()
        try:
            broker = KafkaBroker(f"{server.host}:{server.port}", server)
            broker.wait_until_it_answers()
            frames = [
                [pack_batch(of_shard(batch, shard)) for batch in batches] for shard in range(SHARDS)
            ]
            yield Stage(broker, folder, frames)
        finally:
            server.stop()


def run() -> Iterator[Figure]:
    """Yield the figures."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it would tell of each look
    site = parse_site_map(PLAN.read_bytes(), source=PLAN.name)
    with open_stage(site, make_batches(site)) as stage:
        alone, of_first = engine_alone(site, stage.frames[0])
        left_out = engine_alone(site, [f for n, f in enumerate(stage.frames[0]) if n != 200])[1]
        one = run_workers(stage, "one.", count=1)
        plain = run_workers(stage, "plain.", count=1, plain=True)
        two = run_workers(stage, "two.", count=2)
        events = set(told(stage, "one.", SHARDS * len(of_first)))
    yield figure("readings a second, one core", one.a_core, "1/s", 1_000_000.0)
    yield figure("the engine alone", alone, "1/s")
    yield figure("a plain loop over confluent-kafka", plain.a_core, "1/s")
    yield figure("of the engine alone", one.a_core / alone, "×")
    yield figure("of the plain loop", one.a_core / plain.a_core, "×")
    yield figure("by the clock, one worker", one.by_the_clock, "1/s")
    yield figure("two workers to one, by the clock", two.by_the_clock / one.by_the_clock, "×")
    yield figure("two workers to one, a core", two.a_core / one.a_core, "×")
    yield figure("size of a frame", len(stage.frames[0][9]), "bytes")
    yield figure("events are the engine's", float(set(of_first) <= events), "", 1.0)
    yield figure("a frame left out is noticed", float(not set(left_out) <= events), "", 1.0)


def figure(name: str, value: float, unit: str, target: float | None = None) -> Figure:
    """Return one figure; its target is a floor."""
    told_figure: Figure = {"name": name, "value": value, "unit": unit}
    return told_figure if target is None else told_figure | {"target": target, "is_floor": True}


def run_plainly(brokers: str, sites: Path) -> None:
    """Run the shards on a plain loop: the peer. It shows its frames as a worker does."""
    from confluent_kafka import Consumer  # type: ignore[import-untyped]
    from prometheus_client import CollectorRegistry

    from inaisle.chain.health_page import HealthPage
    from rtls.api.health import Health
    from rtls.api.metrics import CountersCollector

    broker = KafkaBroker(brokers)
    plan = TopicPlan(prefix=os.environ["INAISLE__CHAIN__TOPIC_PREFIX"], partitions=SHARDS)
    producer = KafkaProducer(broker.address, client_id="plain")
    host = ShardHost(
        LibraryShards(SiteLibrary(sites), shards=SHARDS),
        producer=producer,
        dead_letters=DeadLetters(producer, topic=plan.name(Topic.DEAD_LETTERS)),
        states=StateTopic(broker.address, topic=plan.name(Topic.SHARDS)),
        topics=HostTopics(events=plan.name(Topic.EVENTS), fixes=plan.name(Topic.FIXES)),
    )
    consumer = Consumer({
        **broker.address.client_config(),
        "group.id": "plain",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "session.timeout.ms": 6_000,
    })  # fmt: skip
    consumer.subscribe([plan.name(Topic.READINGS)])
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    health, registry = Health(now_ms=lambda: UnixMs(0)), CollectorRegistry()
    health.watch("partitions", lambda: None if consumer.assignment() else "none yet")
    registry.register(CountersCollector("inaisle_worker", lambda: host.counters))
    page = HealthPage(health, registry, host="127.0.0.1", port=0)
    print(json.dumps({"event": "health is shown", "port": page.start()}), flush=True)
    kept_at = time.monotonic()
    while not stop:
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            host.take(
                ReadMessage(
                    topic=message.topic(),
                    partition=message.partition(),
                    offset=message.offset(),
                    key=message.key(),
                    value=message.value(),
                )
            )
        if time.monotonic() - kept_at > 1.0:
            host.checkpoint()
            if message is not None:
                consumer.commit(asynchronous=False)
            kept_at = time.monotonic()
    page.stop()
    consumer.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run_plainly(sys.argv[2], Path(sys.argv[4]))
    else:
        for one_figure in run():
            print(one_figure)
