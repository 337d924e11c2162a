"""Make the frames of one thin store out of what its gateways say.

Layer: doors. Takes: raw messages of the site, and now. Gives: frames for the log, in order, and the
state to go on from after kill -9. The state holds the frames that are made and not yet known to be
in the log: what is not in a saved state is never sent. So one sequence number means one content,
however often the process is killed, and workers may pass over what they have had.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import numpy as np

from inaisle.chain.held_time import HeldTime
from rtls.ingest.reception import Reception
from rtls.ingest.shards import split_batch
from rtls.ingest.slot_book import BookedSlot, SlotBook
from rtls.model.errors import FrameTooLarge, InvalidSnapshot
from rtls.model.reading import ReadingBatch
from rtls.model.reading_frame import READINGS_MAX, pack_batch
from rtls.model.units import SiteId, UnixMs
from rtls.ports import RawMessage
from rtls.publish.kafka.topics import partition_key

VERSION: Final = 1
OLD_AFTER_MS: Final = 60_000
"""a state so old may be one that was kept from before a later one"""


class Frame(msgspec.Struct, array_like=True, frozen=True):
    """One message for the log."""

    key: str
    value: bytes
    anchors: str
    """by which anchors its numbers are to be read"""


class BridgeState(msgspec.Struct, frozen=True, kw_only=True):
    """All that a bridge remembers of a site."""

    version: int = VERSION
    site: SiteId
    shards: int
    saved_at_ms: int
    reached_ms: int | None
    """up to here the time of the site had come"""
    sequence: int
    reception: bytes
    slots: list[BookedSlot]
    frames: list[Frame]
    """made, and not known to be in the log"""


@dataclass(slots=True)
class BridgeCounters:
    """What became of batches and readings."""

    batches: int = 0
    frames: int = 0
    frames_told_again: int = 0
    readings: int = 0
    readings_over_frame: int = 0
    """left out, the oldest, because a frame holds no more: give the site more shards"""


_DECODER: Final = msgspec.msgpack.Decoder(BridgeState)


class BridgeSite:
    """One site: reception, the book of slots, and the frames on their way.

    Parameters
    ----------
    site
        Its id.
    reception
        Of all tags of the site.
    book
        Of its slots, with as many shards as the site has.
    anchors
        What `anchor_order` says of the map.
    shards
        Fixed for the life of the site.
    now_ms
        When this process began: where no state is left the sequence goes on from here, which is
        above all that was ever given, for batches are more than a millisecond apart.
    """

    def __init__(
        self,
        site: SiteId,
        *,
        reception: Reception,
        book: SlotBook,
        anchors: str,
        shards: int,
        now_ms: UnixMs,
    ) -> None:
        self.site = site
        self.reception = reception
        self.counters = BridgeCounters()
        self.frames: list[Frame] = []
        self.has_news = False
        self._book = book
        self._anchors = anchors
        self._shards = shards
        self._sequence = int(now_ms)
        self._began_ms = now_ms
        self._time = HeldTime()

    def receive(self, messages: Sequence[RawMessage]) -> None:
        """Take messages of this site's gateways."""
        self.reception.receive(messages)
        self.has_news |= len(messages) > 0

    def hold(self) -> None:
        """Say that nothing can be taken at present: the time of the site stands still."""
        self._time.hold()

    def advance(self, now_ms: UnixMs) -> None:
        """Make the frames of every epoch that is over."""
        for batch in self.reception.advance(self._time.at(now_ms)):
            self._sequence += 1
            self.counters.batches += 1
            self._make_frames(replace(batch, sequence=self._sequence))
            silent = self._book.take_silent(batch.epoch_end_ms)
            self.reception.release(silent)
        self.reception.take_late()  # a shard of the chain does not look back: they are counted

    def forget(self, count: int) -> None:
        """Forget the first frames: they are in the log."""
        del self.frames[:count]
        self.has_news |= count > 0

    def pack(self, now_ms: UnixMs) -> bytes:
        """Return the state, with the frames that wait."""
        self.has_news = False
        return msgspec.msgpack.encode(
            BridgeState(
                site=self.site,
                shards=self._shards,
                saved_at_ms=now_ms,
                reached_ms=self._time.last_ms,
                sequence=self._sequence,
                reception=self.reception.snapshot(),
                slots=self._book.state(),
                frames=self.frames,
            )
        )

    def restore(self, content: bytes) -> None:
        """Go on from a state; its frames wait to be sent again. Fill `AdmittedTags` before.

        Raises
        ------
        InvalidSnapshot
            If it is damaged, or of another version, site or number of shards.
        """
        try:
            state = _DECODER.decode(content)
        except (ValueError, RecursionError) as error:
            raise InvalidSnapshot(
                f"the bridge's state of {len(content)} bytes cannot be read ({error}); expected "
                f"version {VERSION}. Start the release that wrote it, or move the state away: tags "
                "are then located anew."
            ) from error
        for name, given, expected in (
            ("version", state.version, VERSION),
            ("site", state.site, self.site),
            ("shards", state.shards, self._shards),
        ):
            if given != expected:
                raise InvalidSnapshot(
                    f"{name} of the bridge's state is {given!r}; expected {expected!r}. Start with "
                    "the settings it was made with: the shards of a site are fixed for its life."
                )
        self.reception.restore(state.reception)
        self._book.restore(state.slots)
        if state.reached_ms is not None:
            self._time.resume(state.reached_ms)
        self.frames = list(state.frames)
        self.counters.frames_told_again = len(state.frames)
        is_old = self._began_ms - state.saved_at_ms > OLD_AFTER_MS
        self._sequence = max(state.sequence, self._sequence) if is_old else state.sequence

    def _make_frames(self, batch: ReadingBatch) -> None:
        noted = self._book.note(batch)
        for part in split_batch(noted, self._shards, self._book.owners):
            kept, value = self._packed(part)
            self.counters.frames += 1
            self.counters.readings += len(kept.readings)
            self.counters.readings_over_frame += len(part.readings) - len(kept.readings)
            key = partition_key(part.site, part.shard)
            self.frames.append(Frame(key=key, value=value, anchors=self._anchors))
        self.has_news = True

    def _packed(self, part: ReadingBatch) -> tuple[ReadingBatch, bytes]:
        """Return what of a batch a frame can hold, and the frame."""
        limit, kept, value = READINGS_MAX, part, b""
        while not value:
            kept = youngest(part, limit)
            try:
                value = pack_batch(kept)
            except FrameTooLarge:
                assert limit  # a frame without readings has room
                limit //= 2
        told = dict(kept.introduced)
        self._book.take_back(slot for slot, _ in part.introduced if slot not in told)
        return kept, value


def youngest(part: ReadingBatch, limit: int) -> ReadingBatch:
    """Return a batch with its youngest readings, in their order, and the tags that these have."""
    readings = part.readings
    if len(readings) <= limit:
        return part
    chosen = np.sort(np.argsort(readings["heard_at_ms"], kind="stable")[len(readings) - limit :])
    kept = readings.take(chosen)
    slots = set(np.unique(kept["tag"]).tolist())
    introduced = tuple((slot, tag) for slot, tag in part.introduced if slot in slots)
    return replace(part, readings=kept, introduced=introduced)
