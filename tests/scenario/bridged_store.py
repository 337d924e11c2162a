"""A thin store on the chain, for tests: gateways with spools, a bridge, a consumer of the log."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from rtls.api.site_map_json import render_site_map
from rtls.model.reading import ReadingBatch
from rtls.model.reading_frame import unpack_batch
from rtls.model.site_map import Anchor, Floor, Radio, SiteMap
from rtls.model.units import AnchorId, GatewayId, Metre, SiteId, TagId, UnixMs
from rtls.publish.admitted_tags_redis import AdmittedTagsPublisher
from rtls.publish.kafka.topics import Topic, TopicPlan
from rtls.publish.redis_keys import connect_redis
from tests.conftest import REPOSITORY, Server, pick_free_port
from tests.kafka_broker import KafkaBroker, Read
from tests.scenario.spooling_gateway import SpoolingGateway
from tests.waiting import wait_until

SITE = SiteId("thin-1")
TAG = TagId("tag:1")
READY_S_MAX = 60.0


def now_ms() -> UnixMs:
    return UnixMs(time.time_ns() // 1_000_000)


def write_library(folder: Path, gateways: Sequence[str], *, site: SiteId = SITE) -> Path:
    """A library with one small shop, an anchor for each gateway."""
    places = ((1.0, 1.0), (19.0, 1.0), (10.0, 19.0), (19.0, 19.0))
    site_map = SiteMap(
        site=site,
        name="Thin",
        floors=(Floor(floor=0, name="ground", width_m=Metre(20.0), height_m=Metre(20.0)),),
        zones=(),
        anchors=tuple(
            Anchor(
                anchor=AnchorId(f"a-{gateway}"),
                radio=Radio.UWB,
                floor=0,
                x_m=Metre(x_m),
                y_m=Metre(y_m),
                z_m=Metre(2.5),
                gateway=GatewayId(gateway),
            )
            for gateway, (x_m, y_m) in zip(gateways, places, strict=False)
        ),
    )
    (folder / site).mkdir(parents=True)
    (folder / site / "site_map.geojson").write_bytes(render_site_map(site_map))
    return folder


def admit(redis: Server, tags: Sequence[TagId], *, site: SiteId = SITE) -> None:
    """Say in Redis who may be located, as the offers side does."""
    client = connect_redis(f"redis://127.0.0.1:{redis.port}/0")
    publisher = AdmittedTagsPublisher(client, site=site, read_tags=lambda: tags)
    publisher.start()
    publisher.close()
    client.close()


@dataclass
class BridgeProcess:
    """`inaisle bridge` in a process of its own, which a test may kill and start again."""

    library: Path
    data: Path
    kafka: str
    mqtt: Server
    redis: Server
    topic_prefix: str
    environment: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = (sys.executable, "-m", "inaisle")
    port: int = field(default_factory=pick_free_port)
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def start(self) -> None:
        self.data.mkdir(exist_ok=True)
        command = [
            *self.command,
            "bridge",
            *("--brokers", self.kafka),
            *("--sites", str(self.library)),
            *("--mqtt", f"127.0.0.1:{self.mqtt.port}"),
            *("--data", str(self.data)),
            *("--port", str(self.port)),
        ]
        environment = {
            **os.environ,
            "INAISLE__REDIS__URL": f"redis://127.0.0.1:{self.redis.port}/0",
            "INAISLE__CHAIN__TOPIC_PREFIX": self.topic_prefix,
            "INAISLE__CHAIN__PARTITIONS": "4",
            **self.environment,
        }
        self.starts += 1
        with (self.data / "bridge.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log
            )

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.status("/readyz") == 200, "a ready bridge", timeout_s=READY_S_MAX)

    def status(self, path: str) -> int | None:
        assert self.process is not None
        assert self.process.poll() is None, self.log()[-3_000:]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def metric(self, name: str) -> float:
        url = f"http://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"{name} "):
                    return float(line.split()[1])
        pytest.fail(f"no series {name}")

    def wait_until_dead(self) -> None:
        assert self.process is not None
        assert self.process.wait(READY_S_MAX) == -signal.SIGKILL, self.log()[-3_000:]

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def log(self) -> str:
        return (self.data / "bridge.log").read_text()

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


@dataclass
class Taken:
    """What a consumer has that takes a frame only if its sequence is above the last one's."""

    batches: list[ReadingBatch] = field(default_factory=list)
    copies: int = 0
    differing: int = 0
    """frames under a sequence number that had another content"""
    values: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, frames: Sequence[Read]) -> "Taken":
        taken = cls()
        last: dict[str, int] = {}
        contents: dict[tuple[str, int], bytes] = {}
        names: dict[tuple[str, int], str] = {}
        for frame in frames:
            batch = unpack_batch(frame.value)
            if contents.setdefault((frame.key, batch.sequence), frame.value) != frame.value:
                taken.differing += 1
            if batch.sequence <= last.get(frame.key, -1):
                taken.copies += 1
                continue
            last[frame.key] = batch.sequence
            names |= {(frame.key, slot): tag for slot, tag in batch.introduced}
            assert all((frame.key, slot) in names for slot in batch.readings["tag"].tolist())
            taken.batches.append(batch)
            taken.values += batch.readings["value"].tolist()
        return taken


class Gateways:
    """Spooling gateways that say a value of their own with each reading, some a second."""

    def __init__(self, mqtt: Server, names: Sequence[str], *, every_s: float = 0.02) -> None:
        self.said: list[float] = []
        self._every_s = every_s
        self._stop = threading.Event()
        self._gateways = [
            SpoolingGateway(mqtt.port, gateway=name, boot=f"{number:016x}", clock=now_ms)
            for number, name in enumerate(names, start=1)
        ]
        self._thread = threading.Thread(target=self._speak, daemon=True)

    def __enter__(self) -> Self:
        wait_until(
            lambda: all(one.client.is_connected() for one in self._gateways), "all gateways online"
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hush()
        for gateway in self._gateways:
            gateway.close()

    def hush(self) -> None:
        self._stop.set()
        self._thread.join(5)

    @property
    def spooled(self) -> int:
        return sum(len(gateway.spool) for gateway in self._gateways)

    def wait_until_spools_are_empty(self, timeout_s: float = 60.0) -> None:
        wait_until(lambda: self.spooled == 0, "acknowledgement of all", timeout_s=timeout_s)

    def _speak(self) -> None:
        while not self._stop.wait(self._every_s):
            for gateway in self._gateways:
                value = 1.0 + len(self.said) / 1_000.0  # each once, so that each can be told apart
                self.said.append(value)
                gateway.hear(value)


def frames_of(kafka: KafkaBroker, prefix: str, *, until: int, within_s: float) -> list[Read]:
    """All frames in the log, as soon as they hold so many different readings."""

    def has_all(found: list[Read]) -> bool:
        return len(set(Taken.of(found).values)) >= until

    return kafka.read(TopicPlan(prefix=prefix).name(Topic.READINGS), has_all, within_s=within_s)
