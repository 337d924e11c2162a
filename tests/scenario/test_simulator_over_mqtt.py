"""The simulated gateways over a real broker: what arrives, and what a restart costs."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_sim.device_fleet import DeviceFleet
from firmware_sim.mqtt_link import BrokerAddress, MqttLink
from firmware_sim.scenario import STARTS_AT_MS, Scenario, ScenarioSettings
from rtls.ingest.formats.decoded import Decoded
from rtls.ingest.formats.reference import decode_up
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import GatewayId, UnixMs
from tests.conftest import REPOSITORY, Server
from tests.scenario.mqtt_station import Station

pytestmark = pytest.mark.broker

SITE = REPOSITORY / "config" / "demo" / "site.geojson"


def line_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Receiver:
    """The other end: remembers what it has stored for good and says so."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.stored: dict[tuple[str, str], dict[int, bytes]] = defaultdict(dict)
        self.duplicates = 0
        self.statuses: dict[str, bool] = {}
        station.hear("inaisle/v1/gw/+/up")
        station.hear("inaisle/v1/gw/+/status")

    def take(self) -> None:
        self.station.turn(0.01)
        for topic, payload in self.station.heard:
            gateway, leaf = topic.split("/")[3:]
            message = json.loads(payload)
            if leaf == "status":
                self.statuses[gateway] = message["online"]
                continue
            of_boot = self.stored[gateway, message["boot"]]
            self.duplicates += message["seq"] in of_boot
            of_boot[message["seq"]] = payload
        self.station.heard.clear()

    def acknowledge(self) -> None:
        for (gateway, boot), of_boot in self.stored.items():
            upto = max(of_boot)
            missing = sorted(set(range(upto + 1)) - set(of_boot))
            answer = {"boot": boot, "upto": upto, "missing": missing}
            topic = f"inaisle/v1/gw/{gateway}/down"
            self.station.client.publish(topic, json.dumps(answer).encode(), qos=1)
        self.station.turn(0.0)

    def is_whole(self, messages: int) -> bool:
        count = sum(len(of_boot) for of_boot in self.stored.values())
        gapless = all(set(b) == set(range(len(b))) for b in self.stored.values())
        return count == messages and gapless


@pytest.fixture
def fleet(mosquitto: Server, tmp_path: Path) -> Iterator[DeviceFleet]:
    shop = parse_site_map(SITE.read_bytes(), source=str(SITE))
    settings = ScenarioSettings(shoppers=40, channel="exact")
    address = BrokerAddress(host=mosquitto.host, port=mosquitto.port)
    fleet = DeviceFleet(
        Scenario(shop, seed=1, settings=settings),
        link_of=lambda gateway: MqttLink(gateway, broker=address),
        spool_folder=tmp_path / "spool",
        seed=1,
        line_clock=line_ms,
    )
    yield fleet
    fleet.close()


def shop_for(fleet: DeviceFleet, receiver: Receiver, seconds: int) -> None:
    for _ in range(seconds * 10):
        fleet.advance(UnixMs(fleet.scenario.now_ms + 100))
        receiver.take()


def wait_until_whole(fleet: DeviceFleet, receiver: Receiver, *, within_s: float) -> float:
    """Turn both ends until everything is stored and acknowledged; return how long it took."""
    begin = time.monotonic()
    while fleet.counts().unacknowledged or not receiver.is_whole(fleet.counts().messages):
        assert time.monotonic() < begin + within_s, (fleet.counts(), len(receiver.stored))
        fleet.turn()
        receiver.take()
        receiver.acknowledge()
    return time.monotonic() - begin


def test_every_message_arrives_in_order_and_is_what_ingest_understands(
    mosquitto: Server, fleet: DeviceFleet
) -> None:
    """Encoder and decoder were written apart; this is where they meet."""
    receiver = Receiver(Station(mosquitto.port, client_id="ingest"))
    shop_for(fleet, receiver, 5)
    wait_until_whole(fleet, receiver, within_s=10.0)
    readings = 0
    for (gateway, boot), of_boot in receiver.stored.items():
        assert list(of_boot) == sorted(of_boot)
        for seq, payload in of_boot.items():
            decoded = decode_up(f"inaisle/v1/gw/{gateway}/up", payload, UnixMs(STARTS_AT_MS))
            assert isinstance(decoded, Decoded), decoded
            assert (decoded.gateway, decoded.key.boot, decoded.key.seq) == (gateway, boot, seq)
            readings += sum(len(column.tags) for column in decoded.columns)
    waiting = sum(len(device._held) for device in fleet.devices.values())
    assert readings == fleet.counts().readings - waiting
    assert receiver.duplicates == 0
    assert receiver.statuses == dict.fromkeys(fleet.devices, True)
    receiver.station.close()


@pytest.mark.timed
def test_a_broker_killed_and_started_again_costs_no_message(
    mosquitto: Server, fleet: DeviceFleet
) -> None:
    """Kill -9, without a chance to save: all that was receipted and not stored comes again."""
    receiver = Receiver(Station(mosquitto.port, client_id="ingest"))
    shop_for(fleet, receiver, 3)
    for _ in range(20):  # receipted by the broker, but nobody has taken them
        fleet.advance(UnixMs(fleet.scenario.now_ms + 100))
    mosquitto.kill()
    for _ in range(30):
        fleet.advance(UnixMs(fleet.scenario.now_ms + 100))
    assert fleet.counts().unacknowledged > 0
    mosquitto.start()
    receiver.station = Station(mosquitto.port, client_id="ingest")
    receiver.station.hear("inaisle/v1/gw/+/up")
    took_s = wait_until_whole(fleet, receiver, within_s=15.0)
    assert took_s < 5.0
    receiver.station.close()


def test_what_is_not_acknowledged_is_sent_until_it_is(
    mosquitto: Server, fleet: DeviceFleet
) -> None:
    """A receiver that dies between hearing and storing has stored nothing."""
    deaf = Receiver(Station(mosquitto.port, client_id="ingest"))
    shop_for(fleet, deaf, 2)
    messages = fleet.counts().messages
    deadline = time.monotonic() + 10.0
    while fleet.counts().resent < messages:
        assert time.monotonic() < deadline
        fleet.turn()
        deaf.take()
    assert fleet.counts().unacknowledged == messages
    wait_until_whole(fleet, deaf, within_s=10.0)
    deaf.station.close()


def test_the_will_of_a_gateway_that_is_cut_off_says_so(
    mosquitto: Server, fleet: DeviceFleet
) -> None:
    """The operator learns of it from the broker, since the gateway cannot say it."""
    receiver = Receiver(Station(mosquitto.port, client_id="watch"))
    while receiver.statuses != dict.fromkeys(fleet.devices, True):
        fleet.turn()
        receiver.take()
    link = fleet.devices[GatewayId("gw-03")]._link
    assert isinstance(link, MqttLink)
    assert link._client is not None
    line = link._client.socket()
    assert line is not None
    line.close()
    receiver.station.until(lambda: bool(receiver.station.heard))
    receiver.take()
    assert receiver.statuses["gw-03"] is False
    receiver.station.close()
