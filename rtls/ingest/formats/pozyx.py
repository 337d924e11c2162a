"""Read what a Pozyx system says of UWB tags and BLE devices.

Layer: rules. Takes: messages of the topics ``tags``, ``tags/{id}`` and ``ble-data``.
Gives: `Decoded` with one RSSI reading an anchor and, where the system has computed one, a
ready-made position; or a `Rejection`. Format: docs.pozyx.io, MQTT API ("tags", version 2.0;
"ble-data", version 1.0). The only format that says on which of the BLE channels an advert was
heard, whose strengths differ by several dB at one place.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rtls.ingest.formats.decoded import (
    NO_ANCHOR,
    NO_CHANNEL,
    Decoded,
    ReadingColumns,
    Rejection,
    RejectionReason,
)
from rtls.ingest.formats.element_decoding import ElementDecoder
from rtls.ingest.formats.faults import PAYLOAD_BYTES_MAX, UNREADABLE, rejection_of
from rtls.ingest.formats.identifiers import normalised_name, tag_name
from rtls.ingest.formats.ready_positions import (
    ReadyPosition,
    frame_of,
    is_place,
    position_columns,
)
from rtls.ingest.formats.rssi_readings import BATCH_READINGS_MAX, is_rssi
from rtls.ingest.formats.site_frame import SiteFrame
from rtls.model.reading import ReadingKind
from rtls.model.units import GatewayId, UnixMs

TOPICS: Final = ("tags", "tags/+", "ble-data")
GATEWAY: Final = GatewayId("pozyx")  # no message names it; the anchors stand in the readings
AGE_MS_MAX: Final = 600_000
CHANNEL_MAX: Final = 255
EPOCH_S_MAX: Final = 253_402_300_800  # the year 10000
NO_ORDER: Final = -1
MM: Final = 0.001


class AnchorHeard(msgspec.Struct, frozen=True, gc=False):
    """What one anchor heard of the tag."""

    anchor: str | int = msgspec.field(name="anchorId")
    rssi: float | None = msgspec.field(name="rss", default=None)
    channel: int | None = None


class TagData(msgspec.Struct, frozen=True, gc=False):
    """The part of ``tagData`` that orders the blinks."""

    blink: int | None = msgspec.field(name="blinkIndex", default=None)


class Coordinates(msgspec.Struct, frozen=True, gc=False):
    """Millimetres in the system's frame."""

    x: float
    y: float
    z: float | None = None


class Data(msgspec.Struct, frozen=True, gc=False):
    """What was heard and computed; members are missing where that failed."""

    anchors: list[AnchorHeard] = msgspec.field(name="anchorData", default_factory=list)
    tag_data: TagData | None = msgspec.field(name="tagData", default=None)
    coordinates: Coordinates | None = None


class Element(msgspec.Struct, frozen=True, gc=False):
    """One tag of ``tags`` or one device of ``ble-data``."""

    heard_at_s: Annotated[float, Meta(ge=0.0, le=EPOCH_S_MAX)] = msgspec.field(name="timestamp")
    data: Data = msgspec.field(default_factory=Data)
    tag: str | int | None = msgspec.field(name="tagId", default=None)
    device: str | int | None = msgspec.field(name="deviceId", default=None)


class Heard(msgspec.Struct, frozen=True, gc=False):
    """One strength, checked."""

    tag: str
    anchor: str
    rssi: float
    age_ms: int
    channel: int
    order: int


_ELEMENTS: Final = ElementDecoder(Element)


