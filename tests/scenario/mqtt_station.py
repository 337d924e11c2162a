"""A plain MQTT 5 client for tests: says what it is told, remembers what it hears."""

import time
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode


class Station:
    """One client without a thread; `until` turns it until something has happened."""

    def __init__(
        self, port: int, *, client_id: str, user: str | None = None, password: str | None = None
    ) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.accepted: bool | None = None
        self.is_lost = False
        self.receipts = 0
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5
        )
        if user is not None:
            self.client.username_pw_set(user, password or f"secret-{user}")
        self.client.on_connect = self._on_connect
        self.client.on_message = lambda _c, _u, m: self.heard.append((m.topic, bytes(m.payload)))
        self.client.on_publish = self._on_publish
        self.client.on_disconnect = self._on_disconnect
        self.client.connect("127.0.0.1", port)
        self.until(lambda: self.accepted is not None)

    def _on_connect(self, _c, _u, _f, reason: ReasonCode, _p) -> None:
        self.accepted = not reason.is_failure

    def _on_publish(self, _c, _u, _mid, _reason, _p) -> None:
        self.receipts += 1

    def _on_disconnect(self, _c, _u, _f, _reason, _p) -> None:
        self.is_lost = True

    def hear(self, topic: str) -> None:
        granted = []
        self.client.on_subscribe = lambda *_: granted.append(1)
        self.client.subscribe(topic, qos=1)
        self.until(lambda: bool(granted))

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        before = self.receipts
        self.client.publish(topic, payload, qos=1, retain=retain)
        self.until(lambda: self.receipts > before or self.is_lost)

    def turn(self, seconds: float = 0.02) -> None:
        self.client.loop(seconds)

    def until(self, happened: Callable[[], bool], *, within_s: float = 10.0) -> None:
        end = time.monotonic() + within_s
        while not happened():
            assert time.monotonic() < end, "what the test waits for did not happen"
            self.turn()

    def close(self) -> None:
        self.client.disconnect()
        # The client refers to us by these: without them it, and its sockets, end here and now.
        self.client.on_connect = self.client.on_message = self.client.on_publish = None
        self.client.on_disconnect = self.client.on_subscribe = None
