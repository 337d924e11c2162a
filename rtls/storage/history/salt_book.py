"""Keep the salt that makes a tag a visitor for one day, and destroy it when the day is over.

Layer: edges. Takes: a folder apart from the history, and randomness. Gives: visitors to the writer.

The salt outlives a restart, or a shopper would be two visitors after it, and ten visitors perhaps
five persons. It does not outlive its day by more than `SETTLED_MS`: then nobody, ourselves
included, can tell which visitors of two days are one person, nor who a visitor was.
"""

import contextlib
import datetime as dt
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rtls.model.counted_tag import CountedTag
from rtls.model.errors import NotDurable
from rtls.model.units import SiteId, UnixMs
from rtls.storage.history.site_days import day_of, day_span

SALT_BYTES: Final = 32
SETTLED_MS: Final = 3_600_000
"""After a day has ended its last visits are still told; then its salt goes."""
SALT_NAME: Final = re.compile(r"\A(.+)\.(\d{4}-\d\d-\d\d)\.salt\Z")


class SaltBook:
    """The salts of one site.

    Parameters
    ----------
    folder
        Made if it is not there. Not to be backed up. None keeps salts in memory alone.
    new_salt
        Gives `SALT_BYTES` bytes that nobody can guess (`secrets.token_bytes`).
    settled_ms
        How long after its end a day is still told.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        site: SiteId,
        time_zone: str,
        new_salt: Callable[[int], bytes],
        settled_ms: int = SETTLED_MS,
    ) -> None:
        self._folder = folder
        self._site = site
        self._time_zone = time_zone
        self._new_salt = new_salt
        self._settled_ms = settled_ms
        self._salts: dict[dt.date, bytes] = {}

    def salt_of(self, day: dt.date, *, now_ms: UnixMs) -> bytes | None:
        """Return the salt of a day, made at the first question; None once it is destroyed.

        It raises `NotDurable` where a new one cannot be written: a restart would make another.
        """
        if self.is_settled(day, now_ms=now_ms):
            return None
        if day not in self._salts:
            self._salts[day] = self._load_or_make(day)
        return self._salts[day]

    def is_settled(self, day: dt.date, *, now_ms: UnixMs) -> bool:
        """Return whether nothing is told of the day any more."""
        return now_ms >= day_span(day, self._time_zone).end_ms + self._settled_ms

    def destroy_settled(self, *, now_ms: UnixMs) -> int:
        """Destroy the salts of days that are over; return how many.

        It raises `NotDurable` where a file cannot be removed: a promise to shoppers is broken then.
        """
        first_kept = day_of(UnixMs(now_ms - self._settled_ms), self._time_zone)
        for day in [day for day in self._salts if day < first_kept]:
            del self._salts[day]
        gone = [path for day, path in self._files() if day < first_kept]
        for path in gone:
            self._destroy(path)
        return len(gone)

    def _files(self) -> list[tuple[dt.date, Path]]:
        if self._folder is None or not self._folder.is_dir():
            return []
        found = []
        for path in self._folder.iterdir():
            match = SALT_NAME.match(path.name)
            if match and match[1] == self._site:
                with contextlib.suppress(ValueError):
                    found.append((dt.date.fromisoformat(match[2]), path))
        return found

    def _load_or_make(self, day: dt.date) -> bytes:
        if self._folder is None:
            return self._new_salt(SALT_BYTES)
        path = self._folder / f"{self._site}.{day.isoformat()}.salt"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if path.exists() and path.stat().st_size == SALT_BYTES:
                return path.read_bytes()
            salt = self._new_salt(SALT_BYTES)
            written = path.with_suffix(f".{os.getpid()}.making")
            handle = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(salt)
                file.flush()
                os.fsync(file.fileno())
            salt = _linked(written, path)
        except OSError as error:
            raise NotDurable(
                f"the salt of {day} could not be kept in {self._folder} ({error}); expected a "
                "writable folder with free space. No history is written without it."
            ) from error
        return salt

    def _destroy(self, path: Path) -> None:
        try:
            with path.open("r+b") as file:  # the bytes first: a name is not what a thief needs
                file.write(bytes(SALT_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        except OSError as error:
            raise NotDurable(
                f"the salt {path} could not be destroyed ({error}); expected a writable folder. "
                "Remove the file: while it is there, visitors of its day can be led back to tags."
            ) from error


def _linked(written: Path, path: Path) -> bytes:
    """Give a salt its name; where another process was faster, return that one's.

    Two processes that write one site's history must not make two visitors of one shopper.
    """
    try:
        path.hardlink_to(written)
    except FileExistsError:
        if path.stat().st_size != SALT_BYTES:  # cut short by a crash of the machine
            written.replace(path)
    finally:
        written.unlink(missing_ok=True)
    return path.read_bytes()


def visitor_of(counted: CountedTag, salt: bytes) -> int:
    """Return the visitor that the holder of a tag is on the day of a salt.

    Not the tag alone: a trolley has many holders a day, and each is a visitor.

    Examples
    --------
    >>> anna = CountedTag(tag="tag:1", since_ms=9, first_held_ms=5)
    >>> visitor_of(anna, b"x" * 32) == visitor_of(anna, b"y" * 32)
    False
    """
    held = f"{counted.tag}\t{counted.first_held_ms}".encode()
    digest = hashlib.blake2b(held, digest_size=8, key=salt, person=b"visitor")
    return int.from_bytes(digest.digest(), "little")
