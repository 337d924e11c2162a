"""Keep whole objects under names: on an object store, in a folder, or in memory.

Layer: edges. Takes: a URL (`s3://bucket/path`, `file:///path`, a plain path). Gives: put, get, list
and remove to the archive of a chain and to its reader. An object is there whole or not at all, and
is never changed, only replaced whole.

Needs the extra `objects` (fsspec, and s3fs for `s3://`).
"""

import os
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtls.model.errors import InvalidConnection, MissingExtra, NotDurable

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem  # type: ignore[import-untyped]

WRITING: Final = ".writing"


class ObjectFolder:
    """One folder of objects; names are paths within it. For one thread.

    Parameters
    ----------
    url
        Where it is; `InvalidConnection` says what of it cannot work, `MissingExtra` what is not
        installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._files, self._root = _open(url)
        self._faults = _faults_of(url)
        protocols = self._files.protocol
        names = (protocols,) if isinstance(protocols, str) else tuple(protocols)
        self.local = Path(self._root) if "file" in names else None
        """the folder itself where it is one of this machine"""

    def put(self, name: str, content: bytes) -> None:
        """Put an object in the place of the one of that name; `NotDurable` if it is not taken."""
        try:
            if self.local is None:
                self._files.pipe_file(self._path(name), content)
            else:
                _replace(self.local / name, content)
        except self._faults as error:
            raise self._refused(name, error) from error

    def get(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Return the objects that are there, asked for at once and without a listing."""
        paths = {self._path(name): name for name in names}
        if not paths:
            return {}
        try:
            found = self._files.cat(list(paths), on_error="return")
        except self._faults as error:
            raise self._refused(names[0], error) from error
        for path, content in found.items():
            if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                raise self._refused(path, content) from content
        return {
            paths[path]: content for path, content in found.items() if isinstance(content, bytes)
        }

    def names(self, folder: str) -> list[str]:
        """Return the names directly within a folder, sorted; none where it is not there."""
        try:
            found = self._files.ls(self._path(folder), detail=False)
        except FileNotFoundError:
            return []
        except self._faults as error:
            raise self._refused(folder, error) from error
        return sorted(posixpath.basename(str(path).rstrip("/")) for path in found)

    def remove(self, names: Iterable[str]) -> int:
        """Remove objects; return how many were there."""
        gone = 0
        for name in names:
            try:
                self._files.rm_file(self._path(name))
                gone += 1
            except FileNotFoundError:
                continue
            except self._faults as error:
                raise self._refused(name, error) from error
        return gone

    def _path(self, name: str) -> str:
        return posixpath.join(self._root, name)

    def _refused(self, name: str, error: BaseException) -> NotDurable:
        return NotDurable(
            f"{name} in {self.url} could not be read or written ({error}); expected a store that "
            "answers and lets this account in. It is tried again."
        )


def _open(url: str) -> tuple["AbstractFileSystem", str]:
    """Return the file system of a URL, and the path within it.

    Raises
    ------
    MissingExtra
        If its library is not installed.
    InvalidConnection
        If there is no such kind of URL.
    """
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        # A listing that is remembered would hide what another process has written.
        files, root = url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        raise MissingExtra(
            f"{url} needs the library {error.name or 'of its kind'}, which is not installed; "
            "expected the extra objects. Install it with: pip install 'inaisle[objects]'"
        ) from error
    except ValueError as error:
        raise InvalidConnection(
            f"{url!r} is no place for objects ({error}); expected s3://bucket/path, "
            "file:///path or a folder."
        ) from error
    return files, str(root).rstrip("/")


def _faults_of(url: str) -> tuple[type[Exception], ...]:
    """Return what a store raises where it cannot be reached; not all of it is an `OSError`."""
    if not url.startswith("s3:"):
        return (OSError,)
    from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]

    return (OSError, BotoCoreError)


def _replace(path: Path, content: bytes) -> None:
    """Write beside, wait for the disk, rename: whole or not at all, as an object store does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    growing = path.with_name(f"{path.name}.{os.getpid()}{WRITING}")
    with growing.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    growing.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
