"""Decode the packed form of the reference protocol: the same message in records of 16 bytes.

Layer: rules. Takes: topic and payload from rtls.ingest.formats.registry. Gives: `Decoded` or
`Rejection`, as rtls.ingest.formats.reference does: same key, same acknowledgement, same bounds, and
like there a message is taken whole or not at all. docs/wire_protocol.md has the byte layout.

The records are unpacked by `struct` and checked column by column with what is written in C (min,
max, sum). A structured numpy array was tried: each of its comparisons has a fixed cost, which made
messages of up to forty records slower than JSON.
"""

import math
import struct
from collections.abc import Sequence
from operator import neg
from typing import Final

import msgspec

from rtls.ingest.formats.decoded import (
    NO_ANCHOR,
    NO_SIGMA,
    Decoded,
    MessageKey,
    ReadingColumns,
    Rejection,
    RejectionReason,
)
from rtls.ingest.formats.identifiers import are_anchor_ids, are_tag_ids
from rtls.ingest.formats.reference import PAYLOAD_BYTES_MAX, READINGS_MAX, SEQ_MAX, gateway_of
from rtls.model.reading import ReadingKind
from rtls.model.units import UnixMs

TOPIC_UP: Final = "inaisle/v1/gw/+/up.bin"
MAGIC: Final = b"IA"
VERSION: Final = 1
OWN_ANCHOR: Final = 0xFFFF
SIGMA_MAX: Final = 100.0
ELEVATION_RAD: Final = 1e-4
ELEVATION_MAX: Final = 15_708  # a right angle

# Little-endian, like every processor that a gateway has.
HEAD: Final = struct.Struct("<2sBxQQQQHHH")
"""magic, version, unused, boot, seq, low, sent_at_ms, bytes of tags, bytes of anchors, records"""
RECORD: Final = struct.Struct("<HHBBHfhe")
"""tag: position among the message's tags; anchor: likewise, or `OWN_ANCHOR`; kind; channel, 0 if
unknown; age in ms; value; second: aoa elevation, tdoa position of the reference anchor; sigma, 0 if
not stated"""

TURN: Final = math.tau * (1.0 + 2**-23)  # the nearest float of four bytes is a little larger
BOUNDS: Final = {
    ReadingKind.RSSI: (-120.0, 0.0),
    ReadingKind.RANGE: (0.0, 300.0),
    ReadingKind.TDOA: (-300.0, 300.0),
    ReadingKind.AOA: (-TURN, TURN),
}


_KINDS: Final = {kind.value: kind for kind in BOUNDS}
Row = tuple[int, int, int, int, int, float, int, float]


class _Head(msgspec.Struct, frozen=True, gc=False):
    magic: bytes
    version: int
    boot: int
    seq: int
    low: int
    sent_at_ms: int
    tag_bytes: int
    anchor_bytes: int
    records: int


def decode_up(topic: str, payload: bytes, _received_at_ms: UnixMs) -> Decoded | Rejection:
    """Decode one packed message. Never raises."""
    gateway = gateway_of(topic)
    if gateway is None:
        return Rejection(reason=RejectionReason.BAD_ID, where="topic")
    if not HEAD.size <= len(payload) <= PAYLOAD_BYTES_MAX:
        is_short = len(payload) < HEAD.size
        reason = RejectionReason.MALFORMED if is_short else RejectionReason.TOO_LARGE
        return Rejection(reason=reason, where="length", gateway=gateway)
    head = _Head(*HEAD.unpack_from(payload))
    key = MessageKey(f"{head.boot:016x}", head.seq, head.low)
    fault = _fault_of_head(head, len(payload))
    if fault:
        known = key if head.magic == MAGIC and max(head.seq, head.low) <= SEQ_MAX else None
        return Rejection(reason=RejectionReason.MALFORMED, where=fault, gateway=gateway, key=known)
    columns = _body(head, payload)
    if isinstance(columns, RejectionReason):
        return Rejection(reason=columns, where="records", gateway=gateway, key=key)
    return Decoded(gateway=gateway, key=key, sent_at_ms=UnixMs(head.sent_at_ms), columns=columns)


