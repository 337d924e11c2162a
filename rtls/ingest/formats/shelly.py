"""Decode Shelly Gen2 and later, whose scripts forward the adverts that they hear.

Layer: rules. Takes: ``{device}/events/rpc``, and any topic that a script of the site publishes to.
Gives: `Decoded` or `Rejection`.

Read are the event ``ble.scan_result`` in version 1 (one advert) and 2 (up to 16), as in the script
of aioshelly (`aioshelly/ble/const.py`), events of other scripts whose data are an object with an
address and an rssi, and such an object by itself. All other events and notifications of a Shelly
(its relays, its sensors) say nothing of a place and are passed over. A bad advert among good ones
is left out and counted. The gateway is the device (`src`, `gateway`), else the topic's first level.

The adverts themselves are base64; a reading needs none of them, so that they are not looked into.
The script drops adverts when its queue is full: silence is no absence. `ts` is the device's clock.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from rtls.ingest.formats.decoded import Decoded, Rejection, RejectionReason
from rtls.ingest.formats.element_decoding import ElementDecoder
from rtls.ingest.formats.faults import UNREADABLE, rejection_of
from rtls.ingest.formats.rssi_readings import (
    BATCH_BYTES_MAX,
    BATCH_READINGS_MAX,
    Rssi,
    gateway_named,
    many_readings,
)
from rtls.ingest.formats.sender_time import ms_of_epoch
from rtls.model.units import UnixMs

TOPICS: Final = ("+/events/rpc",)
SCAN_RESULT: Final = "ble.scan_result"
_NO_DATA: Final = msgspec.Raw(b"null")


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of one component; what `data` is depends on the script."""

    event: str = ""
    data: msgspec.Raw = _NO_DATA
    ts: float | None = None


class Parameters(msgspec.Struct, frozen=True, gc=False):
    """What a notification carries."""

    ts: float | None = None
    events: Annotated[list[Event], Meta(max_length=BATCH_READINGS_MAX)] = msgspec.field(
        default_factory=list
    )


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A notification by RPC, or what a simple script publishes by itself."""

    src: str = ""
    params: Parameters | None = None
    gateway: str = ""
    time: float | None = None
    addr: str = ""
    address: str = ""
    rssi: Rssi | None = None


class Packet(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One advert; its data and the answer to a scan follow."""

    addr: str
    rssi: Rssi


class Scan(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Data of either version."""

    version: Literal[1, 2]


class OnePacket(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Data of version 1."""

    version: Literal[1]
    addr: str
    rssi: Rssi


class ManyPackets(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Data of version 2."""

    version: Literal[2]
    packets: msgspec.Raw


class Named(msgspec.Struct, frozen=True, gc=False):
    """Data of a script that has decoded the advert itself."""

    addr: str = ""
    address: str = ""
    rssi: Rssi | None = None


class Heard(msgspec.Struct, gc=False):
    """What was found so far, as columns."""

    tags: list[str] = msgspec.field(default_factory=list)
    values: list[float] = msgspec.field(default_factory=list)
    stamps_ms: list[int | None] = msgspec.field(default_factory=list)
    left_out: int = 0

    def add(self, tag: str, rssi: float, stamp_ms: int | None) -> None:
        """Take one reading."""
        self.tags.append(tag)
        self.values.append(rssi)
        self.stamps_ms.append(stamp_ms)


_FRAME: Final = msgspec.json.Decoder(Frame)
_SCAN: Final = msgspec.json.Decoder(Scan)
_ONE: Final = msgspec.json.Decoder(OnePacket)
_MANY: Final = msgspec.json.Decoder(ManyPackets)
_PACKETS: Final = ElementDecoder(Packet)
_NAMED: Final = msgspec.json.Decoder(Named)


def decode(topic: str, payload: bytes, _received_at_ms: UnixMs) -> Decoded | Rejection:
    """Decode one message. Never raises."""
    if len(payload) > BATCH_BYTES_MAX:
        return Rejection(reason=RejectionReason.TOO_LARGE)
    try:
        frame = _FRAME.decode(payload)
    except UNREADABLE as error:
        return rejection_of(error)
    gateway = gateway_named(frame.src or frame.gateway or topic.partition("/")[0])
    if gateway is None:
        return Rejection(reason=RejectionReason.BAD_ID, where="$.src")
    heard = Heard()
    if frame.params is not None:
        for event in frame.params.events:
            _take(event, _stamp_ms(event.ts or frame.params.ts), heard)
    elif frame.rssi is not None:
        heard.add(frame.addr or frame.address, frame.rssi, _stamp_ms(frame.time))
    return many_readings(
        gateway,
        tags=heard.tags,
        values=heard.values,
        stamps_ms=heard.stamps_ms,
        left_out=heard.left_out,
    )


def _take(event: Event, stamp_ms: int | None, heard: Heard) -> None:
    """Add what an event says; an event of another kind may carry anything."""
    if event.event != SCAN_RESULT:
        _take_named(event, stamp_ms, heard)
        return
    try:
        packets, bad = _packets(event.data)
    except UNREADABLE:
        heard.left_out += 1
        return
    heard.left_out += bad
    for packet in packets:
        heard.add(packet.addr, packet.rssi, stamp_ms)


def _packets(data: msgspec.Raw) -> tuple[Sequence[Packet | OnePacket], int]:
    """Return the adverts of either version and how many are bad, or raise if it is no scan."""
    if _SCAN.decode(data).version == 1:
        return [_ONE.decode(data)], 0
    return _PACKETS.decode(_MANY.decode(data).packets)


def _take_named(event: Event, stamp_ms: int | None, heard: Heard) -> None:
    try:
        named = _NAMED.decode(event.data)
    except UNREADABLE:
        return
    if named.rssi is not None and (named.addr or named.address):
        heard.add(named.addr or named.address, named.rssi, stamp_ms)


def _stamp_ms(number: float | None) -> int | None:
    return None if number is None else ms_of_epoch(number)
