"""Serve a copy of a shop as it will be tomorrow: a day is told of when it is over, and not before.

As a program (``python -m tests.web.served_tomorrow``) this is the service, whose clock is a day
ahead; all else is `inaisle serve`.
"""

import datetime as dt
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb

from inaisle.clock import SystemClock
from inaisle.config_files import shipped_settings_files
from inaisle.service.broker import BrokerAddress
from inaisle.service.serve import running_service
from inaisle.settings import load_settings
from inaisle.simulation.app_client import ApiAddress
from rtls.model.units import UnixMs, ZoneId
from tests.conftest import pick_free_port, serve_mosquitto
from tests.end_to_end.served_shop import HOST, Service
from tests.waiting import wait_until
from tests.web.served_pages import ServedShop

DAY_MS = 86_400_000
WRITTEN_S_MAX = 40.0


class TomorrowsClock(SystemClock):
    """The machine's clock, a day ahead."""

    def now_ms(self) -> UnixMs:
        return UnixMs(super().now_ms() + DAY_MS)


class TomorrowsService(Service):
    """`inaisle serve` by `TomorrowsClock`, as a child process."""

    def __init__(self, config: Path, *, data: Path, port: int, broker_port: int) -> None:
        super().__init__(config, data=data, port=port, broker_port=broker_port)
        words = (str(config), str(data), str(port), str(broker_port))
        self._command = [sys.executable, "-m", "tests.web.served_tomorrow", *words]


def visitors_written(shop: ServedShop, zone: ZoneId) -> int:
    """How many visitors of a zone the history has in its files."""
    folder = shop.settings.site.data / "history"
    files = [str(path) for path in folder.rglob("visits-*.parquet")]
    found = duckdb.execute("SELECT count(*) FROM read_parquet(?) WHERE zone = ?", [files, zone])
    return int(found.fetchall()[0][0])


@contextmanager
def tomorrow_of(shop: ServedShop, *, zone: ZoneId, visitors: int) -> Iterator[ServedShop]:
    """Give a copy of the shop whose yesterday is today; the shop itself goes on as it is.

    The copy is made when so many visitors of the zone are in the history: what is told may still be
    revised for a while.
    """
    data = shop.settings.site.data
    wait_until(
        lambda: visitors_written(shop, zone) >= visitors,
        "written visits",
        timeout_s=WRITTEN_S_MAX,
    )
    copy = data.with_name(f"{data.name}-tomorrow")
    shop.service.stop()
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(data, copy)
    shop.service.start()
    port = pick_free_port()
    broker_folder = data.with_name("broker-tomorrow")
    with contextmanager(serve_mosquitto)(broker_folder) as broker:
        service = TomorrowsService(
            data.parent / "shop.toml", data=copy, port=port, broker_port=broker.port
        )
        with service:
            yield replace(
                shop,
                address=ApiAddress(host=HOST, port=port),
                yesterday=shop.yesterday + dt.timedelta(days=1),
                service=service,
            )


def main() -> None:
    """Serve until SIGTERM."""
    config, data, port, broker_port = sys.argv[1:]
    settings = load_settings(
        files=(*shipped_settings_files(), Path(config)),
        environment=os.environ,
        flags={("site", "data"): Path(data), ("api", "port"): int(port)},
    ).settings
    broker = BrokerAddress(host=HOST, port=int(broker_port))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with running_service(settings, role="all", broker=broker, clock=TomorrowsClock()):
        stop.wait()


if __name__ == "__main__":
    main()
