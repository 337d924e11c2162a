"""Keep the draft of a site's map and every map that was published, as files of one folder.

Layer: edges. Takes: documents from the door. Gives: the newest sound map to whoever starts, and
drafts and revisions to the floor plan.

    <folder>/draft.json
    <folder>/revisions/000001.json    published first; never changed again
    <folder>/backgrounds/….png        see rtls.storage.site_maps.background_folder

Files and not the database: locating reads them, and it runs without one. What makes a map a
revision is one rename, so that a process that is killed leaves the old map or the new one.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from rtls.model.errors import InvalidSiteMap, NotDurable
from rtls.model.map_draft import MapDraft, MapRevision, PublishedMap
from rtls.storage.site_maps.map_json import (
    head_of_draft,
    head_of_revision,
    parse_draft,
    parse_revision,
)
from rtls.storage.site_maps.sealed_file import read_head, read_sealed, write_sealed

NAME: Final = re.compile(r"\A(\d{6})\.json\Z")
REVISIONS_KEPT_MAX: Final = 1_000
LOCK_NAME: Final = ".lock"
DAMAGED: Final = ".damaged"


class MapFolder:
    """The maps of one site.

    Parameters
    ----------
    folder
        Made when something is first written.
    report
        Told in one sentence what of the folder cannot be used; the door logs it.
    """

    def __init__(self, folder: Path, *, report: Callable[[str], None]) -> None:
        self.folder = folder
        self._report = report
        self._trouble: str | None = None

    def trouble(self) -> str | None:
        """Return why the draft that was kept cannot be used, until the next save; or None."""
        return self._trouble

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep all others from writing, in this process or another one.

        Raises
        ------
        NotDurable
            If the folder cannot be used.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise NotDurable(
                f"{self.folder} cannot be used ({error}); expected a writable folder. Correct its "
                "rights, or site.data."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def newest_number(self) -> int:
        """Return the number of the newest revision, sound or not; 0 before the first."""
        return max(self._numbers(), default=0)

    def newest_first(self) -> Iterator[PublishedMap]:
        """Yield the published maps that are whole, the newest first; tell of those that are not."""
        for number in sorted(self._numbers(), reverse=True):
            try:
                found = self.published(number)
            except InvalidSiteMap as error:
                self._report(f"{error} The revision before it is taken.")
                continue
            if found is not None:
                yield found

    def published(self, revision: int) -> PublishedMap | None:
        """Return a published map, None where there is no such; `InvalidSiteMap` if damaged."""
        path = self._path(revision)
        found = read_sealed(path)
        if found is None:
            return None
        head, content = found
        return PublishedMap(about=parse_revision(head, source=str(path)), content=content)

    def revisions(self) -> tuple[MapRevision, ...]:
        """Return what is known of each published map, the newest first."""
        found: list[MapRevision] = []
        for number in sorted(self._numbers(), reverse=True):
            path = self._path(number)
            try:
                found.append(parse_revision(read_head(path), source=str(path)))
            except InvalidSiteMap as error:
                self._report(str(error))
        return tuple(found)

    def publish(self, content: bytes, about: MapRevision) -> MapRevision:
        """Keep a map for good, under the next number, and return what is known of it.

        Call it within `alone`. The oldest of more than `REVISIONS_KEPT_MAX` are dropped.
        """
        numbers = sorted(self._numbers())
        numbered = replace(about, revision=max(numbers, default=0) + 1)
        write_sealed(self._path(numbered.revision), head_of_revision(numbered), content)
        for old in numbers[: max(0, len(numbers) + 1 - REVISIONS_KEPT_MAX)]:
            self._path(old).unlink(missing_ok=True)
        return numbered

    def draft(self) -> MapDraft | None:
        """Return what was last saved; None where nothing was, or what there is is damaged.

        A damaged file is set aside and told of: the next save must not lose it.
        """
        path = self.folder / "draft.json"
        try:
            found = read_sealed(path)
            return None if found is None else parse_draft(*found, source=str(path))
        except InvalidSiteMap as error:
            aside = path.with_name(path.name + DAMAGED)
            with contextlib.suppress(OSError):
                path.replace(aside)
            self._trouble = f"{error} It was set aside as {aside.name}; the draft begins anew."
            self._report(self._trouble)
            return None

    def save_draft(self, draft: MapDraft) -> None:
        """Replace the draft; call it within `alone`."""
        document = b"" if draft.document is None else msgspec.json.encode(draft.document)
        write_sealed(self.folder / "draft.json", head_of_draft(draft), document)
        self._trouble = None

    def _path(self, revision: int) -> Path:
        return self.folder / "revisions" / f"{revision:06}.json"

    def _numbers(self) -> Iterator[int]:
        with contextlib.suppress(FileNotFoundError):
            for path in (self.folder / "revisions").iterdir():
                match = NAME.match(path.name)
                if match:
                    yield int(match[1])
