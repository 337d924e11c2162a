"""Let one process at a time write the history of a site.

Layer: edges. Takes: the folder of the site. Gives: a lock to the history's writer. Two writers
would give out the same file numbers, and take each other's growing files for left-overs.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

from rtls.model.errors import NotDurable

LOCK_NAME: Final = ".lock"


class HistoryLock:
    """The lock of one folder; the system gives it back when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle: int | None = None

    def take(self) -> bool:
        """Take the lock; return whether it was free, False where it is ours already.

        Raises
        ------
        NotDurable
            If another process has it, or the folder cannot be used.
        """
        if self._handle is not None:
            return False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise NotDurable(
                f"{self._folder} cannot be used ({error}); expected a writable folder. Correct its "
                "rights, or history.folder."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise NotDurable(
                f"{self._folder} is written by another process ({error}); expected one writer of "
                "a site. End the other one, or set history.folder."
            ) from error
        self._handle = handle
        return True

    def give_back(self) -> None:
        """Let another process write; safe to call twice."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                os.close(self._handle)
            self._handle = None
