"""Workers of a chain as processes, frames for them, and what a run that is never killed gives."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest

from rtls.api.site_map_json import render_site_map
from rtls.engine import Engine
from rtls.model.anchor_order import ANCHORS_HEADER, anchor_order
from rtls.model.reading_frame import pack_batch, unpack_batch
from rtls.model.site_map import DwellRules
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.visit_json import render_event
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import Topic, TopicPlan, ensure_topics, partition_key
from rtls.shard_run import ShardRun, ShardState, read_state
from tests.kafka_broker import KafkaBroker, Read
from tests.reference.shelf_site import exact_ranges, make_batch, make_site, shelf_zones

START_MS = 1_795_255_200_000
EPOCH_MS = 1_000
FRAMES_A_SECOND = 5.0  # of each shard: time in the shop runs five times as fast as ours
PLACES = [(5.0, 4.5), (7.0, 4.5), (18.0, 2.0), (10.0, 5.0)]
TAGS_A_SHARD = 4
CHECKPOINT_S = 0.5
FOUND_OUT_MS = 2_000
QUIET_S = 0.15  # while frames come each 0.2 s
LAST_QUIET_S = 1.5
BEFORE_READY_S = 60.0
SITE = parse_site_map(
    render_site_map(make_site(shelf_zones(DwellRules(dwell_thresholds_s=(3.0, 8.0))))),
    source="test",
)

BY_ITS_MAP = {ANCHORS_HEADER: anchor_order(SITE).encode()}
BY_ANOTHER_MAP = {ANCHORS_HEADER: b"0123456789abcdef"}
"""taken, this frame would hide those before its number"""


def frames_of(shard: int, count: int) -> list[bytes]:
    """Shoppers who change their shelf every seven to ten seconds: each frame may bring an event."""
    frames = []
    for number in range(count):
        at_ms = START_MS + EPOCH_MS * number
        places = [
            (tag, *PLACES[(number // (7 + tag) + tag + shard) % len(PLACES)])
            for tag in range(TAGS_A_SHARD)
        ]
        names = [(tag, f"tag:{shard}:{tag}") for tag in range(TAGS_A_SHARD)]
        batch = make_batch(
            SITE,
            number,
            at_ms,
            exact_ranges(SITE, at_ms, places),
            introduced=names if number == 0 else [],
        )
        frames.append(pack_batch(replace(batch, shard=shard)))
    return frames


@dataclass(frozen=True)
class Reference:
    """What one shard gives that was never killed."""

    events: list[bytes]
    engine: bytes


def reference(shard: int, frames: Sequence[bytes]) -> Reference:
    run = ShardRun(Engine(SITE, shard=shard), release="test")
    events = [
        render_event(event)
        for offset, frame in enumerate(frames)
        for event in run.take(unpack_batch(frame), offset).events
    ]
    return Reference(events=events, engine=run.engine.snapshot())


@dataclass
class Chain:
    """A broker's topics, a library of one site, and the workers that run its shards."""

    broker: KafkaBroker
    folder: Path
    prefix: str
    shards: int
    session_timeout_ms: int = 3_000
    program: tuple[str, ...] = ("-m", "inaisle")
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed_at_ms: list[int] = field(default_factory=list)

    @property
    def plan(self) -> TopicPlan:
        return TopicPlan(prefix=self.prefix, partitions=self.shards)

    def lay_out(self) -> None:
        folder = self.folder / "sites" / SITE.site
        folder.mkdir(parents=True)
        (folder / "site_map.geojson").write_bytes(render_site_map(SITE))
        ensure_topics(self.broker.address, self.plan)

    def start(self, name: str, *, is_static: bool = False) -> None:
        """Start a worker; its name is its own, also after it was killed."""
        settings = {
            "INAISLE__CHAIN__TOPIC_PREFIX": self.prefix,
            "INAISLE__CHAIN__SHARDS": str(self.shards),
            "INAISLE__CHAIN__PARTITIONS": str(self.shards),
            "INAISLE__CHAIN__CHECKPOINT_S": str(CHECKPOINT_S),
            "INAISLE__CHAIN__SESSION_TIMEOUT_MS": str(self.session_timeout_ms),
        }
        static = ["--instance", name] if is_static else []
        command = [
            sys.executable, *self.program, "--log-format", "json", "worker",
            "--brokers", self.broker.brokers, "--sites", str(self.folder / "sites"),
            "--port", "0", *static,
        ]  # fmt: skip
        with (self.folder / f"{name}.log").open("ab") as log:
            self.workers[name] = subprocess.Popen(
                command,
                env=os.environ | settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str, *, is_judged: bool = True) -> None:
        """Kill a worker; by how long its shards were away the chain is judged, or not."""
        worker = self.workers.pop(name)
        if is_judged:
            self.killed_at_ms.append(time.time_ns() // 1_000_000)
        worker.kill()
        worker.wait()

    def wait_until_all_are_ready(self) -> None:
        """Wait until every worker has partitions, as its /readyz says."""
        deadline = time.monotonic() + BEFORE_READY_S
        for name in self.workers:
            while not self._is_ready(name):
                assert time.monotonic() < deadline, self.log()[-4_000:]
                time.sleep(0.2)

    def _is_ready(self, name: str) -> bool:
        ports = re.findall(r'"port": (\d+)', (self.folder / f"{name}.log").read_text())
        with contextlib.suppress(httpx2.HTTPError, IndexError):
            return httpx2.get(f"http://127.0.0.1:{ports[-1]}/readyz").status_code == HTTPStatus.OK
        return False  # it starts, or these are the pages of one that is dead

    def stop(self, within_s: float = 30.0) -> dict[str, int]:
        """Let all workers drain; return their statuses."""
        for worker in self.workers.values():
            worker.send_signal(signal.SIGTERM)
        return {name: worker.wait(within_s) for name, worker in self.workers.items()}

    def end(self) -> None:
        for worker in self.workers.values():
            worker.kill()
            worker.wait()

    def log(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def is_running(self) -> bool:
        return all(worker.poll() is None for worker in self.workers.values())

    def read(self, topic: str, *, quiet_s: float = LAST_QUIET_S) -> list[Read]:
        """Read all that a topic holds: until nothing more comes for a moment."""
        grown = [0, time.monotonic()]

        def is_quiet(found: list[Read]) -> bool:
            if len(found) != grown[0]:
                grown[:] = [len(found), time.monotonic()]
            return bool(found) and time.monotonic() - grown[1] > quiet_s

        return self.broker.read(topic, is_quiet, within_s=20.0)

    def wait_for_fixes(self, per_shard: int, *, within_s: float) -> None:
        """Wait until every shard has shown so many seconds of the shop."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and self.is_running():
            counts: dict[str, set[bytes]] = defaultdict(set)
            for read in self.read(self.plan.name(Topic.FIXES), quiet_s=QUIET_S):
                counts[read.key].add(read.value)
            if len(counts) == self.shards and min(map(len, counts.values())) >= per_shard:
                return
            time.sleep(0.5)
        pytest.fail(f"the workers did not come so far:\n{self.log()[-4_000:]}")

    def states(self) -> dict[int, ShardState]:
        """Return the last state of each shard, as its topic holds it."""
        found: dict[int, ShardState] = {}
        for read in self.read(self.plan.name(Topic.SHARDS)):
            state = read_state(read.value)
            before = found.get(state.header.shard)
            if before is None or before.header.sequence <= state.header.sequence:
                found[state.header.shard] = state
        return found


@contextlib.contextmanager
def chain_of_workers(chain: Chain) -> Iterator[Chain]:
    chain.lay_out()
    try:
        yield chain
    finally:
        chain.end()


@dataclass
class Feeder:
    """Sends the frames of all shards at the pace of a shop, in a thread of its own."""

    chain: Chain
    frames: list[list[bytes]]
    stop: threading.Event = field(default_factory=threading.Event)
    sent: int = 0
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._feed, daemon=True)
        self.thread.start()

    def _feed(self) -> None:
        producer = KafkaProducer(self.chain.broker.address, client_id="feeder")
        topic = self.chain.plan.name(Topic.READINGS)
        key = partition_key(SITE.site, 0)
        producer.send(topic, key=key, value=self.frames[0][1], headers=BY_ANOTHER_MAP)
        started = time.monotonic()
        for number in range(len(self.frames[0])):
            if self.stop.is_set():
                break
            for shard, frames in enumerate(self.frames):
                key = partition_key(SITE.site, shard)
                producer.send(topic, key=key, value=frames[number], headers=BY_ITS_MAP)
            self.sent = number + 1
            time.sleep(max(0.0, started + self.sent / FRAMES_A_SECOND - time.monotonic()))
        producer.flush(30.0)
        producer.close()

    def finish(self) -> int:
        """Send no more, and return how many frames of each shard there are."""
        self.stop.set()
        self.thread.join()
        return self.sent


@dataclass(frozen=True)
class Account:
    """What the workers did, beside a run that was never killed."""

    expected: int
    lost: int
    unknown: int
    again: int
    """second copies, which every sink drops"""
    out_of_order: int
    """shards in which the first copies stand in another order"""
    states_that_differ: int
    gaps_s: list[float]
    """the longest time without output after each kill, of each shard; sorted"""

    def __str__(self) -> str:
        gaps = ", ".join(f"{gap:.1f}" for gap in self.gaps_s)
        return json.dumps({**vars(self), "gaps_s": gaps})


def account(chain: Chain, frames: list[list[bytes]], sent: int) -> Account:
    by_key: dict[str, list[bytes]] = defaultdict(list)
    for read in chain.read(chain.plan.name(Topic.EVENTS)):
        by_key[read.key].append(read.value)
    states = chain.states()
    told_at: dict[str, list[int]] = defaultdict(list)
    for read in chain.read(chain.plan.name(Topic.FIXES)):
        told_at[read.key].append(read.at_ms)
    figures = dict.fromkeys(("expected", "lost", "unknown", "again", "order", "states"), 0)
    for shard in range(chain.shards):
        whole = reference(shard, frames[shard][:sent])
        found = by_key[partition_key(SITE.site, shard)]
        once = list(dict.fromkeys(found))
        figures["expected"] += len(whole.events)
        figures["lost"] += len(set(whole.events) - set(once))
        figures["unknown"] += len(set(once) - set(whole.events))
        figures["again"] += len(found) - len(once)
        figures["order"] += once != whole.events
        state = states.get(shard)
        figures["states"] += state is None or state.engine != whole.engine
    return Account(
        expected=figures["expected"],
        lost=figures["lost"],
        unknown=figures["unknown"],
        again=figures["again"],
        out_of_order=figures["order"],
        states_that_differ=figures["states"],
        gaps_s=sorted(gap for times in told_at.values() for gap in gaps_s(sorted(times), chain)),
    )


def gaps_s(told_at_ms: Sequence[int], chain: Chain) -> list[float]:
    """Return, for each kill, the longest time without output that began until it was found out."""
    pairs = list(pairwise(told_at_ms))
    until_ms = chain.session_timeout_ms + FOUND_OUT_MS
    return [
        max((b - a for a, b in pairs if b > kill and a < kill + until_ms), default=0) / 1e3
        for kill in chain.killed_at_ms
    ]
