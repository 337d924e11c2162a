"""Decode the reference protocol (docs/wire_protocol.md): JSON over MQTT, many readings a message.

Layer: rules. Takes: topic and bytes from a source, by way of rtls.ingest.formats.registry.
Gives: `Decoded`, `GatewayStatus` or `Rejection`. Nothing that anybody can send makes it raise: one
exception that leaves a decoder would stop ingest for every message behind it.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Final, Literal, cast

import msgspec
from msgspec import Meta

from rtls.ingest.formats.decoded import (
    NO_AGE,
    NO_ANCHOR,
    NO_CHANNEL,
    NO_SIGMA,
    Decoded,
    GatewayStatus,
    MessageKey,
    ReadingColumns,
    Rejection,
    RejectionReason,
)
from rtls.ingest.formats.faults import UNREADABLE, rejection_of
from rtls.ingest.formats.identifiers import are_anchor_ids, are_tag_ids, distinct, is_boot_id
from rtls.ingest.formats.repeated_members import has_repeated_member
from rtls.model.reading import ReadingKind
from rtls.model.site_map import ID_PATTERN
from rtls.model.units import GatewayId, UnixMs

TOPIC_UP: Final = "inaisle/v1/gw/+/up"
TOPIC_STATUS: Final = "inaisle/v1/gw/+/status"
PAYLOAD_BYTES_MAX: Final = 65_536
READINGS_MAX: Final = 512
SEQ_MAX: Final = 2**53 - 1  # beyond it a JSON number loses its last digit in many gateways
AGE_MS_MAX: Final = 600_000
NO_REFERENCE: Final = -1000.0
NO_METHOD: Final = ""

Name = Annotated[str, Meta(min_length=1, max_length=64)]


class Heard(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The members that readings of all kinds have."""

    tag: Name = msgspec.field(name="id")
    anchor: Name = msgspec.field(name="a", default=NO_ANCHOR)
    age_ms: Annotated[int, Meta(ge=-AGE_MS_MAX, le=0)] = msgspec.field(name="dt", default=NO_AGE)
    sigma: Annotated[float, Meta(gt=0.0, le=100.0)] = msgspec.field(name="sd", default=NO_SIGMA)
    channel: Annotated[int, Meta(ge=0, le=255)] = msgspec.field(name="ch", default=NO_CHANNEL)


class Rssi(Heard, frozen=True, gc=False, kw_only=True, tag_field="k", tag="rssi"):
    """Signal strength in dBm; `ref` is the strength at 1 m that the advert itself states."""

    value: Annotated[float, Meta(ge=-120.0, le=0.0)] = msgspec.field(name="v")
    reference: Annotated[float, Meta(ge=-127.0, le=40.0)] = msgspec.field(
        name="ref", default=NO_REFERENCE
    )


class Range(Heard, frozen=True, gc=False, kw_only=True, tag_field="k", tag="range"):
    """Anchor-to-tag distance in metres; `m` names the method, e.g. uwb_twr."""

    value: Annotated[float, Meta(ge=0.0, le=300.0)] = msgspec.field(name="v")
    method: Annotated[str, Meta(min_length=1, max_length=32)] = msgspec.field(
        name="m", default=NO_METHOD
    )


class Aoa(Heard, frozen=True, gc=False, kw_only=True, tag_field="k", tag="aoa"):
    """Azimuth and elevation in radians, in the anchor's own frame."""

    value: Annotated[float, Meta(ge=-math.tau, le=math.tau)] = msgspec.field(name="az")
    elevation: Annotated[float, Meta(ge=-math.pi / 2, le=math.pi / 2)] = msgspec.field(name="el")


class Tdoa(Heard, frozen=True, gc=False, kw_only=True, tag_field="k", tag="tdoa"):
    """Distance to the anchor less distance to the reference anchor, in metres."""

    value: Annotated[float, Meta(ge=-300.0, le=300.0)] = msgspec.field(name="v")
    ref_anchor: Name = msgspec.field(name="ref_a")


