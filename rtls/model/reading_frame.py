"""Pack one batch of readings as one message of a log, and read it back, bit by bit the same.

Layer: nouns. Takes: `ReadingBatch`es from the bridge of thin stores. Gives: bytes to a Kafka topic,
and the batches to the workers of the chain.

Layout, little-endian: magic, version, header, site, the tags introduced, the columns, and a CRC-32
of all before it. A column is told by one value where all are the same (a frame of ranges has no
`value_2`), by narrow numbers where they fit, else whole: 800 ranges are some 10 KB instead of 45.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.errors import FrameTooLarge, InvalidFrame, UnknownFrameVersion
from rtls.model.reading import READING_DTYPE, ReadingArray, ReadingBatch, ReadingKind
from rtls.model.track import TAG_ID_BYTES_MAX
from rtls.model.units import SiteId, TagId, UnixMs

MAGIC: Final = b"INRF"
FRAME_VERSION: Final = 1
FRAME_BYTES_MAX: Final = 1 << 20
READINGS_MAX: Final = 20_000
SHARDS_MAX: Final = 4_096
SITE_BYTES_MAX: Final = 255
CHECKSUM_BYTES: Final = 4
START: Final = struct.Struct("<4sH")  # magic, version: the same in every version
HEADER: Final = struct.Struct("<HIIQqB")
"""shard, readings, tags introduced, sequence, end of the epoch, length of the site"""
SLOT_BYTES: Final = 4
INT64_MAX: Final = (1 << 63) - 1
COLUMNS: Final = tuple(name for name in READING_DTYPE.names or () if name != "pad")
WIDE: Final[dict[str, np.dtype[np.generic]]] = {name: READING_DTYPE[name] for name in COLUMNS}
NARROW: Final[dict[str, np.dtype[np.integer]]] = {
    "heard_at_ms": np.dtype("<i4"),  # before the end of the epoch, so that 24 days fit
    "tag": np.dtype("<u2"),
    "anchor": np.dtype("<u2"),
}


class _Told(IntEnum):
    """How a column is told."""

    ONCE = 0
    NARROW = 1
    WIDE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    shard: int
    readings: int
    introduced: int
    sequence: int
    epoch_end_ms: int
    site_bytes: int


def pack_batch(batch: ReadingBatch) -> bytes:
    """Return the batch as one message; the same batch always gives the same bytes.

    One of more than `READINGS_MAX` readings or `FRAME_BYTES_MAX` bytes, or that names what no frame
    can hold, is refused with `InvalidFrame`.
    """
    site = batch.site.encode()
    _refuse_what_does_not_fit(batch, site)
    told, columns = _told_columns(batch)
    content = b"".join((
        START.pack(MAGIC, FRAME_VERSION),
        HEADER.pack(
            batch.shard,
            batch.readings.size,
            len(batch.introduced),
            batch.sequence,
            batch.epoch_end_ms,
            len(site),
        ),
        site,
        _told_tags(batch.introduced),
        told,
        *columns,
    ))  # fmt: skip
    _refuse_size(len(content) + CHECKSUM_BYTES)
    return content + zlib.crc32(content).to_bytes(CHECKSUM_BYTES, "little")


def unpack_batch(content: bytes) -> ReadingBatch:
    """Return the batch that `pack_batch` was given.

    What is no frame, too large, damaged, of another version, or holds what no batch can, is refused
    with `InvalidFrame`.
    """
    header = _read_header(content)
    place = START.size + HEADER.size
    site = _text(content[place : place + header.site_bytes], what="site")
    place += header.site_bytes
    introduced, place = _introduced(content, place, header.introduced)
    return ReadingBatch(
        site=SiteId(site),
        shard=header.shard,
        sequence=header.sequence,
        epoch_end_ms=UnixMs(header.epoch_end_ms),
        readings=_readings(content, place, header),
        introduced=introduced,
    )


def _refuse_what_does_not_fit(batch: ReadingBatch, site: bytes) -> None:
    if batch.readings.size > READINGS_MAX:
        raise FrameTooLarge(
            f"{batch.readings.size} readings; expected at most {READINGS_MAX}. Give the site more "
            "shards, or shorten its epochs."
        )
    if not max(batch.sequence, ~batch.epoch_end_ms, batch.epoch_end_ms) <= INT64_MAX:
        raise InvalidFrame(
            f"sequence is {batch.sequence}, the epoch ends at {batch.epoch_end_ms}; expected at "
            f"most {INT64_MAX}. Look at the clock of the bridge."
        )
    if not 0 < len(site) <= SITE_BYTES_MAX or not 0 <= batch.shard < SHARDS_MAX:
        raise InvalidFrame(
            f"site is {batch.site!r}, shard {batch.shard}; expected 1 to {SITE_BYTES_MAX} bytes, "
            f"and 0 up to {SHARDS_MAX - 1}. Name the site as its folder in the library is named."
        )


def _refuse_size(size: int) -> None:
    if size > FRAME_BYTES_MAX:
        raise FrameTooLarge(
            f"frame has {size} bytes; expected at most {FRAME_BYTES_MAX}. Give the site more "
            "shards, or shorten its epochs."
        )


def _told_tags(introduced: tuple[tuple[int, TagId], ...]) -> bytes:
    """Return the slots of the tags, the lengths of their names, and the names.

    Raises
    ------
    InvalidFrame
        If a name or slot is none that the engine could follow.
    """
    for slot, tag in introduced:
        if not _is_tag(tag) or not 0 <= slot < 1 << 31:
            raise InvalidFrame(
                f"slot {slot} is given to tag {tag!r}; expected 0 or more, and 1 to "
                f"{TAG_ID_BYTES_MAX} ASCII characters. Admission must reject such a tag."
            )
    slots = struct.pack(f"<{len(introduced)}i", *(slot for slot, _ in introduced))
    names = [tag.encode("ascii") for _, tag in introduced]
    return slots + bytes(map(len, names)) + b"".join(names)


def _is_tag(tag: str) -> bool:
    return tag.isascii() and 0 < len(tag) <= TAG_ID_BYTES_MAX and "\0" not in tag


def _told_columns(batch: ReadingBatch) -> tuple[bytes, list[bytes]]:
    told, columns = bytearray(), []
    for name in COLUMNS if batch.readings.size else ():
        way, content = _told_column(name, batch)
        told.append(way)
        columns.append(content)
    return bytes(told), columns


def _told_column(name: str, batch: ReadingBatch) -> tuple[_Told, bytes]:
    column = np.ascontiguousarray(batch.readings[name])
    bits = column.view(f"u{column.itemsize}")  # so that a NaN is what it is
    if (bits == bits[0]).all():
        return _Told.ONCE, column[:1].tobytes()
    narrow = NARROW.get(name)
    if narrow is not None:
        small = column - batch.epoch_end_ms if name == "heard_at_ms" else column
        fits = np.iinfo(narrow)
        if fits.min <= small.min() and small.max() <= fits.max:
            return _Told.NARROW, small.astype(narrow).tobytes()
    return _Told.WIDE, column.tobytes()


def _read_header(content: bytes) -> _Header:
    _refuse_size(len(content))
    if len(content) < START.size + CHECKSUM_BYTES or not content.startswith(MAGIC):
        raise InvalidFrame(
            f"{len(content)} bytes that begin with {content[:4]!r}; expected {MAGIC!r}. Only "
            "`inaisle bridge` may write to the topic of readings."
        )
    version = START.unpack_from(content)[1]
    if version != FRAME_VERSION:
        raise UnknownFrameVersion(
            f"frame version is {version}; expected {FRAME_VERSION}. Run the bridge and the "
            "workers from one release."
        )
    checksum = int.from_bytes(content[-CHECKSUM_BYTES:], "little")
    if zlib.crc32(memoryview(content)[:-CHECKSUM_BYTES]) != checksum:
        raise InvalidFrame(
            f"checksum of {len(content)} bytes is wrong; expected {checksum:#x}. The frame was "
            "damaged or cut on its way: look at who wrote it."
        )
    _refuse_cut(content, is_whole=len(content) >= START.size + HEADER.size + CHECKSUM_BYTES)
    return _header_of(content)


def _header_of(content: bytes) -> _Header:
    shard, readings, introduced, sequence, end_ms, site_bytes = HEADER.unpack_from(
        content, START.size
    )
    if readings > READINGS_MAX or shard >= SHARDS_MAX or sequence > INT64_MAX or not site_bytes:
        raise InvalidFrame(
            f"frame tells {readings} readings, shard {shard}, sequence {sequence}, {site_bytes} "
            f"bytes of site; expected at most {READINGS_MAX}, below {SHARDS_MAX}, at most "
            f"{INT64_MAX}, and a site. Look at who wrote it."
        )
    return _Header(
        shard=shard,
        readings=readings,
        introduced=introduced,
        sequence=sequence,
        epoch_end_ms=end_ms,
        site_bytes=site_bytes,
    )


def _refuse_cut(content: bytes, *, is_whole: bool) -> None:
    if not is_whole:
        raise InvalidFrame(
            f"frame of {len(content)} bytes is not as long as it says; expected what "
            "rtls.model.reading_frame.pack_batch wrote. Look at who wrote it."
        )


def _text(content: bytes, *, what: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidFrame(
            f"{what} is {content[:80]!r}; expected UTF-8. Look at who wrote the frame."
        ) from error


def _introduced(
    content: bytes, place: int, count: int
) -> tuple[tuple[tuple[int, TagId], ...], int]:
    """Return who is introduced, and where the columns begin.

    Raises
    ------
    InvalidFrame
        If it is none that the engine could follow.
    """
    if not count:
        return (), place
    names_at = place + (SLOT_BYTES + 1) * count
    _refuse_cut(content, is_whole=names_at <= len(content) - CHECKSUM_BYTES)
    slots = struct.unpack_from(f"<{count}i", content, place)
    tags = []
    for size in content[place + SLOT_BYTES * count : names_at]:
        tags.append(TagId(_text(content[names_at : names_at + size], what="tag")))
        names_at += size
    for slot, tag in zip(slots, tags, strict=True):
        if slot < 0 or not _is_tag(tag):
            raise InvalidFrame(
                f"slot {slot} is given to tag {tag!r}; expected 0 or more, and 1 to "
                f"{TAG_ID_BYTES_MAX} ASCII characters. Look at who wrote the frame."
            )
    return tuple(zip(slots, tags, strict=True)), names_at


def _readings(content: bytes, place: int, header: _Header) -> ReadingArray:
    count = header.readings
    readings = np.zeros(count, READING_DTYPE)
    end = len(content) - CHECKSUM_BYTES
    told = content[place : place + len(COLUMNS)] if count else b""
    names = COLUMNS if count else ()
    _refuse_cut(content, is_whole=len(told) == len(names))
    place += len(told)
    columns: dict[str, npt.NDArray[np.generic]] = {}
    for name, way in zip(names, told, strict=True):
        dtype = NARROW.get(name, WIDE[name]) if way == _Told.NARROW else WIDE[name]
        values = 1 if way == _Told.ONCE else count
        is_whole = way <= _Told.WIDE and place + values * dtype.itemsize <= end
        _refuse_cut(content, is_whole=is_whole)
        columns[name] = readings[name] = np.frombuffer(content, dtype, values, place)
        if name == "heard_at_ms" and way == _Told.NARROW:
            readings[name] += header.epoch_end_ms
        place += values * dtype.itemsize
    _refuse_cut(content, is_whole=place == end)
    if count:
        _refuse_disorder(columns)
    return readings


def _refuse_disorder(columns: dict[str, npt.NDArray[np.generic]]) -> None:
    """Refuse readings that break what the kernels rest on.

    Raises
    ------
    InvalidFrame
        If a kind is none that there is, or the readings of a tag do not stand together.
    """
    kind = int(columns["kind"].max())
    if kind > max(ReadingKind):
        raise InvalidFrame(
            f"kind is {kind}; expected at most {max(ReadingKind)}. Run the bridge and the workers "
            "from one release."
        )
    tags = columns["tag"]
    if np.less(tags[1:], tags[:-1]).any():
        raise InvalidFrame(
            "readings are not in the order of their tags; expected the canonical order of "
            "rtls.ingest.epoch. Look at who wrote the frame."
        )
