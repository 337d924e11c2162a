"""Decode Kontakt.io's data streams: what its cloud received from the gateways of a place.

Layer: rules. Takes: the legacy ``/presence/stream/{receiver or venue}`` and
``/stream/{venue}/presence``, the recommended ``/stream/{tag}/all`` and ``telemetry/{company}``, and
the Location Services stream on a topic of the site's choice. Gives: `Decoded` or `Rejection`.

Where the topic names a receiver or a venue, that is the gateway, and `sourceId` the anchor (left
out where it is the same); elsewhere `sourceId` is the gateway. An element of an array that cannot
be read is left out and counted; a single object is refused whole.

`timestamp` is the time at which the cloud received the packet. It is nearer to the radio than our
own arrival and is taken as such, under the flag ARRIVAL_TIME, since no clock of the shop stands
behind it; `beaconTimestamp` is the tag's clock, which nobody sets, and is not used. Telemetry is
collected for up to 30 s, hence SMOOTHED.
"""

from typing import Final

import msgspec

from rtls.ingest.formats.decoded import NO_ANCHOR, Decoded, Rejection, RejectionReason
from rtls.ingest.formats.element_decoding import ElementDecoder
from rtls.ingest.formats.faults import UNREADABLE, rejection_of
from rtls.ingest.formats.identifiers import normalised_name
from rtls.ingest.formats.rssi_readings import BATCH_BYTES_MAX, Rssi, gateway_named, many_readings
from rtls.ingest.formats.sender_time import ms_of_epoch, ms_of_iso
from rtls.model.reading import ReadingFlag
from rtls.model.units import GatewayId, UnixMs

TOPICS: Final = (
    "/presence/stream/+",
    "/stream/+/presence",
    "/stream/+/all",
    "telemetry/+",
)
_PRESENCE_LEVELS: Final = 4


class Packet(msgspec.Struct, frozen=True, gc=False):
    """One packet that a receiver (`sourceId`) has heard from a tag."""

    source: str = msgspec.field(name="sourceId")
    tag: str = msgspec.field(name="trackingId", default="")
    rssi: Rssi | None = None
    timestamp: str | float | None = None
    address: str = msgspec.field(name="deviceAddress", default="")


_PACKETS: Final = ElementDecoder(Packet)
_PACKET: Final = msgspec.json.Decoder(Packet)


def decode(topic: str, payload: bytes, _received_at_ms: UnixMs) -> Decoded | Rejection:
    """Decode one message. Never raises."""
    named = _receiver_or_venue(topic)
    gateway = None if named is None else gateway_named(named)
    if len(payload) > BATCH_BYTES_MAX:
        return Rejection(reason=RejectionReason.TOO_LARGE, gateway=gateway)
    try:
        if payload.lstrip()[:1] == b"{":
            packets, left_out = [_PACKET.decode(payload)], 0
        else:
            packets, left_out = _PACKETS.decode(payload)
    except UNREADABLE as error:
        return rejection_of(error, gateway=gateway)
    if gateway is None and packets:
        gateway = gateway_named(packets[0].source)
    if gateway is None:
        return Rejection(reason=RejectionReason.BAD_ID, where="sourceId")
    return _readings(gateway, packets, left_out=left_out, is_telemetry=topic.startswith("telem"))


def _readings(
    gateway: GatewayId, packets: list[Packet], *, left_out: int, is_telemetry: bool
) -> Decoded | Rejection:
    heard = [one for one in packets if one.rssi is not None]
    anchors = [normalised_name(one.source) for one in heard]
    if None in anchors:
        kept = [at for at, anchor in enumerate(anchors) if anchor is not None]
        left_out += len(heard) - len(kept)
        heard = [heard[at] for at in kept]
    return many_readings(
        gateway,
        tags=[one.tag or one.address for one in heard],
        values=[one.rssi for one in heard if one.rssi is not None],
        stamps_ms=[_cloud_ms(one.timestamp) for one in heard],
        anchors=[
            NO_ANCHOR if anchor == gateway else anchor for anchor in anchors if anchor is not None
        ],
        flags=ReadingFlag.ARRIVAL_TIME | (ReadingFlag.SMOOTHED if is_telemetry else 0),
        left_out=left_out,
    )


def _cloud_ms(timestamp: str | float | None) -> int | None:
    if timestamp is None:
        return None
    return ms_of_iso(timestamp) if isinstance(timestamp, str) else ms_of_epoch(timestamp)


def _receiver_or_venue(topic: str) -> str | None:
    """Return the name in the topics that have one of a receiver or venue."""
    levels = topic.split("/")
    if len(levels) == _PRESENCE_LEVELS and levels[1:3] == ["presence", "stream"]:
        return levels[3]
    if len(levels) == _PRESENCE_LEVELS and levels[1] == "stream" and levels[3] == "presence":
        return levels[2]
    return None
