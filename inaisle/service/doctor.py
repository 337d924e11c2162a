"""Check what the service needs, and say what to do about what is missing.

Layer: doors. Takes: settings. Gives: one line for each check on standard output, and a status: 4
when something is missing.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Final

from rich.console import Console

from inaisle.calibration.calibration_in_force import calibration_file, calibration_on
from inaisle.clock import SystemClock
from inaisle.database.database_place import database_place
from inaisle.errors import ExitStatus, Unavailable
from inaisle.service.broker import BrokerAddress, refuse_silent_broker
from inaisle.settings import Settings
from inaisle.site.map_in_force import maps_to_run_on
from inaisle.site.site_loading import (
    load_programme,
    read_campaigns,
)
from rtls.model.errors import InaisleError, InvalidCalibration, InvalidSiteMap

BUILT_MS: Final = 1_790_000_000_000  # a clock before this program was written is wrong
CLOCK_MS_MAX: Final = 4_102_444_800_000  # 2100
WARM_S_MAX: Final = 2.0
BROKERS_ANSWER_S: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found; `advice` says what to do where it is not good."""

    check: str
    is_good: bool
    found: str
    advice: str = ""


def run_doctor(settings: Settings, *, as_json: bool, is_quick: bool) -> int:
    """Run every check, print the findings and return the status to end with."""
    findings = list(findings_of(settings, is_quick=is_quick))
    if as_json:
        json.dump([asdict(finding) for finding in findings], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        console = Console()
        for finding in findings:
            mark = "[green]ok  [/]" if finding.is_good else "[red]FAIL[/]"
            console.print(f"{mark} {finding.check}: {finding.found}", highlight=False)
            if not finding.is_good:
                console.print(f"     → {finding.advice}", highlight=False)
    return ExitStatus.DONE if all(f.is_good for f in findings) else ExitStatus.UNAVAILABLE


def findings_of(settings: Settings, *, is_quick: bool) -> Iterator[Finding]:
    """Yield the finding of each check; one that fails does not stop the next.

    A quick look leaves the kernels out, which take more than a minute to compile the first time.
    """
    checks: tuple[tuple[str, Callable[[Settings], str], str], ...] = (
        ("settings", _settings, "set site.data to a folder this user may write"),
        ("site map", _site_map, "correct the file that the message names"),
        ("calibration", _calibration, "run inaisle calibrate on this map, or remove the file"),
        ("campaigns", _campaigns, "set site.campaigns to a readable file"),
        ("programme", _programme, "correct the file that the message names"),
        ("broker", _broker, "start mosquitto, or set mqtt.host and mqtt.port"),
        ("redis", _redis, "start redis-server, or leave redis.url empty for one process"),
        ("chain", _chain, "start Kafka, or set chain.brokers; empty for a store of its own"),
        ("database", _database, "do as the message says, or restore the newest backup"),
        ("port", _port, "set api.port to a free port, or 0"),
        (
            "kernels",
            _kernels,
            "run this once more; set NUMBA_CACHE_DIR to a lasting folder",
        ),
        ("clock", _clock, "set the machine's clock by NTP; readings carry UTC"),
    )
    for name, check, advice in checks:
        if is_quick and check is _kernels:
            continue
        try:
            yield Finding(check=name, is_good=True, found=check(settings))
        except (InaisleError, OSError) as error:
            yield Finding(check=name, is_good=False, found=str(error), advice=advice)


def _settings(settings: Settings) -> str:
    folder = settings.site.data.resolve()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise Unavailable(f"{folder} cannot be written")
    return f"data in {folder}" if there == folder else f"{folder} will be made"


def _site_map(settings: Settings) -> str:
    in_force = next(maps_to_run_on(settings.site))
    site_map, trouble = in_force.site_map, in_force.trouble()
    if trouble is not None:
        raise InvalidSiteMap(trouble)
    counts = f"{len(site_map.zones)} zones, {len(site_map.anchors)} anchors"
    return f"{site_map.name}: {counts}, by {in_force.source}"


def _calibration(settings: Settings) -> str:
    path = calibration_file(settings.site)
    found = calibration_on(next(maps_to_run_on(settings.site)), settings.site)
    known = found.calibration
    if found.trouble is not None:
        raise InvalidCalibration(found.trouble)
    if known is None:
        return "none: the map's values hold"
    return f"{path}: {len(known.anchors)} anchors, {len(known.rows)} tags of their own"


def _campaigns(settings: Settings) -> str:
    found = read_campaigns(settings.site)
    return "none to load" if found is None else f"{found[1]} ({len(found[0])} bytes)"


def _programme(settings: Settings) -> str:
    found = load_programme(settings.site)
    if found is None:
        return "none: nothing earns points"
    tiers = 0 if found.tiers is None else len(found.tiers.tiers)
    return f"{len(found.rules)} ways to earn, {tiers} tiers"


def _broker(settings: Settings) -> str:
    address = BrokerAddress(host=settings.mqtt.host, port=settings.mqtt.port)
    refuse_silent_broker(address)
    return address.url


def _redis(settings: Settings) -> str:
    if settings.redis.url is None:
        return "not used: locating and offers run in one process"
    from redis import Redis, RedisError

    try:
        with closing(Redis.from_url(settings.redis.url.get_secret_value())) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        raise Unavailable(f"no answer ({error})") from error
    return "answers"


def _chain(settings: Settings) -> str:
    if not settings.chain.brokers:
        return "not used: this site reports to no chain"
    from inaisle.chain.chain_settings import kafka_address
    from rtls.publish.kafka.connection import kafka_needed_for

    with kafka_needed_for("a chain"):
        from confluent_kafka import KafkaException  # type: ignore[import-untyped]
        from confluent_kafka.admin import AdminClient  # type: ignore[import-untyped]
    address = kafka_address(settings.chain)
    try:
        # The library would tell the log of each attempt as well.
        admin = AdminClient({**address.client_config(), "log_level": 0})
        brokers = admin.list_topics(timeout=BROKERS_ANSWER_S).brokers
    except KafkaException as error:
        raise Unavailable(f"no answer of {address.brokers} ({error})") from error
    return f"{len(brokers)} broker{'s' if len(brokers) > 1 else ''} at {address.brokers}"


def _database(settings: Settings) -> str:
    from inaisle.database.db_status import status_of

    status = status_of(database_place(settings))
    if status.warning:
        raise Unavailable(f"{status.place}: {status.warning}")
    return status.sentence


def _port(settings: Settings) -> str:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((settings.api.host, settings.api.port))
    return f"{settings.api.host}:{settings.api.port} is free"


def _kernels(settings: Settings) -> str:
    from inaisle.site.site_loading import load_site_map
    from rtls.engine import Engine

    started = time.monotonic()
    Engine(load_site_map(settings.site)).warm_up()
    took_s = time.monotonic() - started
    if took_s > WARM_S_MAX:
        raise Unavailable(f"were compiled just now ({took_s:.1f} s); the cache was empty")
    return f"cached, warm in {took_s:.2f} s"


def _clock(_settings: Settings) -> str:
    now_ms = SystemClock().now_ms()
    if not BUILT_MS <= now_ms <= CLOCK_MS_MAX:
        raise Unavailable(f"the machine's clock says {now_ms} ms since 1970")
    return "plausible"
