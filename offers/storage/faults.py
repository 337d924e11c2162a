"""Tell what a fault of the database means for the caller.

Layer: edges. Takes: errors of SQLAlchemy. Gives: `Busy`, `CorruptDatabase` or `StorageError` of
`offers.model.errors` to writer and reader. Locked, full and out of reach pass; a damaged database
stays.
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

# Classes and codes of PostgreSQL (its manual, appendix A).
_BUSY_STATES: Final = (
    "08",  # the connection failed
    "25006",  # read-only: the server became a standby
    "25P03",  # we were idle in a transaction for too long
    "40",  # the server gave the transaction up: deadlock, serialisation
    "53",  # out of disk, memory or connections
    "55",  # locked, or not in the state for it
    "57",  # cancelled, or the server stops or starts
    "58",  # the operating system failed
)
_CORRUPT_STATES: Final = ("XX001", "XX002")  # a page, an index
_CONFLICT_STATES: Final = frozenset({"40001", "40P01"})  # serialisation failure, deadlock


def fault_of(error: sa_errors.SQLAlchemyError) -> StorageError:
    """Return what the error means: wait and try again, stop for good, or a bug of ours."""
    if _is_corrupt(error):
        return CorruptDatabase(
            f"the database is damaged ({_first_line(error)}). Stop the service, keep the file for "
            "study, and put the newest backup in its place."
        )
    if _is_busy(error):
        return Busy(
            f"the database cannot answer now ({_first_line(error)}); nothing is half done. Try "
            "again later; if it stays so, look at the server, disk space and other programs."
        )
    return StorageError(f"the database refused a statement ({_first_line(error)}).")


def ends_transaction(error: BaseException) -> bool:
    """Say whether the database itself failed, so that the whole transaction must be given up.

    A broken constraint concerns one command. A full disk concerns all of them, and the database may
    have rolled the transaction back on its own.
    """
    return isinstance(error, sa_errors.SQLAlchemyError) and isinstance(
        fault_of(error), Busy | CorruptDatabase
    )


def is_passing_conflict(error: sa_errors.SQLAlchemyError) -> bool:
    """Say whether another transaction stood in the way, so that the same once more may succeed."""
    return _state_of(error) in _CONFLICT_STATES


def _is_corrupt(error: sa_errors.SQLAlchemyError) -> bool:
    return _code_of(error) in _CORRUPT_CODES or _state_of(error).startswith(_CORRUPT_STATES)


def _is_busy(error: sa_errors.SQLAlchemyError) -> bool:
    if isinstance(error, sa_errors.TimeoutError):
        return True
    if isinstance(error, sa_errors.DBAPIError) and error.connection_invalidated:
        return True
    return (
        _code_of(error) in _BUSY_CODES
        or _state_of(error).startswith(_BUSY_STATES)
        or _is_out_of_reach(error)
    )


def _is_out_of_reach(error: sa_errors.SQLAlchemyError) -> bool:
    # A server that is not there cannot say why: psycopg's error has no state then.
    has_state = getattr(getattr(error, "orig", None), "sqlstate", "") is not None
    return isinstance(error, sa_errors.OperationalError) and not has_state


def _code_of(error: sa_errors.SQLAlchemyError) -> int | None:
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def _state_of(error: sa_errors.SQLAlchemyError) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def _first_line(error: sa_errors.SQLAlchemyError) -> str:
    # The statement and its values stand in the later lines; values do not belong in a log.
    return str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
