"""Open an SQLite file so that what is committed stays, and refuse one that is damaged or not ours.

Layer: edges. Takes: a path. Gives: engines to offers.storage.database. Every connection is set the
same: write-ahead log, an fsync at each commit (synchronous=FULL), foreign keys on, a bounded wait
for locks. Transactions begin when we say so, not when Python's driver guesses it.
"""

import sqlite3
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from offers.model.errors import CorruptDatabase

# "INAI": tells our files from those of other programs (https://sqlite.org/fileformat2.html).
APPLICATION_ID: Final = 0x494E4149
BUSY_MS: Final = 5_000
READERS_MAX: Final = 4
# A batch of 128 redemptions changes a thousand pages of 4 KiB. SQLite's own 2 MiB do not hold them:
# they are written twice. And a log of 4 MiB is carried over into the file every fourth batch.
CACHE_KIB: Final = 16_384
WAL_PAGES: Final = 4_000


def open_sqlite(path: Path, *, is_reader: bool) -> sa.Engine:
    """Return an engine on the file; the writer takes the lock at BEGIN."""
    engine = sa.create_engine(
        f"sqlite+pysqlite:///{path}",
        pool_size=READERS_MAX if is_reader else 1,
        max_overflow=0,
        pool_timeout=BUSY_MS / 1_000,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1_000},
    )
    begin = "BEGIN" if is_reader else "BEGIN IMMEDIATE"

    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # What is erased is overwritten, not only left out: nothing of a person stays in the file.
        connection.execute("PRAGMA secure_delete = ON")
        # Each command has a savepoint, and a savepoint keeps the pages that it changes: in a file
        # that is made and deleted each time, unless we say this.
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        connection.execute(f"PRAGMA query_only = {int(is_reader)}")

    def begin_transaction(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    sa.event.listen(engine, "connect", set_up)
    sa.event.listen(engine, "begin", begin_transaction)
    return engine


def refuse_unsound(connection: sa.Connection, path: Path) -> None:
    """Raise `CorruptDatabase` where the file is of another program, or a page of it is damaged."""
    _check_owner(connection, path)
    _check_pages(connection, path)


def mark_as_ours(connection: sa.Connection) -> None:
    """Write into the file's header whose it is."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def _check_owner(connection: sa.Connection, path: Path) -> None:
    found = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    count = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    if count and found != APPLICATION_ID:
        raise CorruptDatabase(
            f"{path}: application_id is {found}; expected {APPLICATION_ID}. This is the database "
            "of another program: give a path of our own."
        )


def _check_pages(connection: sa.Connection, path: Path) -> None:
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        raise CorruptDatabase(
            f"{path}: the file is damaged ({found}). Keep it for study, and put the newest backup "
            "in its place."
        )
