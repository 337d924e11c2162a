"""What a decoder gives: the readings of one message, or the reason why there are none.

Layer: rules. Takes: columns from one decoder. Gives: `Decoded` to rtls.ingest.admission and
`Rejection` to rtls.ingest.quarantine. The columns are plain sequences, since that is what a
JSON decoder makes at the least cost; they become arrays once, in rtls.ingest.pending_readings.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from rtls.model.reading import ReadingKind
from rtls.model.units import GatewayId, UnixMs

# Sentinels outside the range of their member: they tell "not sent" from all that may be sent.
NO_ANCHOR: Final = ""  # the gateway's own anchor is meant
NO_AGE: Final = 1
NO_CHANNEL: Final = -1
NO_SIGMA: Final = -1.0

PHONE_GATEWAY: Final = GatewayId("$phone")
"""stands for every shopper's own phone; no gateway of a broker can have this name"""


class RejectionReason(StrEnum):
    """Why a whole message was put into quarantine."""

    UNKNOWN_TOPIC = "unknown_topic"
    RETAINED = "retained"
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    TOO_DEEP = "too_deep"
    MALFORMED = "malformed"
    WRONG_SHAPE = "wrong_shape"
    BAD_ID = "bad_id"
    REPEATED_MEMBER = "repeated_member"
    CLOCK = "clock"
    LOST_FIX = "lost_fix"
    """a ready-made position that is none: NaN, or without quality"""
    NO_FRAME = "no_frame"
    """degrees without a frame to turn them into metres, or a reference system nobody told us of"""


class MessageKey(msgspec.Struct, frozen=True, gc=False):
    """What makes a message of one gateway unique, so that it counts once however often it comes."""

    boot: str
    """new at each start of the gateway"""
    seq: int
    """grows by 1 a message"""
    low: int = 0
    """oldest seq that the gateway can still resend; below it nothing will come any more"""


class Rejection(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A message that gave no reading.

    `gateway` and `key` are there where they could be read, so that the gateway is told to forget
    the message: sent again it would be as bad.
    """

    reason: RejectionReason
    where: str = ""
    """path of the fault inside the payload, never its content: a payload may name people's tags"""
    gateway: GatewayId | None = None
    key: MessageKey | None = None


class ReadingColumns(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The readings of one kind in one message, as columns of one length; names not yet resolved."""

    kind: ReadingKind
    tags: Sequence[str]
    anchors: Sequence[str]
    """`NO_ANCHOR` where the gateway's own anchor is meant"""
    values: Sequence[float]
    ages_ms: Sequence[int]
    """0 or negative, relative to `Decoded.sent_at_ms`; `NO_AGE` where not sent"""
    sigmas: Sequence[float] | None = None
    """`NO_SIGMA` where not sent; None if nowhere"""
    channels: Sequence[int] | None = None
    """`NO_CHANNEL` where not sent; None if nowhere"""
    values_2: Sequence[float] | None = None
    """aoa: elevation; position: y"""
    values_3: Sequence[float] | None = None
    """position: z; NaN where not sent"""
    ref_anchors: Sequence[str] | None = None
    orders: Sequence[int] | None = None
    """the sender's own number of each measurement of a tag, growing by 1 up to a bound and then
    again from 0: a number that does not grow is an old measurement said again"""


class Decoded(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The readings of one message."""

    gateway: GatewayId
    key: MessageKey | None
    """None where the format has no such numbers"""
    sent_at_ms: UnixMs | None
    """the gateway's clock when it sent; None where the format has no usable clock"""
    columns: tuple[ReadingColumns, ...]
    """empty where the message is sound and says nothing of a tag: telemetry, a departure"""
    flags: int = 0
    """bits of `ReadingFlag` that hold for the whole message"""
    left_out: int = 0
    """readings that cannot be used (a name outside the grammar, a value out of bounds) in a message
    whose others can; the reference protocol refuses the whole message instead"""


class GatewayStatus(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A gateway said that it is there, or its broker that it is gone (last will)."""

    gateway: GatewayId
    is_online: bool
