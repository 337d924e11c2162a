"""Decode what a shopper's phone hears of the anchors, as the API hands it on.

Layer: rules. Takes: topic ``$phone/{tag}`` and the body of the app's scan. Gives: `Decoded` or
`Rejection`. A phone cannot be followed passively: its address changes and it is silent when locked.
So the app listens to the fixed anchors and says what it heard, with itself as the tag. Which tag
that is the API says, from the pairing of the shopper who is signed in; the body cannot name one.

No broker brings this topic: ``$`` keeps it out of every subscription. A phone's clock is not used:
readings are as old as `dt` says when they arrive.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rtls.ingest.formats.decoded import (
    NO_AGE,
    NO_CHANNEL,
    NO_SIGMA,
    PHONE_GATEWAY,
    Decoded,
    ReadingColumns,
    Rejection,
    RejectionReason,
)
from rtls.ingest.formats.faults import UNREADABLE, rejection_of
from rtls.ingest.formats.identifiers import are_tag_ids, normalised_name
from rtls.model.reading import ReadingFlag, ReadingKind
from rtls.model.units import UnixMs

TOPIC: Final = "$phone/#"
TOPIC_OF_TAG: Final = "$phone/{}"
PAYLOAD_BYTES_MAX: Final = 65_536
READINGS_MAX: Final = 512
AGE_MS_MAX: Final = 30_000

Age = Annotated[int, Meta(ge=-AGE_MS_MAX, le=0)]
Sigma = Annotated[float, Meta(gt=0.0, le=100.0)]


class Heard(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The members that readings of both kinds have."""

    anchor: Annotated[str, Meta(min_length=1, max_length=128)] = msgspec.field(name="a")
    age_ms: Age = msgspec.field(name="dt", default=NO_AGE)
    sigma: Sigma = msgspec.field(name="sd", default=NO_SIGMA)
    channel: Annotated[int, Meta(ge=0, le=255)] = msgspec.field(name="ch", default=NO_CHANNEL)


class Rssi(Heard, frozen=True, gc=False, kw_only=True, tag_field="k", tag="rssi"):
    """Strength of an anchor's advert, dBm."""

    value: Annotated[float, Meta(ge=-120.0, le=0.0)] = msgspec.field(name="v")


class Range(Heard, frozen=True, gc=False, kw_only=True, tag_field="k", tag="range"):
    """Distance to an anchor, measured by channel sounding, Wi-Fi round trip or UWB; metres."""

    value: Annotated[float, Meta(ge=0.0, le=300.0)] = msgspec.field(name="v")


class Scan(msgspec.Struct, frozen=True, gc=False):
    """One scan."""

    heard: Annotated[list[Rssi | Range], Meta(min_length=1, max_length=READINGS_MAX)] = (
        msgspec.field(name="obs")
    )


_SCAN: Final = msgspec.json.Decoder(Scan)


def decode(topic: str, payload: bytes, _received_at_ms: UnixMs) -> Decoded | Rejection:
    """Decode one scan. Never raises."""
    tag = topic.partition("/")[2]
    if not are_tag_ids([tag]):
        return Rejection(reason=RejectionReason.BAD_ID, where="topic")
    if len(payload) > PAYLOAD_BYTES_MAX:
        return Rejection(reason=RejectionReason.TOO_LARGE)
    try:
        scan = _SCAN.decode(payload)
    except UNREADABLE as error:
        return rejection_of(error)
    groups = ((ReadingKind.RSSI, Rssi), (ReadingKind.RANGE, Range))
    columns = [
        _columns(kind, tag, [one for one in scan.heard if type(one) is shape])
        for kind, shape in groups
    ]
    found = tuple(column for column in columns if column.tags)
    return Decoded(
        gateway=PHONE_GATEWAY,
        key=None,
        sent_at_ms=None,
        columns=found,
        flags=ReadingFlag.ARRIVAL_TIME,
        left_out=len(scan.heard) - sum(len(column.tags) for column in found),
    )


def _columns(kind: ReadingKind, tag: str, heard: list[Rssi | Range]) -> ReadingColumns:
    named = [(one, normalised_name(one.anchor)) for one in heard]
    known = [(one, name) for one, name in named if name is not None]
    return ReadingColumns(
        kind=kind,
        tags=[tag] * len(known),
        anchors=[name for _, name in known],
        values=[one.value for one, _ in known],
        ages_ms=[one.age_ms for one, _ in known],
        sigmas=[one.sigma for one, _ in known],
        channels=[one.channel for one, _ in known],
    )
