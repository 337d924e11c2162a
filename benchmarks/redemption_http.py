"""Redeem coupons over HTTP, durably: 200 tills at a fixed rate, and as fast as it goes.

The service and the tills share this machine's processors. SQLite commits with synchronous=FULL; the
relay runs beside. A wait is counted from the instant at which the request was due. The control
sends keys a second time: the same answers, and no redemption more.

The promise is 1,000/s on two free cores. Where something else runs, look at the processor time that
one redemption takes, and compare two versions by turns: ten other programs doubled it. Two
processes serve one file, as two of `inaisle serve --role offers` do.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Final
from urllib.parse import urlsplit

import uvloop

from benchmarks.till_load import Outcome, request, send_at_rate
from offers.storage.database import Place, open_engine, prepare_database
from offers.storage.secret_source import SystemSecretSource
from tests.reference.coupon_stock import stock_coupons

ROOT: Final = Path(__file__).resolve().parents[1]
TILLS: Final = 200
RATE_HZ: Final = 1_000
STEADY: Final = 10_000
BURST: Final = 4_000
WARM_UP: Final = 500
PROCESSES: Final = int(os.environ.get("INAISLE_BENCH_PROCESSES", "2"))
BODY: Final = (
    '{"code": "%s", "basket": {"currency": "EUR", "lines": [{"sku": "s8", "category": "dowels", '
    '"quantity": 2, "unit_price_minor": 499}]}}'
)
Row = dict[str, str | float | bool]


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
    """Measure on an SQLite file; return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "offers.db"
        prepare_database(path)
        return measure(path, Path(folder))


def measure(place: Place, folder: Path, *, processes: int = PROCESSES) -> list[Row]:
    """Redeem over HTTP on a prepared database."""
    secrets = SystemSecretSource(bytes(32))
    codes = stock_coupons(place, WARM_UP + STEADY + BURST, secrets=secrets)
    with ExitStack() as stack:
        services = [
            stack.enter_context(serving(folder, place, number)) for number in range(processes)
        ]
        tokens = services[0].token
        requests = [
            request(
                "/v1/till/redemptions",
                key=f"key-{code}",
                token=tokens,
                body=(BODY % code).encode(),
            )
            for code in codes
        ]
        addresses = [service.address for service in services]
        _send(addresses, requests[:WARM_UP], rate_hz=None)
        steady = _send(addresses, requests[WARM_UP : WARM_UP + STEADY], rate_hz=RATE_HZ)
        burst = _send(addresses, requests[WARM_UP + STEADY :], rate_hz=None)
        again = _send(addresses, requests[:WARM_UP], rate_hz=None)
        for service in services:
            service.close()
    processor_s = sum(service.processor_s for service in services)
    return figures(place, steady=steady, burst=burst, again=again, processor_s=processor_s)


def _send(
    addresses: Sequence[tuple[str, int]], requests: Sequence[bytes], *, rate_hz: float | None
) -> Outcome:
    return uvloop.run(send_at_rate(addresses, requests, tills=TILLS, rate_hz=rate_hz))


def figures(
    place: Place, *, steady: Outcome, burst: Outcome, again: Outcome, processor_s: float
) -> list[Row]:
    """Return what was measured; every redemption that was answered must be on the disk, once."""
    engine = open_engine(place, is_reader=True)
    with engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT count(*) FROM redemptions").scalar_one()
    engine.dispose()
    told = sum(status == 201 for outcome in (steady, burst) for status in outcome.statuses)
    refused = sum(status != 201 for status in (*steady.statuses, *burst.statuses))
    cuts = quantiles(steady.waits_s, n=100)
    asked = STEADY + BURST + 2 * WARM_UP
    return [
        {
            "name": "durable redemptions over HTTP, as fast as it goes",
            "value": len(burst.statuses) / burst.took_s,
            "unit": "1/s",
            "target": 1_000.0,
        },
        {
            "name": f"answered a second at {RATE_HZ}/s",
            "value": len(steady.statuses) / steady.took_s,
            "unit": "1/s",
            "target": 0.95 * RATE_HZ,
        },
        {"name": f"p50 of a wait at {RATE_HZ}/s", "value": 1e3 * cuts[49], "unit": "ms"},
        {
            "name": f"p99 of a wait at {RATE_HZ}/s",
            "value": 1e3 * cuts[98],
            "unit": "ms",
            "target": 100.0,
            "is_floor": False,
        },
        {
            "name": "processor time of the service for one request",
            "value": 1e3 * processor_s / asked,
            "unit": "ms",
        },
        {"name": "requests refused", "value": float(refused), "unit": "requests"},
        {
            "name": "control: redemptions missing or doubled after sending keys twice",
            "value": float(
                abs(told + WARM_UP - stored) + sum(status != 201 for status in again.statuses)
            ),
            "unit": "redemptions",
            "target": 0.0,
            "is_floor": False,
        },
    ]


if __name__ == "__main__":
    for figure in run():
        print(figure)
