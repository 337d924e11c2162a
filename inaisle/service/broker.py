"""Bring a broker along: MQTT for the demo without a server to install.

Layer: doors. Takes: nothing, or the address of a broker that runs already. Gives: an address that
gateways and ingest connect to. The embedded broker (iotcore, rumqttd in a wheel) is a child process
that ends with its parent.
"""

import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from inaisle.errors import InvalidSettings, Unavailable

LOOPBACK = "127.0.0.1"
PORT_PLAIN = 1883
PAYLOAD_BYTES_MAX = 131_072  # twice what a gateway may send, so that we see and count what is over
# Its MQTT 5 listener hands out 100 unacknowledged messages and then waits, whatever the file says.
# Ingest acknowledges after a commit, so over this broker it subscribes with QoS 0 and leans on the
# gateways' spools, which is where the guarantee comes from in any case.
EMBEDDED_QOS = 0

_CONFIG = """id = 0
[router]
id = 0
max_connections = 4096
max_outgoing_packet_count = 200
max_segment_size = 16777216
max_segment_count = 10
[v5.1]
name = "v5"
listen = "{host}:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = {payload}
max_inflight_count = 500
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where a broker listens, and with which quality of service ingest subscribes there."""

    host: str
    port: int
    qos: int = 1

    @property
    def url(self) -> str:
        """Return the address as text."""
        return f"mqtt://{self.host}:{self.port}"


def parse_broker(text: str) -> BrokerAddress:
    """Read ``host``, ``host:port`` or ``mqtt://host:port``.

    Raises
    ------
    InvalidSettings
        If the text names no host or an impossible port.

    Examples
    --------
    >>> parse_broker("localhost").url
    'mqtt://localhost:1883'
    """
    try:
        parts = urlsplit(text if "://" in text else f"mqtt://{text}")
        host, port = parts.hostname, parts.port or PORT_PLAIN
    except ValueError:
        host, port = None, 0
    else:
        host = host if parts.scheme == "mqtt" else None
    if not host:
        raise InvalidSettings(f"broker is {text!r}; expected host, host:port or mqtt://host:port.")
    return BrokerAddress(host=host, port=port)


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Let processes started meanwhile ignore Ctrl-C, which a terminal sends to the whole group.

    Their parent ends them, in the order in which nothing is lost.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may change how signals are handled
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def embedded_broker() -> Iterator[BrokerAddress]:
    """Run a broker on a free loopback port for as long as the context lasts.

    Raises
    ------
    Unavailable
        If it does not come up.
    """
    from iotcore import Broker

    port = free_port()
    with tempfile.TemporaryDirectory(prefix="inaisle-broker-") as folder:
        config = Path(folder) / "broker.toml"
        config.write_text(
            _CONFIG.format(host=LOOPBACK, port=port, payload=PAYLOAD_BYTES_MAX), encoding="ascii"
        )
        broker = Broker(config_path=os.fspath(config))
        try:
            with deaf_to_interrupts():
                broker.start()
        except (OSError, RuntimeError) as error:
            raise Unavailable(
                f"the embedded broker did not start ({error}). Start one yourself and give its "
                "address with --broker host:port."
            ) from error
        try:
            yield BrokerAddress(host=LOOPBACK, port=port, qos=EMBEDDED_QOS)
        finally:
            broker.stop()


def refuse_silent_broker(address: BrokerAddress, *, timeout_s: float = 2.0) -> None:
    """Check that something listens at the address.

    Raises
    ------
    Unavailable
        If nothing does.
    """
    try:
        with socket.create_connection((address.host, address.port), timeout=timeout_s):
            return
    except OSError as error:
        raise Unavailable(
            f"no broker at {address.url} ({error}). Start one, or leave --broker away to use the "
            "embedded one."
        ) from error
