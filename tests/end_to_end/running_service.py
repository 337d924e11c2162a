"""Run `inaisle serve` as an operator does, with a shopper's app, a till and simulated gateways.

Nothing is replaced: real processes, a real broker, the public API. Time is the machine's; what is
short is the dwell that the test's campaign asks for.
"""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from firmware_sim.device_fleet import DeviceFleet, FleetCounts
from firmware_sim.hearing import HearingSettings
from firmware_sim.mqtt_link import BrokerAddress, MqttLink
from firmware_sim.scenario import Scenario, ScenarioSettings
from firmware_sim.trip import ScriptedShopper
from firmware_sim.truth import Stay
from inaisle.simulation.app_client import ApiAddress, ApiClient, Json, RefusedByApi
from rtls.model.site_map import Radio
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import Second, TagId, UnixMs, ZoneId
from tests.conftest import REPOSITORY, Server, pick_free_port
from tests.waiting import wait_until

ZONE = ZoneId("dowels")
TAG = TagId("tag:0d13")
CAMPAIGN = "dowel-coupon"
STEP_MS = 100
HELD_MS_MAX = 500
READY_S_MAX = 240.0  # with an empty cache the kernels are compiled first
STOP_S_MAX = 10.0
SIDE_DOOR = {  # at the end of the aisle of the dowels, so that nobody walks for long
    "type": "Feature",
    "id": "side-door",
    "properties": {"kind": "zone", "zone_kind": "entrance", "name": "Seiteneingang", "floor": 0},
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[12.0, 6.5], [16.0, 6.5], [16.0, 8.5], [12.0, 8.5], [12.0, 6.5]]],
    },
}
BASKET = {
    "currency": "EUR",
    "lines": [
        {"sku": "4006209781234", "category": "dowels", "quantity": 2, "unit_price_minor": 449}
    ],
}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def instant_ms(text: object) -> float:
    """An instant as the API writes it, in milliseconds."""
    return datetime.fromisoformat(str(text)).timestamp() * 1000.0


def wait_until_ms(at_ms: float) -> None:
    """Let the shopper stand until that instant."""
    wait_until(lambda: now_ms() >= at_ms, "an instant that is near", timeout_s=60.0)


@dataclass(frozen=True, kw_only=True)
class ShopFiles:
    """The demo shop with a campaign for those who stand at the dowels for ``dwell_s``."""

    site_map: Path
    campaigns: Path
    dwell_s: float

    @classmethod
    def write(cls, folder: Path, *, dwell_s: float) -> Self:
        demo = REPOSITORY / "config" / "demo"
        site = json.loads((demo / "site.geojson").read_text(encoding="utf-8"))
        [zone] = [feature for feature in site["features"] if feature["id"] == ZONE]
        zone["properties"]["rules"] = {"dwell_thresholds_s": [dwell_s]}
        site["features"].insert(0, SIDE_DOOR)
        document = json.loads((demo / "campaigns.json").read_text(encoding="utf-8"))
        [campaign] = [c for c in document["campaigns"] if c["campaign"] == CAMPAIGN]
        campaign["trigger"]["dwell_s"] = dwell_s
        # The cap must not be what keeps a second offer away: that is what the tests look at.
        campaign["frequency_cap"] = {"offers_max": 5, "window_s": 3600}
        document["campaigns"] = [campaign]
        files = cls(
            site_map=folder / "site.geojson", campaigns=folder / "campaigns.json", dwell_s=dwell_s
        )
        files.site_map.write_text(json.dumps(site), encoding="utf-8")
        files.campaigns.write_text(json.dumps(document), encoding="utf-8")
        return files


