"""Write what an ESPresense v4 node publishes.

Layer: rules. Takes: strengths from firmware_sim.espresense_node. Gives: topics and payloads.

Written from the firmware (ESPresense v4, `src/BleFingerprint.cpp` and `src/main.cpp`), not from the
decoder of `rtls.ingest`: a fault in one must not be mirrored by the other.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

TOPIC_ROOT: Final = "espresense"
RSSI_AT_1M: Final = -65
ABSORPTION: Final = 2.7
"""the path-loss exponent that a node assumes unless told otherwise"""
ONLINE: Final = b"online"
OFFLINE: Final = b"offline"


class DeviceFields(msgspec.Struct, gc=False):
    """One tag as a node says it; the names are the firmware's."""

    mac: str
    id: str
    rssi_at_1m: int = msgspec.field(name="rssi@1m")
    rssi: float
    rx_adjusted: int = msgspec.field(name="rxAdj")
    rssi_variance: float = msgspec.field(name="rssiVar")
    distance: float
    variance: float = msgspec.field(name="var")
    interval_ms: int = msgspec.field(name="int")


class TelemetryFields(msgspec.Struct, gc=False):
    """A node about itself."""

    ip: str
    uptime: int
    firm: str
    ver: str
    adverts: int
    seen: int
    reported: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothedTag:
    """What a node knows of one tag when it reports it.

    Parameters
    ----------
    tag, mac
        Its id, and the 12 hex digits of its address.
    rssi_dbm, variance_db2
        Mean and variance of the adverts of the last seconds.
    interval_ms
        Mean time between adverts since it was first heard.
    """

    tag: str
    mac: str
    rssi_dbm: float
    variance_db2: float
    interval_ms: int


_ENCODER: Final = msgspec.json.Encoder()


def device_topic(tag: str, node: str) -> str:
    """Return where a node reports a tag."""
    return f"{TOPIC_ROOT}/devices/{tag}/{node}"


def status_topic(node: str) -> str:
    """Return where a node's birth and last will stand."""
    return f"{TOPIC_ROOT}/rooms/{node}/status"


def telemetry_topic(node: str) -> str:
    """Return where a node speaks about itself."""
    return f"{TOPIC_ROOT}/rooms/{node}/telemetry"


def settings_topic(node: str) -> str:
    """Return where a node listens for its settings."""
    return f"{TOPIC_ROOT}/rooms/{node}/+/set"


def distance_m(rssi_dbm: float) -> float:
    """Return the distance that a node makes of a strength.

    Examples
    --------
    >>> distance_m(-65.0), distance_m(-92.0)
    (1.0, 10.0)
    """
    return float(10.0 ** ((RSSI_AT_1M - rssi_dbm) / (10.0 * ABSORPTION)))


def render_device(tag: SmoothedTag) -> bytes:
    """Return the payload of one report.

    Examples
    --------
    >>> render_device(SmoothedTag(tag="app:1", mac="58b1294494d3", rssi_dbm=-71.254,
    ...                           variance_db2=6.1, interval_ms=640))[:58]
    b'{"mac":"58b1294494d3","id":"app:1","rssi@1m":-65,"rssi":-7'
    """
    distance = distance_m(tag.rssi_dbm)
    # The firmware's error of a distance: that of the strength, by the slope of the path-loss law.
    slope = distance * 2.302585 / (10.0 * ABSORPTION)
    return _ENCODER.encode(
        DeviceFields(
            mac=tag.mac,
            id=tag.tag,
            rssi_at_1m=RSSI_AT_1M,
            rssi=round(tag.rssi_dbm, 2),
            rx_adjusted=0,
            rssi_variance=round(tag.variance_db2, 2),
            distance=round(distance, 2),
            variance=round(slope * slope * tag.variance_db2, 2),
            interval_ms=tag.interval_ms,
        )
    )


def render_telemetry(*, uptime_s: int, adverts: int, seen: int, reported: int) -> bytes:
    """Return the payload that a node sends every few seconds, also when it hears nobody."""
    return _ENCODER.encode(
        TelemetryFields(
            ip="192.0.2.1",
            uptime=uptime_s,
            firm="esp32",
            ver="v4.0.4",
            adverts=adverts,
            seen=seen,
            reported=reported,
        )
    )
