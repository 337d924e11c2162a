"""Open a PostgreSQL database so that writers take turns, and refuse one that is not fit for us.

Layer: edges. Takes: a URL. Gives: engines to offers.storage.database. Transactions are READ
COMMITTED, and each one that writes first takes one advisory lock of the database. So all processes
that write take turns, as they do on an SQLite file: rows become visible in the order of their
sequence numbers, which cursors and the audit chain stand on, and two writers cannot meet in a
deadlock (docs/decisions/0022). The server frees the lock with the connection, whatever happens.
"""

from collections.abc import Callable
from typing import Final, Protocol

import sqlalchemy as sa

from offers.model.errors import CorruptDatabase, StorageError

# "INAI" again; advisory locks are counted for each database apart.
WRITER_LOCK: Final = 0x494E4149
DRIVER: Final = "postgresql+psycopg"
READERS_MAX: Final = 8
WAIT_MS: Final = 5_000
# A process that stopped in the middle of a transaction would keep the lock from all others.
IDLE_MS: Final = 10_000
VERSION_MIN: Final = 150_000
# Bytes decide the order of text, as on SQLite; and an index keeps its order when the operating
# system renews its tables of languages, which has silently broken many a UNIQUE.
COLLATIONS: Final = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8"})
# Beyond 64 subtransactions a reader has to look each one up on the disk.
SAVEPOINTS_MAX: Final = 64

_SETTINGS: Final = (
    f"SET statement_timeout = {WAIT_MS}; SET idle_in_transaction_session_timeout = {IDLE_MS}; "
    "SET timezone = 'UTC'; SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'"
)
_TAKE_TURN: Final = f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"


class _Driver(Protocol):
    """What we need of psycopg's connection."""

    autocommit: bool
    execute: Callable[[str], object]


def open_postgres(url: sa.URL, *, is_reader: bool) -> sa.Engine:
    """Return an engine on the database; a writer's transactions begin with the writers' lock."""
    engine = sa.create_engine(
        url.set(drivername=DRIVER),
        pool_size=READERS_MAX if is_reader else 1,
        max_overflow=0,
        pool_timeout=WAIT_MS / 1_000,
        # One round trip, so that a server that was started again is answered at once.
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ" if is_reader else "READ COMMITTED",
        connect_args={
            "client_encoding": "UTF8",
            "connect_timeout": WAIT_MS // 1_000,
            "tcp_user_timeout": IDLE_MS,
        },
    )

    def set_up(connection: _Driver, _record: object) -> None:
        was = connection.autocommit
        connection.autocommit = True
        connection.execute(_SETTINGS)
        if is_reader:
            connection.execute("SET default_transaction_read_only = on")
        connection.autocommit = was

    def take_turn(connection: sa.Connection) -> None:
        connection.exec_driver_sql(_TAKE_TURN)

    sa.event.listen(engine, "connect", set_up)
    if not is_reader:
        sa.event.listen(engine, "begin", take_turn)
    return engine


def refuse_unfit(connection: sa.Connection, url: sa.URL) -> None:
    """Look at what the server and the database are, and whose tables are there.

    Raises
    ------
    StorageError
        If the server is too old, or its text is not stored and ordered as ours must be.
    CorruptDatabase
        If the database is of another program.
    """
    name = url.render_as_string(hide_password=True)
    version = int(_shown(connection, "server_version_num"))
    if version < VERSION_MIN:
        raise StorageError(
            f"{name}: the server is {_shown(connection, 'server_version')}; expected PostgreSQL "
            f"{VERSION_MIN // 10_000} or newer."
        )
    _check_text(connection, name)
    inspector = sa.inspect(connection)
    tables = set(inspector.get_table_names())
    if tables and not {"alembic_version", "redemptions"} <= tables:
        raise CorruptDatabase(
            f"{name}: {len(tables)} tables of another program are there, e.g. {min(tables)}; "
            "expected an empty database or our own. Give one of our own."
        )


def _check_text(connection: sa.Connection, name: str) -> None:
    encoding = _shown(connection, "server_encoding")
    collation = connection.exec_driver_sql(
        "SELECT datcollate FROM pg_database WHERE datname = current_database()"
    ).scalar_one()
    if encoding != "UTF8" or collation not in COLLATIONS:
        raise StorageError(
            f"{name}: encoding is {encoding} and collation {collation}; expected UTF8 and C. Make "
            "the database by CREATE DATABASE … ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0."
        )


def _shown(connection: sa.Connection, setting: str) -> str:
    return str(connection.exec_driver_sql(f"SHOW {setting}").scalar_one())
