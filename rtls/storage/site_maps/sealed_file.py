"""Write a file that is whole or not there, and know on reading whether it still is.

Layer: edges. Takes: a head of a few members and a content. Gives: the file to the stores of maps.
The first line is the head as JSON with the digest of the content; the content follows as it is.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeGuard

from rtls.model.errors import InvalidSiteMap, NotDurable
from rtls.storage.snapshot_file import sync_folder, write_durably

Json = Mapping[str, object]
WRITING: Final = ".writing"
HEAD_BYTES_MAX: Final = 65_536
FILE_BYTES_MAX: Final = 32 << 20
DIGEST_BYTES: Final = 16


def write_sealed(path: Path, head: Json, content: bytes) -> None:
    """Replace a file; after the return it survives kill -9 and loss of power.

    Raises
    ------
    NotDurable
        If the disk refuses; what was there before still stands.
    """
    line = json.dumps({**head, "digest": _digest(content)}, sort_keys=True).encode()
    beside = path.with_name(path.name + WRITING)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(beside, line + b"\n" + content)
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise NotDurable(
            f"{path} could not be written ({error}); expected a writable folder with free space. "
            "Free some space, or correct its rights; the map in force stays."
        ) from error


def read_sealed(path: Path) -> tuple[Json, bytes] | None:
    """Return head and content; None where there is no such file.

    Raises
    ------
    InvalidSiteMap
        If the file is damaged or cannot be read.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(HEAD_BYTES_MAX)
            content = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidSiteMap(
            f"{path}: cannot be read ({error.strerror}). Correct its rights."
        ) from error
    head = _head_of(path, line)
    if head.get("digest") != _digest(content):
        raise InvalidSiteMap(
            f"{path}: it is damaged: its {len(content)} bytes are not those that were written. "
            "Restore it from a backup, or move it away."
        )
    return head, content


def read_head(path: Path) -> Json:
    """Return the head alone.

    Raises
    ------
    InvalidSiteMap
        If there is none that can be read.
    """
    try:
        with path.open("rb") as file:
            return _head_of(path, file.readline(HEAD_BYTES_MAX))
    except OSError as error:
        raise InvalidSiteMap(
            f"{path}: cannot be read ({error.strerror}). Correct its rights."
        ) from error


def _head_of(path: Path, line: bytes) -> Json:
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        head = None
    if not _is_object(head):
        raise InvalidSiteMap(
            f"{path}: it is damaged: its first line is no JSON object. Restore it from a backup, "
            "or move it away."
        )
    return head


def _is_object(given: object) -> TypeGuard[Json]:
    return isinstance(given, dict)


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest()
