"""Decode Minew G1 and MG gateways: all that was heard since the last message, as one JSON array.

Layer: rules. Takes: ``/gw/{gateway}/status``. Gives: `Decoded` or `Rejection`.

An element that cannot be read is left out and counted, the others stay; a payload that is no array
is refused. The gateway is named in the topic, and where that is configured without it, by the
element of type Gateway that most batches begin with. Elements without `rssi` are no readings. The
times are the gateway's own, in whole seconds or milliseconds by firmware, in no order inside a
batch; without NTP they start in 1970 or 2000 and only their differences count.
"""

from typing import Final

import msgspec

from rtls.ingest.formats.decoded import Decoded, Rejection, RejectionReason
from rtls.ingest.formats.element_decoding import ElementDecoder
from rtls.ingest.formats.faults import UNREADABLE, rejection_of
from rtls.ingest.formats.rssi_readings import BATCH_BYTES_MAX, Rssi, gateway_named, many_readings
from rtls.ingest.formats.sender_time import ms_of_iso
from rtls.model.units import GatewayId, UnixMs

TOPICS: Final = ("/gw/+/status",)
_LEVELS: Final = 3
GATEWAY_TYPE: Final = "Gateway"


class Heard(msgspec.Struct, frozen=True, gc=False):
    """One element: a tag that was heard, or the gateway itself."""

    mac: str = ""
    rssi: Rssi | None = None
    timestamp: str = ""
    type: str = ""


_HEARD: Final = ElementDecoder(Heard)
_UNSAID: Final = Heard()


def decode(topic: str, payload: bytes, _received_at_ms: UnixMs) -> Decoded | Rejection:
    """Decode one batch. Never raises."""
    gateway = _gateway_of(topic)
    if len(payload) > BATCH_BYTES_MAX:
        return Rejection(reason=RejectionReason.TOO_LARGE, gateway=gateway)
    try:
        elements, left_out = _HEARD.decode(payload)
    except UNREADABLE as error:
        return rejection_of(error, gateway=gateway)
    itself = next((one for one in elements if one.type == GATEWAY_TYPE), _UNSAID)
    gateway = gateway or gateway_named(itself.mac)
    if gateway is None:
        return Rejection(reason=RejectionReason.BAD_ID, where="topic")
    heard = [one for one in elements if one.rssi is not None]
    return many_readings(
        gateway,
        tags=[one.mac for one in heard],
        values=[one.rssi for one in heard if one.rssi is not None],
        stamps_ms=[ms_of_iso(one.timestamp) for one in heard],
        sender_ms=ms_of_iso(itself.timestamp),
        left_out=left_out,
    )


def _gateway_of(topic: str) -> GatewayId | None:
    levels = topic.rsplit("/", _LEVELS)
    if len(levels) < _LEVELS or levels[-1] != "status" or levels[-3] != "gw":
        return None
    return gateway_named(levels[-2])
