"""Pack the fixes of one instant into one message, and unpack it again.

Layer: nouns. Takes: `FixBatch`es with the names of their tags, from the spool of a store or a
worker of a chain. Gives: bytes for a line between two machines, and the same fixes on the other
side, or `InvalidFrame`.

    header    magic, version, rows, bytes of names, instant
    columns   one array a column of `FIX_DTYPE`, little-endian, in the order of `COLUMNS`
    names     the length of each tag's id in bytes, then the ids
    CRC-32    of all before it

Places go in single precision: a tenth of a millimetre at a kilometre, far below the error of any
fix. The slot of a tag belongs to the engine that wrote it; on the other side a row has its number.
"""

import struct
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.errors import FrameTooLarge, InvalidFrame, UnknownFrameVersion
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.track import TAG_ID_BYTES_MAX
from rtls.model.units import TagId, UnixMs

MAGIC: Final = b"IAfx"
VERSION: Final = 1
FIXES_MAX: Final = 5_000
FRAME_BYTES_MAX: Final = 1 << 20

HEADER: Final = struct.Struct("<4sHHIIq")  # magic, version, 0, rows, bytes of names, instant
CRC: Final = struct.Struct("<I")
COLUMNS: Final = (
    ("floor", "<i4"),
    ("x_m", "<f4"),
    ("y_m", "<f4"),
    ("z_m", "<f4"),
    ("cov_xx", "<f4"),
    ("cov_xy", "<f4"),
    ("cov_yy", "<f4"),
    ("vx_m_s", "<f4"),
    ("vy_m_s", "<f4"),
    ("p_standing", "<f4"),
    ("evidence_at_ms", "<i8"),
    ("kinds", "|u1"),
    ("method", "|u1"),
)
LENGTH_BYTES: Final = 1  # of a tag's id
ROW_BYTES: Final = sum(np.dtype(kind).itemsize for _, kind in COLUMNS) + LENGTH_BYTES


def pack_fixes(fixes: FixBatch, tags: Sequence[TagId]) -> bytes:
    """Return the fixes as one frame.

    Parameters
    ----------
    fixes
        1 to `FIXES_MAX` rows; none or more are refused with `InvalidFrame`.
    tags
        Names the rows; an id that no tag can have is refused likewise.
    """
    rows = fixes.rows
    _check_count(len(rows))
    names = [tag.encode() for tag in tags]
    lengths = np.fromiter(map(len, names), np.int64, len(names))
    _check_names(lengths, rows=len(rows))
    content = b"".join(
        (
            HEADER.pack(MAGIC, VERSION, 0, len(rows), int(lengths.sum()), fixes.at_ms),
            *(rows[name].astype(kind).tobytes() for name, kind in COLUMNS),
            lengths.astype(np.uint8).tobytes(),
            *names,
        )
    )
    return content + CRC.pack(zlib.crc32(content))


def unpack_fixes(frame: bytes) -> tuple[FixBatch, tuple[TagId, ...]]:
    """Return the fixes that `pack_fixes` packed, and the tags that name them.

    A frame of another version, too large, cut off or damaged is refused with `InvalidFrame`.
    """
    rows, at_ms = _read_header(frame)
    fixes = np.zeros(rows, FIX_DTYPE)
    fixes["tag"] = np.arange(rows)
    offset = HEADER.size
    for name, kind in COLUMNS:
        column = np.frombuffer(frame, kind, rows, offset)
        fixes[name] = column
        offset += column.nbytes
    lengths = np.frombuffer(frame, np.uint8, rows, offset)
    _check_names(lengths.astype(np.int64), rows=rows)
    tags = _read_names(frame[offset + lengths.nbytes : -CRC.size], lengths)
    return FixBatch(at_ms=at_ms, rows=fixes), tags


def count_fixes(frame: bytes) -> int:
    """Return how many fixes a frame says that it has, without reading the rest of it."""
    return int(HEADER.unpack_from(frame)[3]) if len(frame) >= HEADER.size else 0


def _read_header(frame: bytes) -> tuple[int, UnixMs]:
    """Check all that can be known of a frame as a whole; return its rows and its instant.

    Raises
    ------
    FrameTooLarge
        If it has more bytes than any frame.
    UnknownFrameVersion
        If another release wrote it.
    InvalidFrame
        If it is not what `pack_fixes` wrote.
    """
    if len(frame) > FRAME_BYTES_MAX:
        raise FrameTooLarge(
            f"frame of fixes has {len(frame)} bytes; expected at most {FRAME_BYTES_MAX}. Only "
            "rtls.model.fix_frame.pack_fixes may write to this line."
        )
    if len(frame) < HEADER.size + CRC.size:
        raise InvalidFrame(
            f"frame of fixes has {len(frame)} bytes; expected {HEADER.size + CRC.size} or more. It "
            "was cut off; send it again."
        )
    magic, version, _, rows, name_bytes, at_ms = HEADER.unpack_from(frame)
    if magic != MAGIC:
        raise InvalidFrame(
            f"frame of fixes begins with {magic!r}; expected {MAGIC!r}. Something else was written "
            "to this line."
        )
    if version != VERSION:
        raise UnknownFrameVersion(
            f"frame of fixes has version {version}; expected {VERSION}. Run the stores and the "
            "chain from one release."
        )
    _check_count(rows)
    expected = HEADER.size + rows * ROW_BYTES + name_bytes + CRC.size
    if len(frame) != expected:
        raise InvalidFrame(
            f"frame of {rows} fixes has {len(frame)} bytes; expected {expected}. It was cut off; "
            "send it again."
        )
    (crc,) = CRC.unpack_from(frame, len(frame) - CRC.size)
    found = zlib.crc32(memoryview(frame)[: -CRC.size])
    if crc != found:
        raise InvalidFrame(
            f"frame of fixes says CRC-32 {crc:08x}; expected {found:08x} of what is in it. It was "
            "damaged on its way or on a disk; send it again."
        )
    return rows, UnixMs(at_ms)


def _check_count(rows: int) -> None:
    if not 1 <= rows <= FIXES_MAX:
        raise InvalidFrame(
            f"frame has {rows} fixes; expected 1 to {FIXES_MAX}. Split the batch into several."
        )


def _check_names(lengths: npt.NDArray[np.int64], *, rows: int) -> None:
    if len(lengths) != rows:
        raise InvalidFrame(f"{len(lengths)} tags for {rows} fixes; expected one tag a row.")
    if int(lengths.min()) < 1 or int(lengths.max()) > TAG_ID_BYTES_MAX:
        raise InvalidFrame(
            f"the tags' ids have {int(lengths.min())} to {int(lengths.max())} bytes; expected 1 to "
            f"{TAG_ID_BYTES_MAX} each. Ids are admitted by rtls.ingest alone."
        )


def _read_names(content: bytes, lengths: npt.NDArray[np.uint8]) -> tuple[TagId, ...]:
    ends = np.cumsum(lengths, dtype=np.int64).tolist()
    if ends[-1] != len(content):
        raise InvalidFrame(
            f"the tags' ids have {ends[-1]} bytes together; expected {len(content)}. Only "
            "rtls.model.fix_frame.pack_fixes may write to this line."
        )
    try:
        return tuple(
            TagId(content[begin:end].decode())
            for begin, end in zip([0, *ends[:-1]], ends, strict=True)
        )
    except UnicodeDecodeError as error:
        raise InvalidFrame(
            f"a tag's id cannot be read ({error}); expected UTF-8. Only "
            "rtls.model.fix_frame.pack_fixes may write to this line."
        ) from error
