"""Repeat one step of work with another machine in a thread of its own, whatever that one does.

Layer: edges. Takes: a step from the sinks of this package. Gives: calls of it, at an interval or
when woken, with growing waits while the other side is away; and a reason for /readyz when it does
not work.
"""

import threading
from collections.abc import Callable
from typing import Final

from rtls.model.units import Second
from rtls.publish.backoff import Backoff

AWAY: Final = Backoff(first_wait_s=Second(0.05), wait_s_max=Second(1.0))
STOP_TIMEOUT_S: Final = Second(5.0)


class RepeatedStep:
    """A thread that calls ``step`` again and again until stopped.

    Parameters
    ----------
    name
        Of the thread, as logs and health show it.
    step
        Does what is due and returns.
    interval_s
        The longest wait between two steps; `wake` shortens it.
    retry_on
        Errors after which the step is tried again, for ever; any other ends the thread, and
        `trouble` says so.
    away
        How the waits grow.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], None],
        *,
        interval_s: Second,
        retry_on: tuple[type[Exception], ...],
        away: Backoff = AWAY,
    ) -> None:
        self.failures = 0
        self._failures_in_a_row = 0
        self._last_error = ""
        self._step = step
        self._retry_on = retry_on
        self._interval_s = interval_s
        self._away = away
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def wake(self) -> None:
        """Ask for a step now; does nothing while the other side is away: the wait is for it."""
        self._wake.set()

    def stop(self, timeout_s: Second = STOP_TIMEOUT_S) -> None:
        """Do one last step if that works, and end. Safe to call twice, or before `start`."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def is_alive(self) -> bool:
        """Return whether the thread runs: before `start` and after its end it does not."""
        return self._thread.is_alive()

    def trouble(self) -> str | None:
        """Return why the work does not go on, or None."""
        if not self._thread.is_alive() and not self._stopping.is_set():
            return f"thread {self._thread.name} does not run"
        if self._failures_in_a_row:
            return f"{self._failures_in_a_row} attempts in a row failed: {self._last_error}"
        return None

    def _run(self) -> None:
        while True:
            is_last = self._stopping.is_set()
            self._wake.clear()
            try:
                self._step()
            except self._retry_on as error:
                self._note(error)
                self._stopping.wait(self._away.wait_s(self._failures_in_a_row))
            else:
                self._failures_in_a_row = 0
                if not self._stopping.is_set():
                    self._wake.wait(self._interval_s)
            if is_last:
                return

    def _note(self, error: Exception) -> None:
        self.failures += 1
        self._last_error = f"{type(error).__name__}: {error}"
        self._failures_in_a_row += 1
