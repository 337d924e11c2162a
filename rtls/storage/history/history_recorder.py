"""Write the history beside the locating loop: a bounded queue, and a thread that empties it.

Layer: edges. Takes: what the locating loop gives, on the loop's own time and never waiting.
Gives: files, and to /readyz why there are none.

A disk that is full or slow must cost neither a fix nor an offer: what does not fit is dropped and
counted, and the thread tries again by itself.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rtls.engine_contract import EngineOutput
from rtls.model.errors import NotDurable
from rtls.model.units import UnixMs
from rtls.model.visit import VisitRecord
from rtls.storage.history.fix_sampler import FixSampler
from rtls.storage.history.history_chores import HistoryChores
from rtls.storage.history.history_log import HistoryLog
from rtls.storage.history.history_rows import FixSlice

WAITING_ROWS_MAX: Final = 500_000
TURN_S: Final = 0.5
RETRY_MS: Final = 10_000
STOP_S_MAX: Final = 3.0


class HistoryRecorder:
    """One queue and one thread; `take` is the locating loop's, all else belongs to the thread.

    Parameters
    ----------
    log
        What writes.
    chores
        What is done between two turns.
    now_ms
        The door's clock.
    report
        Told in one sentence when the disk refuses, and when it works again.
    """

    def __init__(
        self,
        log: HistoryLog,
        chores: HistoryChores,
        *,
        now_ms: Callable[[], UnixMs],
        report: Callable[[str], None],
    ) -> None:
        self._log = log
        self._chores = chores
        self._now_ms = now_ms
        self._report = report
        self._sampler = FixSampler()
        self._queue: deque[FixSlice | Sequence[VisitRecord]] = deque()
        # Each number is written by one thread alone: what waits is their difference.
        self._taken = self._done = 0
        self._dropped = 0
        self._trouble: str | None = None
        self._chore_trouble: str | None = None
        self._files_before_trouble = 0
        self._retry_ms = UnixMs(0)
        self.failure: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    def take(self, output: EngineOutput, records: Sequence[VisitRecord] = ()) -> None:
        """Take what one batch gave. Never waits, never fails."""
        fixes = self._sampler.take(output)
        if fixes is not None:
            self._put(fixes, len(fixes.names))
        self.take_records(records)

    def take_records(self, records: Sequence[VisitRecord]) -> None:
        """Take visits and passes, or what late readings have changed of them."""
        if records:
            self._put(tuple(records), len(records))

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self) -> None:
        """Write what is known, and end; safe before `start`."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S_MAX)

    def trouble(self) -> str | None:
        """Return why no history is written, or None; for `Health.watch`."""
        if self.failure is not None:
            return f"the history ended: {self.failure!r}"
        return self._trouble or self._chore_trouble

    def counters(self) -> Mapping[str, int]:
        """Return what was written, and what was not, by name."""
        return {"dropped": self._dropped, **self._log.counters, **self._chores.counters}

    def turn(self) -> None:
        """Write what waits, as the thread does twice a second."""
        now_ms = self._now_ms()
        if now_ms < self._retry_ms:
            self._drop_waiting()
            return
        try:
            self._log.begin()
            self._write_waiting(now_ms)
            self._log.turn(now_ms=now_ms)
        except NotDurable as error:
            self._stand_back(error, now_ms)
            return
        if self._trouble is not None and self._log.counters["files"] > self._files_before_trouble:
            self._trouble = None
            self._report("history is written again")
        self._do_chores(now_ms)

    def finish(self) -> None:
        """Write all that is known, settled or not."""
        now_ms = self._now_ms()
        try:
            self._write_waiting(now_ms)
            self._log.close(now_ms=now_ms)
        except NotDurable as error:
            self._stand_back(error, now_ms)

    def _run(self) -> None:
        try:
            while not self._stop.wait(TURN_S):
                self.turn()
            self.finish()
        except BaseException as error:  # noqa: BLE001 - a history that broke must be seen, and no more
            self.failure = error
            self._report(f"the history ended: {error!r}")

    def _put(self, what: FixSlice | Sequence[VisitRecord], rows: int) -> None:
        if self.failure is not None or self._taken - self._done + rows > WAITING_ROWS_MAX:
            self._dropped += rows
            return
        self._taken += rows
        self._queue.append(what)

    def _write_waiting(self, now_ms: UnixMs) -> None:
        while self._queue:
            what = self._queue.popleft()
            self._done += _rows(what)
            if isinstance(what, FixSlice):
                self._log.take_fixes(what, now_ms=now_ms)
            else:
                self._log.take_visits(what, now_ms=now_ms)

    def _drop_waiting(self) -> None:
        while self._queue:
            rows = _rows(self._queue.popleft())
            self._done += rows
            self._log.counters["lost"] += rows

    def _stand_back(self, error: NotDurable, now_ms: UnixMs) -> None:
        if self._trouble is None:
            self._report(f"no history is written; locating and offers go on: {error}")
        self._trouble = str(error)
        self._files_before_trouble = self._log.counters["files"]
        self._retry_ms = UnixMs(now_ms + RETRY_MS)
        self._log.give_up()

    def _do_chores(self, now_ms: UnixMs) -> None:
        try:
            self._chores.run(now_ms=now_ms)
        except NotDurable as error:
            if self._chore_trouble is None:
                self._report(str(error))
            self._chore_trouble = str(error)
        else:
            self._chore_trouble = None


def _rows(what: FixSlice | Sequence[VisitRecord]) -> int:
    return len(what.names) if isinstance(what, FixSlice) else len(what)
