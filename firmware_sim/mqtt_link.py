"""Connect a gateway to a real broker: MQTT 5 by paho, without a thread.

Layer: edges. Takes: messages from firmware_sim.anchor_device. Gives: them to the broker, and what
the broker sends back.

One thread turns all lines of a fleet, so that a hundred gateways are not a hundred threads. Each
connection is a client of its own: what a gateway sends again is decided by its spool, not by what a
client library remembers.
"""

import select
import socket
from dataclasses import dataclass
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from firmware_sim.errors import check_between
from firmware_sim.link import LineMessage

KEEP_ALIVE_S: Final = 30
CONNECT_TIMEOUT_S: Final = 2.0
RETRY_MS_MIN: Final = 250
RETRY_MS_MAX: Final = 5_000
PACKETS_A_TURN: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where the broker is and who says so; the client id is the user name or the gateway's id."""

    host: str
    port: int
    password: str | None = None

    def __post_init__(self) -> None:
        check_between("port", self.port, 1, 65_535)


class MqttLink:
    """A line over MQTT 5, QoS 1, with TCP_NODELAY.

    Parameters
    ----------
    client_id
        The gateway's id; with a password also its user name.
    """

    def __init__(self, client_id: str, *, broker: BrokerAddress) -> None:
        self._client_id = client_id
        self._broker = broker
        self._client: paho.Client | None = None
        self._subscription = ""
        self._will: LineMessage | None = None
        self._heard: list[LineMessage] = []
        self._in_flight = 0
        self._is_accepted = False
        self._retry_at_ms = 0
        self._retry_ms = RETRY_MS_MIN

    @property
    def is_up(self) -> bool:
        """Return whether the broker has accepted us and the line has not broken since."""
        return self._client is not None and self._is_accepted

    @property
    def in_flight(self) -> int:
        """Return how many publishes the broker has not receipted."""
        return self._in_flight

    def open(self, *, subscription: str, will: LineMessage | None) -> None:
        """Remember both; the first turn connects."""
        self._subscription, self._will = subscription, will

    def publish(self, message: LineMessage) -> None:
        """Hand a message over; it may be lost with the line."""
        if self._client is not None and self._is_accepted:
            self._in_flight += 1
            self._client.publish(message.topic, message.payload, qos=1, retain=message.is_retained)

    def turn(self, line_ms: int) -> list[LineMessage]:
        """Read and write what is due, connect again if it is time; return what was heard."""
        if self._client is None and line_ms >= self._retry_at_ms:
            self._connect(line_ms)
        if self._client is not None and not self._serve(self._client):
            self._drop(line_ms)
        heard, self._heard = self._heard, []
        return heard

    def close(self) -> None:
        """Flush, then end in good order."""
        client, self._client = self._client, None
        if client is not None:
            while client.want_write() and client.loop_write() == MQTTErrorCode.MQTT_ERR_SUCCESS:
                pass
            client.disconnect()

    def _connect(self, line_ms: int) -> None:
        client = paho.Client(
            CallbackAPIVersion.VERSION2, self._client_id, protocol=MQTTProtocolVersion.MQTTv5
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(0)  # the gateway holds the bound itself
        if self._broker.password is not None:
            client.username_pw_set(self._client_id, self._broker.password)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        self._in_flight, self._is_accepted = 0, False
        try:
            client.connect(self._broker.host, self._broker.port, KEEP_ALIVE_S)
        except OSError:
            self._drop(line_ms)
            return
        line = client.socket()
        assert isinstance(line, socket.socket)  # no TLS, no WebSocket
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client

    def _serve(self, client: paho.Client) -> bool:
        """Return whether the line is still whole."""
        good = MQTTErrorCode.MQTT_ERR_SUCCESS
        for _ in range(PACKETS_A_TURN):
            line = client.socket()
            if line is None:
                return False
            if not select.select([line], [], [], 0.0)[0]:
                break
            if client.loop_read() != good:
                return False
        if client.want_write() and client.loop_write() != good:
            return False
        return client.loop_misc() == good

    def _drop(self, line_ms: int) -> None:
        client, self._client = self._client, None
        self._is_accepted = False
        line = None if client is None else client.socket()
        if line is not None:
            line.close()
        self._retry_at_ms = line_ms + self._retry_ms
        self._retry_ms = min(2 * self._retry_ms, RETRY_MS_MAX)

    def _on_connect(
        self,
        client: paho.Client,
        _userdata: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if not reason.is_failure:
            client.subscribe(self._subscription, qos=1)
            self._is_accepted = True
            self._retry_ms = RETRY_MS_MIN

    def _on_message(
        self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage
    ) -> None:
        self._heard.append(LineMessage(message.topic, bytes(message.payload), message.retain))

    def _on_publish(
        self,
        _client: paho.Client,
        _userdata: object,
        _mid: int,
        _reason: ReasonCode,
        _properties: Properties,
    ) -> None:
        self._in_flight -= 1
