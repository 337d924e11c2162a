"""Keep the pictures that plans are drawn after, each under a name that its content gives it.

Layer: edges. Takes: PNG files from an import. Gives: the same to the floor plan. Bounded in number
and size: those that no draft and no revision shows go first, the oldest before the younger.
"""

import contextlib
import hashlib
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from rtls.model.errors import InvalidSiteMap, NotDurable
from rtls.model.map_draft import BACKGROUND_PATTERN, check_background_id
from rtls.storage.snapshot_file import sync_folder, write_durably

PNG: Final = b"\x89PNG\r\n\x1a\n"
PICTURES_MAX: Final = 64
PICTURE_BYTES_MAX: Final = 32 << 20
DIGEST_BYTES: Final = 16
SUFFIX: Final = ".png"


class BackgroundFolder:
    """The pictures of one site; safe to use from several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, picture: bytes, *, shown: Collection[str]) -> str:
        """Keep a PNG and return its id.

        Parameters
        ----------
        picture
            The file.
        shown
            Ids that are in use, which stay whatever their age.

        Raises
        ------
        InvalidSiteMap
            If it is no PNG, or too large, or all the room is taken by pictures in use.
        NotDurable
            If the disk refuses.
        """
        if not picture.startswith(PNG) or len(picture) > PICTURE_BYTES_MAX:
            raise InvalidSiteMap(
                f"the picture has {len(picture)} bytes and begins with {picture[:4]!r}; expected a "
                f"PNG of at most {PICTURE_BYTES_MAX} bytes. Export the plan with fewer pixels."
            )
        name = hashlib.blake2b(picture, digest_size=DIGEST_BYTES).hexdigest()
        path = self._folder / f"{name}{SUFFIX}"
        if path.is_file():
            return name
        self._make_room({*shown, name})
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}.writing")
            write_durably(beside, picture)
            beside.replace(path)
            sync_folder(self._folder)
        except OSError as error:
            raise NotDurable(
                f"{path} could not be written ({error}); expected a writable folder with free "
                "space. Free some space, or correct its rights."
            ) from error
        return name

    def read(self, name: str) -> bytes | None:
        """Return a picture; None where there is none of this id; `InvalidSiteMap` if it is none."""
        check_background_id(name)
        try:
            return (self._folder / f"{name}{SUFFIX}").read_bytes()
        except FileNotFoundError:
            return None

    def _make_room(self, shown: Collection[str]) -> None:
        if not self._folder.is_dir():
            return
        ours = (one for one in self._folder.iterdir() if BACKGROUND_PATTERN.match(one.stem))
        kept = sorted(ours, key=lambda path: path.stat().st_mtime)
        free = [path for path in kept if path.stem not in shown]
        for path in free[: max(0, len(kept) + 1 - PICTURES_MAX)]:
            with contextlib.suppress(OSError):
                path.unlink()
        if len(kept) - len(free) >= PICTURES_MAX:
            raise InvalidSiteMap(
                f"{len(kept)} pictures are in use; expected fewer than {PICTURES_MAX}. Remove "
                "backgrounds from the draft that are no longer drawn after."
            )
