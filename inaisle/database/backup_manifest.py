"""Say what a backup holds, so that a restore can tell a whole one from a torn or a foreign one.

Layer: doors. Takes: the files of a backup. Gives: `Manifest`, written and read, to
inaisle.database.backup and inaisle.database.restore.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rtls.model.errors import InaisleError

FORMAT: Final = 1
MANIFEST_NAME: Final = "manifest.json"
FILES_NAME: Final = "files"
"""the folder of what goes back into site.data"""
SQLITE_NAME: Final = "offers.sqlite"
DUMP_NAME: Final = "offers.dump"
"""of pg_dump, in its custom format"""
MANIFEST_BYTES_MAX: Final = 64 * 1024 * 1024
CHUNK: Final = 1 << 20


class InvalidBackup(InaisleError, ValueError):
    """A folder that is no backup of ours, or no whole one: names what is wrong and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself.

    Parameters
    ----------
    format
        `FORMAT`.
    site
        Whose it is.
    taken_at
        When, in ISO 8601, UTC.
    schema
        Revision of the database's schema.
    database
        `SQLITE_NAME` or `DUMP_NAME`.
    with_history
        Whether positions and visits are in it.
    files
        SHA-256 of each file, by its path below the folder of the backup.
    """

    format: int
    site: str
    taken_at: str
    schema: str
    database: str
    with_history: bool
    files: Mapping[str, str]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it as the last file of a backup: without it the folder is none."""
    text = json.dumps(asdict(manifest), indent=1, sort_keys=True)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")


def digests_below(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file below a folder, the manifest left out."""
    return {
        str(path.relative_to(folder)): digest_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST_NAME
    }


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def read_whole(folder: Path) -> Manifest:
    """Read the manifest of a backup after each file was found as it was written.

    Raises
    ------
    InvalidBackup
        If the folder is none, of another format, or a file is missing, added or changed.
    """
    manifest = _read_manifest(folder)
    found = digests_below(folder)
    for name, digest in manifest.files.items():
        if name not in found:
            raise InvalidBackup(f"{folder / name} is missing; {_REMEDY}")
        if found[name] != digest:
            raise InvalidBackup(
                f"{folder / name}: SHA-256 is {found[name]}; expected {digest}. {_REMEDY}"
            )
    added = sorted(found.keys() - manifest.files.keys())
    if added:
        raise InvalidBackup(f"{folder / added[0]} does not belong to the backup; move it away.")
    return manifest


_REMEDY: Final = "Take another backup, or a better copy of this one."


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST_NAME
    try:
        if path.stat().st_size > MANIFEST_BYTES_MAX:
            raise InvalidBackup(f"{path} has more than {MANIFEST_BYTES_MAX} bytes. {_REMEDY}")
        found = json.loads(path.read_bytes())
        version = found["format"]
        manifest = Manifest(**found) if version == FORMAT else None
    except OSError as error:
        raise InvalidBackup(
            f"{path} cannot be read ({error}); expected the folder that inaisle backup made."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidBackup(f"{path} is no manifest of ours ({error}). {_REMEDY}") from error
    if manifest is None:
        raise InvalidBackup(
            f"{path}: format is {version!r}; expected {FORMAT}. Restore it with the release that "
            "made it."
        )
    return manifest
