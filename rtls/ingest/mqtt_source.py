"""Receive messages from an MQTT 5 broker without losing or forgetting one.

Layer: edge. Takes: packets from the broker, in paho's network thread. Gives: `RawMessage`s to the
door, as `rtls.ports.Source`, and the health of the line.

Three rules that outages have taught (each is a test):
- A callback never raises and does next to nothing: an exception in `on_message` ends paho's thread
  for good while `is_connected()` goes on saying True.
- A message is acknowledged when what it caused is durable, not when it arrived. What is not
  acknowledged comes again after a reconnect, since the session is persistent.
- Health is what was heard lately, never what the client believes of itself.
"""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from rtls.ingest.formats.reference import PAYLOAD_BYTES_MAX
from rtls.ingest.mqtt_settings import MqttSettings
from rtls.model.units import UnixMs
from rtls.ports import RawMessage

RECONNECT_S_MIN: Final = 1
RECONNECT_S_MAX: Final = 2  # a restarted broker is found again within 5 s
CONNECT_TIMEOUT_S: Final = 3.0
REFUSED_FROM: Final = 0x80  # MQTT 5 reason codes from here on are failures


class LineState(StrEnum):
    """What a door has to know of the line."""

    RECEIVING = "receiving"
    CONNECTING = "connecting"
    """the broker is away or refuses us; attempts go on"""
    DEAD = "dead"
    """nothing will come any more: end the process, a supervisor starts it anew"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineHealth:
    """State of the line, and why, in words for the log."""

    state: LineState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCounters:
    """How often each thing happened."""

    received: int
    acknowledged: int
    connections: int
    over_bound: int
    """messages sent with QoS 0 for which there was no room; a gateway's spool sends them again"""
    faults: int
    """packets whose handling failed; they were put aside"""


