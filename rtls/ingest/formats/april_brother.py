"""Decode April Brother's gateways: iBeacons as hex in JSON, and the MessagePack of the V4.

Layer: rules. Takes: the topics that these gateways come with. Gives: `Decoded` or `Rejection`.

JSON: ``{"id": gateway, "raw_beacons_data": "…;…;"}``, each record 29 bytes in hex: address (6),
uuid (16), major (2), minor (2), strength at 1 m, battery, rssi. MessagePack: ``devices``, each
advert type (1), address (6), rssi (1), advert. The rssi is a signed byte in both: the guide of the
older gateway says "minus 255", by which the strength at 1 m that it shows would be -58 instead of
the -59 of every iBeacon. The guide's own first record says 0x41, +65 dBm, and is left out.

A record that cannot be read is left out and counted. There is no clock: ``time`` of the V4 counts
the seconds since its start. The V4's own ``rssi`` is that of its Wi-Fi, not of a tag.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rtls.ingest.formats.decoded import Decoded, Rejection, RejectionReason
from rtls.ingest.formats.faults import UNREADABLE, rejection_of
from rtls.ingest.formats.rssi_readings import (
    BATCH_BYTES_MAX,
    BATCH_READINGS_MAX,
    gateway_named,
    is_rssi,
    many_readings,
)
from rtls.model.units import UnixMs

TOPICS: Final = ("beacons", "/beacons", "xbg")

RECORD_BYTES: Final = 29
RECORD_RSSI_AT: Final = 28
ADVERT_BYTES_MIN: Final = 8
ADVERT_RSSI_AT: Final = 7
BYTE_VALUES: Final = 256
SIGN_BIT: Final = 128


class Beacons(msgspec.Struct, frozen=True, gc=False):
    """The message of the older gateway; ``id`` is its own address."""

    id: str
    raw_beacons_data: str


class Adverts(msgspec.Struct, frozen=True, gc=False):
    """The message of the V4; ``mac`` is its own address."""

    mac: str
    devices: Annotated[list[bytes], Meta(max_length=BATCH_READINGS_MAX)]


_BEACONS: Final = msgspec.json.Decoder(Beacons)
_ADVERTS: Final = msgspec.msgpack.Decoder(Adverts)


def decode(_topic: str, payload: bytes, _received_at_ms: UnixMs) -> Decoded | Rejection:
    """Decode one message. Never raises."""
    if len(payload) > BATCH_BYTES_MAX:
        return Rejection(reason=RejectionReason.TOO_LARGE)
    try:
        # A MessagePack map begins with a byte of 0x80 or more, JSON with ASCII.
        if payload[:1] >= b"\x80":
            adverts = _ADVERTS.decode(payload)
            return _readings(adverts.mac, [_advert(one) for one in adverts.devices])
        beacons = _BEACONS.decode(payload)
    except UNREADABLE as error:
        return rejection_of(error)
    records = [one for one in beacons.raw_beacons_data.split(";") if one]
    return _readings(beacons.id, [_record(one) for one in records])


def _readings(name: str, heard: list[tuple[str, int] | None]) -> Decoded | Rejection:
    gateway = gateway_named(name)
    if gateway is None:
        return Rejection(reason=RejectionReason.BAD_ID, where="$.id")
    good = [one for one in heard if one is not None and is_rssi(one[1])]
    return many_readings(
        gateway,
        tags=[tag for tag, _ in good],
        values=[float(rssi) for _, rssi in good],
        stamps_ms=[None] * len(good),
        left_out=len(heard) - len(good),
    )


def _record(text: str) -> tuple[str, int] | None:
    try:
        record = bytes.fromhex(text)
    except ValueError:
        return None
    if len(record) != RECORD_BYTES:
        return None
    return record[:6].hex(), _signed(record[RECORD_RSSI_AT])


def _advert(advert: bytes) -> tuple[str, int] | None:
    if len(advert) < ADVERT_BYTES_MIN:
        return None
    return advert[1:7].hex(), _signed(advert[ADVERT_RSSI_AT])


def _signed(byte: int) -> int:
    return byte - BYTE_VALUES if byte >= SIGN_BIT else byte
