"""Make columns of what a gateway heard, under the names that all formats share.

Layer: rules. Takes: tags as a vendor's gateway spells them, strengths in dBm and its times.
Gives: `Decoded` to the decoders. In a message of many readings one that cannot be used is left out
and counted, since these gateways never send again; a message of one reading is refused.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta

from rtls.ingest.formats.decoded import (
    NO_AGE,
    NO_ANCHOR,
    Decoded,
    ReadingColumns,
    Rejection,
    RejectionReason,
)
from rtls.ingest.formats.identifiers import normalised_name, tag_name
from rtls.ingest.formats.sender_time import sent_and_ages
from rtls.model.reading import ReadingFlag, ReadingKind
from rtls.model.units import GatewayId, UnixMs

# From below the noise of every receiver to what no tag reaches. This also keeps out 127 (Bluetooth
# Core Specification, HCI: "RSSI is not available") and 0, by which other firmwares say the same.
RSSI_DBM_MIN: Final = -120.0
RSSI_DBM_BELOW: Final = 0.0
Rssi = Annotated[float, Meta(ge=RSSI_DBM_MIN, lt=RSSI_DBM_BELOW)]

MESSAGE_BYTES_MAX: Final = 65_536
"""of one reading; the largest seen are below 1 kB"""
BATCH_BYTES_MAX: Final = 262_144
"""of an array: a second of 200 adverts with all their data is 60 kB"""
BATCH_READINGS_MAX: Final = 4_096

_OWN: Final = (NO_ANCHOR,)
_NOW: Final = (NO_AGE,)


def gateway_named(text: str) -> GatewayId | None:
    """Return the id of a gateway from its name in a topic or payload, or None if it has none.

    Examples
    --------
    >>> gateway_named("AC:23:3F:C0:36:41"), gateway_named("")
    ('ac233fc03641', None)
    """
    name = normalised_name(text)
    return None if name is None else GatewayId(name)


def is_rssi(value: float) -> bool:
    """Say whether a strength can be one; NaN cannot."""
    return RSSI_DBM_MIN <= value < RSSI_DBM_BELOW


def no_reading(gateway: GatewayId) -> Decoded:
    """Return what stands for a sound message that says nothing of where a tag is."""
    return Decoded(gateway=gateway, key=None, sent_at_ms=None, columns=())


def one_reading(
    gateway: GatewayId, tag: str, rssi: float, *, sent_at_ms: UnixMs | None = None, flags: int = 0
) -> Decoded | Rejection:
    """Return a message of one reading, heard by the gateway itself."""
    name = tag_name(tag)
    if name is None:
        return Rejection(reason=RejectionReason.BAD_ID, where="tag", gateway=gateway)
    column = ReadingColumns(
        kind=ReadingKind.RSSI, tags=(name,), anchors=_OWN, values=(rssi,), ages_ms=_NOW
    )
    return Decoded(
        gateway=gateway,
        key=None,
        sent_at_ms=sent_at_ms,
        columns=(column,),
        flags=flags if sent_at_ms is not None else flags | ReadingFlag.ARRIVAL_TIME,
    )


def many_readings(
    gateway: GatewayId,
    *,
    tags: Sequence[str],
    values: Sequence[float],
    stamps_ms: Sequence[int | None],
    anchors: Sequence[str] | None = None,
    sender_ms: int | None = None,
    flags: int = 0,
    left_out: int = 0,
) -> Decoded | Rejection:
    """Return a message of many readings.

    Parameters
    ----------
    gateway
        Who sent it.
    tags, values, stamps_ms, anchors
        Columns of one length: name, dBm, the sender's time or None, and our id of the anchor
        (`NO_ANCHOR` for the gateway's own; left out, all of them are).
    sender_ms
        When it sent, where it says so.
    flags
        Bits of `ReadingFlag`.
    left_out
        How many were bad already.

    Returns
    -------
    Decoded or Rejection
        The latter if there was something and nothing of it can be used.
    """
    names = [tag_name(tag) for tag in tags]
    heard_by = [NO_ANCHOR] * len(names) if anchors is None else anchors
    if None in names:
        kept = [at for at, name in enumerate(names) if name is not None]
        left_out += len(names) - len(kept)
        values, stamps_ms = [values[at] for at in kept], [stamps_ms[at] for at in kept]
        heard_by = [heard_by[at] for at in kept]
    known = [name for name in names if name is not None]
    if not known and left_out:
        return Rejection(reason=RejectionReason.WRONG_SHAPE, where="$[*]", gateway=gateway)
    sent_at_ms, ages_ms = sent_and_ages(stamps_ms, sender_ms=sender_ms)
    column = ReadingColumns(
        kind=ReadingKind.RSSI, tags=known, anchors=heard_by, values=values, ages_ms=ages_ms
    )
    return Decoded(
        gateway=gateway,
        key=None,
        sent_at_ms=sent_at_ms,
        columns=(column,) if known else (),
        flags=flags if sent_at_ms is not None else flags | ReadingFlag.ARRIVAL_TIME,
        left_out=left_out,
    )
