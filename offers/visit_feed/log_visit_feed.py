"""Read zone events from a chain's log, and say which of them were decided about.

Layer: edges. Takes: events that stores and workers wrote, from a `VisitStream` that the door gives.
Gives: them to `VisitFeed`, batch after batch in the order of the log. The place in the log moves on
only when a batch is through: decided about, each decision durable, or put aside for people. While
the database is away the batch waits, and with it all behind it; nothing is skipped.
"""

import logging
from collections.abc import Mapping, Sequence
from threading import Event, Thread
from typing import Final, Protocol

from offers.visit_feed.attempts import Attempts
from offers.visit_feed.visit_feed import COMMIT_S_MAX, VisitFeed
from rtls.model.errors import InaisleError, InvalidVisit
from rtls.model.visit import ZoneEvent
from rtls.model.visit_json import parse_event

RETRY_S_MIN: Final = 0.05
RETRY_S_MAX: Final = 2.0

log = logging.getLogger(__name__)


class VisitStream(Protocol):
    """The log, as one reader of a group of readers sees it; used by one thread.

    Each method may raise an `InaisleError` that says why it does not work just now; the same call
    is then made again.
    """

    @property
    def counters(self) -> Mapping[str, int]:
        """Return what was read and put aside."""
        ...

    def read(self) -> Sequence[bytes]:
        """Return the next events as they were written; after a moment perhaps none."""
        ...

    def stay(self) -> bool:
        """Say that we live and work on what was read; False: another reader has it now."""
        ...

    def set_aside(self, number: int, detail: str, *, is_readable: bool) -> None:
        """Keep one event of those read last for people to look at, and why."""
        ...

    def commit(self) -> None:
        """Say that what was read last is through, so that no reader is given it again."""
        ...

    def trouble(self) -> str | None:
        """Return why nothing arrives, or None; from any thread."""
        ...

    def close(self) -> None:
        """Let the other readers go on; what was not committed is theirs."""
        ...


class LogVisitFeed:
    """Read the log as one of a group, and decide.

    Parameters
    ----------
    stream
        Of this reader alone; closed at the end.
    feed
        Decides.

    Attributes
    ----------
    counters
        Events that are through, and turns in which some had to wait.
    """

    name: Final = "visits from the chain"
    """of the part, as health pages show it"""

    def __init__(self, stream: VisitStream, *, feed: VisitFeed) -> None:
        self.counters = {"decided": 0, "set_aside": 0, "waited": 0, "given_up": 0}
        self._stream = stream
        self._feed = feed
        self._attempts = Attempts[bytes]()
        self._why_waiting: str | None = None
        self._stop = Event()
        self._thread = Thread(target=self._run, name="visit-feed", daemon=True)

    def start(self) -> None:
        """Read in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the batch in hand; what is not committed comes again. Safe before `start`."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=COMMIT_S_MAX)

    def trouble(self) -> str | None:
        """Return why no events are decided about, or None; for `Health.watch`."""
        if not self._thread.is_alive() and not self._stop.is_set():
            return "thread visit-feed does not run"
        return self._why_waiting or self._stream.trouble()

    def _run(self) -> None:
        wait_s = RETRY_S_MIN
        try:
            while not self._stop.is_set():
                try:
                    contents = self._stream.read()
                except InaisleError as error:
                    log.warning("no visits from the chain, again in %.2f s: %s", wait_s, error)
                    self._stop.wait(wait_s)
                    wait_s = min(wait_s * 2.0, RETRY_S_MAX)
                else:
                    wait_s = RETRY_S_MIN
                    self._handle(contents)
        finally:
            self._stream.close()

    def _handle(self, contents: Sequence[bytes]) -> None:
        """Stay with a batch until it is through, or another reader has it."""
        waiting = dict(enumerate(contents))
        wait_s = RETRY_S_MIN
        while contents and not self._stop.is_set():
            self._why_waiting = self._work_on(waiting)
            if self._why_waiting is None:
                return
            self.counters["waited"] += 1
            log.warning("events of the chain wait %.2f s: %s", wait_s, self._why_waiting)
            self._stop.wait(wait_s)
            wait_s = min(wait_s * 2.0, RETRY_S_MAX)
            if not self._is_ours():
                self.counters["given_up"] += 1
                break
        self._why_waiting = None

    def _work_on(self, waiting: dict[int, bytes]) -> str | None:
        """Take out of ``waiting`` what is through, and commit when all is; or say why not."""
        try:
            events = self._parsed(waiting)
            failures = self._feed.outcomes(tuple(events.values()))
            failed: list[BaseException] = []
            for number, failure in zip(tuple(events), failures, strict=True):
                if failure is None:
                    self.counters["decided"] += 1
                elif self._attempts.is_hopeless(waiting[number], failure):
                    self._set_aside(number, repr(failure), is_readable=True)
                else:
                    failed.append(failure)
                    continue
                self._attempts.forget(waiting.pop(number))
            if failed:
                return repr(failed[0])
            self._stream.commit()
        except InaisleError as error:
            return str(error)
        return None

    def _parsed(self, waiting: dict[int, bytes]) -> dict[int, ZoneEvent]:
        events: dict[int, ZoneEvent] = {}
        for number, content in tuple(waiting.items()):
            try:
                events[number] = parse_event(content)
            except InvalidVisit as error:
                self._set_aside(number, str(error), is_readable=False)
                del waiting[number]
        return events

    def _set_aside(self, number: int, detail: str, *, is_readable: bool) -> None:
        log.error("an event of the chain is set aside: %s", detail)
        self._stream.set_aside(number, detail, is_readable=is_readable)
        self.counters["set_aside"] += 1

    def _is_ours(self) -> bool:
        try:
            return self._stream.stay()
        except InaisleError:
            return True  # nobody can have been given it: the log is away
