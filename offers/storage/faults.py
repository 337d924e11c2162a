"""Tell what a fault of the database means for the caller.

Layer: edges. Takes: errors of SQLAlchemy. Gives: `Busy`, `CorruptDatabase` or `StorageError` of
`offers.model.errors` to writer and reader. Locked, full and unreadable pass; a damaged file stays.
"""

from typing import Final

import sqlalchemy.exc as sa_errors

from offers.model.errors import Busy, CorruptDatabase, StorageError

# Primary result codes of SQLite; extended ones carry them in their low byte.
_BUSY_CODES: Final = frozenset(
    {
        5,  # SQLITE_BUSY: another process holds the lock
        6,  # SQLITE_LOCKED
        7,  # SQLITE_NOMEM
        8,  # SQLITE_READONLY: the disk was remounted, or rights were taken away
        10,  # SQLITE_IOERR
        13,  # SQLITE_FULL: no space left on the disk
        14,  # SQLITE_CANTOPEN
        15,  # SQLITE_PROTOCOL: too many waited for the lock
    }
)
_CORRUPT_CODES: Final = frozenset({11, 26})  # SQLITE_CORRUPT, SQLITE_NOTADB


def fault_of(error: sa_errors.SQLAlchemyError) -> StorageError:
    """Return what the error means: wait and try again, stop for good, or a bug of ours."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in _CORRUPT_CODES:
        return CorruptDatabase(
            f"the database is damaged ({_first_line(error)}). Stop the service, keep the file for "
            "study, and put the newest backup in its place."
        )
    if primary in _BUSY_CODES or isinstance(error, sa_errors.TimeoutError):
        return Busy(
            f"the database cannot answer now ({_first_line(error)}); nothing is half done. Try "
            "again later; if it stays so, look at disk space and other programs on the file."
        )
    return StorageError(f"the database refused a statement ({_first_line(error)}).")


def ends_transaction(error: BaseException) -> bool:
    """Say whether the database itself failed, so that the whole transaction must be given up.

    A broken constraint concerns one command. A full disk concerns all of them, and SQLite may have
    rolled the transaction back on its own.
    """
    return isinstance(error, sa_errors.SQLAlchemyError) and isinstance(
        fault_of(error), Busy | CorruptDatabase
    )


def _first_line(error: sa_errors.SQLAlchemyError) -> str:
    # The statement and its values stand in the later lines; values do not belong in a log.
    return str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
