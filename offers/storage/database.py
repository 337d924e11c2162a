"""Open the database file, refuse one that is not sound, and bring its schema up to date.

Layer: edges. Takes: a path. Gives: engines to writer and reader. Every connection is set the same:
write-ahead log, an fsync at each commit (synchronous=FULL), foreign keys on, a bounded wait for
locks. Transactions begin when we say so, not when Python's driver guesses it.
"""

import sqlite3
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from offers.model.errors import CorruptDatabase
from offers.storage.faults import fault_of

# "INAI": tells our files from those of other programs (https://sqlite.org/fileformat2.html).
APPLICATION_ID: Final = 0x494E4149
BUSY_MS: Final = 5_000
READERS_MAX: Final = 4
REVISIONS: Final = Path(__file__).parent / "migrations" / "versions"


def prepare_database(path: Path) -> None:
    """Create or check the file and migrate it; call once, before the first writer.

    Raises `CorruptDatabase` if the file is damaged, of another program, or of a newer version of
    ours, and `Busy` where it cannot be locked or written.

    Raises
    ------
    fault_of
        The `StorageError` that the database's own error means.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = open_engine(path, is_reader=False)
    try:
        with engine.connect() as connection:
            _check_owner(connection, path)
            _check_pages(connection, path)
            is_newest = _revision_of(connection) == newest_revision()
        if not is_newest:
            from offers.storage.migrate import migrate  # a third of a second that most starts save

            migrate(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    except SQLAlchemyError as error:
        raise fault_of(error) from error
    finally:
        engine.dispose()


def open_engine(path: Path, *, is_reader: bool) -> sa.Engine:
    """Return an engine whose transactions begin as a reader's or as the writer's.

    The writer takes the lock at BEGIN, since a lock that is taken later can fail in the middle. A
    reader cannot write at all.
    """
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
        connection.execute(f"PRAGMA query_only = {int(is_reader)}")

    def begin_transaction(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    sa.event.listen(engine, "connect", set_up)
    sa.event.listen(engine, "begin", begin_transaction)
    return engine


def newest_revision() -> str:
    """Return the newest revision of the schema: the files are named ``m<revision>_<what>.py``."""
    return max(path.name[1:].partition("_")[0] for path in REVISIONS.glob("m*.py"))


def _revision_of(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql(
        "SELECT version_num FROM alembic_version"
    ).scalar_one_or_none()
    return None if found is None else str(found)


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
