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
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from websockets.asyncio.client import connect

from benchmarks.served_station import (
    DWELL_S,
    EPOCH_MS,
    STANDERS,
    TAGS,
    ZONES,
    Station,
    cpu_s,
    engine_process,
    is_ready,
    make_station,
    metric,
    mosquitto,
    now_ms,
    rss_mb,
    standing_zones,
    wait_until,
)
from firmware_sim.faults import FaultPlan, FaultyLink
from firmware_sim.load import LoadGenerator, LoadReport
from firmware_sim.load_stream import LoadPlan, LoadStream
from firmware_sim.mqtt_link import BrokerAddress, MqttLink
from inaisle.service.broker import LOOPBACK
from rtls.model.units import UnixMs

READINGS_A_S: Final = 16_000
ROUND_MS: Final = 1_000
# Dwell also grows at whole seconds, in which nothing need be heard. Who is ranged late in a second
# passes 2.75 s with a round of readings, the fourth or fifth; only these are timed, from the first
# message of the last round that was sent before the offer was issued.
PHASE_MS: Final = (350, 900)
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
Row = dict[str, str | float | bool | None]


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


def row(
    name: str, value: float, unit: str, target: float | None = None, *, is_floor: bool = True
) -> Row:
    """Return one figure."""
    return {"name": name, "value": value, "unit": unit, "target": target, "is_floor": is_floor}
