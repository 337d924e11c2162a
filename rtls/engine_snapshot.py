"""Turn the engine's state into bytes and back: versioned, checked, of one shard of one site.

Layer: flow. Takes: the arrays of `EngineState`. Gives: bytes to the state store, and the state to
the engine after a restart. Only occupied slots are written, so a quiet site has a small snapshot.

Layout: magic, length of the header, header (JSON), body, and a CRC-32 of all before it. The body is
slots, heard-at times, last fixes, places and stays, and what the locator remembers; most of that is
room for links that a tag does not have, so words that are zero are left out. Numbers are
little-endian, as on every machine that numba compiles for.
"""

import hashlib
import json
import zlib
from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.geofence.crossing import TRAIL_DTYPE
from rtls.geofence.dwell import STAY_DTYPE, empty_stays, has_open_stay
from rtls.model.errors import InvalidSnapshot
from rtls.model.site_map import SiteMap
from rtls.model.units import Second, SiteId, TagId, UnixMs
from rtls.positioning.known_readings import NEVER
from rtls.positioning.locator_state import LocatorState

MAGIC: Final = b"INAISLE\x01"
SNAPSHOT_VERSION: Final = 3
WORD_BYTES: Final = 8
DIGEST_BYTES: Final = 16
CHECKSUM_BYTES: Final = 4
HEADER_BYTES_MAX: Final = 65_536
TAGS_MAX: Final = 65_536
TAGS_AT_START: Final = 256
SECOND_MS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotHeader:
    """What a snapshot says of itself.

    Parameters
    ----------
    version
        `SNAPSHOT_VERSION`.
    site, shard
        The partition that the state belongs to.
    site_map
        Digest of the zones: their numbers in the state mean nothing on another map.
    layout
        Digest of the record layouts.
    sequence, epoch_end_ms
        Of the last batch processed; -1 before the first.
    input_offset
        Where the input goes on, as the caller of `snapshot` counts it.
    tags, stays
        Numbers of records that follow.
    locator
        Number of bytes that the locator wrote.
    body
        Number of bytes of the body before its zeros were left out.
    """

    version: int
    site: SiteId
    shard: int
    site_map: str
    layout: str
    sequence: int
    epoch_end_ms: UnixMs
    input_offset: int
    tags: int
    stays: int
    locator: int
    body: int


