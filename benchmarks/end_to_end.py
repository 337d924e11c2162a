"""Measure the whole path: gateways → mosquitto → engine process → WebSocket of the app.

The engine process is `inaisle serve` as it ships, a child whose own CPU time and memory are read
from /proc. 2,000 tags are heard 16,000 times a second, 40 readings a message. 200 of them stand at
a shelf, one after the other; each has a real WebSocket open and receives an offer. Latency counts
from the moment the message with the deciding reading is handed to the line until the offer is read
from the socket. Loss is counted by sequence numbers against what the service says it has stored.

A *tick* is one epoch, 100 ms; nothing waits for late readings here.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from websockets.asyncio.client import connect

from firmware_sim.faults import FaultPlan, FaultyLink
from firmware_sim.load import LoadGenerator, LoadReport
from firmware_sim.load_stream import LoadPlan, LoadStream
from firmware_sim.mqtt_link import BrokerAddress, MqttLink
from inaisle.broker import LOOPBACK, free_port
from inaisle.config_files import demo_site_map_file
from offers.handlers.change_consent import ConsentWish
from offers.handlers.enrol_shopper import enrol_shopper
from offers.handlers.pair_tag import pair_tag
from offers.model.consent import Purpose
from offers.model.shopper import Locale
from offers.ports import UnitOfWork
from offers.storage.database import prepare_database
from offers.storage.secret_source import SystemSecretSource, load_key
from offers.storage.writer import Writer
from rtls.model.site_map import SiteMap, Zone, ZoneKind
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import TagId, UnixMs

TAGS: Final = 2_000
READINGS_A_S: Final = 16_000
EPOCH_MS: Final = 100
DWELL_S: Final = 2.75
ROUND_MS: Final = 1_000
# Dwell also grows at whole seconds, in which nothing need be heard. Who is ranged late in a second
# passes 2.75 s with a round of readings, the fourth or fifth; only these are timed, from the first
# message of the last round that was sent before the offer was issued.
PHASE_MS: Final = (350, 900)
STANDERS: Final = 200
ZONES: Final = 10
STAGGER_MS: Final = 80
SETTLE_S: Final = 3.0
AFTER_S: Final = 6.0
CONTROL_S: Final = 2.0
CONTROL_DROP: Final = 0.02
READY_S_MAX: Final = 240.0
CPU_SHARE_MAX: Final = 0.20
RSS_MB_MAX: Final = 400.0
OVER_TICK_MS_MAX: Final = 25.0
WARM_S_MAX: Final = 2.0
TICKS_A_S: Final = os.sysconf("SC_CLK_TCK")
PURPOSES: Final = (Purpose.LOCATE, Purpose.PERSONALISE)
Row = dict[str, str | float | bool | None]


@dataclass(frozen=True, kw_only=True)
class Station:
    """Everything that runs beside the engine process."""

    folder: Path
    site_map: SiteMap
    broker_port: int
    api_port: int
    config: Path
    tokens: tuple[str, ...]
    """of the apps whose shoppers stand"""


@dataclass(kw_only=True)
class Seen:
    """When each offer was issued and when its app had read it, monotonic ns."""

    offers: dict[int, tuple[int, int]] = field(default_factory=dict)
    """number of the stander → (issued, read)"""
    open: int = 0


def run() -> list[Row]:
    """Return the figures."""
    with (
        tempfile.TemporaryDirectory(prefix="inaisle-bench-") as name,
        mosquitto(Path(name)) as port,
    ):
        station = make_station(Path(name), port)
        with engine_process(station) as engine:
            wait_until(lambda: is_ready(station), READY_S_MAX)
            return [*measured(station, engine), *warm_start(station)]


def measured(station: Station, engine: subprocess.Popen[bytes]) -> list[Row]:
    """Run the load and return its figures."""
    zones = standing_zones(station.site_map)
    starts_ms = now_ms()
    stand_from_ms = UnixMs(starts_ms + round(SETTLE_S * 1000))
    plan = LoadPlan(
        tags=TAGS,
        readings_per_s=READINGS_A_S,
        stands=[(zone.zone, STANDERS // ZONES) for zone in zones],
        stand_from_ms=stand_from_ms,
        stand_stagger_ms=STAGGER_MS,
    )
    stream = LoadStream(station.site_map, plan=plan, seed=1, starts_at_ms=starts_ms)
    load = generator(stream, station)
    load.connect()
    seconds = SETTLE_S + STANDERS * STAGGER_MS / 1000 + DWELL_S + AFTER_S
    seen = Seen()
    ready_signatures = metric(station, "inaisle_kernel_signatures")
    apps = threading.Thread(target=lambda: asyncio.run(read_offers(station, seen, seconds + 10)))
    apps.start()
    wait_until(lambda: seen.open == STANDERS, 30.0)
    stream.now_ms = now_ms()  # the apps took their time to connect; the load begins now
    cpu_before, wall_before = cpu_s(engine.pid), time.monotonic()
    load.run(until_ms=stream.now_ms + round(seconds * 1000))
    cpu, wall = cpu_s(engine.pid) - cpu_before, time.monotonic() - wall_before
    drain(load)
    apps.join()
    load.close()
    compiled = metric(station, "inaisle_kernel_signatures") - ready_signatures
    return [
        *load_rows(load.report, wall),
        *latency_rows(load.report, stream, seen),
        row("engine process, share of a core", cpu / wall, "of 1", CPU_SHARE_MAX, is_floor=False),
        row("engine process, peak memory", rss_mb(engine.pid), "MB", RSS_MB_MAX, is_floor=False),
        row("kernels compiled after ready", compiled, "of all", 0.0, is_floor=False),
        *control_rows(station),
    ]


def load_rows(report: LoadReport, wall: float) -> list[Row]:
    """Say how much was sent, and whether all of it was stored."""
    sent = float(report.readings)
    return [
        row("readings sent a second", sent / wall, "1/s", 0.95 * READINGS_A_S),
        row("messages not stored", float(report.unstored()), "of all", 0.0, is_floor=False),
        row("load generator behind, at most", float(report.late_ms_max), "ms"),
    ]


def latency_rows(report: LoadReport, stream: LoadStream, seen: Seen) -> list[Row]:
    """Say how long it took from the deciding message to the offer."""
    waits, rounds = [], []
    for number, (issued_ns, seen_ns) in seen.offers.items():
        sent = [at_ns for _, at_ns in report.heard_of[number] if at_ns <= issued_ns]
        first_ms = min(heard for heard, _ in report.heard_of[number])
        if sent and PHASE_MS[0] <= first_ms % ROUND_MS <= PHASE_MS[1]:
            last_round = [at_ns for at_ns in sent if at_ns > max(sent) - ROUND_MS * 5e5]
            waits.append((seen_ns - min(last_round)) / 1e6)
            rounds.append(round((issued_ns - min(sent)) / (ROUND_MS * 1e6)))
    in_time = float(np.mean(np.isin(rounds, (3, 4))))
    p50, p95, p99 = np.percentile(waits or [float("inf")], (50, 95, 99)).tolist()
    limit = EPOCH_MS + OVER_TICK_MS_MAX
    return [
        row("offers received", float(len(seen.offers)), "of 200", float(len(stream.standers))),
        row("offers timed", float(len(waits)), "of 200", 0.4 * STANDERS),
        row("decided with the fourth or fifth round", in_time, "of 1", 0.9),
        row("published to offer, p50", p50, "ms"),
        row("published to offer, p95", p95, "ms"),
        row("published to offer, p99", p99, "ms", limit, is_floor=False),
        row("earliest offer after its reading", min(waits, default=-1.0), "ms", 0.0),
    ]


def control_rows(station: Station) -> list[Row]:
    """Lose some messages on purpose: the count must notice them."""
    stream = LoadStream(
        station.site_map,
        plan=LoadPlan(tags=TAGS, readings_per_s=READINGS_A_S),
        seed=2,
        starts_at_ms=now_ms(),
    )
    load = generator(stream, station, faults=FaultPlan(drop=CONTROL_DROP))
    load.connect()
    load.run(until_ms=stream.now_ms + round(CONTROL_S * 1000))
    for _ in range(100):
        load.turn()
        time.sleep(0.02)
    load.close()
    unstored = float(load.report.unstored())
    return [row("control: lost on purpose and noticed", unstored, "messages", 1.0)]


def warm_start(station: Station) -> list[Row]:
    """Start a second process with filled caches and time its first fix."""
    other = make_station(station.folder / "second", station.broker_port)
    stop = threading.Event()
    stream = LoadStream(
        other.site_map,
        plan=LoadPlan(tags=TAGS, readings_per_s=READINGS_A_S // 10, readings_a_message=10),
        seed=3,
        starts_at_ms=now_ms(),
    )
    load = generator(stream, other)
    load.connect()
    sender = threading.Thread(
        target=lambda: load.run(until_ms=stream.now_ms + 60_000, is_stopped=stop.is_set)
    )
    sender.start()
    began = time.monotonic()
    with engine_process(other):
        wait_until(lambda: metric(other, "inaisle_fixes_total") > 0, READY_S_MAX, every_s=0.02)
        took = time.monotonic() - began
        stop.set()
        sender.join()
    load.close()
    return [row("warm start to first fix", took, "s", WARM_S_MAX, is_floor=False)]


async def read_offers(station: Station, seen: Seen, seconds: float) -> None:
    """Have all apps open, and note when each reads its first offer."""
    deadline = time.monotonic() + seconds

    async def one(number: int, token: str) -> None:
        uri = f"ws://{LOOPBACK}:{station.api_port}/v1/me/stream"
        headers = {"Authorization": f"Bearer {token}"}
        async with connect(uri, additional_headers=headers, compression=None) as socket:
            assert json.loads(await socket.recv())["type"] == "hello"
            seen.open += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(deadline - time.monotonic()):
                    while (frame := json.loads(await socket.recv()))["type"] != "offer":
                        pass
                    seen.offers[number] = (issued_ns(frame["offer"]), time.monotonic_ns())

    await asyncio.gather(*(one(number, token) for number, token in enumerate(station.tokens)))


def issued_ns(offer: dict[str, str]) -> int:
    """Return when an offer was issued, on the monotonic clock."""
    wall_ns = datetime.fromisoformat(offer["issued_at"]).timestamp() * 1e9
    return round(wall_ns) - time.time_ns() + time.monotonic_ns()


def generator(
    stream: LoadStream, station: Station, *, faults: FaultPlan | None = None
) -> LoadGenerator:
    """Return the load's sender, over lines to the broker that may lose messages."""
    broker = BrokerAddress(host=LOOPBACK, port=station.broker_port)

    def link_of(gateway: str) -> MqttLink | FaultyLink:
        link = MqttLink(gateway, broker=broker)
        return link if faults is None else FaultyLink(link, plan=faults, seed=7)

    return LoadGenerator(
        stream,
        link_of=link_of,
        clock=now_ms,
        clock_ns=time.monotonic_ns,
        sleep=time.sleep,
    )