class ServeProcess:
    """One `inaisle serve`, which a test may stop, kill and start again at the same address."""

    def __init__(
        self,
        files: ShopFiles,
        *,
        data: Path,
        broker: Server,
        role: str = "all",
        redis: Server | None = None,
        settings: Mapping[str, str] = {},
    ) -> None:
        self.data = data
        self.address = ApiAddress(host="127.0.0.1", port=pick_free_port())
        self._log = data.with_name(f"{data.name}.log")
        self._command = [sys.executable, "-m", "inaisle", "serve", "--role", role]
        self._environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("INAISLE__")},
            "INAISLE__SITE__MAP": str(files.site_map),
            "INAISLE__SITE__CAMPAIGNS": str(files.campaigns),
            "INAISLE__SITE__DATA": str(data),
            "INAISLE__MQTT__HOST": broker.host,
            "INAISLE__MQTT__PORT": str(broker.port),
            "INAISLE__API__HOST": self.address.host,
            "INAISLE__API__PORT": str(self.address.port),
            "INAISLE__LOG__FORMAT": "json",
            **settings,
        }
        if redis is not None:
            url = f"redis://{redis.host}:{redis.port}/0"
            self._environment["INAISLE__REDIS__URL"] = url
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_alive:
            self.stop()

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start, and wait until it says that it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_until_ready()
        except BaseException:  # no __exit__ follows: it would run on beside all later tests
            self.kill()
            raise

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + READY_S_MAX
        while self.readiness()[0] != 200:
            assert self._process.poll() is None, self.told()
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.02)

    def stop(self) -> tuple[int, float]:
        """End by SIGTERM; return the status, and how many seconds it took."""
        assert self._process is not None
        started_s = time.monotonic()
        self._process.terminate()
        try:
            status = self._process.wait(2 * STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"did not end by SIGTERM\n{self.told()}")
        return status, time.monotonic() - started_s

    def kill(self) -> None:
        """End by SIGKILL: nothing can be saved any more."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_S_MAX)

    def told(self) -> str:
        """What it logged last."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-4_000:]

    @property
    def keys(self) -> dict[str, str]:
        """The generated keys of the till and of the staff."""
        found: dict[str, str] = json.loads((self.data / "keys.json").read_text(encoding="utf-8"))
        return found

    def readiness(self) -> tuple[int, Json]:
        """Status and document of /readyz; 0 while nobody listens."""
        try:
            status, content = self.exchange("GET", "/readyz")
        except (OSError, http.client.HTTPException):
            return 0, {}
        return status, json.loads(content)

    def degraded(self) -> list[str]:
        """Which parts do not work, as anybody may know."""
        document = self.readiness()[1]
        return [str(part) for part in document.get("degraded", ())]  # type: ignore[attr-defined]

    def metrics(self) -> dict[str, float]:
        """The sum of each series of /metrics over its labels."""
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(self.exchange("GET", "/metrics")[1].decode()):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
        return sums

    def metric(self, name: str) -> float:
        return self.metrics()[name]

    def heard_tags(self, *, within_ms: int = 1_200) -> list[str]:
        """The tags on the operator's page whose latest reading is not older; no prediction."""
        with ApiClient(self.address, token=self.keys["staff"]) as staff:
            locations = staff.get("/v1/operator/fixes")["locations"]
        assert isinstance(locations, list)
        after_ms = now_ms() - within_ms
        return [
            found["provider_id"]
            for found in locations
            if instant_ms(found["properties"]["evidence_at"]) >= after_ms
        ]

    def exchange(
        self, method: str, path: str, *, body: object = None, headers: Mapping[str, str] = {}
    ) -> tuple[int, bytes]:
        """Status and bytes of one answer."""
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=10)
        with contextlib.closing(connection):
            content = None if body is None else json.dumps(body).encode()
            given = dict(headers) | ({} if body is None else {"Content-Type": "application/json"})
            connection.request(method, path, body=content, headers=given)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def redeem(self, code: str, *, key: str) -> tuple[int, bytes]:
        """What the till is answered, to the byte."""
        return self.exchange(
            "POST",
            "/v1/till/redemptions",
            body={"code": code, "basket": BASKET},
            headers={"Authorization": f"Bearer {self.keys['till']}", "Idempotency-Key": key},
        )


