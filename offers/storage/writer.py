"""Write from one thread, and make many commands durable with one fsync.

Layer: edges. Takes: commands from any thread. Gives: futures that are done when the effect is on
the disk. One writer cannot meet another: no deadlock, no lost update; several processes take turns.
And since a commit costs an fsync whatever is in it, all commands that arrive during one commit
share the next.

Each command has a savepoint of its own: one that fails leaves the others untouched. No future is
done before the commit, not even with a refusal, since a refusal may stand on a neighbour's effect.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from offers.model.errors import Busy
from offers.ports import UnitOfWork
from offers.storage.database import Place, open_engine
from offers.storage.faults import ends_transaction, fault_of, is_passing_conflict
from offers.storage.postgres_server import SAVEPOINTS_MAX
from offers.storage.quick_connection import QuickConnection
from offers.storage.sql_work import SqlWork
from offers.storage.write_turn import WriteTurn

T = TypeVar("T")
QUEUE_MAX: Final = 1_024
# Bounds how long the first command of a batch waits for the last one's work.
BATCH_MAX: Final = 128
WAIT_S_MAX: Final = 30.0
# A stranger's session may lock rows in another order than ours; it does not do so for ever.
ATTEMPTS_MAX: Final = 4


class _Command:
    """One command, its future, and what it gave until the commit makes that true."""

    def __init__(self, act: Callable[[UnitOfWork], T], future: Future[T]) -> None:
        self._act = act
        self._future = future
        self._tell: Callable[[], None] = lambda: None

    def start(self) -> bool:
        """Say whether it is still wanted; from now on it cannot be cancelled."""
        return self._future.set_running_or_notify_cancel()

    def act(self, work: UnitOfWork) -> None:
        """Run the command and keep what it returns."""
        result = self._act(work)
        self._tell = lambda: self._future.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Keep the error instead."""
        told = fault_of(error) if isinstance(error, SQLAlchemyError) else error
        self._tell = lambda: self._future.set_exception(told)

    def tell(self) -> None:
        """Give the caller what was kept."""
        self._tell()


def _nothing() -> None:
    return


class Writer:
    """The one thread that writes (`offers.ports.Writer`)."""

    def __init__(self, place: Place, *, after_commit: Callable[[], None] = _nothing) -> None:
        """Start the thread.

        Parameters
        ----------
        place
            A database that `prepare_database` has prepared.
        after_commit
            Called on the writer's thread after each commit, before the futures are done, e.g. to
            wake the relay. Must not block; if it raises, the writer stops.
        """
        self._engine = open_engine(place, is_reader=False)
        self._batch_max = BATCH_MAX if isinstance(place, Path) else SAVEPOINTS_MAX
        # PostgreSQL has its own way to take turns, see `postgres_server`.
        self._turn = WriteTurn(place) if isinstance(place, Path) else None
        self._after_commit = after_commit
        self._waiting: queue.Queue[_Command | None] = queue.Queue(QUEUE_MAX)
        self._door = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._serve, name="offers-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[UnitOfWork], T]) -> Future[T]:
        """Run ``work`` soon; the future is done when its effect is durable, or did not happen.

        Raises
        ------
        Busy
            If the queue is full, or the writer has been closed.
        """
        future: Future[T] = Future()
        # Under the lock, so that nothing is put behind the mark that ends the thread.
        with self._door:
            if self._is_closed:
                raise Busy("the writer is closed; the service is stopping. Try again later.")
            try:
                self._waiting.put_nowait(_Command(work, future))
            except queue.Full:
                raise Busy(
                    f"{QUEUE_MAX} commands wait for the database; expected fewer. Try again later."
                ) from None
        return future

    def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run ``work`` and wait.

        Raises
        ------
        Busy
            If there is no answer within `WAIT_S_MAX`. Whether the effect happens is open then, as
            with a lost answer: ask again under the same idempotency key.
        """
        future = self.submit(work)
        try:
            return future.result(timeout=WAIT_S_MAX)
        except TimeoutError:
            future.cancel()
            raise Busy(f"the database did not answer within {WAIT_S_MAX:.0f} s.") from None

    @property
    def is_alive(self) -> bool:
        """Say whether commands are still carried out."""
        return self._thread.is_alive() and not self._is_closed

    def close(self) -> None:
        """Carry out what waits, then stop."""
        with self._door:
            is_first = not self._is_closed
            self._is_closed = True
        if is_first:
            self._waiting.put(None)
        self._thread.join()
        self._engine.dispose()
        if self._turn is not None and is_first:
            self._turn.close()

    def _serve(self) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._next_batch()
            wanted = [command for command in batch if command.start()]
            if wanted:
                self._commit(wanted)
                try:
                    self._after_commit()
                finally:
                    for command in wanted:
                        command.tell()

    def _next_batch(self) -> tuple[list[_Command], bool]:
        """Wait for one command, and take those that came meanwhile with it."""
        batch: list[_Command] = []
        command = self._waiting.get()
        while command is not None:
            batch.append(command)
            if len(batch) == self._batch_max:
                return batch, True
            try:
                command = self._waiting.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _commit(self, batch: list[_Command]) -> None:
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                self._commit_once(batch)
            except SQLAlchemyError as error:
                if attempt < ATTEMPTS_MAX and is_passing_conflict(error):
                    continue
                # Nothing of the batch is on the disk, so nobody may be told that it is.
                for command in batch:
                    command.fail(error)
            return

    def _commit_once(self, batch: list[_Command]) -> None:
        with self._my_turn(), self._engine.connect() as connection, connection.begin():
            quick = QuickConnection(connection)
            work = SqlWork(quick)
            for command in batch:
                if not _run_in_savepoint(command, work, quick):
                    work = SqlWork(quick)  # the old one remembers what has just been undone

    def _my_turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._turn is None else self._turn.taken()


def _run_in_savepoint(command: _Command, work: SqlWork, connection: QuickConnection) -> bool:
    """Run a command; say whether its effect stays."""
    connection.send("SAVEPOINT command")
    is_done = True
    try:
        command.act(work)
    except Exception as error:
        if ends_transaction(error):
            raise
        command.fail(error)
        connection.send("ROLLBACK TO SAVEPOINT command")
        is_done = False
    connection.send("RELEASE SAVEPOINT command")
    return is_done
