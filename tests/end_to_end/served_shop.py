"""A small shop for tests of the served program: short dwell, one scripted shopper, real MQTT."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

from firmware_sim.trip import ScriptedShopper
from inaisle.config_files import demo_campaigns_file, demo_site_map_file
from inaisle.service.broker import BrokerAddress
from inaisle.simulation.app_client import ApiAddress, ApiClient, RefusedByApi
from inaisle.simulation.simulate import ShopPlan, SimulatedShop
from rtls.model.site_map import Radio
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import Second, TagId, UnixMs, ZoneId
from tests.waiting import wait_until

HOST = "127.0.0.1"
READY_S = 100.0  # with an empty cache the kernels are compiled first
DWELL_S = 6.0
TAG = TagId("tag:one")
ZONE = ZoneId("dowels")
PURPOSES = ("locate", "personalise", "notify")


def write_config(folder: Path) -> Path:
    """The demo shop with a dwell of 6 s instead of 300 at the dowels."""
    site = json.loads(demo_site_map_file().read_bytes())
    for feature in site["features"]:
        if feature["id"] == ZONE:
            feature["properties"]["rules"] = {"dwell_thresholds_s": [DWELL_S]}
    (folder / "site.geojson").write_text(json.dumps(site))
    campaigns = json.loads(demo_campaigns_file().read_bytes())
    of_zone = [c for c in campaigns["campaigns"] if c["trigger"].get("zone") == ZONE]
    for campaign in of_zone:
        campaign["trigger"]["dwell_s"] = DWELL_S
    (folder / "campaigns.json").write_text(json.dumps({"version": 1, "campaigns": of_zone}))
    config = folder / "test.toml"
    config.write_text(
        f'[site]\nmap = "{folder}/site.geojson"\ncampaigns = "{folder}/campaigns.json"\n'
    )
    return config


class Service:
    """`inaisle serve` as a child process on a fixed port, to stop, kill and start again."""

    def __init__(self, config: Path, *, data: Path, port: int, broker_port: int) -> None:
        self.address = ApiAddress(host=HOST, port=port)
        self.data = data
        self._log = data.with_suffix(".log")
        self._command = [
            sys.executable,
            "-c",
            "from inaisle.cli import main; main()",
            *("--config", str(config), "--log-format", "json"),
            *("serve", "--broker", f"{HOST}:{broker_port}"),
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
        wait_until(self.is_ready, f"ready\n{self.told()}", timeout_s=READY_S)

    def stop(self) -> tuple[int, float]:
        """SIGTERM; return the exit status and how long it took."""
        assert self._child is not None
        began = time.monotonic()
        self._child.send_signal(signal.SIGTERM)
        return self._child.wait(30), time.monotonic() - began

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


def pair_a_trolley(address: ApiAddress) -> None:
    """Enrol a shopper who agrees to everything and pairs the tag."""
    with ApiClient(address) as client:
        wishes = [{"purpose": p, "is_granted": True, "text_version": "2026-11"} for p in PURPOSES]
        enrolled = client.post("/v1/enrolments", {"locale": "de", "consents": wishes})
        client.token = str(enrolled["token"])
        client.post("/v1/me/pairings", {"tag": TAG})


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