def drain(load: LoadGenerator) -> None:
    """Wait for the last acknowledgements."""
    until = time.monotonic() + 10.0
    while load.report.unstored() and time.monotonic() < until:
        load.turn()
        time.sleep(0.02)


def make_station(folder: Path, broker_port: int) -> Station:
    """Write map, campaigns, settings and a database in which every tag is paired."""
    folder.mkdir(exist_ok=True)
    document = json.loads(demo_site_map_file().read_bytes())
    for feature in document["features"]:
        if feature["properties"].get("zone_kind") == "shelf":
            feature["properties"]["rules"] = {"dwell_thresholds_s": [DWELL_S]}
    (folder / "site.geojson").write_text(json.dumps(document))
    site_map = parse_site_map((folder / "site.geojson").read_bytes(), source="site.geojson")
    (folder / "campaigns.json").write_text(json.dumps(campaigns(site_map)))
    config = folder / "bench.toml"
    config.write_text(
        f'[site]\nmap = "{folder}/site.geojson"\ncampaigns = "{folder}/campaigns.json"\n'
        f'data = "{folder}/data"\n[reception]\nepoch_ms = {EPOCH_MS}\nlateness_ms = 0\n'
        '[log]\nlevel = "warning"\n'
    )
    return Station(
        folder=folder,
        site_map=site_map,
        broker_port=broker_port,
        api_port=free_port(),
        config=config,
        tokens=pair_everybody(folder / "data"),
    )


