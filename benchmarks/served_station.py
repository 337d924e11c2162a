"""Set up what the measurement of the whole path needs: map, campaigns, shoppers, broker, service.

Layer: benchmarks. Takes: how many tags and standers there are. Gives: a `Station` and its running
processes to benchmarks.end_to_end. No figure is made here, so this file has no `run`.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inaisle.config_files import demo_site_map_file
from inaisle.service.broker import LOOPBACK, free_port
from offers.handlers.people.change_consent import ConsentWish
from offers.handlers.people.enrol_shopper import enrol_shopper
from offers.handlers.people.pair_tag import pair_tag
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from offers.ports import UnitOfWork
from offers.storage.database import prepare_database
from offers.storage.secret_source import SystemSecretSource, load_key
from offers.storage.writer import Writer
from rtls.model.site_map import SiteMap, Zone, ZoneKind
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import TagId, UnixMs

TAGS: Final = 2_000
EPOCH_MS: Final = 100
DWELL_S: Final = 2.75
STANDERS: Final = 200
ZONES: Final = 10
TICKS_A_S: Final = os.sysconf("SC_CLK_TCK")
PURPOSES: Final = (Purpose.LOCATE, Purpose.PERSONALISE)


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
        ConsentWish(purpose=purpose, is_granted=True, text_version="2026-11")
        for purpose in PURPOSES
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
