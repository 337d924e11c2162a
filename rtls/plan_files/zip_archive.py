"""Open a zip of strangers, after looking at what it says that it holds.

Layer: rules. Takes: the bytes of a zip. Gives: the files that were asked for, to
rtls.plan_files.imdf_reading. Nothing is written anywhere.

What a zip says of its sizes can be a lie, so an entry is never read beyond what it said, and fails
its checksum then. Entries that lie over each other (Fifield 2019) say their sizes one by one.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Final

from rtls.model.errors import InvalidPlanFile
from rtls.plan_files.limits import ENTRIES_MAX, EXPANDED_BYTES_MAX, RATIO_MAX
from rtls.plan_files.plan_text import plain_name

ENTRY: Final = b"PK\x01\x02"
"""before each entry of the directory"""
ZIP: Final = b"PK\x03\x04"
PACKED: Final = (".zip", ".imdf", ".gz", ".bz2", ".xz", ".7z", ".rar", ".tar")
PLAIN_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED: Final = 0x1
DAMAGED: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError)


def files_in_zip(content: bytes, wanted: Collection[str], *, source: str) -> Mapping[str, bytes]:
    """Return the files of a zip that have one of these names, in whatever folder.

    Raises
    ------
    InvalidPlanFile
        If it is no zip, has too many entries, would grow too large, or holds a path that leads out
        of it, a zip, or a name twice.
    """
    entries = content.count(ENTRY)
    if entries > ENTRIES_MAX:
        raise InvalidPlanFile(
            f"{source}: {entries:,} entries in the zip; expected at most {ENTRIES_MAX:,}. Pack "
            "only the files of the plan."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            chosen = _chosen(archive.infolist(), wanted, source)
            return {name: _read(archive, entry, source) for name, entry in chosen.items()}
    except InvalidPlanFile:
        raise
    except (*DAMAGED, ValueError, RuntimeError, OSError) as error:
        raise InvalidPlanFile(
            f"{source}: no zip that can be read ({plain_name(str(error))}); expected one. Pack "
            "the files anew."
        ) from error


def _chosen(
    entries: Collection[zipfile.ZipInfo], wanted: Collection[str], source: str
) -> Mapping[str, zipfile.ZipInfo]:
    total = sum(entry.file_size for entry in entries)
    if total > EXPANDED_BYTES_MAX:
        raise InvalidPlanFile(
            f"{source}: the zip would grow to {total:,} bytes; expected at most "
            f"{EXPANDED_BYTES_MAX:,}. Leave out what the map does not need."
        )
    chosen: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        _check(entry, source)
        name = PurePosixPath(entry.filename).name
        if entry.is_dir() or name not in wanted:
            continue
        if name in chosen:
            raise InvalidPlanFile(
                f"{source}: {name} is in the zip twice; expected one plan. Pack one building only."
            )
        chosen[name] = entry
    return chosen


def _check(entry: zipfile.ZipInfo, source: str) -> None:
    name = entry.filename
    trouble = None
    if name.startswith("/") or "\\" in name or ":" in name or ".." in PurePosixPath(name).parts:
        trouble = "leads out of the zip; expected a path below it"
    elif name.lower().endswith(PACKED):
        trouble = "is packed itself; expected files that are not"
    elif entry.flag_bits & ENCRYPTED or entry.compress_type not in PLAIN_METHODS:
        trouble = "is encrypted or packed in a rare way; expected deflate"
    elif entry.file_size > RATIO_MAX * max(entry.compress_size, 1):
        trouble = f"would grow more than {RATIO_MAX} times; expected a plan"
    if trouble:
        raise InvalidPlanFile(
            f"{source}: entry {plain_name(name)[:80]!r} {trouble}. Pack the files anew."
        )


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: str) -> bytes:
    content = archive.read(entry)
    if content.startswith(ZIP):
        raise InvalidPlanFile(
            f"{source}: entry {plain_name(entry.filename)!r} is a zip; expected files that are "
            "not packed themselves. Unpack it first."
        )
    return content