def campaigns(site_map: SiteMap) -> dict[str, object]:
    """Return one piece of information for each shelf, without a limit that could refuse it."""
    text = {"title": "Benchmark", "body": "How to use what stands here."}
    return {
        "version": 1,
        "campaigns": [
            {
                "campaign": f"bench-{zone.zone}",
                "site": site_map.site,
                "name": f"Benchmark {zone.zone}",
                "priority": 1,
                "trigger": {"kind": "visit", "zone": zone.zone, "dwell_s": DWELL_S},
                "benefit": {"kind": "information"},
                "validity": {
                    "from": "2025-01-01T00:00:00+01:00",
                    "until": "2036-01-01T00:00:00+01:00",
                },
                "frequency_cap": {"offers_max": 20, "window_s": 60},
                "texts": {"de": text, "en": text},
            }
            for zone in standing_zones(site_map)
        ],
    }


def standing_zones(site_map: SiteMap) -> list[Zone]:
    """Return the shelves that have a campaign, and somebody who stands there."""
    return [zone for zone in site_map.zones if zone.kind is ZoneKind.SHELF][:ZONES]


def pair_everybody(data: Path) -> tuple[str, ...]:
    """Enrol a shopper for each tag; return the tokens of those who will stand."""
    data.mkdir()
    prepare_database(data / "offers.sqlite")
    secrets = SystemSecretSource(load_key(data / "secret.key"))
    writer = Writer(data / "offers.sqlite")
    wishes = [
        ConsentWish(purpose=purpose, is_granted=True, text_version="bench") for purpose in PURPOSES
    ]

    def enrol(number: int, work: UnitOfWork) -> str:
        instant = now_ms()
        enrolled = enrol_shopper(
            Locale.EN, wishes=wishes, work=work, now_ms=instant, secrets=secrets
        )
        tag = TagId(f"load:{number:05x}")
        pair_tag(enrolled.shopper.shopper, tag, work=work, now_ms=instant, secrets=secrets)
        return enrolled.secret

    tokens: list[str] = []
    for first in range(0, TAGS, 100):
        numbers = range(first, min(first + 100, TAGS))
        futures = [writer.submit(lambda work, n=n: enrol(n, work)) for n in numbers]
        tokens += [future.result() for future in futures]
    writer.close()
    return tuple(tokens[:STANDERS])


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """Run a real broker on a free port.

    Raises
    ------
    SystemExit
        If it is not installed.
    """
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} {LOOPBACK}\nallow_anonymous true\nset_tcp_nodelay true\nuser root\n"
        "max_inflight_messages 500\nmax_queued_messages 100000\nmax_packet_size 65536\n"
    )
    program = shutil.which("mosquitto", path=search_path())
    if program is None:
        raise SystemExit("mosquitto is not installed: apt-get install mosquitto")
    child = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        yield port
    finally:
        child.terminate()
        child.wait(10)