@dataclass(slots=True, kw_only=True)
class EngineState:
    """All that the engine remembers: arrays by tag slot, and how far it has come."""

    locator: LocatorState = field(default_factory=lambda: LocatorState.empty(TAGS_AT_START))
    """of as many slots as the other arrays"""
    stays: npt.NDArray[np.void] = field(default_factory=lambda: empty_stays(TAGS_AT_START))
    """(capacity, slots) `STAY_DTYPE`"""
    trails: npt.NDArray[np.void] = field(
        default_factory=lambda: np.zeros(TAGS_AT_START, TRAIL_DTYPE)
    )
    """(capacity,) `TRAIL_DTYPE`: the last fix of each tag"""
    heard_ms: npt.NDArray[np.int64] = field(
        default_factory=lambda: np.full(TAGS_AT_START, NEVER, np.int64)
    )
    """(capacity,) end of the last epoch with a reading of the tag; `NEVER`: the slot is free"""
    sequence: int = -1
    epoch_end_ms: UnixMs = UnixMs(NEVER)
    input_offset: int = 0

    @property
    def tracks(self) -> npt.NDArray[np.void]:
        """(capacity,) `TRACK_DTYPE`, which also names the tag of each slot."""
        return self.locator.tracks

    @property
    def capacity(self) -> int:
        """Slots there are now."""
        return int(self.heard_ms.size)

    def make_room(self, slot: int) -> None:
        """Double the capacity until ``slot`` exists."""
        if slot < self.capacity:
            return
        capacity = self.capacity
        while capacity <= slot:
            capacity *= 2
        more = capacity - self.capacity
        self.locator.grow(capacity)
        self.stays = np.concatenate((self.stays, empty_stays(more)))
        self.trails = np.concatenate((self.trails, np.zeros(more, TRAIL_DTYPE)))
        self.heard_ms = np.concatenate((self.heard_ms, np.full(more, NEVER, np.int64)))

    def clear(self, slots: npt.NDArray[np.int32]) -> None:
        """Forget the tags of ``slots``."""
        self.locator.clear(slots)
        self.stays[slots] = np.zeros((), STAY_DTYPE)
        self.trails[slots] = np.zeros((), TRAIL_DTYPE)
        self.heard_ms[slots] = NEVER

    def tag_of(self, slot: int) -> TagId:
        """Return whose slot it is."""
        return TagId(self.tracks["tag_id"][slot].decode("ascii"))

    def silent_slots(
        self, heard: npt.NDArray[np.int32], at_ms: UnixMs, *, coast_s: Second
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return the slots to be looked at though not ``heard`` now, with a place and without one.

        These are tags heard up to ``coast_s`` ago, or in a zone.
        """
        is_silent = self.heard_ms != NEVER
        is_silent[heard] = False
        slots = np.flatnonzero(is_silent).astype(np.int32)
        if not slots.size:  # so it is each second of a busy shop; the rest walks through its state
            return slots, slots
        is_recent = at_ms - self.heard_ms[slots] <= coast_s * SECOND_MS
        slots = slots[is_recent | has_open_stay(self.stays, slots)]
        is_placed = self.tracks["is_located"][slots] != 0
        return slots[is_placed], slots[~is_placed]

    def forget_silent(self, at_ms: UnixMs, *, ttl_s: Second) -> npt.NDArray[np.int32]:
        """Forget the tags that have been silent for longer, and return their slots."""
        is_over = (self.heard_ms != NEVER) & (at_ms - self.heard_ms > ttl_s * SECOND_MS)
        slots = np.flatnonzero(is_over).astype(np.int32)
        if slots.size:
            self.clear(slots)
        return slots

    def rows_of(self, slots: npt.NDArray[np.int32]) -> "EngineRows":
        """Return a copy of all that is remembered of the tags in ``slots``, in that order."""
        return EngineRows(
            locator=self.locator.rows_of(slots),
            stays=self.stays[slots],
            trails=self.trails[slots],
            heard_ms=self.heard_ms[slots],
        )

    def put_rows(self, slots: npt.NDArray[np.int32], rows: "EngineRows") -> None:
        """Put rows back as `rows_of` gave them, into slots that exist."""
        self.locator.put_rows(slots, rows.locator)
        self.stays[slots] = rows.stays
        self.trails[slots] = rows.trails
        self.heard_ms[slots] = rows.heard_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRows:
    """What the engine remembers of some tags, apart from it; see `EngineState`."""

    locator: LocatorState
    stays: npt.NDArray[np.void]
    trails: npt.NDArray[np.void]
    heard_ms: npt.NDArray[np.int64]

    @property
    def tag_names(self) -> npt.NDArray[np.bytes_]:
        """(n,) ASCII ids of the tags."""
        names: npt.NDArray[np.bytes_] = self.locator.tracks["tag_id"]
        return names

    @property
    def nbytes(self) -> int:
        """What the rows take."""
        own = (self.stays, self.trails, self.heard_ms)
        return self.locator.nbytes + sum(array.nbytes for array in own)

    def of(self, places: npt.NDArray[np.intp]) -> "EngineRows":
        """Return a copy of the rows at ``places``."""
        return EngineRows(
            locator=self.locator.rows_of(places.astype(np.int32)),
            stays=self.stays[places],
            trails=self.trails[places],
            heard_ms=self.heard_ms[places],
        )


def digest_of_zones(site_map: SiteMap) -> str:
    """Return a digest of what the numbers in the state stand for: floors, zones and their rules."""
    content = repr((site_map.site, site_map.floors, site_map.zones))
    return hashlib.blake2b(content.encode(), digest_size=DIGEST_BYTES).hexdigest()


def digest_of_layout(state: EngineState) -> str:
    """Return a digest of the record layouts, so that no byte is read as another field."""
    own = (STAY_DTYPE.descr, empty_stays(0).shape, TRAIL_DTYPE.descr)
    content = repr((state.locator.layout(), *own))
    return hashlib.blake2b(content.encode(), digest_size=DIGEST_BYTES).hexdigest()


def pack_state(state: EngineState, *, site_map: SiteMap, shard: int) -> bytes:
    """Return the state as bytes; the same state always gives the same bytes."""
    slots = np.flatnonzero(state.heard_ms != NEVER).astype(np.int32)
    places = np.flatnonzero(state.stays["phase"].ravel()).astype(np.int32)
    located = state.locator.pack(slots)
    arrays = (
        slots,
        state.heard_ms[slots],
        state.trails[slots],
        places,
        state.stays.ravel()[places],
    )
    parts = [array.tobytes() for array in arrays] + [located]
    parts.append(bytes(-sum(map(len, parts)) % WORD_BYTES))
    body = b"".join(parts)
    header = SnapshotHeader(
        version=SNAPSHOT_VERSION,
        site=site_map.site,
        shard=shard,
        site_map=digest_of_zones(site_map),
        layout=digest_of_layout(state),
        sequence=state.sequence,
        epoch_end_ms=state.epoch_end_ms,
        input_offset=state.input_offset,
        tags=slots.size,
        stays=places.size,
        locator=len(located),
        body=len(body),
    )
    head = json.dumps(asdict(header), sort_keys=True).encode()
    content = b"".join((MAGIC, len(head).to_bytes(4, "little"), head, without_zeros(body)))
    return content + checksum_of(content)


def without_zeros(body: bytes) -> bytes:
    """Return a bit for each word of ``body``, whether it is other than zero, and those that are."""
    words = np.frombuffer(body, np.uint64)
    is_told = np.asarray(words != 0, np.bool_)
    told: npt.NDArray[np.uint64] = words[is_told]
    return np.packbits(is_told).tobytes() + told.tobytes()


def with_zeros(content: bytes, size: int) -> bytes:
    """Return the ``size`` bytes, a whole number of words, that `without_zeros` was given.

    Raises
    ------
    InvalidSnapshot
        If ``content`` has fewer or more words than its bits say.
    """
    count = size // WORD_BYTES
    bits = np.frombuffer(content[: -(-count // 8)], np.uint8)
    is_told = np.unpackbits(bits)[:count].astype(np.bool_)
    told = np.count_nonzero(is_told)
    if is_told.size != count or len(content) != bits.size + WORD_BYTES * told:
        raise InvalidSnapshot(
            f"{len(content)} bytes of body; expected {told} words and a bit for each of {count}. "
            "Take the previous snapshot, or move the file away to start anew."
        )
    words = np.zeros(count, np.uint64)
    words[is_told] = np.frombuffer(content, np.uint64, told, bits.size)
    return bytes(words.data)


def checksum_of(content: bytes) -> bytes:
    """Return the CRC-32, which finds damage; a digest costs five times as much, twice a second."""
    return zlib.crc32(content).to_bytes(CHECKSUM_BYTES, "little")


def read_header(snapshot: bytes) -> SnapshotHeader:
    """Read what a snapshot says of itself, after its checksum was found right.

    Raises
    ------
    InvalidSnapshot
        If it is no snapshot, is cut short or damaged, or of another version.
    """
    start = len(MAGIC) + 4
    if len(snapshot) < start + CHECKSUM_BYTES or not snapshot.startswith(MAGIC):
        raise InvalidSnapshot(
            f"{len(snapshot)} bytes that do not begin with {MAGIC!r}; expected an engine "
            "snapshot. Check the state folder, or move the file away to start anew."
        )
    content, checksum = snapshot[:-CHECKSUM_BYTES], snapshot[-CHECKSUM_BYTES:]
    if checksum_of(content) != checksum:
        raise InvalidSnapshot(
            f"checksum of {len(snapshot)} bytes is wrong; expected an undamaged snapshot. Take "
            "the previous one, or move the file away to start anew."
        )
    size = int.from_bytes(snapshot[len(MAGIC) : start], "little")
    return _parse_header(content[start : start + min(size, HEADER_BYTES_MAX)])


def _parse_header(head: bytes) -> SnapshotHeader:
    try:
        found = json.loads(head)
        version = found["version"]
        header = SnapshotHeader(**found) if version == SNAPSHOT_VERSION else None
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidSnapshot(
            f"the header cannot be read ({error}); expected one of version {SNAPSHOT_VERSION}."
        ) from error
    if header is None:
        raise InvalidSnapshot(
            f"snapshot version is {version}; expected {SNAPSHOT_VERSION}. Run the release that "
            "wrote it, or move the file away to start anew."
        )
    return header


def unpack_state(
    snapshot: bytes, *, site_map: SiteMap, shard: int, into: EngineState | None = None
) -> EngineState:
    """Return the state that `pack_state` wrote for this shard of this site.

    Parameters
    ----------
    snapshot
        What was written.
    site_map, shard
        Whom it must belong to.
    into
        An empty state of the engine that goes on; it is filled and returned.

    Raises
    ------
    InvalidSnapshot
        If it is damaged, or of another version, site, shard, map or layout.
    """
    state = into or EngineState()
    header = read_header(snapshot)
    expected = {
        "site": (header.site, site_map.site),
        "shard": (header.shard, shard),
        "digest of the zones": (header.site_map, digest_of_zones(site_map)),
        "layout of records": (header.layout, digest_of_layout(state)),
    }
    for what, (found, wanted) in expected.items():
        if found != wanted:
            raise InvalidSnapshot(
                f"{what} is {found!r}; expected {wanted!r}. A snapshot goes on only with the map "
                "and the release that it was made with; move it away to start anew."
            )
    _read_arrays(snapshot, header, state)
    return state


def _read_arrays(snapshot: bytes, header: SnapshotHeader, state: EngineState) -> None:
    place = len(MAGIC) + 4
    place += int.from_bytes(snapshot[len(MAGIC) : place], "little")
    body = with_zeros(snapshot[place:-CHECKSUM_BYTES], header.body)
    place = 0
    parts: list[npt.NDArray[np.void]] = []
    for dtype, count in (
        (np.dtype(np.int32), header.tags),
        (np.dtype(np.int64), header.tags),
        (TRAIL_DTYPE, header.tags),
        (np.dtype(np.int32), header.stays),
        (STAY_DTYPE, header.stays),
    ):
        parts.append(np.frombuffer(body, dtype, count, place))
        place += count * dtype.itemsize
    heard_ms, trails, places, stays = parts[1:]
    slots = np.array(parts[0], np.int32)
    state.sequence = header.sequence
    state.epoch_end_ms = header.epoch_end_ms
    state.input_offset = header.input_offset
    state.make_room(int(slots.max(initial=0)))
    state.heard_ms[slots] = heard_ms
    state.trails[slots] = trails
    state.stays.reshape(-1)[places] = stays
    state.locator.unpack(body[place : place + header.locator], slots)