class PozyxDecoder:
    """Decodes the messages of one system.

    Parameters
    ----------
    gateway
        Its name in the site map or the alias table.
    frames
        Where its origin lies, under its name.
    """

    def __init__(self, gateway: GatewayId | None, frames: Mapping[str, SiteFrame]) -> None:
        self._gateway = gateway or GATEWAY
        self._frame = frame_of(frames, self._gateway)

    def __call__(self, _topic: str, payload: bytes, _received_at_ms: UnixMs) -> Decoded | Rejection:
        """Decode one message. Never raises."""
        if len(payload) > PAYLOAD_BYTES_MAX:
            return Rejection(reason=RejectionReason.TOO_LARGE, gateway=self._gateway)
        try:
            elements, bad = _ELEMENTS.decode(payload)
        except UNREADABLE as error:
            return rejection_of(error, gateway=self._gateway)
        if sum(len(element.data.anchors) for element in elements) > BATCH_READINGS_MAX:
            return Rejection(reason=RejectionReason.TOO_LARGE, gateway=self._gateway)
        return self._decoded(elements, bad)

    def _decoded(self, elements: Sequence[Element], left_out: int) -> Decoded | Rejection:
        sent_at_ms = UnixMs(max(map(_unix_ms, elements), default=0))
        heard: list[Heard] = []
        positions: list[ReadyPosition] = []
        for element in elements:
            tag, age_ms = _tag_of(element), _unix_ms(element) - sent_at_ms
            said = len(element.data.anchors) + (element.data.coordinates is not None)
            if tag is None or age_ms < -AGE_MS_MAX:
                left_out += said or 1
                continue
            before = len(heard) + len(positions)
            heard += _strengths(element, tag, age_ms)
            positions += self._positions(element, tag, age_ms)
            left_out += said - (len(heard) + len(positions) - before)
        if left_out and not heard and not positions:
            return Rejection(
                reason=RejectionReason.WRONG_SHAPE, where="$[*]", gateway=self._gateway
            )
        return Decoded(
            gateway=self._gateway,
            key=None,
            sent_at_ms=sent_at_ms if elements else None,
            columns=((_columns(heard),) if heard else ()) + position_columns(positions),
            left_out=left_out,
        )

    def _positions(self, element: Element, tag: str, age_ms: int) -> list[ReadyPosition]:
        given = element.data.coordinates
        if given is None or not is_place(given.x * MM, given.y * MM):
            return []
        has_height = given.z is not None and is_place(given.z * MM)
        z = given.z * MM if given.z is not None and has_height else 0.0
        x_m, y_m, z_m = self._frame.to_site(given.x * MM, given.y * MM, z)
        return [
            ReadyPosition(
                tag=tag,
                anchor=self._frame.anchor or NO_ANCHOR,
                x_m=x_m,
                y_m=y_m,
                z_m=z_m if has_height else None,
                age_ms=age_ms,
            )
        ]


def _tag_of(element: Element) -> str | None:
    raw = element.tag if element.tag is not None else element.device
    return None if raw is None else tag_name(str(raw))


def _strengths(element: Element, tag: str, age_ms: int) -> list[Heard]:
    """Return the strengths of one element that can be used."""
    blink = element.data.tag_data.blink if element.data.tag_data is not None else None
    readings = []
    for heard in element.data.anchors:
        anchor, rssi = normalised_name(str(heard.anchor)), heard.rssi
        if anchor is None or rssi is None or not is_rssi(rssi):
            continue
        channel = heard.channel if heard.channel is not None else NO_CHANNEL
        readings.append(
            Heard(
                tag=tag,
                anchor=anchor,
                rssi=rssi,
                age_ms=age_ms,
                channel=channel if 0 <= channel <= CHANNEL_MAX else NO_CHANNEL,
                order=NO_ORDER if blink is None else max(blink, NO_ORDER),
            )
        )
    return readings


def _columns(heard: Sequence[Heard]) -> ReadingColumns:
    channels = [one.channel for one in heard]
    orders = [one.order for one in heard]
    return ReadingColumns(
        kind=ReadingKind.RSSI,
        tags=[one.tag for one in heard],
        anchors=[one.anchor for one in heard],
        values=[one.rssi for one in heard],
        ages_ms=[one.age_ms for one in heard],
        channels=channels if max(channels) > NO_CHANNEL else None,
        orders=orders if min(orders) > NO_ORDER else None,
    )


def _unix_ms(element: Element) -> int:
    return round(element.heard_at_s * 1000.0)
