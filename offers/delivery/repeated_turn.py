"""Do a turn again and again on a thread of its own: when woken, and when long enough idle.

Layer: edges. Takes: the turn of a relay or a sender. Gives: its start, its end and its health. A
turn that fails for a foreseen reason (a busy database) is counted, told and tried again; any other
error ends the thread aloud, and health pages show it.
"""

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from rtls.model.errors import InaisleError

CLOSE_WITHIN_S: Final = 15.0

log = logging.getLogger(__name__)


def always() -> bool:
    """Say that it is our turn, where nobody else sends."""
    return True


class RepeatedTurn:
    """One thread that does turns.

    Parameters
    ----------
    turn
        What is done; the first turn comes at once, for what was left before the start.
    name
        Of the thread, and of the work in warnings.
    idle_s
        How long to wait where nobody wakes it.
    fault
        Called when a turn has failed.
    woken
        Set by whoever has work, from any thread.
    """

    def __init__(
        self,
        turn: Callable[[], None],
        *,
        name: str,
        idle_s: float,
        fault: Callable[[], None],
        woken: Event | None = None,
    ) -> None:
        self._turn = turn
        self._idle_s = idle_s
        self._fault = fault
        self._woken = woken or Event()
        self._stop = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Do a turn now. From any thread; returns at once."""
        self._woken.set()

    def close(self) -> None:
        """Stop after the turn in hand."""
        self._stop.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=CLOSE_WITHIN_S)

    @property
    def is_stopping(self) -> bool:
        """Whether a long turn should leave the rest for the next start."""
        return self._stop.is_set()

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._woken.clear()
            try:
                self._turn()
            except InaisleError as error:
                self._fault()
                log.warning("%s: tried again in %.1f s: %s", self._thread.name, self._idle_s, error)
            self._woken.wait(self._idle_s)
