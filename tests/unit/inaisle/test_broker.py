"""Embedded broker: what ingest and gateways ask of MQTT 5 holds without a server to install."""

import threading

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from inaisle.errors import InvalidSettings, Unavailable
from inaisle.service.broker import (
    BrokerAddress,
    embedded_broker,
    parse_broker,
    refuse_silent_broker,
)


class Client:
    """A paho client that notes what it got and lets a test await it."""

    def __init__(self, broker: BrokerAddress, name: str, *, is_lasting: bool = False) -> None:
        self.got: list[mqtt.MQTTMessage] = []
        self.arrived = threading.Condition()
        self.ready = threading.Event()
        self.mqtt = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=mqtt.MQTTv5,
            manual_ack=is_lasting,
        )
        self.mqtt.on_message = self.note
        self.mqtt.on_connect = lambda *_: self.ready.set()
        self.mqtt.on_subscribe = lambda *_: self.ready.set()
        self.broker, self.is_lasting = broker, is_lasting

    def note(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        with self.arrived:
            self.got.append(message)
            self.arrived.notify_all()

    def wait_for(self, count: int) -> list[bytes]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= count, timeout=5.0), len(self.got)
            return [message.payload for message in self.got]

    def connect(self) -> None:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600 if self.is_lasting else 0
        self.ready.clear()
        self.mqtt.connect(
            self.broker.host,
            self.broker.port,
            clean_start=not self.is_lasting,
            properties=properties,
        )
        self.mqtt.loop_start()
        assert self.ready.wait(5.0)

    def subscribe(self, topic: str, qos: int) -> None:
        self.ready.clear()
        self.mqtt.subscribe(topic, qos=qos)
        assert self.ready.wait(5.0)

    def stop(self) -> None:
        self.mqtt.disconnect()
        self.mqtt.loop_stop()


def test_the_embedded_broker_keeps_what_ingest_had_not_acknowledged() -> None:
    """Kill -9 between receipt and commit must not lose a reading."""
    with embedded_broker() as broker:
        ingest = Client(broker, "ingest", is_lasting=True)
        ingest.connect()
        ingest.subscribe("inaisle/v1/gw/+/up", qos=1)
        gateway = Client(broker, "gw-1")
        gateway.connect()
        for number in range(3):
            gateway.mqtt.publish("inaisle/v1/gw/gw-1/up", b"%d" % number, qos=1)
        assert ingest.wait_for(3) == [b"0", b"1", b"2"]
        ingest.mqtt.ack(ingest.got[0].mid, 1)
        ingest.stop()
        gateway.mqtt.publish("inaisle/v1/gw/gw-1/up", b"3", qos=1)
        again = Client(broker, "ingest", is_lasting=True)
        again.connect()
        assert again.wait_for(3) == [b"1", b"2", b"3"]
        again.stop()
        gateway.stop()


def test_the_embedded_broker_carries_birth_and_last_will_and_a_full_payload() -> None:
    """A dead gateway is told by its will; a reference payload may have 64 kB."""
    with embedded_broker() as broker:
        gateway = Client(broker, "gw-1")
        gateway.mqtt.will_set("inaisle/v1/gw/gw-1/status", b"dead", qos=1, retain=True)
        gateway.connect()
        gateway.mqtt.publish("inaisle/v1/gw/gw-1/status", b"born", qos=1, retain=True)
        gateway.mqtt.publish("inaisle/v1/gw/gw-1/up", b"x" * 65_536, qos=1).wait_for_publish(5.0)
        watcher = Client(broker, "watcher")
        watcher.connect()
        watcher.subscribe("inaisle/v1/gw/+/status", qos=1)
        assert watcher.wait_for(1) == [b"born"]
        assert watcher.got[0].retain
        socket = gateway.mqtt.socket()
        assert socket is not None
        gateway.mqtt.loop_stop()
        socket.close()
        assert watcher.wait_for(2)[1] == b"dead"
        watcher.stop()


def test_a_broker_that_is_not_there_is_named_with_the_remedy() -> None:
    """`--broker` with a typo should not end in a trace."""
    with embedded_broker() as broker:
        refuse_silent_broker(broker)
    with pytest.raises(Unavailable, match="--broker"):
        refuse_silent_broker(broker)


@pytest.mark.parametrize("text", ["", "http://x", "host:port", "host:70000", "mqtt://"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    """The message shows the forms that work."""
    with pytest.raises(InvalidSettings, match="host:port"):
        parse_broker(text)
