"""One file of the event journal: checksummed records, one after the other.

Layer: edges. Takes: records from `EventJournal`. Gives: them back, by sequence, and what is left of
a file after a crash in the middle of a write.
"""

import os
import struct
import zlib
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from rtls.model.units import UnixMs

# crc32 of all that follows, length of the payload, sequence, instant
HEADER: Final = struct.Struct("<IIQq")
CRC_BYTES: Final = 4
PAYLOAD_BYTES_MAX: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRecord:
    """One rendered event with its place in the journal."""

    sequence: int
    at_ms: UnixMs
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Some records of a segment: where they lie in its file."""

    first: int
    start: int
    sizes: tuple[int, ...]


@dataclass(slots=True, kw_only=True)
class Segment:
    """One file; knows where each of its records begins, so that reading never searches."""

    path: Path
    first: int
    """sequence of the first record, also the file's name"""
    ends: "array[int]" = field(default_factory=lambda: array("Q"))
    """(n,) offset behind each record"""
    at_ms: "array[int]" = field(default_factory=lambda: array("q"))
    """(n,) instant of each record"""
    at_ms_max: int = 0
    """the youngest instant; 0 where there is none"""
    handle: int | None = None

    @property
    def last(self) -> int:
        """Return the sequence of the last record; one less than the first of an empty segment."""
        return self.first + len(self.ends) - 1

    @property
    def size(self) -> int:
        """Return the bytes of all records."""
        return self.ends[-1] if self.ends else 0

    def first_since(self, at_ms: int) -> int | None:
        """Return the sequence of the first record not older than ``at_ms``."""
        if self.at_ms_max < at_ms:
            return None
        return next((self.first + i for i, at in enumerate(self.at_ms) if at >= at_ms), None)

    def write(self, content: Sequence[bytes]) -> None:
        """Write records behind the last and wait for the disk; they count after `add`.

        Raises
        ------
        OSError
            If the disk refuses; a tail may be left that does not count.
        """
        if self.handle is None:
            self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            write_all(self.handle, b"".join(content), offset=self.size)
            os.fdatasync(self.handle)
        except OSError:
            os.ftruncate(self.handle, self.size)
            raise

    def add(self, content: Sequence[bytes], at_ms: Sequence[int]) -> None:
        """Count records that are on disk."""
        end = self.size
        for record in content:
            end += len(record)
            self.ends.append(end)
        self.at_ms.extend(at_ms)
        self.at_ms_max = max(self.at_ms_max, *at_ms)

    def span(self, *, after: int, limit: int) -> Span:
        """Return where up to ``limit`` records that follow ``after`` lie."""
        begin = max(after + 1 - self.first, 0)
        bounds = [0, *self.ends[:begin]][-1:] + list(self.ends[begin : begin + limit])
        return Span(
            first=self.first + begin,
            start=bounds[0],
            sizes=tuple(end - start for start, end in pairwise(bounds)),
        )

    def read(self, span: Span) -> list[JournalRecord]:
        """Return the records of a span, without those that the disk has spoiled."""
        records: list[JournalRecord] = []
        with self.path.open("rb") as file:
            file.seek(span.start)
            for sequence, size in enumerate(span.sizes, span.first):
                records += parse_records(file.read(size), first=sequence)
        return records

    def reset(self) -> None:
        """Empty the file and begin anew under the same name."""
        self.ends, self.at_ms, self.at_ms_max = array("Q"), array("q"), 0
        self.path.write_bytes(b"")

    def close(self) -> None:
        """Give back the file handle."""
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None

    def delete(self) -> None:
        """Remove the file."""
        self.close()
        self.path.unlink(missing_ok=True)


def render_record(sequence: int, at_ms: UnixMs, payload: bytes) -> bytes:
    """Return a record with its checksum.

    Raises
    ------
    ValueError
        If the payload is larger than any event.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise ValueError(
            f"the event has {len(payload)} bytes; expected at most {PAYLOAD_BYTES_MAX}."
        )
    header = HEADER.pack(0, len(payload), sequence, at_ms)[CRC_BYTES:]
    crc = zlib.crc32(payload, zlib.crc32(header))
    return crc.to_bytes(CRC_BYTES, "little") + header + payload


def parse_records(content: bytes, *, first: int, before: int | None = None) -> list[JournalRecord]:
    """Return the whole records at the beginning of ``content``, with sequences from ``first`` on.

    Parameters
    ----------
    before
        Stop in front of this sequence: the next segment has it.
    """
    records: list[JournalRecord] = []
    offset = 0
    while offset + HEADER.size <= len(content):
        crc, length, sequence, at_ms = HEADER.unpack_from(content, offset)
        end = offset + HEADER.size + length
        is_expected = sequence == first + len(records) and sequence != before
        if not is_expected or length > PAYLOAD_BYTES_MAX or end > len(content):
            break
        if zlib.crc32(memoryview(content)[offset + CRC_BYTES : end]) != crc:
            break
        payload = content[offset + HEADER.size : end]
        records.append(JournalRecord(sequence=sequence, at_ms=UnixMs(at_ms), payload=payload))
        offset = end
    return records


def create_segment(folder: Path, first: int) -> Segment:
    """Make an empty segment whose name survives a crash."""
    segment = Segment(path=folder / f"{first:020d}.events", first=first)
    segment.reset()
    sync_folder(folder)
    return segment


def open_segment(
    path: Path, *, before: int | None, report: Callable[[str], None]
) -> tuple[Segment, bool]:
    """Read a segment after a restart; say whether it was whole.

    What a crash has left unfinished is cut off.

    Parameters
    ----------
    before
        The first sequence of the next segment; None for the last one.
    report
        Told in one sentence what was cut off or is lost.
    """
    content = path.read_bytes()
    segment = Segment(path=path, first=int(path.stem))
    for record in parse_records(content, first=segment.first, before=before):
        segment.ends.append(segment.size + HEADER.size + len(record.payload))
        segment.at_ms.append(record.at_ms)
    segment.at_ms_max = max(segment.at_ms, default=0)
    is_whole = segment.size == len(content)
    if not is_whole:
        report(
            f"{path}: {len(content) - segment.size} bytes behind record {segment.last} are no "
            "whole record and are cut off. After a crash that is the write it interrupted; "
            "otherwise check the disk."
        )
        os.truncate(path, segment.size)
    if before is not None and segment.last + 1 < before:
        report(f"{path}: events {segment.last + 1} to {before - 1} are lost. Check the disk.")
    return segment, is_whole


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder, or raise `OSError`."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_all(handle: int, content: bytes, *, offset: int) -> None:
    """Write every byte, or raise `OSError`; a full disk may take only some at a time."""
    rest = memoryview(content)
    while rest:
        written = os.pwrite(handle, rest, offset)
        rest, offset = rest[written:], offset + written
