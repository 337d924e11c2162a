"""Keep the state of each shard in a file that survives kill -9 and torn writes.

Layer: edges. Takes: snapshot bytes from the locating loop. Gives: the last one saved whole, after a
restart. The one before is kept beside it, and is used, loudly, when the newest is corrupt.
"""

import contextlib
import hashlib
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rtls.model.errors import InvalidSnapshot, NotDurable

KEY_PATTERN: Final = re.compile(r"\A[a-z0-9][a-z0-9.-]{0,127}\Z")
MAGIC: Final = b"INAISLE\x00"
FORMAT_VERSION: Final = 1
DIGEST_BYTES: Final = 16
HEADER: Final = struct.Struct(f"<8sIQ{DIGEST_BYTES}s")  # magic, version, length, digest
SNAPSHOT_BYTES_MAX: Final = 1 << 30


class SnapshotFile:
    """One file a key in one folder (port `StateStore`); one process writes a folder.

    Parameters
    ----------
    folder
        Made if it is not there.
    report
        Told in one sentence when a stored snapshot cannot be used; the door logs it loudly.
    """

    def __init__(self, folder: Path, *, report: Callable[[str], None]) -> None:
        self._folder = folder
        self._report = report
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, key: str, snapshot: bytes) -> None:
        """Replace the value; after the return it survives kill -9 and loss of power.

        Raises
        ------
        InvalidSnapshot
            If ``key`` could not be a file's name, or the snapshot is absurdly large.
        NotDurable
            If the disk refuses; the value saved before still stands.
        """
        current, previous = self._paths(key)
        if len(snapshot) > SNAPSHOT_BYTES_MAX:
            raise InvalidSnapshot(
                f"snapshot {key} has {len(snapshot)} bytes; expected at most {SNAPSHOT_BYTES_MAX}."
            )
        try:
            written = self._folder / f"{key}.writing"
            write_durably(written, header_of(key, snapshot) + snapshot)
            keep_as_previous(current, previous)
            written.replace(current)
            sync_folder(self._folder)
        except OSError as error:
            raise NotDurable(
                f"snapshot {key} could not be saved in {self._folder} ({error}); expected a "
                "writable folder with free space. Free some space or move the folder."
            ) from error

    def load(self, key: str) -> bytes | None:
        """Return the last value saved whole, or None if there never was one or none is left."""
        current, previous = self._paths(key)
        for path, remedy in (
            (current, "The one before it is tried; input in between may be missing."),
            (previous, "The shard starts empty: open visits begin anew."),
        ):
            try:
                return parse_snapshot(key, path.read_bytes())
            except FileNotFoundError:
                continue
            except (InvalidSnapshot, OSError) as error:
                self._report(f"{path}: {error} {remedy}")
                self._put_aside(path)
        return None

    def _put_aside(self, path: Path) -> None:
        # Under its own name the next save would make the corrupt file the previous one, in place
        # of the good one that has just been loaded.
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".corrupt"))

    def _paths(self, key: str) -> tuple[Path, Path]:
        if not KEY_PATTERN.match(key):
            raise InvalidSnapshot(
                f"snapshot key is {key!r}; expected 1 to 128 of a-z, 0-9, '.' and '-', beginning "
                "with a letter or digit. Build it from site and shard."
            )
        return self._folder / f"{key}.snapshot", self._folder / f"{key}.previous"


def header_of(key: str, snapshot: bytes) -> bytes:
    """Return the header that lets `parse_snapshot` tell a whole file from a torn one."""
    return HEADER.pack(MAGIC, FORMAT_VERSION, len(snapshot), digest_of(key, snapshot))


def parse_snapshot(key: str, content: bytes) -> bytes:
    """Return the snapshot in a file's content.

    Raises
    ------
    InvalidSnapshot
        If the content is not a whole snapshot of ``key`` in this format.
    """
    if len(content) < HEADER.size:
        raise InvalidSnapshot(f"the file has {len(content)} bytes; expected a header and more.")
    magic, version, length, digest = HEADER.unpack_from(content)
    if magic != MAGIC or version != FORMAT_VERSION:
        raise InvalidSnapshot(
            f"the header says {magic!r} version {version}; expected {MAGIC!r} version "
            f"{FORMAT_VERSION}."
        )
    snapshot = content[HEADER.size :]
    if len(snapshot) != length:
        raise InvalidSnapshot(f"{len(snapshot)} bytes after the header; expected {length}.")
    if digest_of(key, snapshot) != digest:
        raise InvalidSnapshot(f"the checksum is not that of snapshot {key}.")
    return snapshot


def digest_of(key: str, snapshot: bytes) -> bytes:
    """Return the checksum; the key is in it, so that a file copied to another key is refused."""
    digest = hashlib.blake2b(key.encode() + b"\x00", digest_size=DIGEST_BYTES)
    digest.update(snapshot)
    return digest.digest()


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it, or raise `OSError`."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def keep_as_previous(current: Path, previous: Path) -> None:
    """Give the current file the name of the previous one too: a good one always has a name."""
    spare = previous.with_suffix(".linking")
    spare.unlink(missing_ok=True)
    try:
        spare.hardlink_to(current)
    except FileNotFoundError:
        return  # the first snapshot of this key
    spare.replace(previous)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder, or raise `OSError`."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
