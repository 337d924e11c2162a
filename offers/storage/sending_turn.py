"""Let one process at a time send what waits in a database: offers to apps, mails, webhooks.

Layer: edges. Takes: the place of the database. Gives: whether it is our turn, to the relay and the
senders. Who has the turn keeps it while he lives and asks; when his process dies, the system or the
server gives it to the next who asks. Without it every process would send every row: what is sent is
taken out of the database only behind the sending, or a death between the two would lose it.

A turn that changes hands at the wrong moment sends something twice, never not at all: receivers
know a second copy by its id.
"""

import fcntl
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Final, Protocol
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from offers.model.ids import TenantId
from offers.storage.database import Place, tenant_place
from offers.storage.faults import fault_of
from offers.storage.postgres_server import WRITER_LOCK, TenantPlace, open_to_look_up

# Longer than any of them sleeps between two looks, and as long as a hanging writer may stop others.
SILENCE_S_MAX: Final = 10


class SendingTurn(Protocol):
    """Whose turn it is to send; one object for each process and database."""

    def is_ours(self) -> bool:
        """Say whether we may send now; takes the turn where it is free. From any thread."""
        ...

    def close(self) -> None:
        """Give the turn away."""
        ...


def sending_turn(place: Place) -> SendingTurn:
    """Return the turn at a database."""
    return FileTurn(place) if isinstance(place, Path) else ServerTurn(tenant_place(place))


class FileTurn:
    """A lock on a file beside the database; the system frees it with the process."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-sending")
        self._file: BinaryIO | None = None  # opened when first asked: who never starts asks never
        self._lock = Lock()

    def is_ours(self) -> bool:
        """Say whether we may send now. From any thread."""
        with self._lock:
            if self._file is None:
                self._file = self._path.open("ab")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def close(self) -> None:
        """Give the turn away."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


class ServerTurn:
    """A lock that a session of ours holds on the server, which frees it with the session.

    The server ends a session that has not asked for `SILENCE_S_MAX`: of a process that hangs, or of
    a machine that is gone. It has to be a session: behind a pooler that lends connections by the
    transaction nobody would keep the turn (docs/tenants.md).
    """

    def __init__(self, place: TenantPlace) -> None:
        self._engine = open_to_look_up(place.url).execution_options(isolation_level="AUTOCOMMIT")
        self._take = f"SELECT pg_try_advisory_lock({number_of(place.tenant)})"
        self._session: sa.Connection | None = None
        self._has_it = False
        self._lock = Lock()  # relay and senders ask from threads of their own

    def is_ours(self) -> bool:
        """Say whether we may send now. From any thread.

        Raises
        ------
        fault_of
            The `StorageError` that the database's own error means; the turn may be lost then.
        """
        with self._lock:
            try:
                return self._ask()
            except SQLAlchemyError as error:
                self._drop()
                raise fault_of(error) from error

    def close(self) -> None:
        """Give the turn away."""
        with self._lock:
            self._drop()
            self._engine.dispose()

    def _ask(self) -> bool:
        if self._session is None:
            self._session = self._engine.connect()
            self._session.exec_driver_sql(f"SET idle_session_timeout = '{SILENCE_S_MAX}s'")
        if self._has_it:
            self._session.exec_driver_sql("SELECT 1")  # an error says that the session has ended
        else:
            self._has_it = bool(self._session.exec_driver_sql(self._take).scalar_one())
        return self._has_it

    def _drop(self) -> None:
        session, self._session, self._has_it = self._session, None, False
        if session is not None:
            session.invalidate()  # not back to the pool: the lock goes with the session
            session.close()


def number_of(tenant: TenantId) -> int:
    """Return the number of the lock of those who send for a tenant."""
    return (WRITER_LOCK + 1) << 32 | crc32(tenant.encode())
