"""Boxes of other makers over a real broker: readings, birth and last will."""

import time

import pytest

from firmware_sim.anchor_device import HeldReading
from firmware_sim.espresense_node import EspresenseNode
from firmware_sim.minew_gateway import MinewGateway
from firmware_sim.mqtt_link import BrokerAddress, MqttLink
from firmware_sim.wire import ReadingFields
from rtls.ingest.formats.decoded import Decoded, GatewayStatus
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.registry import Registry
from rtls.model.units import UnixMs
from tests.conftest import Server
from tests.scenario.mqtt_station import Station

pytestmark = pytest.mark.broker

NOW = 1_795_255_200_000
HEARD = HeldReading(NOW, ReadingFields("b01", "app:58b1294494d3", "rssi", -71.0))


class Ingest:
    """What hears, on the topics that the registry names and no others."""

    def __init__(self, port: int) -> None:
        self.registry = Registry(FormatSettings(on=(FormatName.ESPRESENSE, FormatName.MINEW)))
        self.station = Station(port, client_id="ingest")
        for topic in self.registry.topics:
            self.station.hear(topic)
        self.readings: dict[str, tuple[list[str], list[float]]] = {}
        self.is_online: dict[str, bool] = {}

    def take(self) -> None:
        self.station.turn(0.01)
        for topic, payload in self.station.heard:
            outcome = self.registry.decode(topic, payload, UnixMs(NOW))
            if isinstance(outcome, GatewayStatus):
                self.is_online[outcome.gateway] = outcome.is_online
            else:
                assert isinstance(outcome, Decoded), outcome
                for column in outcome.columns:
                    self.readings[outcome.gateway] = (list(column.tags), list(column.values))
        self.station.heard.clear()


def test_ingest_hears_boxes_of_two_makers_on_the_topics_that_it_subscribes_to(
    mosquitto: Server,
) -> None:
    """A topic that nobody subscribes to is a box that nobody hears."""
    address = BrokerAddress(host=mosquitto.host, port=mosquitto.port)
    ingest = Ingest(mosquitto.port)
    node_link, gateway_link = (MqttLink(name, broker=address) for name in ("b01", "b02"))
    boxes = (
        EspresenseNode("b01", link=node_link),
        MinewGateway("b02", link=gateway_link),
    )
    began_s = time.monotonic()

    def turn() -> None:
        assert time.monotonic() < began_s + 40.0, (ingest.readings, ingest.is_online)
        elapsed_ms = round((time.monotonic() - began_s) * 1_000)
        for box in boxes:
            box.turn(NOW + elapsed_ms, line_ms=elapsed_ms)
        ingest.take()

    while not (node_link.is_up and gateway_link.is_up):
        turn()
    for box in boxes:
        box.hear([HEARD])
    while len(ingest.readings) < len(boxes) or not ingest.is_online:
        turn()
    assert ingest.readings == {
        "b01": (["app:58b1294494d3"], [-71.0]),
        "b02": (["58:b1:29:44:94:d3"], [-71.0]),  # it knows the phone by its address alone
    }
    assert ingest.is_online == {"b01": True}

    assert node_link._client is not None
    line = node_link._client.socket()
    assert line is not None
    line.close()  # as when its power fails
    while ingest.is_online["b01"]:
        assert time.monotonic() < began_s + 40.0
        ingest.take()
    node_link.close()
    boxes[1].close(NOW + 60_000, line_ms=60_000)
    ingest.station.close()
