"""How to reach the broker.

Layer: nouns. Takes: numbers and names from the door's settings. Gives: `MqttSettings` to
rtls.ingest.mqtt_source.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from rtls.ingest.formats.reference import PAYLOAD_BYTES_MAX, TOPIC_STATUS, TOPIC_UP
from rtls.model.errors import InvalidConnection

PORT_MAX: Final = 65_535
RECEIVE_MAXIMUM_MAX: Final = 65_535  # MQTT 5, section 3.1.2.11.3: two bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttTls:
    """Encrypt the line; the broker must prove who it is."""

    ca_file: Path | None = None
    """of the authority that signed the broker's certificate; None trusts the system's list"""
    certificate_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """Where the broker is, who we are to it, and how much may be under way.

    Raises
    ------
    InvalidConnection
        If a value cannot work.
    """

    host: str
    port: int
    username: str = "inaisle-ingest"
    """also the client id, so that nobody with another account can take the session over"""
    password: str | None = field(default=None, repr=False)
    tls: MqttTls | None = None
    topics: tuple[str, ...] = (TOPIC_UP, TOPIC_STATUS)
    qos: Literal[0, 1] = 1
    session_expiry_s: int = 3_600
    """so long the broker keeps messages for us while we are away"""
    receive_maximum: int = 500
    """messages that the broker sends before it waits for an acknowledgement"""
    keepalive_s: int = 10
    watchdog_s: float = 30.0
    """without a packet or an attempt to connect for so long the source counts as dead"""
    waiting_messages_max: int = 10_000
    waiting_bytes_max: int = 64 * 2**20
    poll_messages_max: int = 1_000

    def __post_init__(self) -> None:
        if not self.host or not 1 <= self.port <= PORT_MAX:
            raise InvalidConnection(
                f"broker is {self.host!r}, port {self.port}; expected a host name and 1 to "
                f"{PORT_MAX}."
            )
        if not self.username or not self.topics:
            raise InvalidConnection(
                f"username is {self.username!r} and topics {self.topics}; expected one or more."
            )
        if not 1 <= self.receive_maximum <= RECEIVE_MAXIMUM_MAX:
            raise InvalidConnection(
                f"receive_maximum is {self.receive_maximum}; expected 1 to {RECEIVE_MAXIMUM_MAX}."
            )
        messages, size = self.receive_maximum + 1, (self.receive_maximum + 1) * PAYLOAD_BYTES_MAX
        if self.waiting_messages_max < messages or self.waiting_bytes_max < size:
            raise InvalidConnection(
                f"waiting_messages_max is {self.waiting_messages_max} and waiting_bytes_max "
                f"{self.waiting_bytes_max}; expected at least {messages} and {size}: what the "
                "broker may send before an acknowledgement must find room."
            )
        if not 1 <= self.keepalive_s < self.watchdog_s:
            raise InvalidConnection(
                f"keepalive_s is {self.keepalive_s} and watchdog_s {self.watchdog_s}; expected 1 s "
                "or more, and the watchdog longer than the keepalive."
            )
