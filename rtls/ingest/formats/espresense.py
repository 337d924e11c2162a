"""Decode ESPresense v3 and v4: one tag heard by one ESP32 node, one message.

Layer: rules. Takes: ``espresense/devices/{device}/{node}`` and ``espresense/rooms/{node}/…``.
Gives: `Decoded`, `GatewayStatus` or `Rejection`.

The node is the gateway. A message holds one reading and is refused whole. There is no sender's
time. `rssi` is what is left after the node has subtracted its own correction and averaged 15 s of
adverts (`src/BleFingerprint.cpp`), hence the flag SMOOTHED; the node's `distance` is never used.
A node is silent about what it hears below its limits, and repeats a tag that stands still only
every 5 s: both are no sign of absence.
"""

from typing import Final

import msgspec

from rtls.ingest.formats.decoded import Decoded, GatewayStatus, Rejection, RejectionReason
from rtls.ingest.formats.faults import UNREADABLE, rejection_of
from rtls.ingest.formats.plain_status import plain_status
from rtls.ingest.formats.rssi_readings import (
    MESSAGE_BYTES_MAX,
    Rssi,
    gateway_named,
    no_reading,
    one_reading,
)
from rtls.model.reading import ReadingFlag
from rtls.model.units import GatewayId, UnixMs

TOPICS: Final = (
    "espresense/devices/+/+",
    "espresense/rooms/+/status",
    "espresense/rooms/+/telemetry",
)
_NO_NODE: Final = Rejection(reason=RejectionReason.BAD_ID, where="topic")


class Device(msgspec.Struct, frozen=True, gc=False):
    """What a node says of one tag; `id` is a name its owner gave, or made from the advert."""

    rssi: Rssi
    id: str = ""


class Telemetry(msgspec.Struct, frozen=True, gc=False):
    """What a node says of itself: that it came shows that the node is there."""


_DEVICE: Final = msgspec.json.Decoder(Device)
_TELEMETRY: Final = msgspec.json.Decoder(Telemetry)


def decode(
    topic: str, payload: bytes, _received_at_ms: UnixMs
) -> Decoded | GatewayStatus | Rejection:
    """Decode one message. Never raises."""
    if len(payload) > MESSAGE_BYTES_MAX:
        return Rejection(reason=RejectionReason.TOO_LARGE)
    _, mark, rest = topic.partition("/devices/")
    if not mark:
        return _of_room(topic, payload)
    tag, _, node = rest.partition("/")
    node, report, _ = node.partition("/")
    gateway = gateway_named(node)
    if gateway is None:
        return _NO_NODE
    # One more level is a report of the tag's own sensors: temperature, battery.
    return no_reading(gateway) if report else _of_device(tag, gateway, payload)


def _of_device(tag: str, gateway: GatewayId, payload: bytes) -> Decoded | Rejection:
    try:
        device = _DEVICE.decode(payload)
    except UNREADABLE as error:
        return rejection_of(error, gateway=gateway)
    return one_reading(gateway, device.id or tag, device.rssi, flags=ReadingFlag.SMOOTHED)


def _of_room(topic: str, payload: bytes) -> Decoded | GatewayStatus | Rejection:
    node, _, what = topic.partition("/rooms/")[2].partition("/")
    gateway = gateway_named(node)
    if gateway is None:
        return _NO_NODE
    if what == "status":
        return plain_status(gateway, payload)
    if what != "telemetry":  # settings that the node keeps at the broker
        return no_reading(gateway)
    try:
        _TELEMETRY.decode(payload)
    except UNREADABLE as error:
        return rejection_of(error, gateway=gateway)
    return GatewayStatus(gateway=gateway, is_online=True)