class App:
    """The shopper's app: it keeps its stream open, and opens it again when the service was away."""

    def __init__(self, address: ApiAddress) -> None:
        self.client = ApiClient(address)
        self._address = address
        self._stop = threading.Event()
        self._is_connected = threading.Event()
        self._cursor = 0
        self._frames: list[tuple[int, Json]] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self.client.token = str(self.client.post("/v1/enrolments", {"locale": "de"})["token"])
        for purpose in ("locate", "personalise", "notify"):
            wish = {"is_granted": True, "text_version": "2026-11"}
            self.client.put(f"/v1/me/consents/{purpose}", wish)
        self.client.post("/v1/me/pairings", {"tag": TAG})
        self._listener.start()
        assert self._is_connected.wait(30.0)
        return self

    def way_to(self, zone: str, **start: str) -> Json:
        """The way there; the service may still be laying out the ground."""
        told: list[Json] = []

        def ask() -> bool:
            try:
                told.append(self.client.post("/v1/me/routes", {"zone": zone, **start}))
            except RefusedByApi:
                return False
            return True

        wait_until(ask, f"a way to {zone}")
        return told[0]

    def check_the_way(self) -> None:
        """He stands at the dowels and asks for the checkout: led from there, to within a step."""
        way, drawn = self.way_to("checkout"), self.way_to("checkout", from_zone=ZONE)
        assert (way["started_at"], way["zone"], drawn["started_at"]) == ("fix", "checkout", "zone")
        lengths_m = [found["length_m"] for found in (way, drawn)]
        assert abs(lengths_m[0] - lengths_m[1]) < 3.0, lengths_m

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._listener.join(10.0)
        self.client.__exit__(None, None, None)

    @property
    def offers(self) -> dict[str, tuple[int, Json]]:
        """By offer id: when it first came over the stream, and how."""
        found: dict[str, tuple[int, Json]] = {}
        for at_ms, offer in list(self._frames):
            found.setdefault(str(offer["offer"]), (at_ms, offer))
        return found

    def wait_for_offer(self, *, timeout_s: float = 60.0) -> tuple[int, Json]:
        """When the first offer came, and the offer."""
        wait_until(lambda: bool(self.offers), "an offer on the stream", timeout_s=timeout_s)
        return next(iter(self.offers.values()))

    def listed(self) -> list[Json]:
        """What GET /v1/me/offers says."""
        offers = self.client.get("/v1/me/offers")["offers"]
        assert isinstance(offers, list)
        return offers

    def assert_one_offer(self) -> None:
        """One on the stream and the same one in the list."""
        assert list(self.offers) == [offer["offer"] for offer in self.listed()]
        assert len(self.offers) == 1

    def coupon_code(self) -> str:
        [(_, offer)] = self.offers.values()
        coupon = offer["coupon"]
        assert isinstance(coupon, dict)
        return str(self.client.get(f"/v1/me/coupons/{coupon['coupon']}/code")["code"])

    def _listen(self) -> None:
        header = {"Authorization": f"Bearer {self.client.token}"}
        while not self._stop.is_set():
            url = f"{self._address.stream_url}?after={self._cursor}"
            with (
                contextlib.suppress(OSError, WebSocketException),  # away: try again
                connect(url, additional_headers=header, open_timeout=2.0) as stream,
            ):
                while not self._stop.is_set():
                    with contextlib.suppress(TimeoutError):
                        self._note(json.loads(stream.recv(timeout=0.1)))
            self._stop.wait(0.05)

    def _note(self, frame: Json) -> None:
        self._is_connected.set()
        if frame["type"] == "offer":
            offer = frame["offer"]
            assert isinstance(offer, dict)
            self._frames.append((now_ms(), offer))
            self._cursor = max(self._cursor, int(offer["cursor"]))


class ShopOnAir:
    """All gateways of the shop on the machine's clock, and one shopper who stands at the dowels."""

    def __init__(self, files: ShopFiles, *, folder: Path, broker: Server) -> None:
        site_map = parse_site_map(files.site_map.read_bytes(), source=str(files.site_map))
        self.scenario = Scenario(
            site_map,
            seed=1,
            settings=ScenarioSettings(
                shoppers=0,
                channel="exact",
                step_ms=STEP_MS,
                hearing=HearingSettings(range_rate_hz=10.0),
            ),
            starts_at_ms=UnixMs(now_ms() // STEP_MS * STEP_MS),
        )
        line_end = BrokerAddress(host=broker.host, port=broker.port)
        self._fleet = DeviceFleet(
            self.scenario,
            link_of=lambda gateway: MqttLink(gateway, broker=line_end),
            spool_folder=folder / "spools",
            seed=1,
            line_clock=lambda: time.monotonic_ns() // 1_000_000,
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10.0)
        self._fleet.close()

    def let_come(self, *, stands_s: float = 120.0) -> None:
        stands = ((ZONE, Second(stands_s)),)
        self.scenario.add(
            ScriptedShopper(tag=TAG, radio=Radio.UWB, stands=stands, pays_s=0.0, pace_m_s=3.0)
        )

    def stay(self) -> Stay:
        """What the shopper really did at the dowels."""
        if not self.scenario.is_present(TAG):
            return Stay(zone=ZONE)
        return self.scenario.stays(TAG)[0]

    def wait_until_he_stands(self) -> int:
        """Return since when he stands at the dowels."""
        wait_until(lambda: self.stay().stood_from_ms is not None, "the shopper at the shelf")
        stood_from_ms = self.stay().stood_from_ms
        assert stood_from_ms is not None
        return stood_from_ms

    def fall_silent(self) -> None:
        """Let no anchor hear anybody any more: then the gateways can get rid of all they have."""
        self.scenario.hearing.is_dead[:] = True

    def counts(self) -> FleetCounts:
        return self._fleet.counts()

    def wait_until_spools_are_empty(self) -> None:
        """End hearing, and wait until the service has acknowledged every reading there was."""
        self.fall_silent()
        # What a gateway has heard waits a moment for company before it is a message.
        last_ms = self.scenario.now_ms + HELD_MS_MAX
        wait_until(
            lambda: self.scenario.now_ms > last_ms and self.counts().unacknowledged == 0,
            "acknowledgement of everything",
        )

    def _run(self) -> None:
        self._fleet.run(clock=now_ms, sleep=time.sleep, is_stopped=self._stop.is_set)
