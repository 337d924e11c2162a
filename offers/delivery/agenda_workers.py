"""Let a few threads do what is due on an agenda, one thing each at a time.

Layer: edges. Takes: an agenda, and how one attempt is made. Gives: start, end and health to the
senders of pushes. An attempt that fails for a foreseen reason (a busy database) is told and the
thing dropped: it waits in the app, which is why nothing is kept here.
"""

import logging
from collections.abc import Callable
from threading import Thread
from typing import Final, Generic, TypeVar

from offers.delivery.agenda import Agenda
from rtls.model.errors import InaisleError

CLOSE_WITHIN_S: Final = 10.0

log = logging.getLogger(__name__)

T = TypeVar("T", bound=str)


class AgendaWorkers(Generic[T]):
    """Threads that work an agenda off.

    Parameters
    ----------
    agenda
        What is due when; closed with the workers.
    attempt
        Does one thing, given how often it was tried before.
    name
        Of the threads, and of the work in warnings.
    failed
        Called when an attempt has failed.
    workers
        How many threads.
    """

    def __init__(
        self,
        agenda: Agenda[T],
        attempt: Callable[[T, int], None],
        *,
        name: str,
        failed: Callable[[], None],
        workers: int = 1,
    ) -> None:
        self._agenda = agenda
        self._attempt = attempt
        self._name = name
        self._failed = failed
        self._threads = [
            Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop after what is in hand."""
        self._agenda.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=CLOSE_WITHIN_S)

    @property
    def is_running(self) -> bool:
        """Whether all threads are alive."""
        return all(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (found := self._agenda.next()) is not None:
            thing, attempt = found
            try:
                self._attempt(thing, attempt)
            except InaisleError as error:
                self._failed()
                self._agenda.done(thing)
                log.warning("%s: not sent: %s", self._name, error)
