"""Start every process of a chain on this machine: servers of others, and our own four kinds.

Layer: benchmarks. Takes: a folder, what stands in the shop. Gives: a running `Chain` to
benchmarks.chain. No figure is made here, so this file has no `run`.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from inaisle.clock import SystemClock
from inaisle.config_files import demo_campaigns_file, demo_programme_file, demo_site_map_file
from inaisle.service.broker import LOOPBACK, BrokerAddress, deaf_to_interrupts, free_port
from inaisle.simulation.app_client import ApiAddress
from rtls.model.site_map import SiteMap
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import UnixMs
from tests.conftest import Server, find_program, serve_mosquitto
from tests.kafka_broker import KafkaBroker, make_server
from tests.postgres import PostgresServer
from tests.postgres import make_server as make_postgres

READY_S_MAX: Final = 300.0
"""kernels may have to be compiled"""
STOP_S_MAX: Final = 20.0
HOUR_MS: Final = 3_600_000
ZONE: Final = "dowels"


@dataclass
class Process:
    """One of our own processes, which can be asked how it is."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its log goes to a file."""
        command = [sys.executable, "-m", "inaisle", *self.command, "--port", str(self.port)]
        with self.log.open("ab") as log, deaf_to_interrupts():
            self.child = subprocess.Popen(
                command, env={**os.environ, **self.environment}, stdout=log, stderr=log
            )

    def wait_until_ready(self) -> None:
        """Return when /readyz says so.

        Raises
        ------
        RuntimeError
            If it ends, or is not ready in time: with the end of its log.
        """
        deadline = time.monotonic() + READY_S_MAX
        while not self._is_ready():
            assert self.child is not None
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} is not ready:\n{self.log.read_text()[-3_000:]}")
            time.sleep(0.2)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}/readyz", timeout=2) as told:
                return bool(told.status == 200)
        except OSError:
            return False

    def figure(self, name: str) -> float:
        """Return the sum of a series of /metrics over its labels; 0 where it does not answer."""
        try:
            with urllib.request.urlopen(
                f"http://{LOOPBACK}:{self.port}/metrics", timeout=5
            ) as told:
                lines = told.read().decode().splitlines()
        except OSError:
            return 0.0
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split()[0] == name
        )

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.child is not None
        self.child.kill()
        self.child.wait()

    def stop(self) -> None:
        """End it as an operator does."""
        if self.child is None or self.child.poll() is not None:
            return
        self.child.terminate()
        try:
            self.child.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass(frozen=True, kw_only=True)
class Chain:
    """All that runs."""

    site_map: SiteMap
    site_map_file: Path
    mqtt: BrokerAddress
    workers: tuple[Process, Process]
    bridge: Process
    offers: Process
    till_key: str

    @property
    def api(self) -> ApiAddress:
        """Where apps and tills speak to it."""
        return ApiAddress(host=LOOPBACK, port=self.offers.port)


