"""A small shop for tests of the served program: short dwell, one scripted shopper, real MQTT."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from firmware_sim.trip import ScriptedShopper
from firmware_sim.truth import Stay
from inaisle.app_client import ApiAddress, ApiClient, RefusedByApi
from inaisle.broker import BrokerAddress
from inaisle.config_files import demo_campaigns_file, demo_site_map_file
from inaisle.simulate import ShopPlan, SimulatedShop
from rtls.model.site_map import Radio
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import Second, TagId, UnixMs, ZoneId

HOST = "127.0.0.1"
READY_S = 100.0  # with an empty cache the kernels are compiled first
DWELL_S = 6.0
TAG = TagId("tag:one")
ZONE = ZoneId("dowels")
PURPOSES = ("locate", "personalise", "notify")


def wait_until(is_true: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


def write_config(folder: Path, *, redis_port: int | None = None) -> Path:
    """The demo shop with a dwell of 6 s instead of 300 at the dowels."""
    site = json.loads(demo_site_map_file().read_bytes())
    for feature in site["features"]:
        if feature["id"] == ZONE:
            feature["properties"]["rules"] = {"dwell_thresholds_s": [DWELL_S]}
    (folder / "site.geojson").write_text(json.dumps(site))
    campaigns = json.loads(demo_campaigns_file().read_bytes())
    of_zone = [c for c in campaigns["campaigns"] if c["trigger"]["zone"] == ZONE]
    for campaign in of_zone:
        campaign["trigger"]["dwell_s"] = DWELL_S
    (folder / "campaigns.json").write_text(json.dumps({"version": 1, "campaigns": of_zone}))
    redis = "" if redis_port is None else f'[redis]\nurl = "redis://{HOST}:{redis_port}/0"\n'
    config = folder / "test.toml"
    config.write_text(
        f'[site]\nmap = "{folder}/site.geojson"\ncampaigns = "{folder}/campaigns.json"\n{redis}'
    )
    return config


class Service:
    """`inaisle serve` as a child process on a fixed port, to stop, kill and start again."""

    def __init__(
        self, config: Path, *, data: Path, port: int, broker_port: int, role: str = "all"
    ) -> None:
        self.address = ApiAddress(host=HOST, port=port)
        self.data = data
        self._log = data.with_suffix(f".{role}.log")
        self._command = [
            sys.executable,
            "-c",
            "from inaisle.cli import main; main()",
            *("--config", str(config), "--log-format", "json"),
            *("serve", "--role", role, "--broker", f"{HOST}:{broker_port}"),
            *("--data", str(data), "--port", str(port)),
        ]
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait(10)

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(self.is_ready, READY_S, f"ready\n{self.told()}")

    def stop(self) -> tuple[int, float]:
        """SIGTERM; return the exit status and how long it took."""
        assert self._child is not None
        began = time.monotonic()
        self._child.send_signal(signal.SIGTERM)
        return self._child.wait(20), time.monotonic() - began

    def kill(self) -> None:
        assert self._child is not None
        self._child.kill()
        self._child.wait(10)

    def is_ready(self) -> bool:
        assert self._child is not None
        assert self._child.poll() is None, self.told()
        try:
            with ApiClient(self.address) as client:
                return client.get("/readyz")["status"] == "ready"
        except (OSError, RefusedByApi):
            return False

    def told(self) -> str:
        return self._log.read_text() if self._log.exists() else ""


class App:
    """The shopper's app: keeps a stream open over restarts and notes each offer."""

    def __init__(self, address: ApiAddress) -> None:
        self._address = address
        self.offers: dict[str, dict[str, object]] = {}
        self.instants_ms: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        with ApiClient(address) as client:
            wishes = [{"purpose": p, "is_granted": True, "text_version": "t"} for p in PURPOSES]
            enrolled = client.post("/v1/enrolments", {"locale": "de", "consents": wishes})
            self.token = client.token = str(enrolled["token"])
            client.post("/v1/me/pairings", {"tag": TAG})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def all_offers(self) -> list[dict[str, object]]:
        with ApiClient(self._address, token=self.token) as client:
            offers = client.get("/v1/me/offers")["offers"]
            assert isinstance(offers, list)
            return offers

    def _listen(self) -> None:
        header = {"Authorization": f"Bearer {self.token}"}
        while not self._stop.is_set():
            try:
                with connect(self._address.stream_url, additional_headers=header) as socket:
                    while not self._stop.is_set():
                        self._read(socket.recv)
            except (OSError, ConnectionClosed):
                self._stop.wait(0.2)  # the service is away: the app comes back by itself

    def _read(self, recv: Callable[[float], str | bytes]) -> None:
        try:
            frame = json.loads(recv(0.2))
        except TimeoutError:
            return
        if frame["type"] == "offer":
            self.offers[frame["offer"]["offer"]] = frame["offer"]
            self.instants_ms.append(time.time_ns() // 1_000_000)


class Crowd:
    """The simulated shop in a thread, at the speed of life, with exact ranges."""

    def __init__(self, config: Path, broker_port: int) -> None:
        path = config.with_name("site.geojson")
        self._shop = SimulatedShop(
            ShopPlan(
                site_map=parse_site_map(path.read_bytes(), source=str(path)),
                broker=BrokerAddress(host=HOST, port=broker_port),
                seed=1,
                shoppers=1,
                channel="exact",
            ),
            starts_at_ms=UnixMs(time.time_ns() // 1_000_000),
            speed=1.0,
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=lambda: self._shop.run(is_stopped=self._stop.is_set), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        self._shop.__exit__()

    def let_stand(self, seconds: float) -> None:
        stands = ((ZONE, Second(seconds)),)
        shopper = ScriptedShopper(tag=TAG, radio=Radio.UWB, stands=stands, pace_m_s=3.0)
        self._shop.scenario.add(shopper)

    def stay(self) -> Stay:
        if TAG not in self._shop.scenario.tags():
            return Stay(zone=ZONE)
        return self._shop.scenario.stays(TAG)[0]

    def wait_until_standing(self) -> int:
        wait_until(lambda: self.stay().stood_from_ms is not None, 40, "the shopper stands")
        stood_from_ms = self.stay().stood_from_ms
        assert stood_from_ms is not None
        return stood_from_ms
