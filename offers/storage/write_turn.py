"""Let the processes that write one SQLite file take turns, in the order in which they came.

Layer: edges. Takes: the path of the database. Gives: a turn to the writer, around each of its
transactions. SQLite alone lets whoever finds the file free have it, and the others try again after
a nap that grows: of two busy processes one gets nothing for seconds. Here a process waits for its
turn holding the place of the next, so that one who has just written stands behind it.

The turn is for fairness only; that two never write at once is SQLite's own lock. So whoever has
waited too long (a process was stopped in the middle of its turn) goes on without one.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

WAIT_S_MAX: Final = 5.0
# The holder's transaction takes some ten milliseconds; asking takes two microseconds.
ASK_EVERY_S: Final = 0.000_5
# Bytes of the lock file (POSIX record locks; the system frees them with the process).
_NEXT: Final = 0
_TURN: Final = 1


class WriteTurn:
    """The turns at one database file; one object for each process that writes it.

    Parameters
    ----------
    database
        The file. The turns are kept in another one beside it, named ``…-turn``.
    wait_s_max
        How long to wait for a turn before going on without.
    """

    def __init__(self, database: Path, *, wait_s_max: float = WAIT_S_MAX) -> None:
        self._wait_s_max = wait_s_max
        self._file = os.open(
            database.with_name(f"{database.name}-turn"),
            os.O_RDWR | os.O_CREAT | os.O_CLOEXEC,
            0o600,
        )

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn, and give it on in the end."""
        deadline = time.monotonic() + self._wait_s_max
        try:
            if self._take(_NEXT, deadline) and self._take(_TURN, deadline):
                self._free(_NEXT)
            yield
        finally:
            self._free(_NEXT)
            self._free(_TURN)

    def close(self) -> None:
        """Let the file go."""
        os.close(self._file)

    def _take(self, place: int, deadline: float) -> bool:
        while time.monotonic() < deadline:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except BlockingIOError:
                time.sleep(ASK_EVERY_S)
            else:
                return True
        return False

    def _free(self, place: int) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)