@contextmanager
def running_chain(folder: Path, *, stand_s: float) -> Iterator[Chain]:
    """Start a chain, give it when every process is ready, and end it.

    Parameters
    ----------
    folder
        For everything that is written.
    stand_s
        So long somebody has to stand at the dowels for the offer.
    """
    with ExitStack() as stack:
        config = _write_shop(folder, stand_s=stand_s)
        map_file = folder / "site.geojson"
        site_map = parse_site_map(map_file.read_bytes(), source=str(map_file))
        library = folder / "sites"
        (library / site_map.site).mkdir(parents=True)
        shutil.copyfile(map_file, library / site_map.site / "site_map.geojson")
        mqtt = stack.enter_context(contextmanager(serve_mosquitto)(folder / "mosquitto"))
        redis = stack.enter_context(_redis(folder / "redis"))
        postgres = stack.enter_context(_postgres())
        kafka = stack.enter_context(_kafka(folder / "kafka"))
        till_key = secrets.token_urlsafe(32)
        common = {
            "INAISLE__CHAIN__BROKERS": kafka.brokers,
            "INAISLE__CHAIN__SITES": str(library),
            "INAISLE__CHAIN__PARTITIONS": "4",
            "INAISLE__CHAIN__SESSION_TIMEOUT_MS": "3000",
            "INAISLE__REDIS__URL": f"redis://{LOOPBACK}:{redis.port}/0",
            "INAISLE__MQTT__PORT": str(mqtt.port),
            "INAISLE__LOG__FORMAT": "json",
        }
        with_money = {
            **common,
            "INAISLE__OFFERS__DATABASE_URL": postgres.empty_database().render_as_string(
                hide_password=False
            ),
            "INAISLE__OFFERS__TILL_KEY": till_key,
        }

        def process(name: str, *words: str, environment: Mapping[str, str] = common) -> Process:
            data = ("--data", str(folder / name)) if words[0] in {"bridge", "serve"} else ()
            return Process(
                name, ("--config", str(config), *words, *data), environment, folder / f"{name}.log"
            )

        offers = process("offers", "serve", "--role", "offers", environment=with_money)
        bridge = process("bridge", "bridge")
        workers = (process("worker-1", "worker"), process("worker-2", "worker"))
        ours = (offers, bridge, *workers)
        for one in ours:
            one.start()
            stack.callback(one.stop)
        for one in ours:
            one.wait_until_ready()
        yield Chain(
            site_map=site_map,
            site_map_file=map_file,
            mqtt=BrokerAddress(host=LOOPBACK, port=mqtt.port),
            workers=workers,
            bridge=bridge,
            offers=offers,
            till_key=till_key,
        )


def _write_shop(folder: Path, *, stand_s: float) -> Path:
    """Write the demo's shop, whose offer at the dowels comes after ``stand_s``.

    The scene plays in real time, and at night a shop is closed and gives no birthday present:
    so this one stands where it is about noon.
    """
    time_zone = where_it_is_noon(SystemClock().now_ms())
    site = json.loads(demo_site_map_file().read_bytes())
    site["inaisle"]["time_zone"] = time_zone
    for feature in site["features"]:
        if feature["id"] == ZONE:
            feature["properties"]["rules"] = {"dwell_thresholds_s": [stand_s]}
    (folder / "site.geojson").write_text(json.dumps(site))
    campaigns = json.loads(demo_campaigns_file().read_bytes())
    for campaign in campaigns["campaigns"]:
        if campaign["trigger"].get("zone") == ZONE:
            campaign["trigger"]["dwell_s"] = stand_s
    (folder / "campaigns.json").write_text(json.dumps(campaigns))
    programme = json.loads(demo_programme_file().read_bytes()) | {"time_zone": time_zone}
    (folder / "programme.json").write_text(json.dumps(programme))
    config = folder / "shop.toml"
    config.write_text(
        f'[site]\nmap = "{folder}/site.geojson"\ncampaigns = "{folder}/campaigns.json"\n'
        f'programme = "{folder}/programme.json"\n'
    )
    return config


def where_it_is_noon(now_ms: UnixMs) -> str:
    """Return a time zone whose clocks show between twelve and one.

    Examples
    --------
    >>> [where_it_is_noon(UnixMs(hour * HOUR_MS)) for hour in (0, 11, 12, 23)]
    ['Etc/GMT-12', 'Etc/GMT-1', 'Etc/GMT+0', 'Etc/GMT+11']
    """
    hour = now_ms // HOUR_MS % 24
    return f"Etc/GMT{hour - 12:+d}"  # POSIX counts hours behind UTC


@contextmanager
def _redis(folder: Path) -> Iterator[Server]:
    folder.mkdir()
    port = free_port()
    command = [find_program("redis-server"), "--port", str(port), "--bind", LOOPBACK, "--save", ""]
    server = Server(command, port, folder)
    with deaf_to_interrupts():
        server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def _postgres() -> Iterator[PostgresServer]:
    server = make_postgres()
    with deaf_to_interrupts():
        server.start()
    try:
        yield server
    finally:
        server.remove()


@contextmanager
def _kafka(folder: Path) -> Iterator[KafkaBroker]:
    folder.mkdir()
    server = make_server(folder)
    with deaf_to_interrupts():
        server.start()
    broker = KafkaBroker(f"{LOOPBACK}:{server.port}", server)
    try:
        broker.wait_until_it_answers()
        yield broker
    finally:
        server.stop()