def _fault_of_head(head: _Head, size: int) -> str:
    """Return the member that is wrong, empty if none is."""
    body = head.tag_bytes + head.anchor_bytes + head.records * RECORD.size
    checks = {
        "magic": head.magic == MAGIC and head.version == VERSION,
        "seq": max(head.seq, head.low) <= SEQ_MAX,
        "t": head.sent_at_ms <= SEQ_MAX,
        "records": 1 <= head.records <= READINGS_MAX,
        "length": size == HEAD.size + body,
    }
    return next((name for name, is_sound in checks.items() if not is_sound), "")


def _body(head: _Head, payload: bytes) -> tuple[ReadingColumns, ...] | RejectionReason:
    anchors_at = HEAD.size + head.tag_bytes
    records_at = anchors_at + head.anchor_bytes
    tags = _names(payload[HEAD.size : anchors_at])
    anchors = _names(payload[anchors_at:records_at])
    if tags is None or anchors is None or not (are_tag_ids(tags) and are_anchor_ids(anchors)):
        return RejectionReason.BAD_ID
    rows = list(RECORD.iter_unpack(payload[records_at:]))
    groups = _groups(rows)
    if groups is None:
        return RejectionReason.WRONG_SHAPE
    columns = []
    for kind, group in groups:
        column = _columns(kind, group, tags, anchors)
        if column is None:
            return RejectionReason.WRONG_SHAPE
        columns.append(column)
    return tuple(columns)


def _groups(rows: list[Row]) -> list[tuple[ReadingKind, list[Row]]] | None:
    """Return the rows by kind, None if there is a kind that nobody knows."""
    codes = {row[2] for row in rows}
    if not codes <= _KINDS.keys():
        return None
    if len(codes) == 1:  # most messages have one
        return [(_KINDS[codes.pop()], rows)]
    return [(kind, [row for row in rows if row[2] == kind]) for kind in BOUNDS if kind in codes]


def _names(block: bytes) -> list[str] | None:
    """Return names that stand one a line, None if they are not ASCII."""
    if not block.isascii():
        return None
    return block.decode("ascii").split("\n") if block else []


def _columns(
    kind: ReadingKind, rows: list[Row], tags: list[str], anchors: list[str]
) -> ReadingColumns | None:
    """Return the rows of one kind, None if a number is out of bounds."""
    tag_at, anchor_at, _, channels, ages_ms, values, second, sigmas = zip(*rows, strict=True)
    low, high = BOUNDS[kind]
    heard_by = _heard_by(anchor_at, anchors)
    sigma_least, sigma_most = min(sigmas), max(sigmas)
    is_sound = (
        # NaN passes through min and max, but not through a sum.
        math.isfinite(sum(values) + sum(sigmas))
        and low <= min(values) <= max(values) <= high
        and 0.0 <= sigma_least <= sigma_most <= SIGMA_MAX
        and max(tag_at) < len(tags)
        and _is_second_sound(kind, second, anchors=len(anchors))
    )
    if not is_sound or heard_by is None:
        return None
    if sigma_least == 0.0:  # some are not stated
        sigmas = tuple(one or NO_SIGMA for one in sigmas)
    return ReadingColumns(
        kind=kind,
        tags=list(map(tags.__getitem__, tag_at)),
        anchors=heard_by,
        values=values,
        ages_ms=list(map(neg, ages_ms)),
        sigmas=sigmas if sigma_most else None,
        channels=channels if any(channels) else None,
        values_2=[one * ELEVATION_RAD for one in second] if kind is ReadingKind.AOA else None,
        ref_anchors=[anchors[at] for at in second] if kind is ReadingKind.TDOA else None,
    )


def _heard_by(places: Sequence[int], anchors: list[str]) -> list[str] | None:
    """Return the anchor of each record, None if one is not named in the message."""
    first = places[0]
    if places.count(first) == len(places):  # one anchor a message is the rule
        if first != OWN_ANCHOR and first >= len(anchors):
            return None
        return [NO_ANCHOR if first == OWN_ANCHOR else anchors[first]] * len(places)
    names = [*anchors, NO_ANCHOR]  # at -1, the last
    own = [-1 if at == OWN_ANCHOR else at for at in places]
    return None if max(own) >= len(anchors) else [names[at] for at in own]


def _is_second_sound(kind: ReadingKind, second: tuple[int, ...], *, anchors: int) -> bool:
    if kind is ReadingKind.TDOA:
        return 0 <= min(second) <= max(second) < anchors
    return (
        kind is not ReadingKind.AOA or -ELEVATION_MAX <= min(second) <= max(second) <= ELEVATION_MAX
    )
