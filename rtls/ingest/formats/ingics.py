r"""Decode Ingics iGS gateways: one line of comma-separated values for each advert.

Layer: rules. Takes: the topic that the gateway is set to, by default ours. Gives: `Decoded` or
`Rejection`.

``$type,tag,gateway,rssi,advert[,seconds]``, several lines a message, or the same lines in
``{"data": […]}`` (iGS01S and iGS03M user manuals, "Payload Format"). The gateway of the first line
is that of the message. A line that cannot be read, or of another gateway, is left out and counted.
The time is there only if NTP is switched on, in whole seconds or with a fraction. ``$GPSR`` gives
the place of the gateway itself under an rssi of -127 and is no reading.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rtls.ingest.formats.decoded import Decoded, Rejection, RejectionReason
from rtls.ingest.formats.faults import UNREADABLE, rejection_of
from rtls.ingest.formats.identifiers import tag_name
from rtls.ingest.formats.rssi_readings import (
    BATCH_BYTES_MAX,
    BATCH_READINGS_MAX,
    gateway_named,
    many_readings,
    no_reading,
)
from rtls.ingest.formats.sender_time import ms_of_epoch
from rtls.model.units import GatewayId, UnixMs

TOPICS: Final = ("ingics/#",)

# General and scan response of Bluetooth 4.2 (RSPR in the manuals, SRRP in firmwares), long range
# and 1M extended adverts of Bluetooth 5.
REPORTS: Final = frozenset({"$GPRP", "$RSPR", "$SRRP", "$LRAD", "$LRSR", "$1MAD", "$1MSR"})
FIELDS_MIN: Final = 5
FIELDS_MAX: Final = 6
ADDRESS_CHARACTERS: Final = 12
# A table, since int() and float() read more than a radio writes: "+4", "4_9", "nan", " -4".
STRENGTHS: Final[Mapping[str, float]] = {str(dbm): float(dbm) for dbm in range(-120, 0)}
_SECONDS: Final = re.compile(r"\*?([0-9]{1,13}(?:\.[0-9]{1,6})?)")
STAMPS_REMEMBERED_MAX: Final = 1_024
_OWN_PLACE: Final = "$GPSR,"


class Report(msgspec.Struct, frozen=True, gc=False):
    """One advert that was heard."""

    tag: str
    gateway: str
    dbm: float
    stamp_ms: int | None


class Lines(msgspec.Struct, frozen=True, gc=False):
    """The JSON mode of the gateway."""

    data: Annotated[list[str], Meta(max_length=BATCH_READINGS_MAX)]


_LINES: Final = msgspec.json.Decoder(Lines)


def decode(_topic: str, payload: bytes, _received_at_ms: UnixMs) -> Decoded | Rejection:
    """Decode one message. Never raises."""
    if len(payload) > BATCH_BYTES_MAX:
        return Rejection(reason=RejectionReason.TOO_LARGE)
    try:
        lines = _lines(payload)
    except UNREADABLE as error:
        return rejection_of(error)
    if not 1 <= len(lines) <= BATCH_READINGS_MAX:
        return Rejection(reason=RejectionReason.WRONG_SHAPE)
    return _readings(lines)


def _lines(payload: bytes) -> list[str]:
    if payload[:1] == b"{":
        return _LINES.decode(payload).data
    return [line for line in payload.decode("ascii").splitlines() if line]


def _readings(lines: list[str]) -> Decoded | Rejection:
    own_places = [line for line in lines if line.startswith(_OWN_PLACE)]
    reports = [one for one in map(_report, lines) if one is not None]
    gateway = _gateway_of(reports, own_places)
    if gateway is None:
        return Rejection(reason=RejectionReason.WRONG_SHAPE, where="$[0]")
    if len(own_places) == len(lines):
        return no_reading(gateway)
    own_name = reports[0].gateway if reports else ""
    heard = [one for one in reports if one.gateway == own_name]
    return many_readings(
        gateway,
        tags=[one.tag for one in heard],
        values=[one.dbm for one in heard],
        stamps_ms=[one.stamp_ms for one in heard],
        left_out=len(lines) - len(own_places) - len(heard),
    )


def _report(line: str) -> Report | None:
    """Return what a line says, or None if it is no report of a tag."""
    fields = line.split(",")
    if not FIELDS_MIN <= len(fields) <= FIELDS_MAX or fields[0] not in REPORTS:
        return None
    _, tag, gateway, rssi, advert, *seconds = fields
    dbm, address = STRENGTHS.get(rssi), tag_name(tag)
    if dbm is None or address is None or len(tag) != ADDRESS_CHARACTERS or ":" not in address:
        return None
    stamp_ms = _stamp_ms(seconds[0]) if seconds else None
    if stamp_ms is None and seconds:
        return None
    try:
        bytes.fromhex(advert)  # half a byte at the end: the line was cut
    except ValueError:
        return None
    return Report(tag, gateway, dbm, stamp_ms)


@lru_cache(maxsize=STAMPS_REMEMBERED_MAX)
def _stamp_ms(text: str) -> int | None:
    """Return the time of a line, or None if it is none."""
    found = _SECONDS.fullmatch(text)
    return None if found is None else ms_of_epoch(float(found[1]))


def _gateway_of(reports: list[Report], own_places: list[str]) -> GatewayId | None:
    if reports:
        return gateway_named(reports[0].gateway)
    fields = own_places[0].split(",") if own_places else []
    return gateway_named(fields[2]) if len(fields) >= FIELDS_MIN else None
