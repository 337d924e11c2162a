"""Redeem coupons over HTTP, durably: 200 tills at a fixed rate, and as fast as it goes.

The service and the tills share this machine's processors. SQLite commits with synchronous=FULL, and
PostgreSQL, measured after it, syncs each commit too; the relay runs beside. A wait is counted from
the instant at which the request was due. The control sends keys a second time: the same answers,
and no redemption more.

The promise is 1,000/s on two free cores, on a file. Where something else runs, look at the
processor time that one redemption takes, and compare two versions by turns: ten other programs
doubled it. Two processes serve one database, as two of `inaisle serve --role offers` do.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from statistics import quantiles
from typing import Final
from urllib.parse import urlsplit

import uvloop

from benchmarks.till_load import Outcome, request, send_at_rate
from offers.storage.database import Place, open_engine, prepare_database
from offers.storage.secret_source import SystemSecretSource
from tests.postgres import DURABLE, make_server
from tests.reference.coupon_stock import stock_coupons

ROOT: Final = Path(__file__).resolve().parents[1]
TILLS: Final = 200
WARM_UP: Final = 500
PROCESSES: Final = int(os.environ.get("INAISLE_BENCH_PROCESSES", "2"))
BODY: Final = (
    '{"code": "%s", "basket": {"currency": "EUR", "lines": [{"sku": "s8", "category": "dowels", '
    '"quantity": 2, "unit_price_minor": 499}]}}'
)
Row = dict[str, str | float | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """So many requests at a rate, then so many as fast as it goes."""

    where: str
    rate_hz: int
    steady: int
    burst: int
    is_promised: bool = False
    """whether the figures have targets"""


ON_FILE: Final = Load(where="a file", rate_hz=1_000, steady=10_000, burst=4_000, is_promised=True)
ON_POSTGRESQL: Final = Load(where="PostgreSQL", rate_hz=100, steady=2_000, burst=2_000)


@dataclass(kw_only=True)
class Service:
    """One process that serves."""

    address: tuple[str, int]
    token: str
    process: subprocess.Popen[str]
    processor_s: float = 0.0

    def close(self) -> None:
        """End it, and note how much processor time it took."""
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        *_warnings, told = self.process.stderr.read().splitlines()
        self.processor_s = float(told)
        self.process.wait(30)


@contextmanager
def serving(folder: Path, place: Place, number: int) -> Iterator[Service]:
    """Start a process that serves, and end it."""
    address = str(place) if isinstance(place, Path) else place.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.redeeming_service", str(folder), address, str(number)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    url = urlsplit(told["url"])
    assert url.hostname is not None
    assert url.port is not None
    service = Service(address=(url.hostname, url.port), token=told["token"], process=process)
    try:
        yield service
    finally:
        if process.poll() is None:
            service.close()


def run() -> list[Row]:
    """Measure on an SQLite file and on PostgreSQL; return the figures."""
    with tempfile.TemporaryDirectory() as near:
        path = Path(near) / "offers.db"
        prepare_database(path)
        found = measure(path, Path(near), load=ON_FILE)
    server = make_server(DURABLE)
    try:
        server.start()
        with tempfile.TemporaryDirectory() as near:
            return found + measure(server.database(), Path(near), load=ON_POSTGRESQL)
    finally:
        server.remove()


def measure(place: Place, folder: Path, *, load: Load) -> list[Row]:
    """Redeem over HTTP on a prepared database."""
    secrets = SystemSecretSource(bytes(32))
    codes = stock_coupons(place, WARM_UP + load.steady + load.burst, secrets=secrets)
    with ExitStack() as stack:
        services = [
            stack.enter_context(serving(folder, place, number)) for number in range(PROCESSES)
        ]
        token = services[0].token
        requests = [
            request(
                "/v1/till/redemptions",
                key=f"key-{code}",
                token=token,
                body=(BODY % code).encode(),
            )
            for code in codes
        ]
        addresses = [service.address for service in services]
        begin_burst = WARM_UP + load.steady
        _send(addresses, requests[:WARM_UP], rate_hz=None)
        steady = _send(addresses, requests[WARM_UP:begin_burst], rate_hz=load.rate_hz)
        burst = _send(addresses, requests[begin_burst:], rate_hz=None)
        again = _send(addresses, requests[:WARM_UP], rate_hz=None)
        for service in services:
            service.close()
    processor_s = sum(service.processor_s for service in services)
    return [
        *_waits(load, steady=steady, burst=burst),
        {
            "name": f"{load.where}: processor time of the service for one request",
            "value": 1e3 * processor_s / (len(requests) + WARM_UP),
            "unit": "ms",
        },
        *_books(load, place, told=(steady, burst), again=again),
    ]


def _send(
    addresses: Sequence[tuple[str, int]], requests: Sequence[bytes], *, rate_hz: float | None
) -> Outcome:
    return uvloop.run(send_at_rate(addresses, requests, tills=TILLS, rate_hz=rate_hz))


def _waits(load: Load, *, steady: Outcome, burst: Outcome) -> list[Row]:
    cuts = quantiles(steady.waits_s, n=100)
    at_rate = f"at {load.rate_hz:,}/s"
    promised: list[Row] = [
        {"target": 1_000.0},
        {"target": 0.95 * load.rate_hz},
        {},
        {"target": 100.0, "is_floor": False},
    ]
    found: list[Row] = [
        {
            "name": f"{load.where}: durable redemptions over HTTP, as fast as it goes",
            "value": len(burst.statuses) / burst.took_s,
            "unit": "1/s",
        },
        {
            "name": f"{load.where}: answered a second {at_rate}",
            "value": len(steady.statuses) / steady.took_s,
            "unit": "1/s",
        },
        {"name": f"{load.where}: p50 of a wait {at_rate}", "value": 1e3 * cuts[49], "unit": "ms"},
        {"name": f"{load.where}: p99 of a wait {at_rate}", "value": 1e3 * cuts[98], "unit": "ms"},
    ]
    if not load.is_promised:
        return found
    return [row | promise for row, promise in zip(found, promised, strict=True)]


def _books(load: Load, place: Place, *, told: Sequence[Outcome], again: Outcome) -> list[Row]:
    """Every redemption that was answered must be on the disk, once."""
    engine = open_engine(place, is_reader=True)
    with engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT count(*) FROM redemptions").scalar_one()
    engine.dispose()
    statuses = [status for outcome in told for status in outcome.statuses]
    done = statuses.count(HTTPStatus.CREATED)
    changed = len(again.statuses) - again.statuses.count(HTTPStatus.CREATED)
    return [
        {
            "name": f"{load.where}: requests refused",
            "value": float(len(statuses) - done),
            "unit": "requests",
        },
        {
            "name": f"{load.where}: control: missing or doubled after sending keys twice",
            "value": float(abs(done + WARM_UP - stored) + changed),
            "unit": "redemptions",
            "target": 0.0,
            "is_floor": False,
        },
    ]


if __name__ == "__main__":
    for figure in run():
        print(figure)