@contextmanager
def engine_process(station: Station) -> Iterator[subprocess.Popen[bytes]]:
    """Run `inaisle serve` as a child."""
    command = [
        sys.executable,
        "-c",
        "from inaisle.cli import main; main()",
        *("--config", str(station.config), "serve"),
        *("--broker", f"{LOOPBACK}:{station.broker_port}", "--port", str(station.api_port)),
    ]
    child = subprocess.Popen(command)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(15)


def search_path() -> str:
    """Return where programs of the system may lie."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def now_ms() -> UnixMs:
    """Return the machine's time, which the engine process reads too."""
    return UnixMs(time.time_ns() // 1_000_000)


def is_ready(station: Station) -> bool:
    """Ask /readyz."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{station.api_port}/readyz") as answer:
            return json.loads(answer.read())["status"] == "ready"
    except OSError:
        return False


def metric(station: Station, name: str) -> float:
    """Read one series of /metrics; -1 while there is none."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{station.api_port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return -1.0
    return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), -1.0)


def wait_until(is_true: Callable[[], bool], seconds: float, *, every_s: float = 0.05) -> None:
    """Wait for something, but not for ever.

    Raises
    ------
    SystemExit
        If it does not come.
    """
    until = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > until:
            raise SystemExit(f"waited {seconds:.0f} s in vain")
        time.sleep(every_s)


def cpu_s(pid: int) -> float:
    """Return user and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_S


def rss_mb(pid: int) -> float:
    """Return the highest resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def row(
    name: str, value: float, unit: str, target: float | None = None, *, is_floor: bool = True
) -> Row:
    """Return one figure."""
    return {"name": name, "value": value, "unit": unit, "target": target, "is_floor": is_floor}