class MqttSource:
    """A persistent, manually acknowledged subscription.

    Parameters
    ----------
    clock
        Says when a message arrived; the door decides what time it is.
    monotonic_s
        Seconds of real time for the watchdog.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        clock: Callable[[], UnixMs],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._monotonic_s = monotonic_s
        self._arrived = threading.Event()
        self._waiting: deque[RawMessage] = deque()
        # Each number is written by one thread only: += is not atomic.
        self._bytes_in = 0
        self._bytes_out = 0
        # receipt → (connection, message id) of what the broker waits for; see `acknowledge`
        self._unacknowledged: dict[int, tuple[int, int]] = {}
        self._connection = 0
        self._receipt = 0
        self._counts = {"received": 0, "acknowledged": 0, "over_bound": 0, "faults": 0}
        self._is_subscribed = False
        self._is_closed = False
        self._refusal = ""
        self._beat_s = monotonic_s()
        self._network: threading.Thread | None = None
        self._client = self._new_client()
        self._client.connect_async(
            settings.host,
            settings.port,
            keepalive=settings.keepalive_s,
            clean_start=False,
            properties=self._connect_properties(),
        )
        self._client.loop_start()

    def poll(self, timeout_s: float) -> Sequence[RawMessage]:
        """Return what has arrived, waiting at most ``timeout_s`` for the first message."""
        if not self._waiting and timeout_s > 0.0:
            self._arrived.wait(timeout_s)
        self._arrived.clear()
        messages: list[RawMessage] = []
        while self._waiting and len(messages) < self._settings.poll_messages_max:
            raw = self._waiting.popleft()
            self._bytes_out += len(raw.payload)
            messages.append(raw)
        return messages

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Tell the broker to forget these messages.

        A message of an earlier connection is left out: its number may mean another one by now. The
        broker sends it again, and reception knows it.
        """
        for receipt in receipts:
            connection, message_id = self._unacknowledged.pop(receipt, (0, 0))
            if message_id and connection == self._connection:
                self._client.ack(message_id, 1)
                self._counts["acknowledged"] += 1

    def send(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0: a lost answer is given again with the gateway's next message."""
        if self._is_subscribed:
            self._client.publish(topic, payload, qos=0)

    def close(self) -> None:
        """Leave the broker; it keeps for us what is not acknowledged and what comes now."""
        if self._is_closed:
            return
        self._is_closed = True
        self._client.disconnect()
        self._client.loop_stop()

    def health(self) -> LineHealth:
        """Return the state of the line; DEAD means that the process should end with status 1."""
        silent_s = self._monotonic_s() - self._beat_s
        if self._is_closed:
            return LineHealth(state=LineState.CONNECTING, reason="closed")
        if self._network is not None and not self._network.is_alive():
            return LineHealth(state=LineState.DEAD, reason="the network thread has ended")
        if silent_s > self._settings.watchdog_s:
            reason = f"no packet and no attempt to connect for {silent_s:.0f} s"
            return LineHealth(state=LineState.DEAD, reason=reason)
        if self._is_subscribed:
            return LineHealth(state=LineState.RECEIVING, reason="")
        reason = self._refusal or f"no answer from {self._settings.host}:{self._settings.port}"
        return LineHealth(state=LineState.CONNECTING, reason=reason)

    @property
    def counters(self) -> LineCounters:
        """Return the counters."""
        return LineCounters(connections=self._connection, **self._counts)

    def _new_client(self) -> mqtt.Client:
        settings = self._settings
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.username,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
        )
        if settings.password is not None:
            client.username_pw_set(settings.username, settings.password)
        if settings.tls is not None:
            client.tls_set(
                ca_certs=_path(settings.tls.ca_file),
                certfile=_path(settings.tls.certificate_file),
                keyfile=_path(settings.tls.key_file),
            )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.reconnect_delay_set(RECONNECT_S_MIN, RECONNECT_S_MAX)
        client.on_pre_connect = self._on_pre_connect
        client.on_socket_open = self._on_socket_open
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_log = self._on_log
        return client

    def _connect_properties(self) -> Properties:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._settings.session_expiry_s
        properties.ReceiveMaximum = self._settings.receive_maximum
        return properties

    # All that follows runs in paho's network thread.

    def _on_pre_connect(self, _client: mqtt.Client, _userdata: object) -> None:
        self._network = threading.current_thread()
        self._beat_s = self._monotonic_s()

    def _on_socket_open(self, _client: mqtt.Client, _userdata: object, line: object) -> None:
        if isinstance(line, socket.socket):
            # Small packets one after the other would wait 40 ms each for the other's receipt.
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_connect(
        self,
        client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._beat_s = self._monotonic_s()
        self._connection += 1
        self._unacknowledged.clear()
        if reason.is_failure:
            self._refusal = f"the broker refuses us: {reason}"
            return
        options = SubscribeOptions(qos=self._settings.qos)
        client.subscribe([(topic, options) for topic in self._settings.topics])

    def _on_subscribe(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _message_id: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.value >= REFUSED_FROM]
        self._refusal = f"the broker refuses the subscription: {refused[0]}" if refused else ""
        self._is_subscribed = not refused

    def _on_connect_fail(self, _client: mqtt.Client, _userdata: object) -> None:
        self._beat_s = self._monotonic_s()
        self._is_subscribed = False

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.DisconnectFlags,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._beat_s = self._monotonic_s()
        self._is_subscribed = False

    def _on_log(self, _client: mqtt.Client, _userdata: object, _level: int, line: str) -> None:
        # The only public sign of a ping's answer; a test against a real broker holds it.
        if line.startswith("Received"):
            self._beat_s = self._monotonic_s()

    def _on_message(
        self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage
    ) -> None:
        try:
            self._take(message)
        except Exception:  # noqa: BLE001 # whatever it is, it must not end the network thread
            self._counts["faults"] += 1

    def _take(self, message: mqtt.MQTTMessage) -> None:
        self._counts["received"] += 1
        if not self._has_room(message):
            self._counts["over_bound"] += 1
            return
        self._receipt += 1
        if message.qos:
            self._unacknowledged[self._receipt] = (self._connection, message.mid)
        self._bytes_in += len(message.payload)
        self._waiting.append(
            RawMessage(
                topic=_topic(message),
                payload=bytes(message.payload),
                received_at_ms=self._clock(),
                receipt=self._receipt,
                is_retained=message.retain,
                is_resent=message.dup,
            )
        )
        self._arrived.set()

    def _has_room(self, message: mqtt.MQTTMessage) -> bool:
        """Say whether a message may wait here.

        With QoS 1 the broker sends no more than `receive_maximum` without our acknowledgement.
        Room for these is kept free, so that none of them is ever turned away.
        """
        settings = self._settings
        kept = 0 if message.qos else settings.receive_maximum
        waiting_bytes = self._bytes_in - self._bytes_out
        return (
            len(self._waiting) < settings.waiting_messages_max - kept
            and waiting_bytes < settings.waiting_bytes_max - kept * PAYLOAD_BYTES_MAX
        )


def _topic(message: mqtt.MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        return ""  # matches no format: quarantined, and acknowledged like any other


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)