Observation = Rssi | Range | Aoa | Tdoa


class ClockState(msgspec.Struct, frozen=True, gc=False):
    """What the gateway says of its clock; it is checked against arrival all the same."""

    source: Annotated[str, Meta(min_length=1, max_length=16)] = msgspec.field(name="src")
    error_ms: Annotated[float, Meta(ge=0.0, le=1e12)] = msgspec.field(name="err_ms")


class Head(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The members that tell one message from another; all that is needed to acknowledge it."""

    boot: Annotated[str, Meta(min_length=16, max_length=16)]
    seq: Annotated[int, Meta(ge=0, le=SEQ_MAX)]
    low: Annotated[int, Meta(ge=0, le=SEQ_MAX)] | None = None


class Message(Head, frozen=True, gc=False, kw_only=True):
    """One `up` message."""

    version: Literal[1] = msgspec.field(name="v")
    sent_at_ms: Annotated[int, Meta(ge=0, le=SEQ_MAX)] = msgspec.field(name="t")
    clock: ClockState | None = msgspec.field(name="clk", default=None)
    observations: Annotated[list[Observation], Meta(min_length=1, max_length=READINGS_MAX)] = (
        msgspec.field(name="obs")
    )


class Status(msgspec.Struct, frozen=True, gc=False):
    """One `status` message, retained: birth, or last will."""

    is_online: bool = msgspec.field(name="online")


_MESSAGE: Final = msgspec.json.Decoder(Message)
_HEAD: Final = msgspec.json.Decoder(Head)
_STATUS: Final = msgspec.json.Decoder(Status)


def decode_up(topic: str, payload: bytes, _received_at_ms: UnixMs) -> Decoded | Rejection:
    """Decode one `up` message. Never raises."""
    gateway = gateway_of(topic)
    if gateway is None:
        return Rejection(reason=RejectionReason.BAD_ID, where="topic")
    if len(payload) > PAYLOAD_BYTES_MAX:
        return Rejection(reason=RejectionReason.TOO_LARGE, gateway=gateway)
    try:
        message = _MESSAGE.decode(payload)
        return _checked(message, gateway, payload)
    except UNREADABLE as error:
        return _rejection(error, gateway, payload)


def decode_status(topic: str, payload: bytes, _received_at_ms: UnixMs) -> GatewayStatus | Rejection:
    """Decode one `status` message. Never raises."""
    gateway = gateway_of(topic)
    if gateway is None:
        return Rejection(reason=RejectionReason.BAD_ID, where="topic")
    if len(payload) > PAYLOAD_BYTES_MAX:
        return Rejection(reason=RejectionReason.TOO_LARGE, gateway=gateway)
    try:
        return GatewayStatus(gateway=gateway, is_online=_STATUS.decode(payload).is_online)
    except UNREADABLE as error:
        return rejection_of(error, gateway=gateway)


@lru_cache(maxsize=4096)
def gateway_of(topic: str) -> GatewayId | None:
    """Return the gateway that a topic of this protocol names, or None if it breaks the grammar.

    Examples
    --------
    >>> gateway_of("inaisle/v1/gw/door-2/up")
    'door-2'
    >>> gateway_of("inaisle/v1/gw/Door 2/up") is None
    True
    """
    levels = topic.split("/")
    if len(levels) != TOPIC_UP.count("/") + 1 or not ID_PATTERN.match(levels[3]):
        return None
    return GatewayId(levels[3])


def _checked(message: Message, gateway: GatewayId, payload: bytes) -> Decoded | Rejection:
    key = MessageKey(message.boot, message.seq, message.low or 0)
    if not is_boot_id(message.boot):
        return Rejection(reason=RejectionReason.BAD_ID, where="$.boot", gateway=gateway)
    members = 5 + (message.low is not None) + (3 if message.clock is not None else 0)
    columns = []
    for group in _groups(message.observations):
        column, more = _columns(group)
        if not _has_good_names(column):
            return Rejection(reason=RejectionReason.BAD_ID, where="$.obs", gateway=gateway, key=key)
        columns.append(column)
        members += more
    if has_repeated_member(payload, members=members):
        return Rejection(reason=RejectionReason.REPEATED_MEMBER, gateway=gateway, key=key)
    return Decoded(
        gateway=gateway, key=key, sent_at_ms=UnixMs(message.sent_at_ms), columns=tuple(columns)
    )


def _groups(observations: list[Observation]) -> list[list[Observation]]:
    """Split by kind; most messages have one."""
    kinds = set(map(type, observations))
    if len(kinds) == 1:
        return [observations]
    # In the order of _KINDS, so that the same message always gives the same columns.
    return [[one for one in observations if type(one) is kind] for kind in _KINDS if kind in kinds]


def _columns(group: list[Observation]) -> tuple[ReadingColumns, int]:
    """Return observations of one kind as columns, and how many JSON members they were."""
    shape = type(group[0])
    by_row = map(msgspec.structs.astuple, group)
    # Two calls into C a row instead of one a member: reading attributes took twice as long.
    found: dict[str, tuple[object, ...]] = dict(
        zip(shape.__struct_fields__, zip(*by_row, strict=True), strict=True)
    )
    column = ReadingColumns(
        kind=_KINDS[shape],
        tags=cast("Sequence[str]", found["tag"]),
        anchors=cast("Sequence[str]", found["anchor"]),
        values=cast("Sequence[float]", found["value"]),
        ages_ms=cast("Sequence[int]", found["age_ms"]),
        sigmas=cast("Sequence[float] | None", _or_none(found["sigma"], NO_SIGMA)),
        channels=cast("Sequence[int] | None", _or_none(found["channel"], NO_CHANNEL)),
        values_2=cast("Sequence[float] | None", found.get("elevation")),
        ref_anchors=cast("Sequence[str] | None", found.get("ref_anchor")),
    )
    unsent = sum(found[name].count(nothing) for name, nothing in _UNSENT[shape])
    return column, (1 + len(found)) * len(group) - unsent  # one more than the fields: the kind


def _or_none(column: tuple[object, ...], nothing: object) -> tuple[object, ...] | None:
    """Spare the columns that nobody sent: UWB has no channel, BLE states no deviation."""
    return None if column[0] == nothing and column.count(nothing) == len(column) else column


_KINDS: Final[dict[type, ReadingKind]] = {
    Rssi: ReadingKind.RSSI,
    Range: ReadingKind.RANGE,
    Aoa: ReadingKind.AOA,
    Tdoa: ReadingKind.TDOA,
}


_SHARED_UNSENT: Final = (
    ("anchor", NO_ANCHOR),
    ("age_ms", NO_AGE),
    ("sigma", NO_SIGMA),
    ("channel", NO_CHANNEL),
)
_UNSENT: Final[dict[type, tuple[tuple[str, object], ...]]] = {
    Rssi: (*_SHARED_UNSENT, ("reference", NO_REFERENCE)),
    Range: (*_SHARED_UNSENT, ("method", NO_METHOD)),
    Aoa: _SHARED_UNSENT,
    Tdoa: _SHARED_UNSENT,
}


def _has_good_names(column: ReadingColumns) -> bool:
    anchors = distinct(column.anchors)
    anchors.discard(NO_ANCHOR)
    anchors.update(column.ref_anchors or ())
    return are_tag_ids(column.tags) and are_anchor_ids(anchors)


def _rejection(error: Exception, gateway: GatewayId, payload: bytes) -> Rejection:
    return rejection_of(error, gateway=gateway, key=_head_key(payload))


def _head_key(payload: bytes) -> MessageKey | None:
    """Return the key of a message whose readings are bad, so that it is not sent for ever."""
    try:
        head = _HEAD.decode(payload)
    except UNREADABLE:
        return None
    return MessageKey(head.boot, head.seq, head.low or 0) if is_boot_id(head.boot) else None
