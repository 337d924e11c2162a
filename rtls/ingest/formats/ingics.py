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
    no_reading,
)
from rtls.ingest.formats.sender_time import ms_of_epoch
from rtls.model.units import GatewayId, UnixMs

TOPICS: Final = ("ingics/#",)

# General and scan response of Bluetooth 4.2 (RSPR in the manuals, SRRP in firmwares), long range
# and 1M extended adverts of Bluetooth 5. All digits are ASCII: \d would let others pass.
_HEARD: Final = re.compile(
    r"\$(?:GPRP|RSPR|SRRP|LRAD|LRSR|1MAD|1MSR),([0-9A-Fa-f]{12}),([0-9A-Fa-f]{12}),"
    r"(-?[0-9]{1,3}),(?:[0-9A-Fa-f]{2})*+(?:,\*?([0-9]{1,13}(?:\.[0-9]{1,6})?))?"
)
_OWN_PLACE: Final = "$GPSR,"


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
    found = [match for match in map(_HEARD.fullmatch, lines) if match is not None]
    own_places = [line for line in lines if line.startswith(_OWN_PLACE)]
    gateway = _gateway_of(found, own_places)
    if gateway is None:
        return Rejection(reason=RejectionReason.WRONG_SHAPE, where="$[0]")
    if not found and len(own_places) == len(lines):
        return no_reading(gateway)
    own_name = found[0][2] if found else ""
    heard = [one for one in found if one[2] == own_name and is_rssi(int(one[3]))]
    return many_readings(
        gateway,
        tags=[one[1] for one in heard],
        values=[float(one[3]) for one in heard],
        stamps_ms=[None if one[4] is None else ms_of_epoch(float(one[4])) for one in heard],
        left_out=len(lines) - len(own_places) - len(heard),
    )


def _gateway_of(found: list[re.Match[str]], own_places: list[str]) -> GatewayId | None:
    if found:
        return gateway_named(found[0][2])
    fields = own_places[0].split(",", 3) if own_places else []
    return gateway_named(fields[2]) if len(fields) > 2 else None  # noqa: PLR2004
