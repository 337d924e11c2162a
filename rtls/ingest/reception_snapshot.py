"""Write reception's state as bytes and read it back.

Layer: rules. Takes: state from rtls.ingest.reception. Gives: one versioned value to a StateStore,
and back again. MessagePack for what is small, raw array bytes for what is large.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from rtls.ingest.clock_skew import GatewayClock
from rtls.ingest.gateway_ledger import BootLedger
from rtls.ingest.measurement_order import LastOrder
from rtls.ingest.pending_readings import UNKNOWN
from rtls.ingest.tag_slots import KnownTag
from rtls.model.errors import InvalidSnapshot
from rtls.model.reading import READING_DTYPE, ReadingArray
from rtls.model.units import SiteId

VERSION: Final = 3
"""grows whenever a field or READING_DTYPE changes"""


class ReceptionState(msgspec.Struct, frozen=True, kw_only=True):
    """All that a later message may depend on."""

    version: int = VERSION
    site: SiteId
    shard: int
    epoch_ms: int
    anchors: list[str]
    """what the anchor indices in `pending` mean"""
    closed_ms: int | None
    heard_ms: int
    sequence: int
    tags: list[KnownTag]
    pending: bytes
    """rows of `READING_DTYPE`, `tag` being the tag's number"""
    recent: list[tuple[int, bytes]]
    """end of an epoch, fingerprints of its readings (uint64)"""
    ledger: dict[str, dict[str, BootLedger]]
    clocks: dict[str, GatewayClock]
    orders: dict[str, LastOrder]


_DECODER: Final = msgspec.msgpack.Decoder(ReceptionState)


def render_state(state: ReceptionState) -> bytes:
    """Return the state as bytes."""
    return msgspec.msgpack.encode(state)


def parse_state(
    snapshot: bytes, *, site: SiteId, shard: int, epoch_ms: int, tags_max: int, readings_max: int
) -> ReceptionState:
    """Read a snapshot and refuse one that does not fit.

    Raises
    ------
    InvalidSnapshot
        If it is damaged, or of another version, site, shard or epoch length, or larger than the
        settings allow.
    """
    try:
        state = _DECODER.decode(snapshot)
    except (ValueError, RecursionError) as error:
        raise InvalidSnapshot(
            f"the reception snapshot of {len(snapshot)} bytes cannot be read ({error}); expected "
            f"version {VERSION}. Delete it to begin anew: gateways then resend what they hold."
        ) from error
    for name, given, expected in (
        ("version", state.version, VERSION),
        ("site", state.site, site),
        ("shard", state.shard, shard),
        ("epoch_ms", state.epoch_ms, epoch_ms),
    ):
        if given != expected:
            raise InvalidSnapshot(
                f"{name} of the reception snapshot is {given!r}; expected {expected!r}. Start with "
                "the settings it was made with, or delete it to begin anew."
            )
    _check_sizes(state, tags_max=tags_max, readings_max=readings_max)
    return state


def _check_sizes(state: ReceptionState, *, tags_max: int, readings_max: int) -> None:
    size = READING_DTYPE.itemsize
    readings, rest = divmod(len(state.pending), size)
    if rest or any(len(marks) % 8 for _, marks in state.recent):
        raise InvalidSnapshot(
            f"pending readings take {len(state.pending)} bytes; expected a multiple of {size}. The "
            "snapshot is damaged: delete it to begin anew."
        )
    numbers = {one.number for one in state.tags}
    pending = np.frombuffer(state.pending, READING_DTYPE)
    waiting = np.unique(pending["tag"]).tolist()
    named = np.concatenate((pending["anchor"], pending["ref_anchor"]))
    most = max((max(one.number, one.slot) for one in state.tags), default=0)
    if readings > readings_max or most >= tags_max:
        raise InvalidSnapshot(
            f"the reception snapshot holds {readings} readings and tag {most}; expected at most "
            f"{readings_max} and {tags_max - 1}. Start with readings_max and tags_max as before."
        )
    if (
        not numbers.issuperset(waiting)
        or len(numbers) != len(state.tags)
        or (len(named) and not UNKNOWN <= named.min() <= named.max() < len(state.anchors))
    ):
        raise InvalidSnapshot(
            "the reception snapshot holds readings of tags or anchors that it does not name; it is "
            "damaged: delete it to begin anew."
        )


def remap_anchors(
    pending: ReadingArray, anchors: list[str], index: Mapping[str, int]
) -> ReadingArray:
    """Return the readings with the anchor indices of the map as it is now.

    Readings of anchors that the map no longer has are left out.
    """
    now = np.array([*(index.get(name, UNKNOWN) for name in anchors), UNKNOWN], np.int32)
    rows = pending.copy()
    rows["anchor"] = now[rows["anchor"]]
    rows["ref_anchor"] = now[rows["ref_anchor"]]  # -1 is the last entry, which stays -1
    lost_reference = (pending["ref_anchor"] != UNKNOWN) & (rows["ref_anchor"] == UNKNOWN)
    kept: ReadingArray = rows[(rows["anchor"] != UNKNOWN) & ~lost_reference]
    return kept
