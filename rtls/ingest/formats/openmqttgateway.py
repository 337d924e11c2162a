"""Decode OpenMQTTGateway: one advert heard by one ESP32, one message.

Layer: rules. Takes: ``{base}/{gateway}/BTtoMQTT/{tag}``, ``{base}/home_presence/{gateway}`` and
``{base}/{gateway}/LWT``. Gives: `Decoded`, `GatewayStatus` or `Rejection`.

The gateway is named in the topic alone. A message holds one reading and is refused whole; one that
has no `rssi` (a decoded sensor, a departure) says nothing of a place and is passed over. With
`presenceUseBeaconUuid` the `id` is the beacon's uuid, and the address moves to `mac`: the tag is
then the uuid, as whoever switched that on wants it. There is no sender's time: the `time` of some
versions counts whole seconds, and arrival over a shop's own line says more.

The presence topic repeats what stands under ``BTtoMQTT``, a moment later, so that each would count
twice: a site takes `TOPICS` or, where only presence is published, `PRESENCE_TOPIC`.
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
from rtls.model.units import GatewayId, UnixMs

TOPICS: Final = ("home/+/BTtoMQTT/+", "home/+/LWT")
PRESENCE_TOPIC: Final = "home/home_presence/+"
_LEVELS_MIN: Final = 3


class Advert(msgspec.Struct, frozen=True, gc=False):
    """The members that locating needs."""

    id: str = ""
    rssi: Rssi | None = None


_ADVERT: Final = msgspec.json.Decoder(Advert)


def decode(
    topic: str, payload: bytes, _received_at_ms: UnixMs
) -> Decoded | GatewayStatus | Rejection:
    """Decode one message. Never raises."""
    gateway = _gateway_of(topic)
    if gateway is None:
        return Rejection(reason=RejectionReason.BAD_ID, where="topic")
    if len(payload) > MESSAGE_BYTES_MAX:
        return Rejection(reason=RejectionReason.TOO_LARGE, gateway=gateway)
    if topic.endswith("/LWT"):
        return plain_status(gateway, payload)
    return decode_advert(gateway, payload)


def decode_advert(gateway: GatewayId, payload: bytes) -> Decoded | Rejection:
    """Decode one advert that ``gateway`` has heard; not larger than `MESSAGE_BYTES_MAX`."""
    try:
        advert = _ADVERT.decode(payload)
    except UNREADABLE as error:
        return rejection_of(error, gateway=gateway)
    if advert.rssi is None:
        return no_reading(gateway)
    return one_reading(gateway, advert.id, advert.rssi)


def _gateway_of(topic: str) -> GatewayId | None:
    levels = topic.rsplit("/", 3)
    if len(levels) < _LEVELS_MIN:
        return None
    if levels[-1] in {"LWT", "presence"}:  # the latter as Theengs has it
        return gateway_named(levels[-2])
    return gateway_named(levels[-1] if levels[-2] == "home_presence" else levels[-3])
