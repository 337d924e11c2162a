"""Run one shard of one site from a log of batches, so that each has one effect.

Layer: flow. Takes: `ReadingBatch`es of the shard with the offset at which each stands in the log.
Gives: events and fixes to the worker, and its whole state as one value: engine, how far the log was
taken, and the events told since the state before.

A log gives a batch at least once, and a worker that was killed begins again at an older offset. So
a batch is taken only once (its sequence says), and after a restore the events that the state holds
are told again: it may have been saved before they were. Event ids are the same each time, so who
keeps events keeps one. Nothing rests on whether the state or the events became durable first.

Readings that come later than the bound of the engine are counted there and not put right: that
takes a log of what was heard (rtls.revision), which a shard of the chain does not carry.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from rtls.engine import Engine
from rtls.engine_contract import NO_SLOTS, Slots
from rtls.model.errors import ForeignSnapshot, InvalidSnapshot
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.reading import ReadingBatch
from rtls.model.site_map import SiteMap
from rtls.model.units import SiteId, TagId
from rtls.model.visit import ZoneEvent
from rtls.model.visit_json import parse_event, render_event

MAGIC: Final = b"INSH"
SHARD_VERSION: Final = 1
START: Final = struct.Struct("<4sHI")  # magic, version, length of the header
CHECKSUM_BYTES: Final = 4
NO_OFFSET: Final = -1
NO_FIXES: Final = np.empty(0, FIX_DTYPE)
NO_NAMES: Final = np.empty(0, "S1")


class ShardHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a state says of itself, before anything of it is believed.

    Parameters
    ----------
    release
        That wrote it.
    site, shard
        Whose it is.
    sequence, input_offset
        Of the last batch taken; -1 before the first.
    generation
        Grows by 1 with each state of the shard.
    engine, site_map
        Bytes of these parts.
    events
        Bytes of each event told since the state before.
    """

    release: str
    site: SiteId
    shard: int
    sequence: int
    input_offset: int
    generation: int
    engine: int
    site_map: int
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardState:
    """A state taken apart."""

    header: ShardHeader
    engine: bytes
    site_map: bytes
    """as the worker packed it: what the numbers of the engine mean"""
    events: tuple[ZoneEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardOutput:
    """What one batch gave; empty for one that was taken before.

    Parameters
    ----------
    events
        To be told, in this order.
    fixes, tag_names
        As of `EngineOutput`.
    is_news
        False for a batch that was taken before.
    """

    events: tuple[ZoneEvent, ...]
    fixes: FixBatch
    tag_names: npt.NDArray[np.bytes_] = field(default_factory=NO_NAMES.copy)
    released: Slots = field(default_factory=NO_SLOTS.copy)
    is_news: bool = True

    @property
    def tags(self) -> tuple[TagId, ...]:
        """The ids of the rows of `fixes`, made when asked for."""
        return tuple(TagId(name.decode("ascii")) for name in self.tag_names.tolist())


@dataclass(slots=True)
class ShardCounters:
    """What happened to the batches of a shard; not part of its state."""

    batches: int = 0
    batches_seen_before: int = 0
    batches_missing: int = 0
    """numbers that no batch came with: the bridge began above them after a restart, or the log was
    cut before they were read"""
    events: int = 0
    events_told_again: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return all counters by name."""
        return asdict(self)


class ShardRun:
    """One shard, its engine, and what must be remembered so that each batch has one effect.

    Parameters
    ----------
    engine
        Of this site and shard; nobody else gives it batches.
    release
        That runs, for the header of the state.
    site_map
        The engine's map as bytes of the caller's making, kept in the state; see `ShardState`.
    """

    def __init__(self, engine: Engine, *, release: str, site_map: bytes = b"") -> None:
        self._engine = engine
        self._release = release
        self._site_map = site_map
        self._told: list[ZoneEvent] = []
        self._input_offset = NO_OFFSET
        self._generation = 0
        self.counters = ShardCounters()

    @property
    def engine(self) -> Engine:
        """Who follows the tags."""
        return self._engine

    @property
    def site_map(self) -> bytes:
        """The engine's map as the caller packed it."""
        return self._site_map

    @property
    def input_offset(self) -> int:
        """Where in the log the last batch stood, -1 before the first."""
        return self._input_offset

    @property
    def generation(self) -> int:
        """Of the last state written or taken up, 0 before the first."""
        return self._generation

    @property
    def events_waiting(self) -> int:
        """How many events the next state will hold."""
        return len(self._told)

    def take(self, batch: ReadingBatch, offset: int) -> ShardOutput:
        """Take one batch; one that was taken before has no effect.

        Parameters
        ----------
        batch
            The next of this shard. One of another site or shard, or that gives an occupied slot
            away, is refused with `InvalidReading`: it counts as taken, and changed no tag.
        offset
            Where it stands in the log.
        """
        self._input_offset = max(self._input_offset, offset)
        if batch.sequence <= self._engine.sequence:
            self.counters.batches_seen_before += 1
            nothing = FixBatch(at_ms=batch.epoch_end_ms, rows=NO_FIXES)
            return ShardOutput(events=(), fixes=nothing, is_news=False)
        if self._engine.sequence >= 0:
            self.counters.batches_missing += batch.sequence - self._engine.sequence - 1
        output = self._engine.process(batch)
        self._told += output.events
        self.counters.batches += 1
        self.counters.events += len(output.events)
        return ShardOutput(
            events=output.events,
            fixes=output.fixes,
            tag_names=output.tag_names,
            released=output.released,
        )

    def snapshot(self) -> bytes:
        """Return all that the shard remembers, as one value; it goes on unchanged."""
        engine = self._engine.snapshot()
        events = [render_event(event) for event in self._told]
        self._told = []
        self._generation += 1
        header = msgspec.json.encode(
            ShardHeader(
                release=self._release,
                site=self._engine.site,
                shard=self._engine.shard,
                sequence=self._engine.sequence,
                input_offset=self._input_offset,
                generation=self._generation,
                engine=len(engine),
                site_map=len(self._site_map),
                events=tuple(map(len, events)),
            )
        )
        start = START.pack(MAGIC, SHARD_VERSION, len(header))
        content = b"".join((start, header, engine, self._site_map, *events))
        return content + zlib.crc32(content).to_bytes(CHECKSUM_BYTES, "little")

    def restore(self, content: bytes, *, before: SiteMap | None = None) -> tuple[ZoneEvent, ...]:
        """Go on from a state of this shard, and return the events that must be told again.

        Parameters
        ----------
        content
            What `snapshot` gave. One that is damaged, or of another version, site, shard or layout
            is refused with `InvalidSnapshot`, which names the release that wrote it, and is a
            `ForeignSnapshot` where that is another than ours; nothing changes.
        before
            The map that it was made on, where that is not the engine's.
        """
        state = read_state(content)
        header = state.header
        try:
            ended = self._engine.restore(state.engine, before=before)
        except InvalidSnapshot as error:
            is_foreign = header.release != self._release
            refusal = ForeignSnapshot if is_foreign else InvalidSnapshot
            raise refusal(
                f"the state of shard {header.site}/{header.shard}, written by release "
                f"{header.release} at sequence {header.sequence}, cannot go on: {error}"
            ) from error
        self._input_offset = header.input_offset
        self._generation = header.generation
        self._told = [*state.events, *ended]
        self.counters.events_told_again += len(state.events)
        return tuple(self._told)


def read_header(content: bytes) -> ShardHeader:
    """Read what a state says of itself; `InvalidSnapshot` if it is damaged or foreign."""
    return _parts(content)[0]


def read_state(content: bytes) -> ShardState:
    """Take a state apart; `InvalidSnapshot` if it is damaged or of another version."""
    header, place = _parts(content)
    engine_end = place + header.engine
    map_end = engine_end + header.site_map
    return ShardState(
        header=header,
        engine=content[place:engine_end],
        site_map=content[engine_end:map_end],
        events=_events(content, map_end, header.events),
    )


def newest_of(states: Sequence[bytes]) -> bytes | None:
    """Return the state that came farthest, None where there is none.

    A worker that was given up, and did not know it, may have written after its follower: so the
    last is not always the newest. Where one cannot be read nobody can say: `InvalidSnapshot`.
    """
    return max(states, key=_how_far, default=None)


def _how_far(content: bytes) -> tuple[int, int]:
    header = read_header(content)
    return header.sequence, header.generation


def _parts(content: bytes) -> tuple[ShardHeader, int]:
    """Return the header, and where the parts begin.

    Raises
    ------
    InvalidSnapshot
        If the content is no state of a shard, or damaged.
    ForeignSnapshot
        If it is of another version.
    """
    if len(content) < START.size + CHECKSUM_BYTES or not content.startswith(MAGIC):
        raise InvalidSnapshot(
            f"{len(content)} bytes that do not begin with {MAGIC!r}; expected the state of a "
            "shard. Look at who wrote to the changelog of the workers."
        )
    _, version, header_bytes = START.unpack_from(content)
    if version != SHARD_VERSION:
        raise ForeignSnapshot(
            f"version of the shard's state is {version}; expected {SHARD_VERSION}. Run the release "
            "that wrote it until its shards are empty, or delete the changelog to begin anew."
        )
    checksum = int.from_bytes(content[-CHECKSUM_BYTES:], "little")
    if zlib.crc32(memoryview(content)[:-CHECKSUM_BYTES]) != checksum:
        raise InvalidSnapshot(
            f"checksum of {len(content)} bytes of a shard's state is wrong; expected "
            f"{checksum:#x}. Delete the local state folder: the changelog gives it again."
        )
    place = START.size + header_bytes
    try:
        header = msgspec.json.decode(content[START.size : place], type=ShardHeader)
    except msgspec.MsgspecError as error:
        raise InvalidSnapshot(
            f"the header of a shard's state cannot be read ({error}); expected one of version "
            f"{SHARD_VERSION}. Look at who wrote to the changelog of the workers."
        ) from error
    size = place + header.engine + header.site_map + sum(header.events) + CHECKSUM_BYTES
    if size != len(content):
        raise InvalidSnapshot(
            f"the state of shard {header.site}/{header.shard}, written by release "
            f"{header.release}, has {len(content)} bytes; expected {size}. Look at who wrote it."
        )
    return header, place


def _events(content: bytes, place: int, sizes: Sequence[int]) -> tuple[ZoneEvent, ...]:
    events = []
    for size in sizes:
        events.append(parse_event(content[place : place + size]))
        place += size
    return tuple(events)
